"""Persons out of detections: what a detector says of one frame, made into persons followed through the clip."""

import itertools
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np

from ossein.errors import DataError
from ossein.readers.base import LONGEST
from ossein.words import count

MOST = 5
"""Persons kept of one clip: those with the most confidence summed over joints and frames."""

REACH = 1.0
"""How far a person may move between two detections, in diagonals of the box around the joints."""

PATIENCE = 30
"""Frames for which a person who is not detected keeps their slot."""

_NEVER = 1e6
_LARGEST = float(np.finfo(np.float32).max)


def numbers(values: Any, where: str) -> np.ndarray:
    """A flat list of finite numbers from JSON, float64.

    Raises:
        DataError: It is no list, or something in it is not a finite number.
    """
    if not isinstance(values, list):
        raise DataError(f"{where}: {_short(values)} is not a list of numbers. Mend the file.")
    for i, value in enumerate(values):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not abs(value) < _LARGEST:
            raise DataError(f"{where}: {_short(value)} at place {i} is not a finite number. Mend the file.")
    return np.array(values, np.float64)


def triples(values: Any, where: str) -> np.ndarray:
    """A pose [V 3] of x, y, score from a flat JSON list x0, y0, s0, x1, ...; an unseen joint is all zero.

    Raises:
        DataError: It is no list of finite numbers, not three for each joint, or a score is negative.
    """
    flat = numbers(values, where)
    if flat.size % 3:
        raise DataError(
            f"{where}: {count(flat.size, 'number')}, expected three (x, y, score) for each joint. Mend the file."
        )
    pose = flat.reshape(-1, 3)
    if (pose[:, 2] < 0).any():
        raise DataError(f"{where}: score {pose[:, 2].min():g} is negative, expected 0 (not seen) to 1. Mend the file.")
    return np.where(pose[:, 2:] > 0, pose, 0.0)


def span(frames: Iterable[int], where: str) -> tuple[int, int]:
    """The first frame number, and how many frames there are up to the last one.

    Raises:
        DataError: There are more than a clip may have, so that a number is surely wrong.

    >>> span([7, 5, 9], "a.json")
    (5, 5)
    """
    frames = list(frames)
    first, last = min(frames), max(frames)
    if last - first >= LONGEST:
        raise DataError(
            f"{where}: frames are numbered {first} to {last}, more than the {LONGEST} a clip may have. "
            "Number them one by one; one file or folder is one clip."
        )
    return first, last - first + 1


def assign_tracks(
    frames: Sequence[Sequence[np.ndarray]],
    num_joints: int,
    *,
    dims: int = 2,
    ids: Sequence[Sequence[Hashable]] | None = None,
    most: int = MOST,
) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates [M T V C] and scores [M T V] in which a slot is one person, from detections in any order.

    From frame to frame persons and detections are paired so that the sum of distances is least (Kuhn 1955); a distance
    is the mean over joints seen in both, in diagonals of the box around them, and one above `REACH` makes a new person.
    A clip that never shows two people at once is taken to show one. Slots are ordered by summed score.

    Args:
        frames: For each frame its detections, [V C+1] with the score last.
        num_joints: V, for clips in which nobody is detected.
        dims: C.
        ids: For each detection who it is, where the file says so.
        most: How many persons to keep.
    """
    if ids is None:
        ids = [[0] * len(poses) for poses in frames] if max(map(len, frames)) < 2 else _followed(frames)
    total: dict[Hashable, float] = {}
    for poses, some in zip(frames, ids, strict=True):
        for pose, person in zip(poses, some, strict=True):
            total[person] = total.get(person, 0.0) + float(np.minimum(pose[:, -1], 1).sum())
    slot = {person: m for m, person in enumerate(sorted(total, key=lambda one: -total[one])[:most])}
    grid = np.zeros((max(len(slot), 1), len(frames), num_joints, dims + 1), np.float32)
    for t, (poses, some) in enumerate(zip(frames, ids)):
        for pose, person in zip(poses, some):
            if person in slot:
                grid[slot[person], t] = pose
    return grid[..., :-1], np.minimum(grid[..., -1], 1)


def _followed(frames: Sequence[Sequence[np.ndarray]]) -> list[list[int]]:
    # A third of a second, which clips of one person are spared.
    from scipy.optimize import linear_sum_assignment

    new = itertools.count()
    last: dict[int, tuple[int, np.ndarray]] = {}
    out = []
    for t, poses in enumerate(frames):
        last = {person: seen for person, seen in last.items() if t - seen[0] <= PATIENCE}
        known = list(last)
        cost = np.array([[_distance(last[person][1], pose) for pose in poses] for person in known])
        cost = np.minimum(cost.reshape(len(known), len(poses)), _NEVER)
        found = {j: known[i] for i, j in zip(*linear_sum_assignment(cost)) if cost[i, j] <= REACH}
        out.append([found[j] if j in found else next(new) for j in range(len(poses))])
        last |= {person: (t, pose) for person, pose in zip(out[-1], poses)}
    return out


def _distance(old: np.ndarray, new: np.ndarray) -> float:
    seen = [pose[pose[:, -1] > 0, :-1] for pose in (old, new)]
    both = (old[:, -1] > 0) & (new[:, -1] > 0)
    if not all(len(points) for points in seen):
        return _NEVER
    size = max(float(np.linalg.norm(np.ptp(points, axis=0))) for points in seen)
    if both.any():
        far = np.linalg.norm(old[both, :-1] - new[both, :-1], axis=1).mean()
    else:
        far = np.linalg.norm(seen[0].mean(0) - seen[1].mean(0))
    return float(far / max(size, 1e-9))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
