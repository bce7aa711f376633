"""Mapped: a store as another skeleton would have recorded it, row by row, and nothing of it copied beforehand."""

from dataclasses import dataclass

import numpy as np

from ossein.errors import SkeletonError
from ossein.mapping import joint_matrix
from ossein.skeleton import Skeleton
from ossein.store.file import Store
from ossein.store.stance import Stance

_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, eq=False)
class Joints:
    """Joints taken from others: each is one of them, halfway between two, or absent.

    Args:
        first: The joint to take [V].
        second: The other end where a joint is halfway, else the same [V].
        known: Whether there is one at all, bool [V].
    """

    first: np.ndarray
    second: np.ndarray
    known: np.ndarray

    @classmethod
    def of(cls, matrix: np.ndarray) -> "Joints":
        """The joints that a matrix as of `joint_matrix` stands for."""
        known = np.asarray(matrix.any(1))
        last = matrix.shape[1] - 1 - matrix[:, ::-1].argmax(1)
        return cls(matrix.argmax(1), np.where(known, last, 0), known)

    def __call__(self, x: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """x [... V_source C] and score [... V_source] as [... V C] and [... V]; a mean has the lesser score."""
        half = self.first != self.second
        ends = self.first[half], self.second[half]
        out, sure = x.take(self.first, -2), score.take(self.first, -1)
        out[..., half, :] = (x.take(ends[0], -2) + x.take(ends[1], -2)) / 2
        sure[..., half] = np.minimum(score.take(ends[0], -1), score.take(ends[1], -1))
        sure *= self.known
        mended = half | ~self.known
        out[..., mended, :] *= (sure[..., mended, None] > 0).astype(np.float32)
        return out, sure


@dataclass(frozen=True, eq=False)
class Mapped:
    """A store whose rows come with other joints, turned, or as a picture.

    Args:
        store: Where the clips lie.
        joints: How its joints become the wanted ones; None where they are the same.
        turn: What its coordinates are multiplied by, [3 3]; None where they stay.
        gaze: For each clip cosine and sine of the angle that it is pictured from [N 2]; None where it is not.
        tag: What is put behind the names of its clips.
    """

    store: Store
    joints: Joints | None = None
    turn: np.ndarray | None = None
    gaze: np.ndarray | None = None
    tag: str = ""

    @property
    def sizes(self) -> np.ndarray:
        """Width and height of each image [N 2]; a picture of a 3-D clip has no edges."""
        return self.store.sizes if self.gaze is None else np.full((len(self.store), 2), np.nan)

    def take_rows(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates and confidence of some rows of the store."""
        x, score = self.store.take_rows(rows)
        if self.joints is not None:
            x, score = self.joints(x, score)
        if self.turn is not None:
            x = (x.reshape(-1, 3) @ self.turn).reshape(x.shape)  # one product, not one for each row
        if self.gaze is not None:
            clip = np.searchsorted(self.store.start, rows, side="right") - 1
            cos, sin = self.gaze[clip, 0, None], self.gaze[clip, 1, None]
            x = np.stack([x[..., 0] * cos + x[..., 1] * sin, -x[..., 2]], -1)
        return x, score


def mapped(store: Store, skeleton: Skeleton, like: Store, views: int) -> list[Mapped]:
    """A store on another skeleton: once, or, where it is 3-D and the clips to join are 2-D, once for each picture.

    Args:
        store: Where the clips lie.
        skeleton: The joints that are wanted.
        like: The store to join, whose dimensions and whose way up are wanted.
        views: Pictures of each clip.

    Raises:
        SkeletonError: The store has none of the joints.
    """
    matrix = joint_matrix(store.skeleton, skeleton)
    if not matrix.any():
        raise SkeletonError(
            f"{store.path}: no joint of '{store.skeleton.name}' is one of '{skeleton.name}'. Name joints alike, or leave "
            "the store out."
        )
    joints = None if np.array_equal(matrix, np.eye(len(skeleton))) else Joints.of(matrix)
    if store.dims == 2:
        return [Mapped(store, joints)]
    stance = Stance.of(store)
    if like.dims == 3:
        turn = stance.turn_to(Stance.of(like))
        return [Mapped(store, joints, None if np.array_equal(turn, np.eye(3)) else turn)]
    share = np.arange(len(store)) * _GOLDEN % 1
    angles = [2 * np.pi * (share + view / views) for view in range(views)]
    gazes = [np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32) for angle in angles]
    return [Mapped(store, joints, stance.frame().T, gaze, f"@{view}") for view, gaze in enumerate(gazes)]
