"""Augmentations in time."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ossein.augment.base import Augment, span
from ossein.clip import Batch
from ossein.draw import Draw
from ossein.errors import SettingsError


@dataclass(frozen=True)
class Crop(Augment):
    """A stretch of the clip, drawn out to the length of the whole by linear interpolation.

    Time runs from the first frame in which anybody is to the last; frames outside stay empty. A joint that is absent in
    one of the two frames between which it would be interpolated is taken from the other; absent in both, it is absent.
    Cropping before the store samples its T frames loses no detail and is to be preferred where the store can do it.

    Args:
        low: The shortest stretch as a share of the clip, above 0.
        high: The longest, at least `low` and at most 1; shares are drawn evenly between them, then the start.

    Raises:
        SettingsError: The shares are out of range.
    """

    low: float = 0.5
    high: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.high <= 1:
            raise SettingsError(
                f"Crop: shares from {self.low} to {self.high}, expected 0 < low <= high <= 1. Give a range such as 0.5 to 1."
            )

    def __call__(self, batch: Batch, draw: Draw) -> Batch:
        """The batch with every clip cropped to its own stretch."""
        share = draw.uniform((len(batch), 1), self.low, self.high).to(batch.x)
        start = draw.uniform((len(batch), 1)).to(batch.x)
        first, last = span(batch)
        length = last - first
        frame = torch.arange(batch.x.shape[2], device=batch.x.device)
        where = first + start * (length - share * length) + share * (frame - first)
        inside = (frame >= first) & (frame <= last)
        return _resampled(batch, where.minimum(last), inside)


def _resampled(batch: Batch, where: Float[Tensor, "N T"], inside: Tensor) -> Batch:
    """Every clip at the points in time `where`, in frames; nobody outside of `inside`."""
    before = where.floor()
    # The upper neighbour of the very last frame is out of range; its weight is 0.
    after = (before + 1).clamp(max=batch.x.shape[2] - 1)
    x = score = weights = torch.zeros((), device=batch.x.device)
    for frame, near in ((before, 1 - (where - before)), (after, where - before)):
        index = frame.long()[:, None, :, None]
        there = torch.take_along_dim(batch.score, index, 2)
        weight = near[:, None, :, None] * (there > 0)
        x = x + weight[..., None] * torch.take_along_dim(batch.x, index[..., None], 2)
        score = score + weight * there
        weights = weights + weight
    found = (weights > 0) & inside[:, None, :, None]
    weights = torch.where(found, weights, 1.0)
    return batch.change(x=x / weights[..., None], score=torch.where(found, score / weights, 0.0))
