"""SkeletonMAE: rebuild the embedded features of hidden joints from the seen ones, frame by frame.

Yan et al., "SkeletonMAE: Graph-based Masked Autoencoder for Skeleton Sequence Pre-training", ICCV 2023, arXiv
2307.08476. Not to be confused with the transformer of the same short name by Wu et al. (arXiv 2209.02399).
"""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor

from ossein.clip import Batch
from ossein.draw import Draw
from ossein.encoders import EncoderSettings, GraphEncoder, build_encoder, to_graphs
from ossein.nn import Places, present_rows, put_rows
from ossein.objective import Step
from ossein.pretrain.base import MaskedPretrainer
from ossein.pretrain.decoders import GraphDecoder
from ossein.pretrain.losses import cosine_error
from ossein.pretrain.masks import Mask, MaskSettings
from ossein.settings import Settings
from ossein.skeleton import Skeleton


class SkeletonMAESettings(Settings):
    """The graph masked autoencoder."""

    kind: Literal["skeletonmae"] = "skeletonmae"
    """The method: SkeletonMAE."""
    encoder: EncoderSettings = EncoderSettings()
    mask: MaskSettings = MaskSettings()
    beta: float = Field(default=2.0, ge=1, le=8)
    """How much the error weighs down joints that are nearly right (paper: 2)."""
    detach: bool = True
    """Keep gradients out of the target, which passes through the trained embedding. The paper does not say; with
    gradients the embedding shrinks until the target is easy."""
    remask: bool = False
    """Hide the hidden joints from the decoder again, as GraphMAE does; see `GraphDecoder`."""


class SkeletonMAE(MaskedPretrainer[GraphEncoder]):
    """Embed, hide, encode, decode, compare: Eq 1 and 2.

    Differs from the paper: nothing on purpose. The paper does not say whether the target is detached (it is),
    whether the decoder sees the hidden joints (it does), or how absent joints count (they do not).

    Args:
        skeleton: The V joints.
        dims: C.
        frames: T; any, since frames are looked at one by one.
        persons: M; any, likewise.
        settings: The method's settings.
    """

    def __init__(self, skeleton: Skeleton, dims: int, frames: int, persons: int, settings: SkeletonMAESettings) -> None:
        super().__init__(skeleton, dims, frames, persons, settings)
        self.settings = settings
        self.encoder = build_encoder(skeleton, dims, settings.encoder)
        self.decoder = GraphDecoder(self.encoder.conv, skeleton, settings.encoder.width, settings.remask)
        self.mask = Mask(skeleton, settings.mask)

    def forward(self, batch: Batch, draw: Draw) -> Step:
        """The loss over the graphs of all present persons and frames; absent hidden joints do not count."""
        rows = present_rows(batch.present)
        hidden = to_graphs(self.draw_hidden(batch, draw), rows)
        target = self.encoder.embed(to_graphs(batch.x, rows))
        rebuilt = self.rebuild_features(target, hidden, rows)
        truth = target.detach() if self.settings.detach else target
        loss, weight = cosine_error(truth, rebuilt, hidden & to_graphs(batch.score > 0, rows), self.settings.beta)
        return Step(loss, weight)

    def draw_hidden(self, batch: Batch, draw: Draw) -> Bool[Tensor, "N M T V"]:
        """What is hidden: drawn for each clip, the same in all its frames and persons."""
        N, M, T, V = batch.score.shape
        return self.mask(N, draw).to(batch.x.device)[:, None, None].expand(N, M, T, V)

    def rebuild_features(
        self, embedded: Float[Tensor, "V R D"], hidden: Bool[Tensor, "V R"], rows: Places = None
    ) -> Float[Tensor, "V R D"]:
        """The decoder's output for every joint, given the embedded joints."""
        return self.decoder(self.encoder.stack(self.encoder.hide(embedded, hidden), rows), hidden, rows)

    @torch.no_grad()
    def rebuild(self, batch: Batch, hidden: Bool[Tensor, "N M T V"]) -> Float[Tensor, "N M T V C"]:
        """The batch's coordinates with those of hidden joints rebuilt from the seen ones.

        The loss leaves the length of the features free, and the embedding is affine: solve [W b] [l*s; l] = y in
        least squares for each joint and divide by l to read the coordinates s back without a further decoder.
        Call it in eval mode; in train mode the batch norms would learn from this batch.
        """
        rows = present_rows(batch.present)
        N, M, T, V, C = batch.x.shape
        y = self.rebuild_features(self.encoder.embed(to_graphs(batch.x, rows)), to_graphs(hidden, rows)).float()
        affine = torch.cat([self.encoder.embed.weight, self.encoder.embed.bias[:, None]], 1).float()
        solved = y @ torch.linalg.pinv(affine).T
        length = solved[..., C:]
        s = solved[..., :C] / torch.where(length.abs() < 1e-6, torch.full_like(length, 1e-6), length)
        grid = put_rows(s.transpose(0, 1), rows, N * M * T).reshape(N, M, T, V, C)
        return torch.where(hidden.unsqueeze(-1), grid, batch.x)
