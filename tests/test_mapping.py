"""Mapping: tables checked by hand, and laws that hold for every pair of skeletons."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ossein import anatomy
from ossein.errors import SkeletonError
from ossein.mapping import joint_matrix, match_joints, places, transfer_joint_weights
from ossein.readers import reader_for
from ossein.skeleton import Skeleton, builtin_names

NAMES = builtin_names()
PAIRS = list(product(NAMES, NAMES))


def chain(*joints: str) -> Skeleton:
    return Skeleton.make("chain", joints, [(i, i + 1) for i in range(len(joints) - 1)])


def by_name(source: Skeleton, target: Skeleton) -> dict[str, str]:
    """What `match_joints` found, as names."""
    return {target.joints[j]: source.joints[i] for j, i in enumerate(match_joints(source, target)) if i >= 0}


def halfway(source: Skeleton, target: Skeleton) -> dict[str, set[str]]:
    """The joints that `joint_matrix` makes of two others, as names."""
    matrix = joint_matrix(source, target)
    two = np.flatnonzero((matrix > 0).sum(1) == 2)
    return {target.joints[j]: {source.joints[i] for i in np.flatnonzero(matrix[j])} for j in two}


LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
BOTH = [f"{side}_{limb}" for side in ("left", "right") for limb in LIMBS]
SAME = {name: name for name in BOTH}
HANDS = {f"{side}_{limb}": f"{side}_{limb}" for side in ("left", "right") for limb in ("hand", "foot")}
SPINE = {"hip_center": "spine_base", "spine": "spine_mid", "shoulder_center": "spine_shoulder", "head": "head"}
TOES = {f"{side}_big_toe": f"{side}_foot" for side in ("left", "right")}
TABLES = {
    ("ntu-25", "kinect-20"): SAME | HANDS | SPINE,
    ("ntu-25", "coco-17"): SAME | {"nose": "head"},
    ("ntu-25", "openpose-25"): SAME | TOES | {"nose": "head", "neck": "spine_shoulder", "mid_hip": "spine_base"},
    ("coco-17", "ntu-25"): SAME | {"head": "nose"},
    ("coco-17", "penn-13"): SAME | {"head": "nose"},
    ("jhmdb-15", "kinect-20"): SAME | {"head": "face", "shoulder_center": "neck", "spine": "belly"},
    ("halpe-26", "jhmdb-15"): SAME | {"face": "nose", "neck": "neck"},
    ("kinect-20", "halpe-26"): SAME | TOES | {"nose": "head", "neck": "shoulder_center", "mid_hip": "hip_center"},
    ("kinect-20", "mediapipe-33"): SAME
    | {"nose": "head"}
    | {f"{side}_foot_index": f"{side}_foot" for side in ("left", "right")},
    ("mediapipe-33", "penn-13"): SAME | {"head": "nose"},
    ("hand-21", "ntu-25"): {},
}
HALFWAY = {
    ("coco-17", "openpose-18"): {"neck": {"left_shoulder", "right_shoulder"}},
    ("coco-17", "kinect-20"): {
        "shoulder_center": {"left_shoulder", "right_shoulder"},
        "hip_center": {"left_hip", "right_hip"},
    },
    ("jhmdb-15", "ntu-25"): {"spine_base": {"left_hip", "right_hip"}},
    ("mediapipe-33", "kinect-20"): {
        "shoulder_center": {"left_shoulder", "right_shoulder"},
        "hip_center": {"left_hip", "right_hip"},
        "left_hand": {"left_index", "left_pinky"},
        "right_hand": {"right_index", "right_pinky"},
    },
    ("ntu-25", "openpose-25"): {},
}


@pytest.mark.parametrize("pair", TABLES, ids=" ".join)
def test_joints_that_mean_the_same(pair):
    assert by_name(*map(Skeleton.of, pair)) == TABLES[pair]


@pytest.mark.parametrize("pair", HALFWAY, ids=" ".join)
def test_joints_halfway_between_two(pair):
    assert halfway(*map(Skeleton.of, pair)) == HALFWAY[pair]


@pytest.mark.parametrize("pair", PAIRS, ids=" ".join)
def test_laws_of_every_pair(pair):
    source, target = map(Skeleton.of, pair)
    found = match_joints(source, target)
    taken = [i for i in found if i >= 0]
    assert len(set(taken)) == len(taken)
    assert all(anatomy.side(source.joints[i]) == anatomy.side(target.joints[j]) for j, i in enumerate(found) if i >= 0)
    back = match_joints(target, source)
    assert all(back[i] == j for j, i in enumerate(found) if i >= 0)
    # Left and right are treated alike.
    ours, theirs = source.mirror(), target.mirror()
    assert all((ours[i] if i >= 0 else -1) == found[theirs[j]] for j, i in enumerate(found))
    if "hand-21" not in pair:
        assert len(taken) >= 13


@pytest.mark.parametrize("pair", PAIRS, ids=" ".join)
def test_a_matrix_holds_the_matches_and_means(pair):
    source, target = map(Skeleton.of, pair)
    matrix = joint_matrix(source, target)
    assert matrix.shape == (len(target), len(source))
    for row, i in zip(matrix, match_joints(source, target), strict=True):
        if i >= 0:
            assert row[i] == row.sum() == 1
        else:
            assert sorted(row[row > 0].tolist()) in ([], [0.5, 0.5])
    if source == target:
        assert (matrix == np.eye(len(source))).all()


@settings(max_examples=20, deadline=None)
@given(name=st.sampled_from(NAMES), data=st.data())
def test_the_order_of_joints_makes_no_difference(name, data):
    skeleton = Skeleton.of(name)
    order = data.draw(st.permutations(range(len(skeleton))))
    assert match_joints(skeleton, skeleton.permuted(order)) == tuple(order)


@pytest.mark.parametrize(
    ("joints", "wanted"),
    [
        # Motion capture: joints named after the bones that begin there (Blender, Mixamo).
        (("upper_arm.L", "forearm.L", "hand.L"), ("left shoulder", "left elbow", "left wrist")),
        (("thigh.R", "shin.R", "foot.R", "toe.R"), ("right hip", "right knee", "right ankle", "right toe")),
        (("LeftShoulder", "LeftArm", "LeftForeArm"), ("left collar", "left shoulder", "left elbow")),
        (("RightUpLeg", "RightLeg", "RightFoot"), ("right hip", "right knee", "right ankle")),
        # A name means what the joints beside it leave it.
        (("wrist_left", "LHand"), ("left wrist", "left hand")),
        (("LAnkle", "LFoot", "LToes"), ("left ankle", "left foot", "left toe")),
        (("Thorax", "Neck"), ("neck base", "neck")),
        (("Nose", "Head"), ("face", "crown")),
        (("joint_Root", "Hips"), ("root", "pelvis")),
        (("root", "tail"), ("pelvis", "tail")),
        # Names that tell nothing stay apart.
        (("骨", "頭"), ("骨", "頭")),
        (("Neck", "neck", "NECK"), ("neck base", "neck", "neck'")),
    ],
    ids=lambda value: value[0],
)
def test_places(joints, wanted):
    assert places(chain(*joints)) == wanted


def real_skeleton(folder) -> Skeleton:
    path = folder / f"{folder.name}.pkl"
    skeleton = reader_for(path).read(path).skeleton
    assert skeleton is not None
    return skeleton


def test_utd_mhad_is_a_reordered_kinect_20(real_data):
    utd, ucla = (real_skeleton(real_data(name)) for name in ("utd_mhad", "nw_ucla"))
    assert match_joints(utd, ucla) == (3, 2, 1, 0, *range(4, 20))


def test_msr_action3d_has_the_joints_of_kinect_20(real_data):
    msr, kinect = real_skeleton(real_data("msr_action3d")), Skeleton.of("kinect-20")
    assert by_name(msr, kinect) == {name: name for name in kinect.joints} | {"shoulder_center": "neck"}


def test_motion_capture_joins_sensors(real_data):
    bandai, prmd = (real_skeleton(real_data(name)) for name in ("bandai_namco2", "ui_prmd"))
    left = {
        "left_shoulder": "UpperArm_L",
        "left_elbow": "LowerArm_L",
        "left_wrist": "Hand_L",
        "left_hip": "UpperLeg_L",
        "left_knee": "LowerLeg_L",
        "left_ankle": "Foot_L",
        "left_foot": "Toes_L",
    }
    right = {key.replace("left", "right"): name.replace("_L", "_R") for key, name in left.items()}
    spine = {"hip_center": "Hips", "spine": "Spine", "shoulder_center": "Neck", "head": "Head"}
    assert by_name(bandai, Skeleton.of("kinect-20")) == left | right | spine
    one = by_name(bandai, prmd)
    assert set(prmd.joints) - one.keys() == {"head_tip"}
    assert (one["left_collar"], one["left_upper_arm"], one["chest"]) == ("Shoulder_L", "UpperArm_L", "Chest")


def test_the_leap_hand_is_the_hand_of_mediapipe_without_the_root_of_the_thumb(real_data):
    one = by_name(real_skeleton(real_data("sfinge3d")), Skeleton.of("hand-21"))
    assert set(Skeleton.of("hand-21").joints) - one.keys() == {"thumb_cmc"}
    assert [one[name] for name in ("wrist", "thumb_mcp", "thumb_tip", "index_mcp", "pinky_tip")] == [
        "palm",
        "thumbA",
        "thumbEnd",
        "indexA",
        "pinkyEnd",
    ]


def test_weights_follow_their_joints():
    source, target = Skeleton.of("coco-17"), Skeleton.of("openpose-25")
    weights = torch.randn(17, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    out = transfer_joint_weights(weights, joint_matrix(source, target))
    assert out.shape == (25, 2, 3)
    assert out.dtype == torch.float64
    number = target.joints.index
    torch.testing.assert_close(out[number("left_wrist")], weights[source.joints.index("left_wrist")])
    torch.testing.assert_close(out[number("neck")], (weights[5] + weights[6]) / 2)
    torch.testing.assert_close(out[number("left_heel")], weights.mean(0), rtol=1e-6, atol=1e-6)


def test_weights_on_the_same_skeleton_stay_and_may_have_no_other_axis():
    weights = torch.arange(17.0)
    assert torch.equal(transfer_joint_weights(weights, np.eye(17, dtype=np.float32)), weights)


@pytest.mark.parametrize("shape", [(), (25, 4)])
def test_weights_of_another_skeleton_are_refused(shape):
    with pytest.raises(SkeletonError, match="17 joints"):
        transfer_joint_weights(torch.zeros(shape), joint_matrix(Skeleton.of("coco-17"), Skeleton.of("ntu-25")))
