"""Resident: a store whose coordinates and scores lie on a device, so that batches are made there and nothing waits for a copy."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ossein.skeleton import Skeleton
from ossein.store.rows import Rows

_PART = 1 << 18
"""Rows that are read and moved together."""


@dataclass(frozen=True, eq=False)
class Resident:
    """Rows on a device, float32 as they are gathered; what there is one entry of for each clip stays where it is.

    `ossein.store.sample` makes of it the batches that it makes of the store, to the bit on a CPU.

    Args:
        store: Where the clips lie.
        x: Coordinates, float32 [R V C].
        score: Confidence, float32 [R V], on the same device.
    """

    store: Rows
    x: Tensor
    score: Tensor

    @classmethod
    def of(cls, store: Rows, device: torch.device | str) -> "Resident":
        """A store moved to a device, some rows at a time."""
        num = _num_rows(store)
        x = torch.empty(_shape(store), device=device)
        score = torch.empty(x.shape[:2], device=device)
        for first in range(0, num, _PART):
            part = slice(first, min(first + _PART, num))
            for whole, read in zip((x, score), store.take_rows(np.arange(part.start, part.stop)), strict=True):
                whole[part] = torch.from_numpy(read)
        return cls(store, x, score)

    @property
    def device(self) -> torch.device:
        """Where the rows are."""
        return self.x.device

    @property
    def skeleton(self) -> Skeleton:
        """The V joints."""
        return self.store.skeleton

    @property
    def start(self) -> np.ndarray:
        """The first row of each clip [N]."""
        return self.store.start

    @property
    def persons(self) -> np.ndarray:
        """Persons in each clip [N]."""
        return self.store.persons

    @property
    def frames(self) -> np.ndarray:
        """Frames of each clip [N]."""
        return self.store.frames

    @property
    def labels(self) -> np.ndarray:
        """Class of each clip, int64 [N]."""
        return self.store.labels

    @property
    def sizes(self) -> np.ndarray:
        """Width and height of each image [N 2]."""
        return self.store.sizes

    @property
    def max_persons(self) -> int:
        """M, the most persons in any clip."""
        return self.store.max_persons

    def take_rows(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Coordinates, float32 [... V C], and confidence, float32 [... V], of rows given by their numbers [...]."""
        return self.x[rows], self.score[rows]


def resident_bytes(store: Rows) -> int:
    """What a store takes on a device, in bytes."""
    rows, joints, dims = _shape(store)
    return 4 * rows * joints * (dims + 1)


def _shape(store: Rows) -> tuple[int, int, int]:
    return _num_rows(store), len(store.skeleton), store.take_rows(store.start[:1])[0].shape[-1]


def _num_rows(store: Rows) -> int:
    return int((store.persons * store.frames).sum())
