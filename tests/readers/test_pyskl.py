import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from samples import annotation, write_pickle, write_pyskl

from ossein.clip import UNKNOWN, Clip
from ossein.errors import DataError, SkeletonError
from ossein.readers.base import FAINT, Source
from ossein.readers.pyskl import PYSKL
from ossein.skeleton import Skeleton


def read(folder: Path, *annotations, **more) -> Source:
    return PYSKL().read(write_pickle(folder / "poses.pkl", {"split": {}, "annotations": list(annotations)} | more))


def one(folder: Path, **fields) -> Clip:
    return next(read(folder, annotation(**fields)).clips)


def test_everything_a_file_says(tmp_path):
    source = PYSKL().read(write_pyskl(tmp_path))
    bow, two, still = source.clips
    assert source.skeleton is not None
    assert (source.num_clips, source.skeleton.name) == (3, "coco-17")
    assert source.splits == {"train": ("bow", "still"), "val": ("S001C002P003R002A002",)}
    assert (bow.name, bow.label, bow.subject, bow.size) == ("bow", 0, UNKNOWN, (320, 240))
    assert (two.num_persons, two.setup, two.camera, two.subject, two.label) == (2, 1, 2, 3, 1)
    assert still.num_frames == 1
    wanted = annotation("bow", label=0)
    assert np.array_equal(bow.x, wanted["keypoint"].astype(np.float32))
    assert np.array_equal(bow.score, wanted["keypoint_score"].astype(np.float32))


def test_a_bare_list_and_filename_for_frame_dir(tmp_path):
    clip = annotation()
    clip["filename"] = clip.pop("frame_dir")
    source = PYSKL().read(write_pickle(tmp_path / "poses.pkl", [clip, annotation("b")]))
    assert [clip.name for clip in source.clips] == ["wave", "b"]
    assert source.splits == {}


def test_a_split_may_use_either_name(tmp_path):
    source = read(tmp_path, annotation("a", filename="a.mp4"), annotation("b"), split={"train": ["a.mp4", "b", "gone"]})
    assert source.splits == {"train": ("a", "b")}
    assert source.facts == {"names in splits without a clip": "train: 1"}


def test_subject_and_camera_of_the_annotation_win_over_the_name(tmp_path):
    clip = one(tmp_path, name="S001C002P003R002A002", subject=9, view=np.int64(7))
    assert (clip.setup, clip.camera, clip.subject) == (1, 7, 9)


def test_subjects_cameras_and_setups_by_word_and_as_floats(tmp_path):
    said = [
        {"subject": "P07", "camera": "left", "setup": 3.0},
        {"subject": "P02", "view": "right", "setup": np.array(4)},
        {"subject": None, "camera": 9, "view": "left", "setup": float("nan")},
    ]
    clips = list(read(tmp_path, *[annotation(str(n), **more) for n, more in enumerate(said)]).clips)
    assert [clip.subject for clip in clips] == [1, 0, UNKNOWN]
    assert [clip.camera for clip in clips] == [0, 1, 0]
    assert [clip.setup for clip in clips] == [3, 4, UNKNOWN]


def test_labels_by_word_are_classes(tmp_path):
    words = ["wave", "bow", "", None, "wave"]
    annotations = [annotation(str(n), label=word) for n, word in enumerate(words)]
    source = read(tmp_path, *annotations)
    assert source.classes == ("bow", "wave")
    assert [clip.label for clip in source.clips] == [1, 0, UNKNOWN, UNKNOWN, 1]
    path = write_pickle(tmp_path / "poses.pkl", [*annotations, annotation("mixed", label=2)])
    source = PYSKL().read(path, classes=["wave", "kick", "bow"])
    assert [clip.label for clip in source.clips] == [0, 2, UNKNOWN, UNKNOWN, 0, 2]
    with pytest.raises(DataError, match=r"clip 'mixed': label 2, but other clips have texts such as 'bow'"):
        PYSKL().read(path)
    with pytest.raises(DataError, match=r"poses\.pkl: no class is called 'wave'. Did you mean 'weave'"):
        PYSKL().read(path, classes=["weave", "kick", "bow"])


def test_a_label_and_a_length_in_arrays_of_no_dimensions(tmp_path):
    clip = one(tmp_path, label=np.array(3), total_frames=np.array(4))
    assert (clip.label, clip.num_frames) == (3, 4)
    assert one(tmp_path, label=np.array("3")).label == 3


def slow_presence(x: np.ndarray, score: np.ndarray | None, *, pixels: bool) -> np.ndarray:
    """The rule of the class's docstring, joint by joint."""
    out = np.zeros(x.shape[:3], np.float32)
    for m, t in np.ndindex(*x.shape[:2]):
        if all(abs(number) < 1e-5 for number in x[m, t].ravel()):
            continue
        for v, joint in enumerate(x[m, t]):
            given = 1.0 if score is None else min(float(score[m, t, v]), 1.0)
            origin = all(abs(number) < 1e-5 for number in joint)
            corner = pixels and all(abs(number) <= 2 for number in joint)
            out[m, t, v] = given if given > 0 else 0 if origin or corner else FAINT
    return out


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("scores", [True, False])
@pytest.mark.parametrize("size", [(240, 320), None])
def test_presence_is_as_documented(dims, scores, size, tmp_path):
    rng = np.random.default_rng(1)
    x = rng.uniform(-50, 200, (3, 8, 17, dims)).astype(np.float32)
    x[rng.random((3, 8, 17)) < 0.2] = 0
    x[rng.random((3, 8, 17)) < 0.2] = 1.5
    x[rng.random((3, 8)) < 0.4] = 0
    x[1] = 0
    score = rng.choice([0, 0.5, 1, 1.02], (3, 8, 17)).astype(np.float16) if scores else None
    given = annotation(keypoint=x, total_frames=8, img_shape=size, keypoint_score=score)
    clip = next(read(tmp_path, given).clips)
    wanted = slow_presence(x, score, pixels=bool(size) and dims == 2)[[0, 2]]
    np.testing.assert_allclose(clip.score, wanted, atol=1e-6)
    assert np.array_equal(clip.x, np.where(wanted[..., None] > 0, x[[0, 2]], 0))


def test_nobody_at_all_is_one_absent_person(tmp_path):
    for persons in (0, 2):
        x = np.zeros((persons, 4, 17, 2), np.float16)
        clip = one(tmp_path, keypoint=x, keypoint_score=np.ones(x.shape[:3], np.float16))
        assert clip.x.shape == (1, 4, 17, 2)
        assert clip.score.max() == 0


def test_an_unseen_joint_may_be_nan(tmp_path):
    clip = annotation()
    clip["keypoint"][0, 1, 3], clip["keypoint_score"][0, 1, 3] = np.nan, 0
    assert next(read(tmp_path, clip).clips).score[0, 1, 3] == 0


@pytest.mark.parametrize(("joints", "dims", "name"), [(17, 2, "coco-17"), (17, 3, "coco-17"), (25, 3, "ntu-25")])
def test_the_skeleton_is_known_by_the_joints(joints, dims, name, tmp_path):
    clip = annotation(keypoint=np.ones((1, 4, joints, dims)), keypoint_score=np.ones((1, 4, joints)))
    found = read(tmp_path, clip).skeleton
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(("joints", "dims"), [(25, 2), (20, 3)])
def test_other_joints_must_be_named(joints, dims, tmp_path):
    clip = annotation(keypoint=np.ones((1, 4, joints, dims)), keypoint_score=np.ones((1, 4, joints)))
    with pytest.raises(SkeletonError, match=rf"poses\.pkl: {joints} joints.*--skeleton.*meta\.json"):
        read(tmp_path, clip)
    (tmp_path / "meta.json").write_text(
        json.dumps({"joint_names": [f"j{v}" for v in range(joints)], "edges": [[v, v + 1] for v in range(joints - 1)]})
    )
    assert next(read(tmp_path, clip).clips).x.shape == (1, 4, joints, dims)


def test_names_that_tell_no_skeleton_are_told(tmp_path):
    (tmp_path / "meta.json").write_text(json.dumps({"joint_names": [f"dog{v}" for v in range(20)]}))
    clip = annotation(keypoint=np.ones((1, 4, 20, 2)), keypoint_score=np.ones((1, 4, 20)))
    with pytest.raises(
        SkeletonError, match=r"poses\.pkl: 20 joints \(dog0, dog1, .*dog19\), and no built-in skeleton has"
    ):
        read(tmp_path, clip)


def test_joints_named_otherwise_are_not_taken_for_coco_s(tmp_path):
    """17 joints are COCO's where nobody says what they are, and only there."""
    names = list(Skeleton.of("coco-17").joints)
    (tmp_path / "meta.json").write_text(json.dumps({"joint_names": names[::-1]}))
    with pytest.raises(SkeletonError, match=r"poses\.pkl: 17 joints \(right_ankle, .*has just these in this order"):
        read(tmp_path, annotation())
    (tmp_path / "meta.json").write_text(json.dumps({"joint_names": names}))
    assert read(tmp_path, annotation()).skeleton is Skeleton.of("coco-17")


def without(key: str) -> dict:
    return {name: value for name, value in annotation().items() if name != key}


def spoilt(value: float, key: str = "keypoint") -> dict:
    clip = annotation()
    clip[key][0, 2, 5] = value
    return clip


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (without("keypoint"), "clip 'wave' has no 'keypoint'"),
        (without("total_frames"), "clip 'wave' has no 'total_frames'"),
        (without("frame_dir"), "annotation 1 has no 'frame_dir'"),
        (without("keypoint") | {"raw_file": "a", "box_score": 1}, "compressed Kinetics-400 variant.*DecompressPose"),
        ([1], "annotation 1 is a list"),
        (annotation(total_frames=5), r"\[1, 4, 17, 2\].*total_frames = 5"),
        (annotation(keypoint=np.ones((4, 17, 2))), r"\[4, 17, 2\], expected \[M, T, V, C\]"),
        (annotation(keypoint=np.array([["a"]])), "'keypoint' is not an array of numbers"),
        (annotation(keypoint=[[1.0]]), "'keypoint' is not an array of numbers"),
        (annotation(keypoint_score=np.ones((1, 4, 16))), r"keypoint_score \[1, 4, 16\], expected \[1, 4, 17\]"),
        (annotation(label=-2), "label -2"),
        (annotation(label=5), "label 5, expected 0 to 1"),
        (annotation(label=1.0), "label 1.0, expected a whole number"),
        (annotation(label=True), "label True"),
        (annotation(label=np.array([1])), r"label \[1\], expected a whole number from 0 or a text"),
        (annotation(label=[0] * 99), r"label \[0, 0, .{73}, expected a whole"),
        (annotation(label="wav"), "no class is called 'wav'"),
        (annotation(subject=3.5), r"clip 'wave': subject 3\.5, expected a text, or a whole number"),
        (annotation(view=[1, 2]), r"clip 'wave': camera \[1, 2\], expected a text"),
        (annotation(img_shape=(240,)), r"img_shape \(240,\)"),
        (annotation(img_shape=(0, 320)), r"img_shape \(0, 320\)"),
        (annotation(img_shape="big"), "img_shape 'big'"),
        (spoilt(np.nan), "clip 'wave'.*person 0, frame 2, joint 5 is not finite"),
        (spoilt(np.inf), "person 0, frame 2, joint 5 is not finite"),
        (spoilt(7, "keypoint_score"), "score 7.0 of person 0, frame 2, joint 5"),
        (spoilt(-1, "keypoint_score"), "score -1.0 of person 0"),
        (annotation("fine"), "annotations 0 and 1 are both called 'fine'"),
    ],
)
def test_a_bad_annotation_is_named(bad, words, tmp_path):
    path = write_pickle(tmp_path / "poses.pkl", [annotation("fine", label=0), bad])
    with pytest.raises(DataError, match=words) as caught:
        list(PYSKL().read(path, classes=["bow", "wave"]).clips)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_changing_number_of_joints_is_named(tmp_path):
    other = annotation("b", keypoint=np.ones((1, 4, 18, 2)), keypoint_score=np.ones((1, 4, 18)))
    with pytest.raises(SkeletonError, match=r"poses\.pkl: clip 'b': 18 joints, expected 17"):
        list(read(tmp_path, annotation("a"), other).clips)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"annotations": []}, "with at least one"),
        ({"poses": [1]}, r"keys \['poses'\]"),
        ("text", "holds a str"),
        ({"annotations": [annotation()], "split": ["a"]}, "'split' is a list"),
        ({"annotations": [annotation()], "split": {"train": [1]}}, "split 'train' is not a list"),
        ({"annotations": [annotation()], "split": {"train": "wave"}}, "split 'train' is not a list"),
    ],
)
def test_what_is_no_annotation_file(data, words, tmp_path):
    with pytest.raises(DataError, match=words):
        PYSKL().read(write_pickle(tmp_path / "poses.pkl", data))


def test_a_label_is_not_needed(tmp_path):
    assert next(read(tmp_path, without("label")).clips).label == UNKNOWN


def test_splits_as_arrays_of_names(tmp_path):
    assert read(tmp_path, annotation(), split={"train": np.array(["wave"])}).splits == {"train": ("wave",)}


def test_an_annotation_is_let_go_once_it_is_a_clip(tmp_path):
    source = read(tmp_path, *[annotation(f"clip {n}") for n in range(5)])
    assert isinstance(source.clips, Iterator)
    frame = source.clips.gi_frame  # type: ignore[attr-defined]
    for n, _ in enumerate(source.clips):
        assert [bool(held) for held in frame.f_locals["annotations"]] == [i > n for i in range(5)]


def test_shares_of_an_image_above_float16_are_widened_first(tmp_path):
    x = np.full((1, 4, 17, 2), 1536.5, np.float16)
    assert one(tmp_path, keypoint=x).x.dtype == np.float32
    huge = np.full((1, 4, 17, 2), 1e300)
    with pytest.raises(DataError, match="not finite"):
        one(tmp_path, keypoint=huge)


def test_a_wild_score_of_nobody_is_passed_over(tmp_path):
    clip = annotation()
    clip["keypoint"][0, 1], clip["keypoint_score"][0, 1] = 0, np.inf
    assert next(read(tmp_path, clip).clips).score[0, 1].tolist() == [0] * 17
