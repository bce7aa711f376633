"""Mapping: which joints of two skeletons mean the same, so that several data sets can share one skeleton.

A joint's name is read as a place on the body (`LWrist`, `wrist_left`, `left_wrist` are one, and so are `spine_base`,
`mid_hip` and `Hips`). Two joints match where they lie at one place and on one side. Some places are none of a skeleton's
joints but halfway between two of them: the middle of the hips, say.
"""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from ossein import anatomy
from ossein.errors import SkeletonError
from ossein.skeleton import Skeleton

if TYPE_CHECKING:
    from torch import Tensor

_FINGERS = ("index", "middle", "ring", "pinky")
_KNUCKLES = {"mcp": "a", "pip": "b", "dip": "c", "tip": "end"}
# Places by the names that stand for them, the best name first. A skeleton's joint takes the first place that is free, so
# that a name means what the joints beside it leave it: `neck` is the base of the neck unless a joint between the
# shoulders has taken that place. Words may come in any order.
_MIDDLE = {
    "pelvis": "hip center|hip centre|mid hip|spine base|pelvis|hips|hip|waist|root",
    "spine": "spine mid|spine navel|spine|belly|torso|abdomen",
    "chest": "chest|spine chest",
    "neck base": "spine shoulder|shoulder center|shoulder centre|mid shoulder|thorax|neck",
    "neck": "neck|upper neck",
    # 2-D sets mark the nose, depth sensors the head; each is the one joint that moves with the head.
    "face": "nose|face|head",
    # The `head` of a skeleton with a nose is the top of it (Halpe, Human3.6M).
    "crown": "head top|top head|head tip|head end|head",
}
# Motion capture names joints after the bone that begins there: the upper arm begins at the shoulder, and `Shoulder_L` is
# then the collar bone; the forearm begins at the elbow; `Hand_L` and `Foot_L` are wrist and ankle where no joint is
# called so.
_LIMB = {
    "shoulder": "upper arm|arm|shoulder",
    "collar": "collar|clavicle|shoulder",
    "elbow": "elbow|forearm|fore arm|lower arm",
    "wrist": "wrist|hand|palm",  # The palm of the Leap sensor lies 8 cm and more from the knuckles, at the wrist.
    "hand": "hand|palm",
    "hip": "hip|upper leg|up leg|thigh",
    "knee": "knee|lower leg|shin|calf|leg",
    "ankle": "ankle|foot",
    "toe": "big toe|toe|toes|toe base|foot index|foot",  # The foot of depth sensors is its front end.
    **{
        f"{one} {knuckle}": f"{one} {knuckle}|{one} {letter}"
        for one in _FINGERS
        for knuckle, letter in _KNUCKLES.items()
    },
    "thumb mcp": "thumb mcp|thumb a",
    "thumb ip": "thumb ip|thumb b",
    "thumb tip": "thumb tip|thumb end",
}
_HALFWAY = {
    "pelvis": ("left hip", "right hip"),
    "neck base": ("left shoulder", "right shoulder"),
    # BlazePose marks the outer knuckles of a hand, depth sensors its middle.
    "left hand": ("left index", "left pinky"),
    "right hand": ("right index", "right pinky"),
}


@cache
def places(skeleton: Skeleton) -> tuple[str, ...]:
    """For each joint its place on the body, all different: a side and a common name, or the words of a name of its own.

    >>> places(Skeleton.make("mocap", ["Hips", "UpperLeg_L", "Foot_L", "tail"], [(0, 1), (1, 2), (0, 3)]))
    ('pelvis', 'left hip', 'left ankle', 'tail')
    """
    names = [_side_and_words(joint) for joint in skeleton.joints]
    free = {name: j for j, name in reversed(list(enumerate(names)))}  # of joints with one name, the first
    found: dict[int, str] = {}
    for side in ("left", "right", ""):
        for place, known in _LIMB.items() if side else (_MIDDLE | _LIMB).items():
            wanted = ((side, tuple(sorted(name.split()))) for name in known.split("|"))
            best = next((name for name in wanted if name in free), None)
            if best:
                found[free.pop(best)] = f"{side} {place}".strip()
    for j, (side, words) in enumerate(names):
        if j not in found:
            own = " ".join([side, *words]).strip() or skeleton.joints[j]
            while own in found.values():  # names that differ in spelling alone
                own += "'"
            found[j] = own
    return tuple(found[j] for j in range(len(skeleton)))


def match_joints(source: Skeleton, target: Skeleton) -> tuple[int, ...]:
    """For each joint of the target the source's joint at the same place, or -1; no joint is taken twice.

    Args:
        source: The joints that there are.
        target: The joints that are wanted.

    >>> match_joints(Skeleton.of("ntu-25"), Skeleton.of("penn-13"))
    (3, 4, 8, 5, 9, 6, 10, 12, 16, 13, 17, 14, 18)
    """
    number = {place: j for j, place in enumerate(places(source))}
    return tuple(number.get(place, -1) for place in places(target))


def joint_matrix(source: Skeleton, target: Skeleton) -> np.ndarray:
    """W, float32 [V_target V_source]: target joints as means of source joints.

    A row is 1 at the joint that `match_joints` finds; where there is none, 1/2 at two joints that have the target's
    halfway between them; otherwise 0. Rows sum to 1, or to 0 for a joint that is absent.

    Args:
        source: The joints that there are.
        target: The joints that are wanted.

    >>> w = joint_matrix(Skeleton.of("coco-17"), Skeleton.of("openpose-18"))
    >>> w[1].nonzero()[0].tolist(), float(w[1].max())  # the neck, between the shoulders
    ([5, 6], 0.5)
    """
    number = {place: j for j, place in enumerate(places(source))}
    out = np.zeros((len(target), len(source)), np.float32)
    for j, place in enumerate(places(target)):
        ends = _HALFWAY.get(place, ())
        if place in number:
            out[j, number[place]] = 1
        elif ends and set(ends) <= number.keys():
            out[j, [number[end] for end in ends]] = 0.5
    return out


def transfer_joint_weights(weights: "Tensor", matrix: np.ndarray) -> "Tensor":
    """Parameters with a joint axis, brought from one skeleton to another.

    Joints with a source take the weighted sum of their sources, those without one the mean over all source joints: what
    the parameters say of any joint.

    Args:
        weights: Of the source, [V_source ...].
        matrix: W as `joint_matrix` gives it.

    Returns:
        Of the target, [V_target ...], in the type and on the device of `weights`.

    Raises:
        SkeletonError: The weights are not those of the matrix's source.
    """
    target, source = matrix.shape
    if weights.ndim < 1 or len(weights) != source:
        raise SkeletonError(
            f"weights of shape {list(weights.shape)} for a skeleton of {source} joints, expected its joints as the first "
            "axis. Move that axis to the front, or map from the skeleton that the weights belong to."
        )
    full = np.where(matrix.any(1, keepdims=True), matrix, np.float32(1 / source))
    return (weights.new_tensor(full) @ weights.reshape(source, -1)).reshape(target, *weights.shape[1:])


def _side_and_words(joint: str) -> tuple[str, tuple[str, ...]]:
    words = (word for word in anatomy.words(joint) if word not in ("left", "right", "l", "r", "joint"))
    return anatomy.side(joint), tuple(sorted(words))
