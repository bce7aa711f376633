"""What every reader must do, whatever its format."""

from pathlib import Path

import numpy as np
import pytest
from samples import FILES

from ossein.clip import UNKNOWN, Clip
from ossein.errors import DataError, OsseinError
from ossein.readers import READERS, get_reader, reader_for

EVERY = pytest.mark.parametrize("name", sorted(READERS))
CUTTABLE = {"table"}
"""Formats of lines: cut between two lines, or within the last number, they are a shorter file and no damaged one."""


def same(a: Clip, b: Clip) -> bool:
    fields = ("name", "label", "subject", "camera", "setup", "size", "rate")
    return (
        np.array_equal(a.x, b.x)
        and np.array_equal(a.score, b.score)
        and all(getattr(a, field) == getattr(b, field) for field in fields)
    )


def refusal(name: str, path: Path) -> str:
    """The message with which a reader refuses a file; nothing where it reads clips from it."""
    try:
        assert list(READERS[name].read(path).clips)
    except OsseinError as error:
        return str(error)
    return ""


def one_file(path: Path) -> Path:
    """The sample itself, or the first file inside it that holds poses."""
    inside = sorted(file for file in path.rglob("*") if file.is_file() and "label" not in file.name)
    return path if path.is_file() else inside[0]


def test_every_reader_has_a_sample_and_its_own_name():
    assert set(FILES) == set(READERS)
    assert all(reader.name == name and reader.help.endswith(".") for name, reader in READERS.items())


@EVERY
def test_a_file_is_recognised_by_its_reader_alone(name, tmp_path):
    path = FILES[name](tmp_path)
    assert [key for key, reader in READERS.items() if reader.sniff(path)] == [name]
    assert reader_for(path) is READERS[name]


@EVERY
def test_clips_are_sound(name, tmp_path):
    source = READERS[name].read(FILES[name](tmp_path))
    clips = list(source.clips)
    names = [clip.name for clip in clips]
    assert clips
    assert len(set(names)) == len(names)
    assert source.num_clips == len(clips)
    assert source.skeleton is not None
    top = len(source.classes) or np.inf
    for clip in clips:
        assert clip.fit(source.skeleton) is clip
        assert clip.x.dtype == clip.score.dtype == np.float32
        assert UNKNOWN <= clip.label < top
        assert (clip.x[clip.score == 0] == 0).all()
        assert clip.score.max() > 0
    assert {member for members in source.splits.values() for member in members} <= set(names)


@EVERY
def test_reading_twice_gives_the_same(name, tmp_path):
    path = FILES[name](tmp_path)
    first, second = (list(READERS[name].read(path).clips) for _ in range(2))
    assert all(same(a, b) for a, b in zip(first, second, strict=True))


@EVERY
def test_given_classes_and_skeleton_win(name, tmp_path):
    path = FILES[name](tmp_path)
    found = READERS[name].read(path)
    assert found.skeleton is not None
    mine = found.skeleton.make("mine", found.skeleton.joints, found.skeleton.bones)
    classes = found.classes or [f"class {i}" for i in range(200)]
    source = READERS[name].read(path, skeleton=mine, classes=classes)
    assert source.skeleton is mine
    assert source.classes == tuple(classes)
    assert all(same(a, b) for a, b in zip(found.clips, source.clips, strict=True))


@EVERY
def test_a_skeleton_that_does_not_fit_is_refused(name, tmp_path):
    path = FILES[name](tmp_path)
    tiny = READERS[name].read(path).skeleton.make("tiny", ["a", "b"], [(0, 1)])
    with pytest.raises(OsseinError, match="tiny") as caught:
        list(READERS[name].read(path, skeleton=tiny).clips)
    assert str(tmp_path) in str(caught.value)


@EVERY
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.5, 0.77, 0.95, 0.999])
def test_a_file_cut_short_is_an_error_that_names_it(name, share, tmp_path):
    path = FILES[name](tmp_path)
    file = one_file(path)
    data = file.read_bytes()
    file.write_bytes(data[: int(share * len(data))])
    message = refusal(name, path)
    assert file.name in message or str(path) in message or (name in CUTTABLE and not message)
    assert "\n" not in message


@EVERY
def test_noise_in_a_file_is_never_another_exception(name, tmp_path):
    path = FILES[name](tmp_path)
    file = one_file(path)
    data = np.frombuffer(file.read_bytes(), np.uint8)
    rng = np.random.default_rng(3)
    for _ in range(40):
        spoilt = data.copy()
        where = rng.integers(0, min(len(data), 4096), 3)
        spoilt[where] = rng.integers(0, 256, 3)
        file.write_bytes(spoilt.tobytes())
        assert isinstance(READERS[name].sniff(path), bool)
        message = refusal(name, path)
        assert not message or str(tmp_path) in message


@EVERY
def test_what_is_not_there_is_an_error_that_names_it(name, tmp_path):
    missing = tmp_path / f"nowhere{READERS[name].suffixes[0]}"
    assert not READERS[name].sniff(missing)
    with pytest.raises(OsseinError, match="nowhere"):
        list(READERS[name].read(missing).clips)


def test_an_unknown_file_gets_the_list_of_formats(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing of the kind")
    with pytest.raises(DataError, match=r"notes\.txt.*pyskl.*openpose"):
        reader_for(tmp_path / "notes.txt")
    with pytest.raises(DataError, match="does not exist"):
        reader_for(tmp_path / "absent.pkl")
    with pytest.raises(DataError, match="none of the formats"):
        reader_for(tmp_path)


def test_a_reader_by_name():
    assert get_reader("kinetics") is READERS["kinetics"]
    with pytest.raises(DataError, match="Did you mean 'openpose'"):
        get_reader("open-pose")
