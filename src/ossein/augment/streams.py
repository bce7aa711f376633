"""Streams: what of a clip a model is shown. Joints themselves, bones, or how either moves.

A difference of two joints is as sure as the less sure of them, and absent where one of them is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import torch
from torch.nn.functional import pad

from ossein.augment.base import Identity, Transform
from ossein.clip import Batch
from ossein.errors import SettingsError, did_you_mean
from ossein.skeleton import Skeleton


@dataclass(frozen=True)
class Bone(Transform):
    """Bones: x_v -> x_v - x_parent(v), the parent being the neighbour on the way to the centre; 0 at the centre."""

    def __call__(self, batch: Batch) -> Batch:
        """The batch of bones."""
        parents = list(_parents(batch.skeleton))
        score = batch.score.minimum(batch.score[..., parents])
        return batch.change(x=batch.x - batch.x[..., parents, :], score=score)


@dataclass(frozen=True)
class Motion(Transform):
    """Motion: x_t -> x_(t+1) - x_t.

    The last frame of the clip in which anybody is has no successor; it keeps its scores and stands still (0).
    """

    def __call__(self, batch: Batch) -> Batch:
        """The batch of motions."""
        x = pad(batch.x[:, :, 1:] - batch.x[:, :, :-1], (0, 0, 0, 0, 0, 1))
        score = pad(batch.score[:, :, 1:].minimum(batch.score[:, :, :-1]), (0, 0, 0, 1))
        seen = batch.present.any(1)
        last = (seen & (seen.flip(-1).cumsum(-1).flip(-1) == 1))[:, None, :, None]
        return batch.change(x=x.masked_fill(last[..., None], 0), score=torch.where(last, batch.score, score))


@dataclass(frozen=True)
class BoneMotion(Transform):
    """The motion of bones: how they turn, whatever the body does as a whole."""

    def __call__(self, batch: Batch) -> Batch:
        """The batch of motions of bones."""
        return Motion()(Bone()(batch))


StreamName = Literal["joint", "bone", "joint-motion", "bone-motion"]
"""What settings call the streams."""

STREAMS: dict[str, Callable[[], Transform]] = {
    "joint": Identity,
    "bone": Bone,
    "joint-motion": Motion,
    "bone-motion": BoneMotion,
}
"""Every stream by the name that settings call it."""


def stream(name: str) -> Transform:
    """The stream that settings call `name`.

    Raises:
        SettingsError: None is called so.

    >>> stream("bone")
    Bone()
    """
    if name not in STREAMS:
        raise SettingsError(f"no stream is called '{name}'. {did_you_mean(name, STREAMS)}")
    return STREAMS[name]()


@lru_cache(maxsize=32)
def _parents(skeleton: Skeleton) -> tuple[int, ...]:
    return skeleton.parents()
