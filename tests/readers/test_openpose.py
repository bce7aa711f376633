import json

import numpy as np
import pytest

from ossein.errors import DataError, OsseinError, SkeletonError
from ossein.readers.openpose import OpenPose
from ossein.skeleton import Skeleton

POSE = np.random.default_rng(0).uniform(10, 200, (25, 3)) * [1, 1, 0.004] + [0, 0, 0.1]


def at(x, pose=POSE):
    return np.add(pose, [x, 0, 0])


def person(pose, key="pose_keypoints_2d"):
    return {"person_id": [-1], key: pose.ravel().tolist(), "face_keypoints_2d": []}


def write(folder, frames, stem="clip"):
    folder.mkdir(parents=True, exist_ok=True)
    for number, poses in frames.items():
        data = {"version": 1.3, "people": [person(pose) for pose in poses]}
        (folder / f"{stem}_{number:012d}_keypoints.json").write_text(json.dumps(data))
    return folder


def read(path, **given):
    return list(OpenPose().read(path, **given).clips)


def test_values_in_the_order_of_frame_numbers(tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    for number in (10, 9, 100):
        data = {"people": [person(at(number))]}
        (folder / f"v_{number}_keypoints.json").write_text(json.dumps(data))
    (clip,) = read(folder)
    assert clip.x.shape == (1, 92, 25, 2)
    assert clip.name == "a"
    assert np.flatnonzero(clip.score[0].any(1)).tolist() == [0, 1, 91]
    np.testing.assert_allclose(clip.x[0, 91], at(100)[:, :2], rtol=1e-6)
    np.testing.assert_allclose(clip.score[0, 0], POSE[:, 2], rtol=1e-6)


def test_missing_joints_and_empty_frames(tmp_path):
    pose = POSE.copy()
    pose[4] = 0
    (clip,) = read(write(tmp_path / "a", {0: [pose], 1: [], 2: [np.zeros((25, 3))], 3: [POSE]}))
    assert (clip.score[0, 0] == 0).nonzero()[0].tolist() == [4]
    assert np.flatnonzero(clip.score[0].any(1)).tolist() == [0, 3]


def test_scores_above_one_are_cut(tmp_path):
    (clip,) = read(write(tmp_path / "a", {0: [POSE * [1, 1, 3]]}))
    assert clip.score.max() == 1


def test_a_slot_is_one_person(tmp_path):
    frames = {t: [at(5 * t), at(900 - 5 * t)][:: 1 if t % 2 else -1] for t in range(8)}
    (clip,) = read(write(tmp_path / "a", frames))
    ways = sorted(clip.x[:, :, 0, 0].tolist())
    np.testing.assert_allclose(ways[0], [POSE[0, 0] + 5 * t for t in range(8)], rtol=1e-6)
    np.testing.assert_allclose(ways[1], [POSE[0, 0] + 900 - 5 * t for t in range(8)], rtol=1e-6)


@pytest.mark.parametrize(
    "data",
    [
        {"people": [person(POSE[:18], "pose_keypoints")]},
        {"version": 0.1, "bodies": [{"joints": POSE[:18].ravel().tolist()}]},
    ],
)
def test_older_keys_and_18_joints(tmp_path, data):
    (tmp_path / "a_000_keypoints.json").write_text(json.dumps(data))
    source = OpenPose().read(tmp_path)
    assert source.skeleton == Skeleton.of("openpose-18")
    np.testing.assert_allclose(next(source.clips).x[0, 0], POSE[:18, :2], rtol=1e-6)


def test_folders_and_class_folders(tmp_path):
    for name in ("wave/b", "wave/a", "clap/a"):
        write(tmp_path / name, {0: [POSE]})
    source = OpenPose().read(tmp_path)
    assert source.classes == ("clap", "wave")
    assert [(clip.name, clip.label) for clip in source.clips] == [("clap/a", 0), ("wave/a", 1), ("wave/b", 1)]
    flat = OpenPose().read(tmp_path / "wave")
    assert [(clip.name, clip.label) for clip in flat.clips] == [("a", -1), ("b", -1)]
    given = OpenPose().read(tmp_path, classes=["wave", "sit", "clap"])
    assert [clip.label for clip in given.clips] == [2, 0, 0]
    with pytest.raises(DataError, match="no class is called 'clap'"):
        OpenPose().read(tmp_path, classes=["wave"])


def test_clips_beside_class_folders_are_refused(tmp_path):
    write(tmp_path / "a", {0: [POSE]})
    write(tmp_path / "wave" / "a", {0: [POSE]})
    with pytest.raises(DataError, match="lies beside class folder 'wave'"):
        OpenPose().read(tmp_path)


def test_nobody_in_one_clip(tmp_path):
    write(tmp_path / "a", {0: [], 1: []})
    write(tmp_path / "b", {0: [POSE]})
    clips = read(tmp_path)
    assert clips[0].x.shape == (1, 2, 25, 2)
    assert not clips[0].score.any()
    with pytest.raises(DataError, match="nobody is detected"):
        OpenPose().read(tmp_path / "a")
    assert read(tmp_path / "a", skeleton=Skeleton.of("openpose-18"))[0].x.shape == (1, 2, 18, 2)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"persons": []}, "'people'"),
        ([], "'people'"),
        ({"people": [{"id": 1}]}, "person 0: no key 'pose_keypoints_2d'"),
        ({"people": [7]}, "person 0: no key 'pose_keypoints_2d'"),
        ({"people": [{"pose_keypoints_2d": "no"}]}, "person 0: 'no' is not a list of numbers"),
        ({"people": [{"pose_keypoints_2d": [1, 2]}]}, "person 0: 2 numbers, expected three"),
        ({"people": [{"pose_keypoints_2d": [1, 2, "x"] * 25}]}, "person 0: 'x' at place 2"),
        ({"people": [{"pose_keypoints_2d": [1, float("nan"), 1] * 25}]}, "person 0: nan at place 1"),
        ({"people": [{"pose_keypoints_2d": [1, 1e300, 1] * 25}]}, r"person 0: 1e\+300 at place 1"),
        ({"people": [{"pose_keypoints_2d": [1, True, 1] * 25}]}, "person 0: True at place 1"),
        ({"people": [{"pose_keypoints_2d": [1, 1, -1] * 25}]}, "person 0: score -1 is negative"),
        ({"people": [{"pose_keypoints_2d": [1, 1, 1] * 18}]}, "person 0: 18 joints, expected 25"),
    ],
)
def test_errors_name_file_and_person(tmp_path, data, says):
    write(tmp_path, {0: [POSE]})
    bad = tmp_path / "clip_000000000001_keypoints.json"
    bad.write_text(json.dumps(data))
    with pytest.raises(OsseinError, match=says) as caught:
        read(tmp_path)
    assert str(bad) in str(caught.value)


def test_unknown_number_of_joints(tmp_path):
    with pytest.raises(SkeletonError, match="15 joints"):
        read(write(tmp_path, {0: [POSE[:15]]}))
    assert read(tmp_path, skeleton=Skeleton.of("jhmdb-15"))[0].x.shape == (1, 1, 15, 2)


def test_cut_files_name_the_file(tmp_path):
    write(tmp_path, {0: [POSE], 1: [POSE]})
    bad = tmp_path / "clip_000000000001_keypoints.json"
    text = bad.read_text()
    for at_ in range(0, len(text), 97):
        bad.write_text(text[:at_])
        with pytest.raises(DataError, match=bad.name):
            read(tmp_path)


def test_names_that_do_not_fit(tmp_path):
    write(tmp_path / "a", {0: [POSE]})
    write(tmp_path / "a", {1: [POSE]}, stem="other")
    with pytest.raises(DataError, match="another recording"):
        read(tmp_path / "a")
    write(tmp_path / "b", {3: [POSE]})
    (tmp_path / "b" / "clip_3_keypoints.json").write_text("{}")
    with pytest.raises(DataError, match="another recording"):
        read(tmp_path / "b")
    write(tmp_path / "c", {0: [POSE], 10**11: [POSE]})
    with pytest.raises(DataError, match="numbered 0 to 100000000000"):
        read(tmp_path / "c")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "photo_keypoints.json").write_text("{}")
    with pytest.raises(DataError, match="no frame number"):
        read(tmp_path / "d")


def test_sniff(tmp_path):
    assert not OpenPose().sniff(tmp_path)
    write(tmp_path / "wave" / "a", {0: [POSE]})
    assert all(OpenPose().sniff(folder) for folder in (tmp_path, tmp_path / "wave", tmp_path / "wave" / "a"))
    assert not OpenPose().sniff(tmp_path / "gone")
