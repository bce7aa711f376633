import csv
import json

import numpy as np
import pytest

from ossein.errors import DataError, OsseinError
from ossein.readers.mediapipe import MediaPipe
from ossein.skeleton import Skeleton

POSE = np.random.default_rng(0).uniform(0.1, 0.9, (33, 4))  # x, y, z, visibility
BODY, HAND = Skeleton.of("mediapipe-33"), Skeleton.of("hand-21")


def marks(pose=POSE):
    return [dict(zip(("x", "y", "z", "visibility"), row)) for row in pose.tolist()]


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))
    return path


def table(path, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def read(path, **given):
    return list(MediaPipe().read(path, **given).clips)


@pytest.mark.parametrize(
    "entry",
    [
        marks(),
        [marks()],
        POSE.tolist(),
        [POSE.tolist()],
        {"landmarks": marks()},
        {"landmarks": [marks()], "worldLandmarks": [marks(POSE * 2)]},
        {"pose_landmarks": [{"landmark": marks()}], "timestamp": 3},
        {"poseLandmarks": {"landmark": marks()}},
        {"landmark": marks()},
    ],
)
def test_the_ways_to_save_a_frame(tmp_path, entry):
    source = MediaPipe().read(write(tmp_path / "v.json", [entry, None]))
    (clip,) = source.clips
    assert source.skeleton == BODY
    assert clip.x.shape == (1, 2, 33, 2)
    assert clip.size == (1, 1)
    np.testing.assert_allclose(clip.x[0, 0], POSE[:, :2], rtol=1e-6)
    np.testing.assert_allclose(clip.score[0, 0], POSE[:, 3], rtol=1e-6)
    assert not clip.score[0, 1].any()


@pytest.mark.parametrize("empty", [None, [], {"landmarks": None}, {"landmarks": []}, {"landmarks": [[]]}])
def test_the_ways_to_say_nobody(tmp_path, empty):
    (clip,) = read(write(tmp_path / "v.json", [empty, marks(), empty]))
    assert clip.score[0].any(1).tolist() == [False, True, False]


def test_world_landmarks_are_3d(tmp_path):
    (clip,) = read(write(tmp_path / "v.json", [{"poseWorldLandmarks": marks()}, {"poseWorldLandmarks": None}]))
    assert clip.size is None
    np.testing.assert_allclose(clip.x[0, 0], POSE[:, :3], rtol=1e-6)


def test_width_height_and_rate(tmp_path):
    data = {"frames": [{"landmarks": marks()}], "width": 640, "height": 480, "fps": 25}
    (clip,) = read(write(tmp_path / "v.json", data))
    assert clip.size == (640, 480)
    assert clip.rate == 25
    np.testing.assert_allclose(clip.x[0, 0], POSE[:, :2] * [640, 480], rtol=1e-6)


@pytest.mark.parametrize("visibility", [None, 0.0])
def test_hands_without_visibility_are_sure(tmp_path, visibility):
    hand = [{"x": x, "y": y, "z": z, "visibility": visibility} for x, y, z in POSE[:21, :3].tolist()]
    source = MediaPipe().read(write(tmp_path / "v.json", [{"hand_landmarks": [hand]}]))
    assert source.skeleton == HAND
    assert (next(source.clips).score == 1).all()


def test_two_people_are_followed(tmp_path):
    far = np.add(POSE, [5, 0, 0, 0])
    (clip,) = read(write(tmp_path / "v.json", [[marks(), marks(far)], [marks(far), marks()]]))
    np.testing.assert_allclose(np.ptp(clip.x, axis=1), 0)
    assert clip.num_persons == 2


def wide(frames, header=("x", "y", "z", "v")):
    rows = [["frame", *(f"{name}{v}" for v in range(33) for name in header)]]
    return rows + [[t, *pose[:, : len(header)].ravel().tolist()] for t, pose in frames]


def test_wide_csv(tmp_path):
    rows = wide([(4, POSE), (7, POSE + 0.01)])
    rows[1][1] = ""
    rows[1][5] = "NaN"
    (clip,) = read(table(tmp_path / "v.csv", rows))
    assert clip.num_frames == 4
    assert clip.score[0].any(1).tolist() == [True, False, False, True]
    assert np.flatnonzero(clip.score[0, 0] == 0).tolist() == [0, 1]
    np.testing.assert_allclose(clip.x[0, 3], POSE[:, :2] + 0.01, rtol=1e-5)
    np.testing.assert_allclose(clip.score[0, 0, 2:], POSE[2:, 3], rtol=1e-5)


def test_wide_csv_without_visibility_or_z(tmp_path):
    (clip,) = read(table(tmp_path / "v.csv", wide([(0, POSE)], header=("x_", "y_"))))
    assert (clip.score == 1).all()
    np.testing.assert_allclose(clip.x[0, 0], POSE[:, :2], rtol=1e-6)


def long(skeleton, name):
    rows = [["frame", "landmark", "x", "y", "z", "visibility"]]
    return rows + [[t, name(v), *(POSE[v] + 0.01 * t)] for t in (0, 2) for v in range(len(skeleton))]


@pytest.mark.parametrize("name", [int, lambda v: BODY.joints[v].upper()])
def test_long_csv(tmp_path, name):
    rows = long(BODY, name)
    dropped = rows.pop(3)
    assert dropped[1] == name(2)
    source = MediaPipe().read(table(tmp_path / "v.csv", rows))
    (clip,) = source.clips
    assert source.skeleton == BODY
    assert clip.num_frames == 3
    assert np.flatnonzero(clip.score[0, 0] == 0).tolist() == [2]
    np.testing.assert_allclose(clip.x[0, 2], POSE[:, :2] + 0.02, rtol=1e-5)


@pytest.mark.parametrize("name", [int, lambda v: HAND.joints[v].upper().replace("_", "_FINGER_")])
def test_long_csv_of_a_hand(tmp_path, name):
    source = MediaPipe().read(table(tmp_path / "v.csv", long(HAND, name)))
    assert source.skeleton == HAND
    np.testing.assert_allclose(next(source.clips).x[0, 0], POSE[:21, :2], rtol=1e-6)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({}, "no list of frames"),
        ([], "no list of frames"),
        ([{"pose": 1}], "frame 0: no key 'landmarks'"),
        ([3], "frame 0: is a int"),
        ([[[marks()[0]] * 33, 3]], "frame 0: a person is no list"),
        ([None, [{"x": 1.0}] * 33], "frame 1, person 0, landmark 0: no 'y'"),
        ([[[0.1]] * 33], "frame 0, person 0, landmark 0: no 'y'"),
        ([[{"x": 1.0, "y": "a"}] * 33], "frame 0, person 0: 'a' at place 1"),
        ([[{"x": 1.0, "y": float("nan")}] * 33], "frame 0, person 0: nan at place 1"),
        ([[{"x": 1.0, "y": 1, "visibility": -1}] * 33], "score -1.0 of person 0, frame 0, joint 0"),
        ([marks()[:30]], "30 joints"),
        ([marks(), marks()[:21]], "frames differ"),
        ([{"landmarks": marks()}, {"worldLandmarks": marks()}], "frames differ"),
        ([[*marks()[:32], 5]], "landmark 32: is a int"),
        ([None], "nobody"),
    ],
)
def test_errors_name_the_place(tmp_path, data, says):
    path = write(tmp_path / "v.json", data)
    with pytest.raises(OsseinError, match=says) as caught:
        read(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([], "no line"),
        (wide([]), "no line"),
        ([["frame", "a"], [0, 1]], ":1: no column 'x0'"),
        ([["frame", "x0", "x1", "y0"], [0, 1, 2, 3]], ":1: no column 'y1'"),
        ([["landmark", "x", "y"], [0, 1, 2]], ":1: no column 'frame'"),
        ([["frame", "landmark", "x", "y"], [0, 33, 1, 2]], ":2: no landmark '33'"),
        ([["frame", "landmark", "x", "y"], [0, 0, 1, 2], [0, 0, 1, 2]], ":3: landmark 0 of frame 0 is there twice"),
        (wide([(0, POSE), (0, POSE)]), ":3: frame 0 is there twice"),
        ([*wide([(0, POSE)]), [1, 2]], ":3: 2 cells, expected 133"),
        ([*wide([("a", POSE)])], ":2: frame 'a'"),
        ([["frame", "landmark", "x", "y"], [0, 0, "b", 2]], ":2: 'b' in column 'x'"),
        ([["frame", "landmark", "x", "y"], [0, 0, "inf", 2]], ":2: 'inf' in column 'x'"),
        (wide([(0, POSE), (10**9, POSE)]), "numbered 0 to 1000000000"),
    ],
)
def test_csv_errors_name_the_line(tmp_path, rows, says):
    path = table(tmp_path / "v.csv", rows)
    with pytest.raises(DataError, match=says) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_joints_must_fit_the_skeleton(tmp_path):
    write(tmp_path / "a.json", [marks()])
    write(tmp_path / "b.json", [marks()[:21]])
    with pytest.raises(OsseinError, match=r"b\.json: 21 landmarks, expected 33"):
        read(tmp_path)


def test_cut_json_names_the_file(tmp_path):
    path = write(tmp_path / "v.json", [marks(), None, {"landmarks": marks()}])
    text = path.read_text()
    for at in range(0, len(text), 211):
        path.write_text(text[:at])
        with pytest.raises(DataError, match=r"v\.json"):
            read(path)


def test_cut_csv_names_the_file(tmp_path):
    path = table(tmp_path / "v.csv", wide([(0, POSE)]))
    text = path.read_text()
    for at in range(0, text.rstrip().rindex(","), 97):
        path.write_text(text[:at])
        with pytest.raises(OsseinError, match=r"v\.csv"):
            read(path)


def test_class_folders_of_both_kinds(tmp_path):
    write(tmp_path / "wave" / "a.json", [marks()])
    (tmp_path / "clap").mkdir()
    table(tmp_path / "clap" / "a.csv", wide([(0, POSE)]))
    source = MediaPipe().read(tmp_path)
    assert source.classes == ("clap", "wave")
    assert [(clip.name, clip.label) for clip in source.clips] == [("clap/a", 0), ("wave/a", 1)]


def test_two_files_of_one_name(tmp_path):
    write(tmp_path / "a.json", [marks()])
    table(tmp_path / "a.csv", wide([(0, POSE)]))
    with pytest.raises(DataError, match="same name"):
        MediaPipe().read(tmp_path)


def test_sniff(tmp_path):
    reader = MediaPipe()
    assert not reader.sniff(tmp_path)
    assert reader.sniff(write(tmp_path / "a.json", [None, marks()]))
    assert reader.sniff(tmp_path)
    assert reader.sniff(write(tmp_path / "a.json", {"frames": [{"poseLandmarks": None}]}))
    assert reader.sniff(table(tmp_path / "b.csv", wide([(0, POSE)])))
    assert reader.sniff(table(tmp_path / "b.csv", long(BODY, int)))
    assert not reader.sniff(table(tmp_path / "b.csv", [["clip", "joint", "x", "y"], [0, 0, 1, 1]]))
    assert not reader.sniff(write(tmp_path / "c.json", [{"image_id": 0, "keypoints": [1, 2, 3]}]))
