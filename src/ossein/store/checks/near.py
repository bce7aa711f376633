"""Near-identical clips on both sides of a split: one recording twice, though resampled, moved, rescaled or jittered a little."""

from collections.abc import Iterator
from functools import cache, lru_cache

import numpy as np

from ossein.errors import DataError
from ossein.store.checks.base import Body, Finding, Look, Place, Result, Skipped, body_of, main_place, norm
from ossein.store.file import Store
from ossein.store.splits import Split, protocols, resolve

KIND = "near-identical clips in both halves"

CLOSE = 0.02
"""How far apart joints of copies are at most, root mean square, as a share of how far they are from the middle of the body."""

AGAINST_MOVEMENT = 0.1
"""And how far in shares of the movement of the clips: two people who stand still alike are no copies of each other."""

MANY = 0.05
"""The share of test clips from which copies are an error; a few may be performances that were repeated very exactly."""

_POSES, _AXES, _NEAREST, _FINE = 8, 48, 4, 256


def outline(body: Body) -> np.ndarray:
    """A clip as 8 poses of its main person, centred and scaled, float32 [8 V C]; 0 for what is never seen.

    Poses are means weighted by hat functions that lie evenly between the first and the last frame, of what is
    interpolated between frames, so that neither the frame rate nor small errors of single frames count. The scale is how
    far joints are from the middle of their pose, root mean square.
    """
    person = int(body.seen.sum((1, 2)).argmax())
    times = np.flatnonzero(body.present[person])
    x, seen = body.x[person, times], body.seen[person, times].astype(np.float32)
    hats = _hats(len(times))
    ever = seen.any(0)[:, None]
    weight = np.tensordot(hats, seen, 1)[..., None]
    poses = np.tensordot(hats, x * seen[..., None], 1) / np.maximum(weight, 1e-6)
    mean = (x * seen[..., None]).sum(0) / np.maximum(seen.sum(0), 1)[:, None]
    poses = np.where(weight > 0, poses, mean)
    num = max(1, int(ever.sum()))
    poses = np.where(ever, poses - (poses * ever).sum((0, 1)) / (_POSES * num), np.float32(0))
    apart = np.where(ever, poses - poses.sum(1, keepdims=True) / num, 0)
    size = np.sqrt(np.square(apart).sum() / (_POSES * num))
    return poses / np.float32(size or 1)


def movement(poses: np.ndarray) -> float:
    """How far joints are from where they are on average, root mean square."""
    return float(np.sqrt(np.square(norm(poses - poses.mean(0))).mean()))


def sketch(body: Body) -> np.ndarray:
    """The outline along a few orthonormal axes [48], so that two sketches are never further apart than their outlines."""
    poses = outline(body).ravel()
    return _axes(len(poses)) @ poses


def near_identical(look: Look) -> Iterator[Result]:
    """Test clips with a near-identical training clip, and no identical one.

    Of each test clip the four nearest sketches among the training clips are compared in full: the memory that is needed
    grows with the number of clips, not of pairs.
    """
    names = protocols(look.store)
    if not names:
        yield Skipped(KIND, "the store has no split")
        return
    pair = cache(lambda i, j: _apart(look.store, i, j))
    places: list[Place] = []
    shown: dict[int, int] = {}
    for name in names:
        try:
            split = resolve(look.store, name)
        except DataError:  # told of by the check of halves
            continue
        found = {i: j for i, j in _candidates(look, split) if pair(i, j)}
        if found:
            places.append((name, len(found), len(split.test)))
            shown |= found
    if places:
        name, count, of = main_place(places)
        yield Finding(
            KIND,
            "error" if count >= MANY * of else "warning",
            count,
            of,
            f"test clip of '{name}'",
            f"Their joints are within {100 * CLOSE:.0f} % of the body's size of those of a training clip, and within a tenth of "
            "its movement: likely one recording, altered a little, so that a test on them shows memory.",
            "Look at a few; keep all versions of a recording in one half, or leave them out of the test list.",
            look.examples(shown, lambda n: f"like '{look.store.names[shown[n]]}'"),
            tuple(places),
            drawn=True,
        )


GAUGES = {"sketch": sketch}
CHECKS = {KIND: near_identical}


def _candidates(look: Look, split: Split) -> Iterator[tuple[int, int]]:
    from scipy.spatial import KDTree

    same = {i for i, _ in look.store.identical(split.test, split.train)}
    test = np.array([i for i in split.test if i not in same], np.int64)
    if not len(test):
        return
    reach = CLOSE * np.sqrt(_POSES * len(look.store.skeleton))
    tree = KDTree(look["sketch"][split.train])
    _, nearest = tree.query(look["sketch"][test], k=_NEAREST, distance_upper_bound=reach)
    for i, row in zip(test, np.asarray(nearest)):
        # The nearest last, so that it is kept; the number of training clips stands for "none".
        yield from ((int(i), int(split.train[j])) for j in row[::-1] if j < len(split.train))


def _apart(store: Store, i: int, j: int) -> bool:
    """Whether two clips are as near to each other as copies are."""
    a, b = (outline(body_of(store, n)) for n in (i, j))
    far = float(np.sqrt(np.square(norm(a - b)).mean()))
    return far < CLOSE and far < AGAINST_MOVEMENT * min(movement(a), movement(b))


@lru_cache(512)
def _hats(frames: int) -> np.ndarray:
    """How much each of so many frames counts in each pose, float32 [8 T]."""
    fine = np.linspace(0, 1, _FINE)
    hats = np.maximum(0, 1 - np.abs(fine * (_POSES - 1) - np.arange(_POSES)[:, None]))
    between = np.maximum(0, 1 - np.abs(fine[:, None] * max(frames - 1, 0) - np.arange(frames)))
    return (hats @ between).astype(np.float32)


@cache
def _axes(size: int) -> np.ndarray:
    drawn = np.random.default_rng(0).normal(size=(size, min(_AXES, size)))
    return np.linalg.qr(drawn)[0].T.astype(np.float32)
