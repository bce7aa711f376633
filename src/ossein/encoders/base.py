"""The contract of encoders, and the spatial graph encoder that GIN, GCN and GAT share."""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal, TypeVar

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor, nn

from ossein.nn import GraphConv, GraphStack, Linear, Places, present_rows, put_rows, take_rows
from ossein.settings import Settings
from ossein.skeleton import Skeleton

# In place of typing.Self, which the run-time checks of the tests do not take.
E = TypeVar("E", bound="Encoder")
G = TypeVar("G", bound="GraphEncoder")


class EncoderSettings(Settings):
    """A spatial graph encoder: every frame of every person is one graph."""

    kind: Literal["gin", "gcn", "gat"] = "gin"
    """How joints exchange messages: GIN (the paper's choice), GCN or GAT (its ablation)."""
    width: int = Field(default=64, ge=4, le=4096, multiple_of=4)
    """D, the number of features of a joint."""
    depth: int = Field(default=3, ge=1, le=64)
    """L, the number of message-passing layers (paper: 3, Table 4a)."""


class Encoder(nn.Module, ABC):
    """Coordinates in, one feature vector per joint and frame out.

    What is hidden never influences the features of seen places other than through the fact that it is hidden, and
    absent persons and frames influence nothing; `tests/encoders` checks this of every encoder.
    """

    width: int
    """D, the number of features it gives."""
    stride: int = 1
    """Every how many frames it gives features: t = ceil(T / stride)."""

    @abstractmethod
    def forward(
        self,
        x: Float[Tensor, "N M T V C"],
        hidden: Bool[Tensor, "N M T V"] | None = None,
        present: Bool[Tensor, "N M T"] | None = None,
    ) -> Float[Tensor, "N M t V D"]:
        """Features of every joint.

        Args:
            x: Normalised coordinates.
            hidden: True where a joint must not be seen.
            present: True where a person is in the frame; None for everywhere. Features elsewhere are 0.
        """

    @abstractmethod
    def onto(self: E, skeleton: Skeleton) -> E:
        """The same encoder, as it is, for other joints.

        What it knows of a joint goes to the joint of the same place on the body (`ossein.mapping`); a joint without
        counterpart starts from the mean over all.

        Args:
            skeleton: The joints that are wanted.

        Raises:
            SkeletonError: No joint has a counterpart.
        """


def thin(present: Bool[Tensor, "*N T"], stride: int) -> Bool[Tensor, "*N t"]:
    """In which of every `stride` frames a person is present at all: where an encoder gives features."""
    return F.pad(present, (0, -present.shape[-1] % stride)).unflatten(-1, (-1, stride)).any(-1)


def read_joints(z: Float[Tensor, "N M t V D"], present: Bool[Tensor, "N M t"]) -> Float[Tensor, "N M F"]:
    """Mean and maximum over time of every feature of every joint, F = 2 V D; 0 for a person who is never present."""
    here = present[..., None, None]
    mean = z.sum(2) / here.sum(2).clamp(min=1)
    most = z.masked_fill(~here, float("-inf")).amax(2).masked_fill(~here.any(2), 0)
    return torch.cat([mean, most], -1).flatten(2)


def read_clips(z: Float[Tensor, "N M t V D"], present: Bool[Tensor, "N M t"]) -> Float[Tensor, "N F"]:
    """One vector for each clip: `read_joints`, the mean over those persons who are ever present."""
    persons = present.any(-1).sum(1, keepdim=True)
    return read_joints(z, present).sum(1) / persons.clamp(min=1)


class GraphEncoder(Encoder):
    """A linear embedding of each joint, a learned vector in place of hidden ones, and rounds of messages.

    H = G_E(A, X_masked), SkeletonMAE (arXiv 2307.08476), Eq 1. No node is removed and A is never masked.

    Subclasses name the layer: `conv`.

    Args:
        skeleton: The V joints.
        dims: C, coordinates per joint.
        settings: Width and depth.
    """

    conv: ClassVar[type[GraphConv]]
    """What makes one message-passing layer."""

    def __init__(self, skeleton: Skeleton, dims: int, settings: EncoderSettings) -> None:
        super().__init__()
        self.dims, self.settings = dims, settings
        self.width = settings.width
        self.embed = Linear(dims, settings.width)
        self.token = nn.Parameter(torch.zeros(settings.width))
        self.stack = GraphStack(self.conv, skeleton, settings.width, settings.depth)
        nn.init.normal_(self.token, std=0.02)

    def forward(
        self,
        x: Float[Tensor, "N M T V C"],
        hidden: Bool[Tensor, "N M T V"] | None = None,
        present: Bool[Tensor, "N M T"] | None = None,
    ) -> Float[Tensor, "N M T V D"]:
        """Features of every joint; see `Encoder.forward`."""
        N, M, T, V, _ = x.shape
        rows = None if present is None else present_rows(present)
        graphs = to_graphs(x, rows)
        z = self.stack(self.hide(self.embed(graphs), None if hidden is None else to_graphs(hidden, rows)), rows)
        return put_rows(z.transpose(0, 1), rows, N * M * T).reshape(N, M, T, V, self.width)

    def onto(self: G, skeleton: Skeleton) -> G:
        """The same encoder for other joints: its weights know nothing of single joints."""
        other = type(self)(skeleton, self.dims, self.settings).to(self.token)
        other.load_state_dict(self.state_dict())
        return other.train(self.training)

    def hide(self, h: Float[Tensor, "V R D"], hidden: Bool[Tensor, "V R"] | None) -> Float[Tensor, "V R D"]:
        """Embedded joints with the learned vector in place of hidden ones."""
        if hidden is None:
            return h
        if torch.compiler.is_compiling():
            return torch.where(hidden.unsqueeze(-1), self.token.to(h.dtype), h)
        # Whole rows are copied: choosing number by number costs as much as several layers.
        rows = torch.nonzero(hidden.flatten()).squeeze(1)
        return h.flatten(0, 1).index_copy(0, rows, self.token.to(h.dtype).expand(len(rows), -1)).view_as(h)


def to_graphs(x: Tensor, rows: Places = None) -> Tensor:
    """[N M T V ...] -> joint-major [V R ...] with R = N*M*T, or only the graphs whose numbers are in `rows`."""
    return take_rows(x.flatten(0, 2), rows).transpose(0, 1).contiguous()
