"""`ossein data check` as a user types it: what it says, what it writes, and its exit status."""

import json
from dataclasses import replace

import pytest

from ossein.readers.base import Source
from ossein.store import write_store


@pytest.fixture
def sets(synthetic_store, tmp_path):
    """A store of sound clips, and one whose test half has a copy."""
    whole = synthetic_store(dims=3, swap=0, drop=0, miss=0, frames=(12, 16))
    clips = [replace(whole.clip(n), label=n % 2) for n in range(12)]
    splits = {"train": tuple(c.name for c in clips[:6]), "val": tuple(c.name for c in clips[6:])}

    def write(clips, name):
        source = Source(iter(clips), skeleton=whole.skeleton, classes=("walk", "wave"), splits=splits)
        return write_store(source, tmp_path / name).path

    copy = replace(clips[8], x=clips[0].x, score=clips[0].score)
    return write(clips, "sound.clips"), write([*clips[:8], copy, *clips[9:]], "leaky.clips")


def test_a_sound_set_ends_well(cli, sets):
    done = cli("data", "check", sets[0])
    assert done.code == 0, done.out
    assert "sound.clips: 0 errors, 0 warnings, 0 notes" in done.out
    assert "not checked: joints outside of the image (3-D clips lie in no image)" in done.out
    assert "Traceback" not in done.err


def test_an_error_is_told_by_the_exit_status(cli, sets, tmp_path):
    done = cli("data", "check", sets[1], "--json", "found.json", "--report", "page.html")
    assert done.code == 1
    assert "identical clips in both halves" in done.out
    assert "1 of 6 test clips of 'train'" in done.out
    assert "-> Leave them out of the test list" in done.out
    assert "leaky.clips: 1 error, 0 warnings, 1 note" in done.out
    assert json.loads((tmp_path / "found.json").read_text())["sound"] is False
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")


def test_a_note_is_no_error(cli, sets, tmp_path, synthetic_store):
    whole = synthetic_store(dims=3, swap=0, drop=0, miss=0, frames=(12, 16))
    clips = [replace(whole.clip(n), label=-1) for n in range(6)]
    path = write_store(Source(iter(clips), skeleton=whole.skeleton), tmp_path / "unlabelled.clips").path
    done = cli("data", "check", path)
    assert done.code == 0
    assert "clips without a label" in done.out


def test_what_cannot_be_read_is_told_in_a_line(cli, tmp_path):
    (tmp_path / "note.txt").write_text("nothing")
    done = cli("data", "check", "note.txt", "--report", "page.html")
    assert done.code == 1
    assert done.err.startswith("ossein: note.txt: looks like none of the formats")
    assert [file.name for file in tmp_path.iterdir()] == ["note.txt"]
