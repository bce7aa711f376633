"""Poses from video: who is who, what is written and read back, and estimators that are absent, broken or real."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ossein.errors import DataError, MissingExtra, SettingsError
from ossein.readers import reader_for
from ossein.recipes.follow import PATIENCE, follow
from ossein.recipes.pose import Video, pose, write_poses
from ossein.skeleton import Skeleton

COCO = Skeleton.of("coco-17")
VIDEO = Video(width=640, height=480, fps=12.5)
BODY = np.stack([np.tile([0.0, 20.0, 40.0], 6)[:17], np.linspace(0, 150, 17)], 1)
NOBODY = (np.zeros((0, 17, 2)), np.zeros((0, 17)))


def at(*places: float) -> tuple[np.ndarray, np.ndarray]:
    """A frame with a person at each of these places from left to right."""
    x = np.stack([BODY + np.array([place, 100]) for place in places])
    return x, np.full(x.shape[:2], 0.9)


def read(file: Path):
    return next(iter(reader_for(file).read(file).clips))


def test_persons_that_cross_keep_their_numbers():
    paths = [(100 + 10 * t, 400 - 10 * t) for t in range(30)]
    # The estimator names people by how sure it is, that is, in any order.
    order = [t % 3 == 0 for t in range(30)]
    who = list(follow(at(*(path[::-1] if turn else path)) for path, turn in zip(paths, order)))
    first = dict(zip(paths[0][::-1], who[0]))
    for path, turn, some in zip(paths, order, who):
        assert dict(zip(path[::-1] if turn else path, some)) == {path[0]: first[100], path[1]: first[400]}


def test_one_who_is_hidden_while_they_cross_comes_back_as_the_same():
    frames = []
    for t in range(40):
        left, right = 100 + 8 * t, 420 - 8 * t
        frames.append(at(left) if abs(left - right) < 60 else at(left, right))
    who = list(follow(frames))
    assert {len(some) for some in who} == {1, 2}
    assert who[0] == who[-1] == [0, 1]
    assert all(some[0] == 0 for some in who)


def test_one_who_stays_away_comes_back_as_another():
    def gap(frames: int) -> list[list[int]]:
        return list(follow([at(100), *[NOBODY] * frames, at(100)]))

    assert gap(PATIENCE - 1)[-1] == [0]
    assert gap(PATIENCE)[-1] == [1]
    assert list(follow([at(100), at(400)])) == [[0], [1]]


def test_what_is_written_is_read_back(tmp_path):
    frames = [NOBODY, at(100, 300), at(304, 103), NOBODY, at(107), NOBODY]
    frames[1][1][0, 3] = 0
    frames[2][1][0, 5] = 1.2
    done = write_poses(frames, VIDEO, COCO, tmp_path / "a.json", "a.mp4")
    assert (done.frames, done.persons, done.empty) == (6, 2, 3)
    clip = read(tmp_path / "a.json")
    assert (clip.name, clip.size, clip.rate, clip.x.shape) == ("a", (640, 480), 12.5, (2, 6, 17, 2))
    there = (clip.score > 0).any(-1)
    assert there.tolist() == [[False, True, True, False, True, False], [False, True, True, False, False, False]]
    np.testing.assert_allclose(clip.x[0, 4], frames[4][0][0], atol=0.005)
    np.testing.assert_allclose(clip.x[1, 2], frames[2][0][0], atol=0.005)
    assert clip.score[0, 1, 3] == 0
    assert clip.score[1, 2, 5] == 1
    assert clip.score[0, 4, 0] == np.float32(0.9)


def test_it_is_cocos_format(tmp_path):
    write_poses([NOBODY, at(100)], VIDEO, COCO, tmp_path / "a.json", "a.mp4")
    data = json.loads((tmp_path / "a.json").read_text())
    (one,) = data["annotations"]
    assert (one["image_id"], one["category_id"], one["num_keypoints"], one["iscrowd"]) == (1, 1, 17, 0)
    assert set(one["keypoints"][2::3]) == {2}
    np.testing.assert_allclose(one["bbox"], [100, 100, 40, 150])
    assert data["categories"][0]["keypoints"] == list(COCO.joints)
    assert [image["id"] for image in data["images"]] == [0, 1]


def test_mediapipes_joints_and_no_frame_rate(tmp_path):
    skeleton = Skeleton.of("mediapipe-33")
    frames = [(np.full((1, 33, 2), 5.0 + t) + np.arange(33)[:, None], np.ones((1, 33))) for t in range(3)]
    write_poses(frames, Video(640, 480), skeleton, tmp_path / "m.json", "m.mp4")
    source = reader_for(tmp_path / "m.json").read(tmp_path / "m.json")
    assert source.skeleton is not None
    assert source.skeleton.joints == skeleton.joints
    assert next(iter(source.clips)).rate is None


def test_nobody_at_all(tmp_path):
    with pytest.raises(DataError, match=r"a\.mp4: nobody is found in any of 2 frames"):
        write_poses([NOBODY, NOBODY], VIDEO, COCO, tmp_path / "a.json", "a.mp4")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("scores", "told"),
    [([1] * 16, "16 numbers in keypoint_scores for 17 keypoints"), ("x", "not a list"), ([[1]] * 17, "finite")],
)
def test_scores_that_are_none_are_refused(tmp_path, scores, told):
    write_poses([at(100)], VIDEO, COCO, tmp_path / "a.json", "a.mp4")
    data = json.loads((tmp_path / "a.json").read_text())
    data["annotations"][0]["keypoint_scores"] = scores
    (tmp_path / "a.json").write_text(json.dumps(data))
    with pytest.raises(DataError, match=told):
        read(tmp_path / "a.json")


@pytest.fixture
def video(tmp_path) -> Path:
    (tmp_path / "a.mp4").write_bytes(b"no film")
    return tmp_path / "a.mp4"


def stand_in(folder: Path, lines: list, *, status: int = 0, words: str = "") -> Path:
    """A program that stands in for the Python with the estimator: it writes these lines as the estimator would."""
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    program = folder / "python"
    program.write_text(
        f"#!{sys.executable} -S\nimport sys\nsys.stdout.write({text!r})\nsys.stderr.write({words!r})\nsys.exit({status})\n"
    )
    program.chmod(0o755)
    return program


def persons(frame: tuple[np.ndarray, np.ndarray]) -> list:
    return np.dstack(frame).reshape(-1, 17, 3).tolist() if len(frame[0]) else []


def test_from_an_estimator_to_a_file(video, tmp_path):
    head = {"width": 640, "height": 480, "fps": 25.0, "frames": 3}
    program = stand_in(tmp_path, [head, [], persons(at(100, 300)), persons(at(300, 100))], words="chatter")
    told = []
    done = pose(video, tmp_path / "a.json", python=program, told=lambda *at: told.append(at))
    assert (done.frames, done.persons, done.empty) == (3, 2, 1)
    assert told == [(1, 3), (2, 3), (3, 3)]
    clip = read(tmp_path / "a.json")
    assert (clip.rate, clip.num_persons, clip.num_frames) == (25, 2, 3)
    assert np.ptp(clip.x[:, 1:, 0, 0], axis=1).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("lines", "more", "kind", "told"),
    [
        (
            [{"missing": "No module named 'rtmlib'"}],
            {},
            MissingExtra,
            r"No module named 'rtmlib'\). Install it: pip install",
        ),
        (
            [{"error": "ValueError: no frame", "where": "video"}],
            {},
            DataError,
            r"a\.mp4: rtmlib gives up \(ValueError: no",
        ),
        ([{"error": "URLError: x", "where": "model"}], {}, DataError, "fetches its models when first used"),
        ([], {"status": 3, "words": "a\nSegfault\n"}, DataError, r"ended with status 3 and no poses \(Segfault\)"),
        ([], {}, DataError, r"ended with status 0 and no poses \(no word of why\)"),
        ([{"width": 6, "height": 4, "fps": 1, "frames": 0}, []], {"status": 9}, DataError, "ended with status 9"),
    ],
)
def test_estimators_that_fail_leave_nothing(video, tmp_path, lines, more, kind, told):
    with pytest.raises(kind, match=told) as error:
        pose(video, tmp_path / "a.json", python=stand_in(tmp_path, lines, **more))
    assert "\n" not in str(error.value)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.mp4", "python"]


def test_what_is_asked_for_is_checked_first(video, tmp_path):
    (tmp_path / "there.json").write_text("mine")
    for source, out, kind, told in (
        (video, "a.csv", SettingsError, r"a\.csv: poses are written as JSON. Call the file a\.json"),
        (video, "there.json", SettingsError, "exists already. Add --overwrite"),
        (tmp_path / "none.mp4", "a.json", DataError, r"none\.mp4: is no file"),
    ):
        with pytest.raises(kind, match=told):
            pose(source, tmp_path / out)
    with pytest.raises(SettingsError, match=r"nowhere: cannot be run .* Name a Python with --python"):
        pose(video, tmp_path / "a.json", python=tmp_path / "nowhere")
    assert (tmp_path / "there.json").read_text() == "mine"


def test_the_command_line(cli, video, tmp_path):
    head = {"width": 640, "height": 480, "fps": 12.5, "frames": 2}
    program = stand_in(tmp_path, [head, persons(at(100)), []])
    done = cli("pose", "a.mp4", "a.json", "--python", program)
    assert done.code == 0
    assert "a.json: 1 person, nobody in 1 of 2 frames, 640 x 480, 12.5 frames/s" in done.out
    assert cli("pose", "a.mp4", "a.json", "--python", program).code == 1
    assert cli("pose", "a.mp4", "a.json", "--python", program, "--overwrite").code == 0


def test_the_program_says_what_is_missing(video, tmp_path):
    if importlib.util.find_spec("rtmlib"):
        pytest.skip("rtmlib is installed here")
    with pytest.raises(MissingExtra, match="rtmlib cannot be imported"):
        pose(video, tmp_path / "a.json")


def test_a_real_estimator(tmp_path):
    """Set OSSEIN_MEDIAPIPE to a Python that has mediapipe 0.10.21: its models come with it."""
    python = os.environ.get("OSSEIN_MEDIAPIPE")
    if python is None:
        pytest.skip("no environment with mediapipe is named (set OSSEIN_MEDIAPIPE to its Python)")
    make = (
        "import cv2, numpy as np\n"
        f"v = cv2.VideoWriter({str(tmp_path / 'a.mp4')!r}, cv2.VideoWriter_fourcc(*'mp4v'), 12.5, (320, 240))\n"
        "for t in range(4): v.write(np.full((240, 320, 3), 128, np.uint8))\nv.release()\n"
    )
    subprocess.run([python, "-c", make], check=True, capture_output=True)
    with pytest.raises(DataError, match="nobody is found in any of 4 frames"):
        pose(tmp_path / "a.mp4", tmp_path / "a.json", estimator="mediapipe", python=Path(python))
