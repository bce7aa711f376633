"""Anatomy: sides, regions, pairs, parts and axes out of joint names in the styles that data sets really use."""

import pytest

from ossein import anatomy

STYLES = {
    "snake": "pelvis spine neck head left_shoulder left_elbow left_wrist right_shoulder right_elbow right_wrist "
    "left_hip left_knee left_ankle right_hip right_knee right_ankle",
    "behind": "pelvis spine neck head shoulder_L elbow_L wrist_L shoulder_R elbow_R wrist_R hip_L knee_L ankle_L "
    "hip_R knee_R ankle_R",
    "camel": "Pelvis Spine Neck Head LeftShoulder LeftElbow LeftWrist RightShoulder RightElbow RightWrist LeftHip "
    "LeftKnee LeftAnkle RightHip RightKnee RightAnkle",
    "camel-behind": "Pelvis Spine Neck Head ShoulderLeft ElbowLeft WristLeft ShoulderRight ElbowRight WristRight HipLeft "
    "KneeLeft AnkleLeft HipRight KneeRight AnkleRight",
    "letter": "Pelvis Spine Neck Head LShoulder LElbow LWrist RShoulder RElbow RWrist LHip LKnee LAnkle RHip RKnee "
    "RAnkle",
    "dotted": "pelvis spine neck head shoulder.L elbow.L wrist.L shoulder.R elbow.R wrist.R hip.L knee.L ankle.L hip.R "
    "knee.R ankle.R",
}
BONES = ((0, 1), (1, 2), (2, 3), (2, 4), (4, 5), (5, 6), (2, 7), (7, 8), (8, 9), (0, 10), (10, 11), (11, 12), (0, 13))
BONES += ((13, 14), (14, 15))


@pytest.mark.parametrize("style", STYLES)
def test_every_style_tells_the_same_body(style: str):
    joints = tuple(STYLES[style].split())
    assert anatomy.pairs(joints) == ((4, 7), (5, 8), (6, 9), (10, 13), (11, 14), (12, 15))
    assert anatomy.centre(joints) == (0,)
    assert anatomy.axes(joints) == (((10, 13), (4, 7)), ((10, 4), (13, 7)))
    assert anatomy.parts(joints, BONES) == {
        "head": (3,),
        "torso": (0, 1, 2, 4, 7, 10, 13),
        "left_arm": (5, 6),
        "right_arm": (8, 9),
        "left_leg": (11, 12),
        "right_leg": (14, 15),
    }


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("left_wrist", ["left", "wrist"]),
        ("UpperArm_L", ["upper", "arm", "l"]),
        ("LShoulder", ["l", "shoulder"]),
        ("SpineBase", ["spine", "base"]),
        ("hip-center", ["hip", "center"]),
        ("mixamorig:LeftForeArm", ["mixamorig", "left", "fore", "arm"]),
        ("spine1", ["spine", "1"]),
        ("LEFT ANKLE", ["left", "ankle"]),
        ("joint_Root", ["joint", "root"]),
    ],
)
def test_words(name: str, words: list[str]):
    assert anatomy.words(name) == words


@pytest.mark.parametrize(
    ("name", "side", "region"),
    [
        ("left_foot_index", "left", "leg"),
        ("right_index", "right", "arm"),
        ("mouth_left", "left", "head"),
        ("spine_shoulder", "", "torso"),
        ("LBigToe", "left", "leg"),
        ("UpperLeg_R", "right", "leg"),
        ("RightForeArm", "right", "arm"),
        ("left_clavicle", "left", "torso"),
        ("nose", "", "head"),
        ("marker_7", "", ""),
        ("bellyleft", "", ""),
    ],
)
def test_side_and_region_of_a_joint(name: str, side: str, region: str):
    assert anatomy.side(name) == side
    assert anatomy.region(name) == region


@pytest.mark.parametrize(
    ("joints", "centre"),
    [
        (("head", "mid_hip", "left_hip", "right_hip"), (1,)),
        (("root", "Hips", "head"), (1,)),
        (("head", "spine_base"), (1,)),
        (("head", "left_hip", "right_hip"), (1, 2)),
        (("head", "UpperLeg_L", "UpperLeg_R"), (1, 2)),
        (("head", "neck"), ()),
        (("head", "left_hip"), ()),
    ],
)
def test_the_centre_is_the_pelvis_else_both_hips_else_unknown(joints: tuple[str, ...], centre: tuple[int, ...]):
    assert anatomy.centre(joints) == centre


def test_axes_need_hips_and_shoulders():
    assert anatomy.axes(("left_hip", "right_hip", "head")) == (None, None)
    assert anatomy.axes(("left_shoulder", "right_shoulder", "head")) == (None, None)
    thighs = ("UpperLeg_R", "UpperLeg_L", "UpperArm_L", "UpperArm_R")
    assert anatomy.axes(thighs) == (((1, 0), (2, 3)), ((1, 2), (0, 3)))


def test_a_joint_without_its_mirror_image_is_in_no_pair():
    assert anatomy.pairs(("left_hand", "right_foot", "head")) == ()


def test_limbs_without_a_side_are_one_part():
    assert anatomy.parts(("hip", "knee", "ankle"), ((0, 1), (1, 2))) == {"torso": (0,), "leg": (1, 2)}


def test_without_telling_names_parts_are_the_branches_of_the_hub():
    star = ((0, 1), (1, 2), (3, 2), (2, 4), (4, 5))
    assert anatomy.parts(tuple("abcdef"), star) == {
        "c": (2,),
        "b_branch": (0, 1),
        "d_branch": (3,),
        "e_branch": (4, 5),
    }
    ring = ((0, 1), (1, 2), (2, 0), (0, 3))
    assert anatomy.parts(tuple("abcd"), ring) == {"a": (0,), "b_branch": (1, 2), "d_branch": (3,)}
