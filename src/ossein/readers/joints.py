"""Joints by name: where each joint of a file stands in a skeleton."""

from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np

from ossein.anatomy import words
from ossein.errors import SkeletonError, did_you_mean
from ossein.readers.base import unknown_skeleton
from ossein.skeleton import Skeleton, builtin_names
from ossein.words import noun


def place_joints(path: Path, found: Collection[str], skeleton: Skeleton | None) -> tuple[Skeleton, np.ndarray]:
    """The skeleton, and its joint number for each joint of the file.

    Args:
        path: The file, named in errors.
        found: What the file calls its joints, in its order: names in any spelling and order, or numbers from 0.
        skeleton: The skeleton they belong to; where it is not known it is the built-in one with just these names.

    Raises:
        SkeletonError: No skeleton is given and no built-in one has these names, or a joint is none of the skeleton.
    """
    if all(joint.isdecimal() for joint in found):
        if skeleton is None:
            raise unknown_skeleton(path, max(map(int, found)) + 1)
        wild = [joint for joint in found if int(joint) >= len(skeleton)]
        if wild:
            raise SkeletonError(
                f"{path}: joint {wild[0]}, expected 0 to {len(skeleton) - 1} ({skeleton.name}). "
                "Joints count from 0; name the skeleton of the data with --skeleton."
            )
        return skeleton, np.array([int(joint) for joint in found])
    skeleton = skeleton or _same_set(found)
    if skeleton is None:
        raise unknown_skeleton(path, len(found), tuple(found))
    number = {key: v for v, key in enumerate(spelled(skeleton.joints))}
    keys = spelled(found)
    wild = [joint for joint, key in zip(found, keys) if key not in number]
    if wild:
        raise SkeletonError(
            f"{path}: {', '.join(map(repr, wild))} {noun(len(wild), 'is no joint', 'are no joints')} of {skeleton.name}. "
            f"{did_you_mean(wild[0], skeleton.joints, most=40)}"
        )
    return skeleton, np.array([number[key] for key in keys])


def spelled(joints: Iterable[str]) -> list[tuple[str, ...]]:
    """The joints in order, however their names are spelled.

    >>> spelled(["LeftWrist", "left_wrist", "wrist left"])
    [('left', 'wrist'), ('left', 'wrist'), ('left', 'wrist')]
    """
    return [tuple(sorted(words(joint))) or (joint,) for joint in joints]


def _same_set(joints: Iterable[str]) -> Skeleton | None:
    """The built-in skeleton with these joint names in any order, if there is one."""
    wanted = sorted(spelled(joints))
    return next((s for s in map(Skeleton.of, builtin_names()) if sorted(spelled(s.joints)) == wanted), None)
