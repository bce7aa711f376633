"""The mixer: an encoder that looks along time as well as across joints, and knows which joint is which."""

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor, nn

from ossein.encoders.base import Encoder, thin
from ossein.errors import SkeletonError
from ossein.mapping import joint_matrix, match_joints, transfer_joint_weights
from ossein.nn import BatchNorm, JointMixing, Linear, MixBlock, Places, all_present, present_rows
from ossein.nn.mixing import matrices
from ossein.settings import Settings
from ossein.skeleton import Skeleton

_SPEED = 4.0
"""Brings the velocities of everyday movements at some 30 frames per clip to about the size of positions."""


class MixerSettings(Settings):
    """An encoder of whole sequences, of our own."""

    kind: Literal["mixer"] = "mixer"
    """Which encoder."""
    width: int = Field(default=48, ge=4, le=4096, multiple_of=4)
    """D, the number of features of a joint."""
    depth: int = Field(default=4, ge=1, le=64)
    """How many blocks; each mixes joints, then frames."""
    heads: Literal[1, 2, 4] = 4
    """Groups of features that mix joints in their own way."""
    kernel: Literal[3, 5, 7, 9] = 5
    """Frames of the temporal convolutions."""
    stride: Literal[1, 2, 4] = 2
    """Frames that are taken together after the first block."""


class Mixer(Encoder):
    """Positions, velocities and bones of every joint, mixed across joints and along time in turn.

    Embedding: each joint's position, velocity, bone and whether it is seen, through one linear map, plus a learned vector
    for each joint. A hidden joint is one that is not seen: 0 throughout, as are velocities and bones that would need it.
    Then `MixBlock`s; after the first, `stride` frames are averaged; at the end BN and ReLU.

    Args:
        skeleton: The V joints.
        dims: C.
        settings: Width, depth and the like.
    """

    def __init__(self, skeleton: Skeleton, dims: int, settings: MixerSettings) -> None:
        super().__init__()
        self.skeleton, self.dims, self.settings = skeleton, dims, settings
        self.width, self.stride = settings.width, settings.stride
        self.register_buffer("parents", torch.tensor(skeleton.parents()), persistent=False)
        self.parents: Tensor
        self.embed = Linear(3 * dims + 1, settings.width)
        self.joint = nn.Parameter(0.3 * torch.randn(len(skeleton), settings.width))
        # Two blocks at one distance, two at twice that: a few blocks see the whole of a clip.
        self.blocks = nn.ModuleList(
            MixBlock(skeleton, settings.width, settings.heads, settings.kernel, 1 + number % 4 // 2)
            for number in range(settings.depth)
        )
        self.norm = BatchNorm(settings.width)

    def forward(
        self,
        x: Float[Tensor, "N M T V C"],
        hidden: Bool[Tensor, "N M T V"] | None = None,
        present: Bool[Tensor, "N M T"] | None = None,
    ) -> Float[Tensor, "N M t V D"]:
        """Features of every joint; see `Encoder.forward`."""
        N, M, T, V, _ = x.shape
        here = torch.ones(N * M, T, dtype=torch.bool, device=x.device) if present is None else present.flatten(0, 1)
        seen = here.unsqueeze(-1).expand(N * M, T, V)
        seen = seen if hidden is None else seen & ~hidden.flatten(0, 1)
        h = self.embed(self.describe(x.flatten(0, 1), seen)).permute(2, 0, 1, 3) + self.joint[:, None, None]
        whole = all_present(here) and T % self.stride == 0
        h = h if whole else h * here.unsqueeze(-1).to(h.dtype)
        places = None if whole else _places(here, V)
        for number, block in enumerate(self.blocks):
            h = block(h, places)
            if number == 0:
                h, here = _average(h, here, self.stride)
                places = None if whole else _places(here, V)
        h = F.relu(self.norm(h, places and places[1]))
        return h.permute(1, 2, 0, 3).unflatten(0, (N, M))

    def describe(self, x: Float[Tensor, "B T V C"], seen: Bool[Tensor, "B T V"]) -> Float[Tensor, "B T V F"]:
        """What the embedding is given of each joint: position, velocity, bone, seen."""
        flag = seen.unsqueeze(-1).to(x.dtype)
        x = torch.where(seen.unsqueeze(-1), x, 0)
        speed = _SPEED * F.pad((x[:, 1:] - x[:, :-1]) * flag[:, 1:] * flag[:, :-1], (0, 0, 0, 0, 1, 0))
        bone = (x - x.index_select(2, self.parents)) * flag * flag.index_select(2, self.parents)
        return torch.cat([x, speed, bone, flag], -1)

    def onto(self, skeleton: Skeleton) -> "Mixer":
        """The same encoder for other joints; see `Encoder.onto`.

        How two joints mix goes with both of them; where one is new, it is what the skeleton says. Nothing is random.
        """
        source = torch.tensor(match_joints(self.skeleton, skeleton))
        if not (source >= 0).any():
            raise SkeletonError(
                f"no joint of {skeleton.name} is known to the encoder, which learned on {self.skeleton.name}. "
                "Name joints as the built-in skeletons do, or train from random weights."
            )
        other = Mixer(skeleton, self.dims, self.settings).to(self.joint)
        own = {name: value for name, value in self.state_dict().items() if name in _shared(self)}
        other.load_state_dict(own, strict=False)
        with torch.no_grad():
            other.joint.copy_(transfer_joint_weights(self.joint, joint_matrix(self.skeleton, skeleton)))
            both = torch.outer(source >= 0, source >= 0).to(self.joint.device)
            fresh = matrices(skeleton, self.settings.heads).to(self.joint)
            for mine, theirs in zip(_mixings(self), _mixings(other), strict=True):
                known = mine.matrix[:, source][:, :, source]
                theirs.matrix.copy_(torch.where(both, known, fresh))
        return other.train(self.training)


def _mixings(encoder: Mixer) -> list[JointMixing]:
    return [module for module in encoder.modules() if isinstance(module, JointMixing)]


def _shared(encoder: Mixer) -> set[str]:
    """The names of all weights without a joint axis."""
    return {name for name in encoder.state_dict() if name != "joint" and not name.endswith("joints.matrix")}


def _places(here: Bool[Tensor, "B T"], num_joints: int) -> tuple[Tensor, Places]:
    return here.unsqueeze(-1), present_rows(here.expand(num_joints, -1, -1))


def _average(h: Float[Tensor, "V B T D"], here: Bool[Tensor, "B T"], stride: int) -> tuple[Tensor, Tensor]:
    """The mean of the present ones of every `stride` frames."""
    after = -h.shape[2] % stride
    groups = F.pad(h, (0, 0, 0, after)).unflatten(2, (-1, stride)).sum(3)
    num = F.pad(here, (0, after)).unflatten(1, (-1, stride)).sum(-1, keepdim=True).clamp(min=1)
    return groups / num.to(h.dtype), thin(here, stride)
