"""ST-GCN, made small: the supervised baseline that the field compares with, trained from random weights.

Yan et al., "Spatial Temporal Graph Convolutional Networks for Skeleton-Based Action Recognition", AAAI 2018, arXiv
1801.07455. Features are joint-major, [V B T D], where B counts the persons of all clips that are there at all.
"""

from itertools import pairwise
from typing import Annotated, Literal

import torch.nn.functional as F
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor, nn

from ossein.clip import Batch
from ossein.nn import BatchNorm, PartitionConv, TemporalConv, present_rows, put_rows, take_rows
from ossein.settings import Settings
from ossein.skeleton import Skeleton
from ossein.tasks.base import Kernel, Recogniser


class STGCNSettings(Settings):
    """The spatial-temporal graph convolutional recogniser."""

    kind: Literal["stgcn"] = "stgcn"
    """The recogniser: ST-GCN."""
    widths: tuple[Annotated[int, Field(ge=1, le=4096)], ...] = Field(default=(32, 64, 96), min_length=1)
    """Features of a joint in each stage (paper: 64 128 256); each stage but the first starts by halving time."""
    blocks: int = Field(default=2, ge=1, le=16)
    """Blocks in each stage (paper: 4, 3 and 3)."""
    kernel: Kernel = 9
    """Frames of the temporal convolutions (paper: 9); odd."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of the features of a block that are dropped in training (paper: 0.5); each process drops its own."""


class STGCN(Recogniser):
    """Joints -> class scores: batch norm of all coordinates of a person, blocks, the mean of what is present, linear.

    Differs from the paper: six blocks in place of ten, narrower, and the mean runs over the frames in which a person is
    present, not over all.

    Args:
        skeleton: The V joints.
        dims: C.
        frames: T.
        persons: M.
        num_classes: K.
        settings: The model's settings.
    """

    def __init__(
        self, skeleton: Skeleton, dims: int, frames: int, persons: int, num_classes: int, settings: STGCNSettings
    ) -> None:
        super().__init__(skeleton, dims, frames, persons, num_classes, settings)
        self.norm = BatchNorm(len(skeleton) * dims)
        widths = [dims, *(width for width in settings.widths for _ in range(settings.blocks))]
        firsts = range(settings.blocks, len(widths) - 1, settings.blocks)
        self.blocks = nn.ModuleList(
            Block(skeleton, before, after, 2 if i in firsts else 1, residual=i > 0, settings=settings)
            for i, (before, after) in enumerate(pairwise(widths))
        )
        self.head = nn.Linear(widths[-1], num_classes)

    def features(self, batch: Batch) -> Float[Tensor, "N D"]:
        """The mean over joints, time and persons that are present; see `Recogniser.features`."""
        self.check(batch)
        N, M = batch.x.shape[:2]
        persons = present_rows(batch.present.any(2))
        present = take_rows(batch.present.flatten(0, 1), persons)
        x = take_rows(batch.x.flatten(0, 1), persons)
        h = self.norm(x.flatten(2), present_rows(present))
        h = h.view(x.shape).permute(2, 0, 1, 3).contiguous()
        for block in self.blocks:
            h, present = block(h, present)
        total = put_rows(h.mean(0).sum(1), persons, N * M).view(N, M, -1).sum(1)
        count = put_rows(present.sum(1).to(h.dtype), persons, N * M).view(N, M).sum(1)
        return total / count.clamp(min=1).unsqueeze(1)


class Block(nn.Module):
    """H' = ReLU(R(H) + BN(conv over time(ReLU(BN(conv over joints(H)))))), where R keeps H or maps it to the new shape.

    Args:
        skeleton: The V joints.
        before: D, features of a joint before.
        after: E, features of a joint after.
        stride: By how much time is thinned out.
        residual: Whether there is R; the first block has none.
        settings: The model's settings.
    """

    def __init__(
        self, skeleton: Skeleton, before: int, after: int, stride: int, *, residual: bool, settings: STGCNSettings
    ) -> None:
        super().__init__()
        self.stride = stride
        self.spatial = PartitionConv(skeleton, before, after)
        self.norm_in = BatchNorm(after)
        self.temporal = TemporalConv(after, settings.kernel, stride)
        self.norm_out = BatchNorm(after)
        self.drop = nn.Dropout(settings.dropout)
        self.residual = residual
        self.match = nn.Linear(before, after, bias=False) if residual and (before != after or stride > 1) else None
        self.norm_match = BatchNorm(after) if self.match is not None else None

    def forward(
        self, h: Float[Tensor, "V B T D"], present: Bool[Tensor, "B T"]
    ) -> tuple[Float[Tensor, "V B t E"], Bool[Tensor, "B t"]]:
        """Features after looking at neighbours and along time, 0 where absent, and what is present then."""
        later = _thinned(present, self.stride)
        rows, rows_later = (present_rows(here.expand(len(h), -1, -1)) for here in (present, later))
        z = F.relu(self.norm_in(self.spatial(h.flatten(1, 2)).unflatten(1, present.shape), rows))
        z = self.drop(self.norm_out(self.temporal(z), rows_later))
        if self.match is not None and self.norm_match is not None:
            z = z + self.norm_match(self.match(h[:, :, :: self.stride]), rows_later)
        elif self.residual:
            z = z + h
        return F.relu(z), later


def _thinned(present: Bool[Tensor, "B T"], stride: int) -> Bool[Tensor, "B t"]:
    """Where any of `stride` frames in a row is present."""
    if stride == 1:
        return present
    return F.max_pool1d(present[:, None].float(), stride, ceil_mode=True)[:, 0] > 0
