"""Streams of text: the answers of a stream, and lines that are no frame."""

import json
from pathlib import Path

import numpy as np
import pytest

from ossein.deploy import Stream
from ossein.errors import DataError, SettingsError
from ossein.recipes.predict import Asked, predict
from ossein.recipes.stream import Streaming, stream

HOW = Streaming(window="6", every="3", size=(640, 480))


def lines(num=14, **more):
    rng = np.random.default_rng(0)
    pose = (200 + 50 * rng.normal(size=(1, 17, 2)) + rng.normal(size=(num, 17, 2)).cumsum(0)).astype(np.float32)
    return pose, [json.dumps({"persons": [one.tolist()], **more}) for one in pose]


def test_the_answers_of_a_stream(recogniser_run):
    pose, text = lines()
    live = Stream(recogniser_run, window=6, every=3, size=(640, 480), top=2)
    expected = [one for one in [*map(live.push, pose), live.finish()] if one]
    rows = list(stream(recogniser_run, ["\n", *text], Streaming(window="6", every="3", size=(640, 480), top=2)))
    assert [(row["start"], row["end"]) for row in rows] == [(0, 6), (3, 9), (6, 12), (8, 14)]
    for row, answer in zip(rows, expected, strict=True):
        assert row["class"] == answer.known
        assert [one["class"] for one in row["top"]] == [name for name, _ in answer.top]
        assert [one["probability"] for one in row["top"]] == pytest.approx([p for _, p in answer.top], abs=1e-5)
    assert list(stream(recogniser_run, [])) == []


def test_answers_come_before_the_next_line_is_read(recogniser_run):
    read = []

    def source():
        for n, line in enumerate(lines()[1]):
            read.append(n)
            yield line

    answers = stream(recogniser_run, source(), HOW)
    next(answers)
    assert read[-1] == 5
    next(answers)
    assert read[-1] == 8


def test_the_size_of_the_image_may_come_with_the_frames(recogniser_run):
    bare = Streaming(window="6", every="3")
    rows = list(stream(recogniser_run, lines(width=640, height=480)[1], bare))
    assert rows == list(stream(recogniser_run, lines()[1], HOW))
    with pytest.raises(SettingsError, match="the model needs the width and height"):
        list(stream(recogniser_run, lines()[1], bare))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "line 3: is no JSON"),
        (b"\xff", "line 3: is no JSON"),
        ("7", "line 3: is a int, expected a list of persons"),
        ('{"persons": [[1, 2]]}', "line 3, person 0: 2 numbers"),
        ('{"persons": [], "time": "late"}', "line 3, 'time'"),
    ],
)
def test_lines_that_are_no_frame(recogniser_run, line, told):
    _, text = lines()
    bad = [*text[:2], line, *text[2:]]
    found = []
    assert list(stream(recogniser_run, bad, HOW, bad=found.append)) == list(stream(recogniser_run, text, HOW))
    assert len(found) == 1
    assert found[0].startswith(told)
    with pytest.raises(DataError, match="line 3"):
        list(stream(recogniser_run, bad, HOW))


def test_times_that_go_back(recogniser_run):
    _, text = lines()
    timed = [json.dumps({**json.loads(line), "time": t / 10}) for t, line in enumerate(text)]
    how = Streaming(window="0.6s", every="0.3s", size=(640, 480))
    found = []
    rows = list(stream(recogniser_run, [*timed[:5], timed[2], *timed[5:]], how, bad=found.append))
    assert rows == list(stream(recogniser_run, timed, how))
    assert [row["unit"] for row in rows] == ["s"] * 4
    assert found == ["line 6: time 0.2 is not after 0.4. Give times in seconds, or reset the stream."]
    found.clear()
    assert list(stream(recogniser_run, [*timed[:5], "null", *timed[5:]], how, bad=found.append)) == rows
    assert found == ["line 6: some frames say their time and some do not. Give it for all, or for none."]


def test_settings_that_do_not_fit_stop_it(recogniser_run):
    _, text = lines()
    with pytest.raises(SettingsError, match="line 1: 1s cannot be told in frames"):
        list(stream(recogniser_run, text, Streaming(window="1s", size=(640, 480)), bad=lambda told: None))


def test_lines_with_ids_are_the_clip_that_they_make(recogniser_run):
    """The same lines to `stream` and to `predict`: one window, one answer."""
    pose, _ = lines()
    other = pose[::-1] + 40
    text = []
    for t in range(len(pose)):
        both = [{"track_id": 4, "keypoints": pose[t].tolist()}, {"track_id": 9, "keypoints": other[t].tolist()}]
        text.append(
            json.dumps({"persons": both[:: 1 if t % 3 else -1][: 1 if t % 4 == 3 else 2], "width": 640, "height": 480})
        )
    (row,) = stream(recogniser_run, text, Streaming(window=str(len(text)), top=4))
    (expected,) = predict(recogniser_run, [Path("-")], Asked(top=4), lines=text)
    assert {one["class"]: one["probability"] for one in row["top"]} == pytest.approx(
        {one["class"]: one["probability"] for one in expected["top"]}, abs=1e-5
    )
