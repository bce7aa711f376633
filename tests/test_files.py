"""Files: what is written comes back, a write happens whole or not at all, and nothing read runs code."""

import errno
import os
from pathlib import Path

import pytest

from ossein.errors import DataError
from ossein.files import atomic, read_json, read_text, read_yaml, write_json, write_text, write_yaml

PLAIN = {"joints": ["Füße", "日本"], "b": {"z": 1, "a": [1.5, None, True]}, "empty": {}}


def test_yaml_and_json_come_back_as_they_were_with_keys_in_their_order(tmp_path: Path):
    write_yaml(tmp_path / "a.yaml", PLAIN)
    write_json(tmp_path / "a.json", PLAIN)
    for back in (read_yaml(tmp_path / "a.yaml"), read_json(tmp_path / "a.json")):
        assert back == PLAIN
        assert list(back) == list(PLAIN)
        assert list(back["b"]) == ["z", "a"]
    assert "日本" in read_text(tmp_path / "a.yaml")
    assert "日本" in read_text(tmp_path / "a.json")


def test_missing_folders_are_made(tmp_path: Path):
    write_text(tmp_path / "a" / "b" / "c.txt", "here")
    assert read_text(tmp_path / "a" / "b" / "c.txt") == "here"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [1,", "is not valid YAML"),
        ("!!python/object/apply:os.mkdir ['hacked']", "could not determine a constructor"),
        ("day: 2024-99-99", "month must be in 1..12"),
        ("n: " + "1" * 6000, "4300 digits"),
        ("[" * 100_000 + "]" * 100_000, "nested more than 100 deep"),
        ("- " * 50_000 + "a", "nested more than 100 deep"),
        ("? [a]\n: b", "unhashable"),
    ],
    ids=["cut", "tag", "date", "digits", "deep", "deep-block", "key"],
)
def test_bad_yaml_is_a_data_error_that_names_the_file(tmp_path: Path, text: str, says: str):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(DataError, match=says) as caught:
        read_yaml(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not Path("hacked").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{\n"a": 1,\n', ":3: is not valid JSON"),
        ("1" * 6000, "4300 digits"),
        ("[" * 200_000, "recursion"),
        ("", ":1: is not valid JSON"),
    ],
    ids=["cut", "digits", "deep", "empty"],
)
def test_bad_json_is_a_data_error_that_names_file_and_line(tmp_path: Path, text: str, says: str):
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(DataError, match=says) as caught:
        read_json(path)
    assert str(path) in str(caught.value)


def test_what_cannot_be_read_is_a_data_error(tmp_path: Path):
    with pytest.raises(DataError, match=r"none\.txt: cannot be read \(No such file"):
        read_text(tmp_path / "none.txt")
    with pytest.raises(DataError, match="cannot be read"):
        read_text(tmp_path)
    (tmp_path / "latin.txt").write_bytes(b"abc\xff")
    with pytest.raises(DataError, match=r"not UTF-8 text \(byte 3\)"):
        read_text(tmp_path / "latin.txt")


def test_an_exception_inside_the_block_leaves_the_old_file_and_nothing_else(tmp_path: Path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(KeyError), atomic(path) as file:  # noqa: PT012
        file.write(b"new")
        raise KeyError("stop")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_an_interrupt_leaves_nothing(tmp_path: Path):
    with pytest.raises(KeyboardInterrupt), atomic(tmp_path / "a.bin") as file:  # noqa: PT012
        file.write(b"half")
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == []


def test_the_file_appears_only_at_the_end_of_the_block(tmp_path: Path):
    path = tmp_path / "a.bin"
    with atomic(path) as file:
        file.write(b"new")
        file.flush()
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_a_full_disk_is_a_data_error_and_leaves_the_old_file(tmp_path: Path, monkeypatch, where: str):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(f"ossein.files.os.{where}", full)
    with pytest.raises(DataError, match=r"a\.txt: cannot be written \(No space left"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_disk_that_fills_while_writing_is_a_data_error(tmp_path: Path, monkeypatch):
    fdopen = os.fdopen

    def to_full(handle: int, mode: str):
        os.close(handle)
        return fdopen(os.open("/dev/full", os.O_WRONLY), mode)

    monkeypatch.setattr("ossein.files.os.fdopen", to_full)
    with pytest.raises(DataError, match="No space left"):
        write_text(tmp_path / "a.txt", "x" * 100_000)
    assert os.listdir(tmp_path) == []


def test_a_folder_that_cannot_be_made_or_replaced_is_a_data_error(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"cannot be written \((Not a directory|File exists)"):
        write_text(tmp_path / "file" / "a.txt", "")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match=r"cannot be written \(Is a directory"):
        write_text(tmp_path / "folder", "")
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_without_permission_is_a_data_error(tmp_path: Path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(DataError, match="Permission denied"):
            write_text(tmp_path / "a.txt", "")
    finally:
        tmp_path.chmod(0o700)


def test_others_may_read_what_was_written(tmp_path: Path):
    write_text(tmp_path / "a.txt", "")
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o644
