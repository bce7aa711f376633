"""Prediction on whatever is there: files, folders, stores, lines; and rows that survive being written down."""

import csv
import io
import json
import shutil

import numpy as np
import pytest

from ossein.clip import Clip
from ossein.deploy import Answer, Segment, Timeline, load
from ossein.errors import DataError, SettingsError
from ossein.recipes.predict import Asked, answer_row, as_csv, as_json, as_table, find, predict, timeline_rows


def table(path, clips):
    """Clips as a CSV table."""
    rows = ["clip,frame,joint,x,y,score,person,width,height"]
    for clip in clips:
        for m, t, v in zip(*clip.score.nonzero()):
            x, y = clip.x[m, t, v]
            rows.append(f"{clip.name},{t},{v},{x},{y},{clip.score[m, t, v]},{m},640,480")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(rows) + "\n")
    return path


def openpose(folder, frames=3):
    """A clip as OpenPose writes it: a folder with a file for each frame."""
    folder.mkdir(parents=True)
    for t in range(frames):
        people = [{"pose_keypoints_2d": [float(n % 97 + t) if n % 3 < 2 else 0.9 for n in range(54)]}]
        (folder / f"a_{t:012d}_keypoints.json").write_text(json.dumps({"people": people}))


@pytest.fixture
def folder(tmp_path, fixed_store):
    """A folder with clips in several formats and places, and much else."""
    table(tmp_path / "in" / "b.csv", [fixed_store.clip(0), fixed_store.clip(1)])
    table(tmp_path / "in" / "deep" / "er" / "a.csv", [fixed_store.clip(2)])
    clip = fixed_store.clip(4)
    pose = np.dstack([clip.x[0], 2 * (clip.score[0] > 0)])
    images = [{"id": t, "file_name": f"{t}.jpg", "width": 640, "height": 480} for t in range(clip.num_frames)]
    found = [{"image_id": t, "keypoints": frame.ravel().tolist()} for t, frame in enumerate(pose)]
    (tmp_path / "in" / "c.json").write_text(json.dumps({"images": images, "annotations": found}))
    shutil.copy(fixed_store.path, tmp_path / "in" / "d.clips")
    table(tmp_path / "in" / ".hidden" / "x.csv", [clip])
    table(tmp_path / "in" / ".x.csv", [clip])
    for name in ("notes.txt", "meta.json", "movie.mp4", "settings.yaml", "results.json"):
        (tmp_path / "in" / name).write_text("{}")
    return tmp_path / "in"


def test_a_folder_is_searched(folder, recogniser_run):
    assert [path.relative_to(folder).as_posix() for path in find(folder)] == [
        "b.csv",
        "c.json",
        "d.clips",
        "deep/er/a.csv",
    ]
    rows = list(predict(recogniser_run, [folder]))
    names = ["clip 0", "clip 1", "c", *(f"clip {n}" for n in range(20)), "clip 2"]
    assert [row["clip"] for row in rows] == names
    assert {row["file"] for row in rows} == {str(path) for path in find(folder)}
    same = {row["clip"]: row["top"] for row in rows if row["file"].endswith("d.clips")}
    for one, other in zip(rows[0]["top"], same["clip 0"], strict=True):
        assert one["class"] == other["class"]
        assert one["probability"] == pytest.approx(other["probability"], abs=1e-3)


def test_a_folder_that_is_a_clip(tmp_path):
    openpose(tmp_path / "in" / "one")
    openpose(tmp_path / "in" / "sub" / "two")
    assert find(tmp_path / "in") == [tmp_path / "in" / "one", tmp_path / "in" / "sub" / "two"]
    assert find(tmp_path / "in" / "one") == [tmp_path / "in" / "one"]


def test_a_path_that_is_not_searched(tmp_path, folder):
    assert find(folder, "coco") == [folder]
    assert find(tmp_path / "nowhere") == [tmp_path / "nowhere"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty: holds no file that can be read"):
        find(tmp_path / "empty")


def test_files_that_cannot_be_read(folder, recogniser_run):
    (folder / "b.csv").write_text("clip,frame,joint,x,y\na,0,0,1\n")
    with pytest.raises(DataError, match=r"b\.csv"):
        list(predict(recogniser_run, [folder]))
    told = []
    rows = list(predict(recogniser_run, [folder, folder / "nowhere.csv"], skip=told.append))
    assert rows[0]["clip"] == "c"
    assert len(rows) == 22
    assert ["b.csv" in told[0], "nowhere.csv: does not exist" in told[1], len(told)] == [True, True, 2]
    with pytest.raises(SettingsError, match="top is 0"):
        list(predict(recogniser_run, [folder], Asked(top=0), skip=told.append))


def test_lines(recogniser_run, fixed_store):
    clips = [fixed_store.clip(n) for n in (0, 2, 5)]

    def frames(clip):
        joints = np.dstack([clip.x.reshape(-1, 17, 2), clip.score.reshape(-1, 17, 1)]).reshape(*clip.score.shape, 3)
        return [[person[t].tolist() for person in joints] for t in range(clip.num_frames)]

    lines = [json.dumps({"name": c.name, "frames": frames(c), "width": 640, "height": 480}) for c in clips]
    rows = list(predict(recogniser_run, ["-"], lines=[line.encode() for line in lines]))
    assert [(row["file"], row["clip"]) for row in rows] == [("-", clip.name) for clip in clips]
    for row, answer in zip(rows, load(recogniser_run).predict(clips), strict=True):
        assert row["class"] == answer.known
        assert row["top"][0]["probability"] == pytest.approx(answer.top[0][1], abs=1e-5)
    loose = [json.dumps({"persons": frame, "width": 640, "height": 480}) for frame in frames(clips[1])]
    (row,) = predict(recogniser_run, ["-"], lines=loose)
    assert (row["clip"], row["top"]) == ("frames", rows[1]["top"])
    with pytest.raises(DataError, match=r"standard input: line 2: is no JSON"):
        list(predict(recogniser_run, ["-"], lines=[loose[0], "{"]))
    with pytest.raises(DataError, match=r"standard input: there is no clip"):
        list(predict(recogniser_run, ["-"], lines=[]))


def test_windows_persons_and_timelines(recogniser_run, fixed_store):
    file = fixed_store.path
    rows = list(predict(recogniser_run, [file], Asked(window="4", hop="4", each_person=True, top=1, fps=2.0)))
    first = [row for row in rows if row["clip"] == "clip 1"]
    assert {row["person"] for row in first} == {None, 0, 1}
    assert [row["start"] for row in first if row["person"] is None][:2] == [0, 2]
    assert {row["unit"] for row in rows} == {"s"}
    rows = list(predict(recogniser_run, [file], Asked(timeline=True, window="4")))
    assert {row["clip"] for row in rows} == set(fixed_store.names)
    assert all(set(row) == {"file", "clip", "start", "end", "unit", "class", "probability"} for row in rows)
    assert [row["class"] for row in predict(recogniser_run, [file], Asked(sure=1.0))] == [None] * 20
    with pytest.raises(SettingsError, match="a timeline is of whole clips"):
        Asked(timeline=True, each_person=True)


ANSWERS = [
    Answer('say "hi", wave', (("clap, once", 0.75), ("naïve\nwave", 0.25)), -1),
    Answer("b", (("clap, once", 0.3), ("x", 0.2)), 1, person=1, start=0.5, end=2.0, unit="s", sure=False),
]


def test_csv_survives_any_name():
    rows = list(
        csv.DictReader(io.StringIO(as_csv([answer_row(answer, "dir, a/f.csv") for answer in ANSWERS]), newline=""))
    )
    assert [row["clip"] for row in rows] == ['say "hi", wave', "b"]
    assert [row["class"] for row in rows] == ["clap, once", ""]
    assert [row["class_2"] for row in rows] == ["naïve\nwave", "x"]
    assert [float(row["probability_1"]) for row in rows] == [0.75, 0.3]
    assert [(row["person"], row["start"], row["end"], row["unit"]) for row in rows] == [
        ("",) * 4,
        ("1", "0.5", "2.0", "s"),
    ]
    assert rows[0]["file"] == "dir, a/f.csv"
    assert as_csv([]) == "\r\n"


def test_json_says_what_applies():
    one, other = (json.loads(as_json(answer_row(answer, "f"))) for answer in ANSWERS)
    assert set(one) == {"file", "clip", "class", "top"}
    assert (other["class"], other["person"], other["start"]) == (None, 1, 0.5)
    assert "\n" not in as_json(answer_row(ANSWERS[0], "f"))


def test_tables_leave_out_what_applies_to_none():
    heads, rows = as_table([answer_row(answer, "f") for answer in ANSWERS])
    assert heads == (
        "file",
        "clip",
        "person",
        "start",
        "end",
        "unit",
        "class",
        "probability 1",
        "class 2",
        "probability 2",
    )
    assert rows[1] == ("f", "b", "1", "0.5", "2", "s", "nothing known", "30.0 %", "x", "20.0 %")
    line = Timeline("c", (Segment(0.0, 3.25, "walk", 0.5), Segment(3.25, 4.0, None, 0.25)), "s")
    heads, rows = as_table(list(timeline_rows(line, "f")))
    assert heads == ("file", "clip", "start", "end", "unit", "class", "probability")
    assert rows == [
        ("f", "c", "0", "3.25", "s", "walk", "50.0 %"),
        ("f", "c", "3.25", "4", "s", "nothing known", "25.0 %"),
    ]
    assert as_table([]) == ((), [])


def test_a_clip_that_is_named_like_a_number(recogniser_run, tmp_path):
    clip = Clip(np.ones((1, 2, 17, 2)), np.ones((1, 2, 17)), "007", size=(640, 480))
    (row,) = predict(recogniser_run, [table(tmp_path / "a.csv", [clip])], Asked(top=1))
    assert row["clip"] == "007"
