"""What a joint's name tells: its side, its region of the body, its mirror image.

Data sets name joints in every style (`left_wrist`, `UpperArm_L`, `LShoulder`, `hip_center`); from the words in a name
come the left/right pairs, the parts, the centre and the body's axes of skeletons that do not spell them out.
"""

import re

Bones = tuple[tuple[int, int], ...]
Parts = dict[str, tuple[int, ...]]

_REGIONS = {
    "head": "nose eye ear head face mouth jaw chin",
    "arm": "elbow wrist hand palm forearm arm thumb index middle pinky ring finger",
    "leg": "knee ankle foot heel toe toes leg shin thigh calf",
    "torso": "shoulder hip hips spine chest neck waist pelvis root belly collar clavicle thorax torso back trunk",
}
# A word further up wins where a name has several: `left_foot_index` is a leg, `spine_shoulder` is torso.
_ORDER = ("leg", "head", "arm", "torso")
_MIDDLES = (
    {"hip", "center"},
    {"hip", "centre"},
    {"mid", "hip"},
    {"spine", "base"},
    {"pelvis"},
    {"hips"},
    {"waist"},
    {"root"},
)


def words(name: str) -> list[str]:
    """The words of a joint's name in lower case.

    >>> words("UpperArm_L"), words("RBigToe"), words("hip-center")
    (['upper', 'arm', 'l'], ['r', 'big', 'toe'], ['hip', 'center'])
    """
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", name)]


def side(name: str) -> str:
    """`left`, `right`, or nothing for a joint in the middle."""
    found = words(name)
    return "left" if {"left", "l"} & set(found) else "right" if {"right", "r"} & set(found) else ""


def region(name: str) -> str:
    """`head`, `torso`, `arm`, `leg`, or nothing where the name does not tell."""
    found = set(words(name))
    return next((key for key in _ORDER if found & set(_REGIONS[key].split())), "")


def pairs(joints: tuple[str, ...]) -> Bones:
    """The (left, right) pairs of joints whose names differ only in the side.

    >>> pairs(("head", "left_hand", "right_hand"))
    ((1, 2),)
    """
    right = {_sideless(name): j for j, name in enumerate(joints) if side(name) == "right"}
    left = [(j, _sideless(name)) for j, name in enumerate(joints) if side(name) == "left"]
    return tuple((j, right[key]) for j, key in left if key in right)


def centre(joints: tuple[str, ...]) -> tuple[int, ...]:
    """The joint at the pelvis, else both hips, else nothing."""
    for wanted in _MIDDLES:
        for j, name in enumerate(joints):
            if wanted <= set(words(name)) and not side(name):
                return (j,)
    return _both(joints, {"hip"}) or _both(joints, {"upper", "leg"})


def axes(joints: tuple[str, ...]) -> tuple[tuple[tuple[int, ...], tuple[int, ...]] | None, ...]:
    """The body's own axes as (from joints, to joints): upwards hips -> shoulders, and across left -> right."""
    low = _both(joints, {"hip"}) or _both(joints, {"upper", "leg"})
    high = _both(joints, {"shoulder"}) or _both(joints, {"upper", "arm"})
    if not low or not high:
        return None, None
    return (low, high), ((low[0], high[0]), (low[1], high[1]))


def parts(joints: tuple[str, ...], bones: Bones) -> Parts:
    """Named groups that cover all joints: head, torso and limbs by name, else the branches of the graph."""
    regions = [region(name) for name in joints]
    if "torso" not in regions or "" in regions:
        return _branches(joints, bones)
    out: dict[str, list[int]] = {}
    for j, name in enumerate(joints):
        limb = regions[j] in ("arm", "leg") and side(name)
        out.setdefault(f"{side(name)}_{regions[j]}" if limb else regions[j], []).append(j)
    order = ("head", "torso", "left_arm", "right_arm", "left_leg", "right_leg", "arm", "leg")
    return {key: tuple(out[key]) for key in order if key in out}


def _sideless(name: str) -> tuple[str, ...]:
    return tuple(word for word in words(name) if word not in ("left", "right", "l", "r"))


def _both(joints: tuple[str, ...], wanted: set[str]) -> tuple[int, ...]:
    return next(((a, b) for a, b in pairs(joints) if wanted <= set(words(joints[a]))), ())


def _branches(joints: tuple[str, ...], bones: Bones) -> Parts:
    """The hub (the joint with most bones) and what hangs on each of its bones."""
    near: dict[int, set[int]] = {j: set() for j in range(len(joints))}
    for a, b in bones:
        near[a].add(b)
        near[b].add(a)
    hub = max(near, key=lambda j: (len(near[j]), -j))
    out: Parts = {joints[hub]: (hub,)}
    seen = {hub}
    for first in sorted(near[hub]):
        branch, todo = [], [first]
        while todo:
            j = todo.pop()
            if j not in seen:
                seen.add(j)
                branch.append(j)
                todo.extend(near[j])
        if branch:
            out[f"{joints[first]}_branch"] = tuple(sorted(branch))
    return out
