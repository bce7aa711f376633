"""Lines of JSON: every form of a frame, clips of lines, and one plain error for what is no frame."""

import json

import numpy as np
import pytest

from ossein.deploy.lines import parse, read_clips, read_frame
from ossein.errors import DataError, OsseinError
from ossein.skeleton import Skeleton

THREE = Skeleton.make("three", ["a", "b", "c"], [(0, 1), (1, 2)])
POSE = [[1.0, 2.0, 0.5], [3.0, 4.0, 1.0], [0.0, 0.0, 0.0]]
FLAT = [value for joint in POSE for value in joint]
NAMED = [{"x": x, "y": y, "z": 9.0, "visibility": s} for x, y, s in POSE]


@pytest.mark.parametrize(
    "data",
    [
        {"persons": [POSE]},
        {"people": [{"pose_keypoints_2d": FLAT}]},
        {"persons": [{"keypoints": FLAT}]},
        {"keypoints": FLAT},
        {"landmarks": NAMED},
        {"pose_landmarks": POSE},
        {"persons": [[POSE[0], POSE[1], None]]},
        [POSE],
        [FLAT],
        [NAMED],
    ],
    ids=str,
)
def test_every_form_of_a_frame(data):
    frame = read_frame(json.loads(json.dumps(data)), THREE, 2, "here")
    np.testing.assert_allclose(frame.x, [[[1, 2], [3, 4], [0, 0]]])
    np.testing.assert_allclose(frame.score, [[0.5, 1, 0]])
    assert (frame.time, frame.size) == (None, None)


def test_what_a_frame_may_say_of_itself():
    frame = read_frame({"time": 3, "width": 640, "height": 480.0, "persons": [None, POSE]}, THREE, 2, "here")
    assert (frame.time, frame.size, frame.x.shape) == (3.0, (640.0, 480.0), (2, 3, 2))
    assert frame.score[0].tolist() == [0, 0, 0]
    assert read_frame({"persons": [[[1, 2], [3, 4], [5, 6]]]}, THREE, 2, "here").score.tolist() == [[1, 1, 1]]
    assert read_frame([[1, 2, 3, 4, 5, 6]], THREE, 2, "here").x.tolist() == [[[1, 2], [3, 4], [5, 6]]]
    deep = read_frame({"keypoints": list(range(1, 10))}, THREE, 3, "here")
    assert deep.x.tolist() == [[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]
    assert read_frame([[1, 2, 1.3] * 3], THREE, 2, "here").score.max() == 1
    for nobody in (None, [], {"persons": []}, {"persons": None}):
        assert read_frame(nobody, THREE, 2, "here").x.shape == (0, 3, 2)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (3, "here: is a int, expected a list of persons"),
        ({"joints": POSE}, r"no key 'persons' or 'keypoints', only \['joints'\]"),
        ([POSE[:2]], "here, person 0: 2 joints, expected 3"),
        ([FLAT[:7]], "here, person 0: 7 numbers, expected 2 or 3 for each of 3 joints"),
        ([FLAT * 2], "here, person 0: 18 numbers"),
        ([["a", "b"]], "here, person 0: 2 numbers"),
        ([[*FLAT[:8], "x"]], "joint 2: 'x' at place 2 is not a finite number"),
        ([[*FLAT[:8], True]], "not a finite number"),
        ([[*FLAT[:8], float("nan")]], "not a finite number"),
        ([[*FLAT[:8], 1e300]], "not a finite number"),
        ([[[1, 2, 87]] * 3], "joint 0: score 87, expected 0"),
        ([[[1, 2, -1]] * 3], "score -1, expected 0"),
        ([[[1]] * 3], "joint 0: 1 number, expected 2, or 3 with the score"),
        ([[{"x": 1}] * 3], "not a finite number"),
        ({"time": "now", "persons": []}, "'time'"),
        ({"width": 0, "height": 3, "persons": []}, "'width' is 0, expected more than 0"),
    ],
)
def test_what_is_no_frame(data, told):
    with pytest.raises(DataError, match=told) as error:
        read_frame(data, THREE, 2, "here")
    assert str(error.value).startswith("here")


@pytest.mark.parametrize("line", ["{", b"\xff\xfe", "[" * 100_000, "[" + "9" * 5000 + "]"])
def test_what_is_no_json(line):
    with pytest.raises(OsseinError, match="line 4"):
        read_frame(parse(line, "line 4"), THREE, 2, "line 4")


def test_clips_of_lines():
    clip = {"name": "wave", "frames": [[POSE], None, [POSE, POSE]], "fps": 25, "width": 64, "height": 48}
    lines = [json.dumps(clip), "", json.dumps({"frames": [[POSE]]}).encode()]
    one, other = read_clips(lines, THREE, 2)
    assert (one.name, one.rate, one.size, one.x.shape) == ("wave", 25, (64, 48), (2, 3, 3, 2))
    assert one.score.sum(2).tolist() == [[1.5, 0, 1.5], [0, 0, 1.5]]
    assert (other.name, other.rate, other.size, other.num_frames) == ("line 3", None, None, 1)
    assert list(read_clips([], THREE, 2)) == []


def test_loose_frames_are_one_clip():
    def line(t, x):
        return json.dumps({"time": t, "width": 6, "height": 4, "persons": [[[x, 0], [x, 1], [x, 2]]]})

    (clip,) = read_clips([line(2.0, 0), line(2.1, 1), line(2.2, 2), line(2.4, 4)], THREE, 2)
    assert clip.rate == pytest.approx(10)
    assert clip.size == (6, 4)
    np.testing.assert_allclose(clip.x[0, :, 0, 0], [0, 1, 2, 3, 4], atol=1e-5)
    (clip,) = read_clips([json.dumps([POSE]), "null"], THREE, 2)
    assert (clip.num_frames, clip.rate) == (2, None)
    with pytest.raises(DataError, match="frame 1: its time 1 is not after that of the frame before"):
        list(read_clips([line(1.0, 0), line(1.0, 1)], THREE, 2))


@pytest.mark.parametrize("frames", ["3", "[]", "{}", "null"])
def test_a_clip_without_frames(frames):
    with pytest.raises(DataError, match=r"line 1: 'frames' is no list of frames"):
        list(read_clips([f'{{"frames": {frames}}}'], THREE, 2))


def test_persons_who_have_ids():
    other = [[x + 1, y, s] for x, y, s in POSE]
    frame = read_frame(
        {"persons": [{"track_id": 7, "keypoints": POSE}, None, {"id": "ann", "keypoints": other}]}, THREE, 2, "here"
    )
    assert frame.ids == (7, "ann")
    np.testing.assert_allclose(frame.x[:, 0, 0], [1, 2])
    # A name of the frame is no name of a person.
    assert read_frame({"id": 12, "keypoints": FLAT}, THREE, 2, "here").ids is None
    assert read_frame({"persons": [{"keypoints": POSE}]}, THREE, 2, "here").ids is None


@pytest.mark.parametrize(
    ("second", "told"),
    [
        ({"keypoints": POSE}, "here, person 1: its id is None"),
        (POSE, "here, person 1: its id is None"),
        ({"id": 3, "keypoints": POSE}, "here, person 1: its id is 3"),
        ({"id": [3], "keypoints": POSE}, r"here, person 1: its id is \[3\]"),
    ],
)
def test_ids_that_do_not_tell_persons_apart(second, told):
    with pytest.raises(DataError, match=told):
        read_frame({"persons": [{"id": 3, "keypoints": POSE}, second]}, THREE, 2, "here")


def test_clips_of_persons_who_have_ids():
    def person(who, x):
        return {"id": who, "keypoints": [[x, 0, 1], [x, 1, 1], [x, 2, 1]]}

    frames = [
        [person("b", 5), person("a", 1)],
        [person("a", 2)],
        None,
        [person("a", 4), person("c", 9), person("b", 8)],
    ]
    (clip,) = read_clips(map(json.dumps, frames), THREE, 2)
    assert clip.x[:, :, 0, 0].tolist() == [[1, 2, 0, 4], [5, 0, 0, 8], [0, 0, 0, 9]]
    assert clip.score[:, :, 0].tolist() == [[1, 1, 0, 1], [1, 0, 0, 1], [0, 0, 0, 1]]
    with pytest.raises(DataError, match="frame 1: its persons have no id"):
        list(read_clips([json.dumps([person("a", 1)]), json.dumps([POSE])], THREE, 2))
