"""Rows: what a batch is gathered from, be it a file, clips in memory, or several files that share a skeleton.

A row is one person in one frame: frame t of person m of clip n is row `start[n] + m * frames[n] + t`.
"""

from typing import Protocol

import numpy as np

from ossein.skeleton import Skeleton


class Rows(Protocol):
    """Clips as rows, and one entry per clip that says where they lie."""

    @property
    def skeleton(self) -> Skeleton:
        """The V joints."""
        ...

    @property
    def start(self) -> np.ndarray:
        """The first row of each clip [N]."""
        ...

    @property
    def persons(self) -> np.ndarray:
        """Persons in each clip [N]."""
        ...

    @property
    def frames(self) -> np.ndarray:
        """Frames of each clip [N]."""
        ...

    @property
    def labels(self) -> np.ndarray:
        """Class of each clip, int64 [N]."""
        ...

    @property
    def sizes(self) -> np.ndarray:
        """Width and height of each image [N 2]."""
        ...

    @property
    def max_persons(self) -> int:
        """M, the most persons in any clip."""
        ...

    def take_rows(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates, float32 [... V C], and confidence, float32 [... V], of rows given by their numbers [...].

        The arrays are the caller's own, to be written to.
        """
        ...


def take(x: np.ndarray, score: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What `Rows.take_rows` gives, out of x [R V C] and score [R V].

    Args:
        x: Coordinates of any float type.
        score: Confidence of any float type.
        rows: Row numbers of any shape, in range.

    >>> x, score = take(np.ones((4, 17, 2), np.float16), np.ones((4, 17)), np.array([[0, 3, 3]]))
    >>> x.shape, x.dtype, score.shape
    ((1, 3, 17, 2), dtype('float32'), (1, 3, 17))
    """
    # In range they are, and clipping spares numpy the check and a buffer.
    return _single(np.take(x, rows, axis=0, mode="clip")), _single(np.take(score, rows, axis=0, mode="clip"))


def _single(a: np.ndarray) -> np.ndarray:
    import torch  # whoever only asks what a store holds need not wait for it

    # Torch widens float16 thirty times as fast as numpy.
    return torch.from_numpy(a).float().numpy()
