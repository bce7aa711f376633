"""The verbs that use a model: tables, files, standard input, streams, and a calibrated bundle."""

import csv
import io
import json
import re
import shutil
import sys

import numpy as np
import pytest

from ossein.cli import live
from ossein.deploy import read_card
from ossein.store import Store


@pytest.fixture
def store(fixed_store, tmp_path):
    """A copy of a store under a name that is easy to read."""
    shutil.copy(fixed_store.path, tmp_path / "demo.clips")
    return "demo.clips"


@pytest.fixture
def type_in(monkeypatch):
    """What a command finds on standard input."""

    def set_(text: str | bytes) -> None:
        data = text if isinstance(text, bytes) else text.encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return set_


def frames(num=14, size=True):
    rng = np.random.default_rng(0)
    pose = 200 + 50 * rng.normal(size=(1, 17, 2)) + rng.normal(size=(num, 17, 2)).cumsum(0)
    more = {"width": 640, "height": 480} if size else {}
    return "".join(json.dumps({"keypoints": one.ravel().tolist(), **more}) + "\n" for one in pose)


def test_a_table_for_people_and_lines_for_programs(cli, recogniser_run, store, monkeypatch):
    done = cli("predict", recogniser_run, store, "--top", 1)
    assert [json.loads(line)["clip"] for line in done.out.splitlines()] == [f"clip {n}" for n in range(20)]
    table = cli("predict", recogniser_run, store, "--top", 1, "--output", "table").out
    assert "probability 1" in table
    assert len(table.splitlines()) == 22
    assert "\x1b" not in table
    monkeypatch.setattr(type(live.console), "is_terminal", True)
    assert re.sub(r"\x1b\[[\d;]*m", "", cli("predict", recogniser_run, store, "--top", 1).out) == table


def test_files_that_are_written(cli, recogniser_run, store, tmp_path):
    done = cli("predict", recogniser_run, store, "--window", 4, "--out", "a.csv")
    assert (done.code, done.out) == (0, "")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text(), newline="")))
    assert {row["file"] for row in rows} == {store}
    assert len(rows) > 20
    assert cli("predict", recogniser_run, store, "--window", 4, "--out", "b.jsonl").code == 0
    lines = [json.loads(line) for line in (tmp_path / "b.jsonl").read_text().splitlines()]
    assert [(one["clip"], one["start"]) for one in lines] == [(row["clip"], float(row["start"])) for row in rows]
    assert cli("predict", recogniser_run, store, "--output", "csv").out.startswith("file,clip,person,")
    assert cli("predict", recogniser_run, store, "--out", "c.txt", "--output", "table").code == 0
    assert "clip 19" in (tmp_path / "c.txt").read_text()
    assert cli("predict", recogniser_run, store, "nowhere.csv", "--out", "d.csv").code == 1
    assert not (tmp_path / "d.csv").exists()


def test_bad_files_are_passed_over_where_that_is_asked_for(cli, recogniser_run, store, tmp_path):
    (tmp_path / "bad.csv").write_text("clip,frame,joint,x,y\na,0,nose,up,1\n")
    done = cli("predict", recogniser_run, "bad.csv", store, "--skip")
    assert (done.code, len(done.out.splitlines()), done.err.count("\n")) == (0, 20, 1)
    assert done.err.startswith("ossein: bad.csv")
    assert cli("predict", recogniser_run, "bad.csv", store).code == 1


def test_timelines_and_doubt(cli, recogniser_run, store):
    done = cli("predict", recogniser_run, store, "--timeline", "--fps", 10, "--output", "csv")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert {row["unit"] for row in rows} == {"s"}
    assert "nothing known" in cli("predict", recogniser_run, store, "--sure", 1, "--output", "table").out
    done = cli("predict", recogniser_run, store, "--hop", 3)
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "a hop without a window" in done.err


def test_standard_input(cli, recogniser_run, type_in):
    type_in(frames())
    done = cli("predict", recogniser_run, "-")
    assert done.code == 0, done.err
    assert [json.loads(line)["clip"] for line in done.out.splitlines()] == ["frames"]
    type_in(b"\xff\n")
    done = cli("predict", recogniser_run, "-")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "standard input: line 1: is no JSON" in done.err


def test_a_stream(cli, recogniser_run, type_in, tmp_path):
    words = ("stream", recogniser_run, "--window", 6, "--every", 4)
    type_in(frames(4) + "{\n" + frames(10))
    done = cli(*words)
    assert done.code == 0, done.err
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [(one["start"], one["end"], one["unit"]) for one in lines] == [
        (0, 6, "frames"),
        (4, 10, "frames"),
        (8, 14, "frames"),
    ]
    assert done.err.startswith("ossein: line 5: is no JSON")
    assert done.err.count("\n") == 1
    type_in(frames(4) + "{\n" + frames(10))
    assert cli(*words, "--strict").code == 1
    (tmp_path / "lines").write_text(frames(size=False))
    sized = cli("stream", recogniser_run, "lines", "--window", 6, "--every", 4, "--size", 640, 480)
    assert len(sized.out.splitlines()) == 3
    assert cli("stream", recogniser_run, "lines").err == (
        "ossein: the model needs the width and height of the image. Say them (--size WIDTH HEIGHT).\n"
    )
    assert "nowhere: cannot be read" in cli("stream", recogniser_run, "nowhere").err


def test_control_c_ends_a_stream(cli, recogniser_run, monkeypatch):
    class Keyboard:
        """Lines, and then someone presses Ctrl-C."""

        def __init__(self):
            self.lines = iter(frames(7).encode().splitlines(keepends=True))
            self.buffer = self

        def readline(self):
            line = next(self.lines, None)
            if line is None:
                raise KeyboardInterrupt
            return line

    monkeypatch.setattr(sys, "stdin", Keyboard())
    done = cli("stream", recogniser_run, "--window", 6)
    assert (done.code, done.err, len(done.out.splitlines())) == (0, "", 2)


def test_calibration(cli, recogniser_run, store, tmp_path, monkeypatch):
    shutil.copytree(recogniser_run / "bundle", tmp_path / "bundle")
    done = cli("calibrate", "bundle", store)
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "or name the clips with --split" in done.err
    done = cli("calibrate", "bundle", store, "--split", "a_train2:a_test2")
    assert (done.code, "has seen 8 of the 8" in done.err) == (1, True)
    # Twice as sure as it is right: four of eight at 0.73.
    logits = np.zeros((8, 1, 4))
    labels = Store.open(store).labels[12:]
    logits[np.arange(8), 0, np.where(np.arange(8) < 4, labels, (labels + 1) % 4)] = 5
    monkeypatch.setattr("ossein.recipes.calibrate.class_logits", lambda *_: logits)
    done = cli("calibrate", "bundle", store, "--split", "half", "--accuracy", 0.5)
    assert done.code == 0, done.err
    # exp(5 / T) / (exp(5 / T) + 3) = 1 / 2
    temperature = 5 / np.log(3)
    assert read_card(tmp_path / "bundle")[1].temperature == pytest.approx(temperature, rel=1e-3)
    assert f"{temperature:.2f}" in done.out
    assert "8 of these clips are test clips of the model" in done.out
    assert "a class is named from a probability of 0.500 on" in done.out
    monkeypatch.undo()
    assert cli("predict", tmp_path / "bundle", tmp_path / store).code == 0
