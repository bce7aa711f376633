"""STRL: the spatial-temporal model of SSL, built around the pre-trained encoder and trained end to end.

SkeletonMAE (arXiv 2307.08476), section 3.3, Eq 3 and 4. Features are joint-major, [V B T D] with B = M*N and the
clips of the first person first, so that each person's graphs lie side by side.
"""

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor, nn

from ossein.clip import Batch
from ossein.encoders import GRAPH_ENCODERS, Encoder, EncoderSettings, GraphEncoder
from ossein.errors import BundleError
from ossein.nn import (
    BatchNorm,
    GraphConv,
    GraphStack,
    MultiScaleTemporal,
    Places,
    of_each_joint,
    present_rows,
    put_rows,
    take_rows,
)
from ossein.settings import Settings
from ossein.skeleton import Skeleton
from ossein.tasks.base import Kernel, Recogniser


class STRLSettings(Settings):
    """The spatial-temporal recogniser."""

    kind: Literal["strl"] = "strl"
    """The recogniser: STRL."""
    encoder: EncoderSettings = EncoderSettings()
    layers: int = Field(default=3, ge=1, le=32)
    """How many times spatial and temporal modules alternate (paper: 3)."""
    combine: Literal["concat", "add"] = "concat"
    """The (+) of Eq 3, which the paper does not define: the pooled feature beside each joint's, or added to it."""
    keep_joints: bool = False
    """Keep each joint's encoded feature beside the sum over joints, which forgets which joint said what."""
    share_encoders: bool = False
    """One encoder for all persons; the paper has one for each (whether tied it does not say)."""
    interact: bool = False
    """Each person also receives the mean pooled feature of the others: the paper promises interaction, without equation."""
    kernel: Kernel = 5
    """Frames of the temporal convolutions; odd."""


class STRL(Recogniser):
    """Joints -> class scores.

    H0 = embedded joints + temporal position. For each layer: SM(H) = Repeat(SumPool_joints(G_E(A, H))) (+) H (Eq 3),
    H' = ReLU(BN(W SM(H)) + H) (Eq 4 with the residual of its text), then a multi-scale temporal module. Mean over
    joints, time and persons, then a two-layer MLP.

    The paper does not say: W and the temporal modules are shared by the persons, encoders are not.

    Args:
        skeleton: The V joints.
        dims: C.
        frames: T, which the temporal position embedding fixes.
        persons: M.
        num_classes: K.
        settings: The model's settings.
    """

    def __init__(
        self, skeleton: Skeleton, dims: int, frames: int, persons: int, num_classes: int, settings: STRLSettings
    ) -> None:
        super().__init__(skeleton, dims, frames, persons, num_classes, settings)
        width = settings.encoder.width
        self.embed = nn.Linear(dims, width)
        self.position = nn.Parameter(torch.empty(frames, width).normal_(std=0.02))
        self.spatial = nn.ModuleList(
            Spatial(GRAPH_ENCODERS[settings.encoder.kind].conv, skeleton, persons, settings)
            for _ in range(settings.layers)
        )
        self.temporal = nn.ModuleList(MultiScaleTemporal(width, settings.kernel) for _ in range(settings.layers))
        self.head = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, num_classes))

    def load_encoder(self, encoder: Encoder) -> None:
        """Start from a pre-trained encoder: its embedding, and its stack in every layer and for every person.

        Raises:
            BundleError: The encoder is of another kind, width or depth, or for other coordinates.
        """
        own = nn.ModuleList([self.embed, self.spatial[0].get_submodule("stacks.0")])
        if not isinstance(encoder, GraphEncoder) or _shapes(own) != _shapes(
            nn.ModuleList([encoder.embed, encoder.stack])
        ):
            raise BundleError(
                "the pre-trained encoder differs from the model's in kind, width, depth or coordinates. "
                "Give the model the encoder settings of the pre-training."
            )
        self.embed.load_state_dict(encoder.embed.state_dict())
        for stack in self.modules():
            if isinstance(stack, GraphStack):
                stack.load_state_dict(encoder.stack.state_dict())

    def features(self, batch: Batch) -> Float[Tensor, "N D"]:
        """The mean over joints, time and persons that are present; see `Recogniser.features`."""
        self.check(batch)
        N, M = batch.x.shape[:2]
        present = torch.cat(batch.present.unbind(1))
        rows = present_rows(present)
        h = self.embed(torch.cat(batch.x.unbind(1)).permute(2, 0, 1, 3)) + self.position
        h = h * present[..., None].to(h.dtype)
        places = None if rows is None else present_rows(present.expand(len(h), -1, -1))
        for spatial, temporal in zip(self.spatial, self.temporal, strict=True):
            h = temporal(spatial(h, present, rows), places)
        total = h.mean(0).sum(1).view(M, N, -1).sum(0)
        return total / batch.present.sum((1, 2)).clamp(min=1).unsqueeze(1).to(total.dtype)


class Spatial(nn.Module):
    """Eq 3 and 4: encode each frame, sum over joints, combine with every joint.

    Args:
        conv: What makes a layer of the encoder.
        skeleton: The V joints.
        persons: M; one encoder for each, unless shared.
        settings: The model's settings.
    """

    def __init__(self, conv: type[GraphConv], skeleton: Skeleton, persons: int, settings: STRLSettings) -> None:
        super().__init__()
        width, depth = settings.encoder.width, settings.encoder.depth
        copies = 1 if settings.share_encoders else persons
        self.persons = persons
        self.stacks = nn.ModuleList(GraphStack(conv, skeleton, width, depth) for _ in range(copies))
        # W [pooled; joint; ...] is the sum of one map for each: the pooled one is computed once a frame, not V times.
        self.from_joint = nn.Linear(width, width, bias=False)
        self.from_pool = None if settings.combine == "add" else nn.Linear(width, width, bias=False)
        self.from_encoded = nn.Linear(width, width, bias=False) if settings.keep_joints else None
        self.from_others = nn.Linear(width, width, bias=False) if settings.interact and persons > 1 else None
        self.norm = BatchNorm(width)

    def forward(
        self, h: Float[Tensor, "V B T D"], present: Bool[Tensor, "B T"], rows: Places
    ) -> Float[Tensor, "V B T D"]:
        """Features after looking across the joints of each frame; absent frames stay 0."""
        V, B, T, D = h.shape
        graphs = take_rows(h.flatten(1, 2), rows, 1)
        encoded = self.encode(graphs, present, rows)
        pooled = encoded.sum(0)
        mixed = self.from_joint(graphs + pooled if self.from_pool is None else graphs)
        if self.from_pool is not None:
            mixed = mixed + self.from_pool(pooled)
        if self.from_encoded is not None:
            mixed = mixed + self.from_encoded(encoded)
        if self.from_others is not None:
            mixed = mixed + self.from_others(self.others(pooled, present, rows))
        out = F.relu(self.norm(mixed, of_each_joint(rows, V)) + graphs)
        return put_rows(out, rows, B * T, 1).view(V, B, T, D)

    def encode(
        self, graphs: Float[Tensor, "V R D"], present: Bool[Tensor, "B T"], rows: Places
    ) -> Float[Tensor, "V R D"]:
        """G_E(A, H_p) with the encoder of each person p."""
        if len(self.stacks) == 1:
            return self.stacks[0](graphs, rows)
        each: Sequence[Places] = [None] * self.persons
        if rows is None or rows.dtype == torch.bool:
            parts = graphs.unflatten(1, (self.persons, -1)).unbind(1)
            each = each if rows is None else rows.view(self.persons, -1).unbind()
        else:
            parts = graphs.split(present.view(self.persons, -1).sum(1).tolist(), 1)
        return torch.cat([stack(part, own) for stack, part, own in zip(self.stacks, parts, each, strict=True)], 1)

    def others(self, pooled: Float[Tensor, "R D"], present: Bool[Tensor, "B T"], rows: Places) -> Float[Tensor, "R D"]:
        """For each graph the mean pooled feature of the other persons in the same frame of the same clip."""
        grid = put_rows(pooled, rows, present.numel()).view(self.persons, -1, pooled.shape[1])
        num = present.view(self.persons, -1, 1).sum(0, keepdim=True) - 1
        mean = ((grid.sum(0, keepdim=True) - grid) / num.clamp(min=1)).flatten(0, 1)
        return take_rows(mean, rows)


def _shapes(module: nn.Module) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in module.state_dict().items()}
