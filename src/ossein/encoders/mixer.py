"""The mixer: an encoder that looks along time as well as across joints, and knows which joint is which."""

from typing import Literal, TypeVar

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor, nn

from ossein.encoders.base import Encoder, thin
from ossein.encoders.describe import DESCRIPTIONS
from ossein.errors import SkeletonError
from ossein.mapping import joint_matrix, match_joints, transfer_joint_weights
from ossein.nn import BatchNorm, JointMixing, Linear, MixBlock, Places, all_present, present_rows
from ossein.nn.mixing import matrices
from ossein.settings import Settings
from ossein.skeleton import Skeleton

P = TypeVar("P", bound=nn.Module)
Reading = Literal["coordinates", "distances", "relations"]
"""What settings call the descriptions of joints."""


class MixerSettings(Settings):
    """An encoder of whole sequences, of our own."""

    kind: Literal["mixer"] = "mixer"
    """Which encoder."""
    reads: tuple[Reading, ...] = Field(default=("coordinates", "distances"), min_length=1)
    """What its branches are given of a joint; a network of its own for each."""
    width: int = Field(default=48, ge=4, le=4096, multiple_of=4)
    """The number of features of a joint in each branch."""
    depth: int = Field(default=4, ge=1, le=64)
    """How many blocks; each mixes joints, then frames."""
    heads: Literal[1, 2, 4] = 4
    """Groups of features that mix joints in their own way."""
    kernel: Literal[3, 5, 7, 9] = 5
    """Frames of the temporal convolutions."""
    stride: Literal[1, 2, 4] = 2
    """Frames that are taken together after the first block."""


class Mixer(Encoder):
    """Networks side by side, each with a description of its own; D = branches * width features, one branch's after another's.

    One reads coordinates, which say where a body moves, and one distances, which are the same from everywhere. Each is
    right where the other is not, and together they are better than two of a kind (`docs/log.md`). Persons are read one by
    one, but for `relations`: distances that go to other persons as well.

    Args:
        skeleton: The V joints.
        dims: C.
        settings: Width, depth and the like.
    """

    def __init__(self, skeleton: Skeleton, dims: int, settings: MixerSettings) -> None:
        super().__init__()
        self.skeleton, self.dims, self.settings = skeleton, dims, settings
        self.width, self.stride = len(settings.reads) * settings.width, settings.stride
        self.branches = nn.ModuleList(Branch(skeleton, dims, settings, read) for read in settings.reads)

    def forward(
        self,
        x: Float[Tensor, "N M T V C"],
        hidden: Bool[Tensor, "N M T V"] | None = None,
        present: Bool[Tensor, "N M T"] | None = None,
    ) -> Float[Tensor, "N M t V D"]:
        """Features of every joint; see `Encoder.forward`."""
        N, M, T, V, _ = x.shape
        here = torch.ones(N, M, T, dtype=torch.bool, device=x.device) if present is None else present
        seen = here.unsqueeze(-1).expand(N, M, T, V)
        seen = seen if hidden is None else seen & ~hidden
        each = [branch(x, seen, here) for branch in self.branches]
        return torch.cat(each, -1).permute(1, 2, 0, 3).unflatten(0, (N, M))

    def onto(self, skeleton: Skeleton) -> "Mixer":
        """The same encoder for other joints; see `Encoder.onto`.

        How two joints mix goes with both of them; where one is new, it is what the skeleton says. Nothing is random.
        """
        if max(match_joints(self.skeleton, skeleton)) < 0:
            raise SkeletonError(
                f"no joint of {skeleton.name} is known to the encoder, which learned on {self.skeleton.name}. "
                "Name joints as the built-in skeletons do, or train from random weights."
            )
        other = Mixer(skeleton, self.dims, self.settings).to(next(self.parameters()))
        for mine, theirs in zip(_inside(self, Branch), _inside(other, Branch), strict=True):
            mine.bring(theirs)
        return other.train(self.training)


class Branch(nn.Module):
    """What is told of every joint, mixed across joints and along time in turn.

    Embedding: the description of each joint through one linear map, plus a learned vector for each joint. A hidden joint is
    one that is not seen. Then `MixBlock`s; after the first, `stride` frames are averaged; at the end BN and ReLU.

    Args:
        skeleton: The V joints.
        dims: C.
        settings: Width, depth and the like.
        read: What it is given of a joint.
    """

    def __init__(self, skeleton: Skeleton, dims: int, settings: MixerSettings, read: Reading) -> None:
        super().__init__()
        self.skeleton, self.stride = skeleton, settings.stride
        self.describe = DESCRIPTIONS[read](skeleton, dims)
        self.embed = Linear(self.describe.num, settings.width)
        self.joint = nn.Parameter(0.3 * torch.randn(len(skeleton), settings.width))
        # Two blocks at one distance, two at twice that: a few blocks see the whole of a clip.
        self.blocks = nn.ModuleList(
            MixBlock(skeleton, settings.width, settings.heads, settings.kernel, 1 + number % 4 // 2)
            for number in range(settings.depth)
        )
        self.norm = BatchNorm(settings.width)

    def forward(
        self, x: Float[Tensor, "N M T V C"], seen: Bool[Tensor, "N M T V"], here: Bool[Tensor, "N M T"]
    ) -> Float[Tensor, "V B t D"]:
        """Features of every joint, B = N M.

        Args:
            x: Coordinates of the persons of all clips.
            seen: Where a joint is seen.
            here: Where a person is present; features elsewhere are 0.
        """
        here = here.flatten(0, 1)
        h = self.embed(self.describe(x, seen).flatten(0, 1)).permute(2, 0, 1, 3) + self.joint[:, None, None]
        whole = all_present(here) and x.shape[2] % self.stride == 0
        h = h if whole else h * here.unsqueeze(-1).to(h.dtype)
        places = None if whole else _places(here, len(h))
        for number, block in enumerate(self.blocks):
            h = block(h, places)
            if number == 0:
                h, here = _average(h, here, self.stride)
                places = None if whole else _places(here, len(h))
        return F.relu(self.norm(h, places and places[1]))

    @torch.no_grad()
    def bring(self, other: "Branch") -> None:
        """Give what it knows to the same branch for other joints; see `Mixer.onto`."""
        source = torch.tensor(match_joints(self.skeleton, other.skeleton), device=self.joint.device)
        matrix, both = joint_matrix(self.skeleton, other.skeleton), torch.outer(source >= 0, source >= 0)
        other.load_state_dict(
            {name: value for name, value in self.state_dict().items() if not _of_joints(name)}, strict=False
        )
        other.embed.weight.copy_(self.describe.brought(self.embed.weight, other.describe))
        other.joint.copy_(transfer_joint_weights(self.joint, matrix))
        for mine, theirs in zip(_inside(self, JointMixing), _inside(other, JointMixing), strict=True):
            fresh = matrices(other.skeleton, len(mine.matrix)).to(mine.matrix)
            theirs.matrix.copy_(torch.where(both, mine.matrix[:, source][:, :, source], fresh))


def _inside(module: nn.Module, kind: type[P]) -> list[P]:
    return [part for part in module.modules() if isinstance(part, kind)]


def _of_joints(name: str) -> bool:
    """Whether a weight has an axis of joints."""
    return name in ("joint", "embed.weight") or name.endswith("joints.matrix")


def _places(here: Bool[Tensor, "B T"], num_joints: int) -> tuple[Tensor, Places]:
    return here.unsqueeze(-1), present_rows(here.expand(num_joints, -1, -1))


def _average(h: Float[Tensor, "V B T D"], here: Bool[Tensor, "B T"], stride: int) -> tuple[Tensor, Tensor]:
    """The mean of the present ones of every `stride` frames."""
    after = -h.shape[2] % stride
    groups = F.pad(h, (0, 0, 0, after)).unflatten(2, (-1, stride)).sum(3)
    num = F.pad(here, (0, after)).unflatten(1, (-1, stride)).sum(-1, keepdim=True).clamp(min=1)
    return groups / num.to(h.dtype), thin(here, stride)
