"""What a mixer is given of a joint: its coordinates, or how far it is from other joints."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from ossein.mapping import joint_matrix, transfer_joint_weights
from ossein.skeleton import Skeleton

_SPEED = 4.0
"""Brings the velocities of everyday movements at some 30 frames per clip to about the size of positions."""
_MOST = 25
"""Joints that distances are measured to, at the most: a whole Kinect v2 body."""


class Description(nn.Module, ABC):
    """Numbers that tell of each joint what a network cannot know by itself; 0 wherever they need a joint that is not seen.

    Args:
        skeleton: The V joints.
        dims: C.
    """

    num: int
    """F, how many numbers."""

    @abstractmethod
    def __init__(self, skeleton: Skeleton, dims: int) -> None:
        super().__init__()
        self.skeleton, self.dims = skeleton, dims

    @abstractmethod
    def forward(self, x: Float[Tensor, "N M T V C"], seen: Bool[Tensor, "N M T V"]) -> Float[Tensor, "N M T V F"]:
        """The numbers of each joint in each frame.

        Args:
            x: Coordinates.
            seen: Where a joint is seen.
        """

    def brought(self, weight: Float[Tensor, "D F"], other: "Description") -> Float[Tensor, "D F2"]:
        """The weights of a linear map that reads this, for one that reads the same of other joints."""
        return weight


class Coordinates(Description):
    """Position, velocity, bone from the parent, seen: F = 3 C + 1."""

    def __init__(self, skeleton: Skeleton, dims: int) -> None:
        super().__init__(skeleton, dims)
        self.num = 3 * dims + 1
        self.register_buffer("parents", torch.tensor(skeleton.parents()), persistent=False)
        self.parents: Tensor

    def forward(self, x: Float[Tensor, "N M T V C"], seen: Bool[Tensor, "N M T V"]) -> Float[Tensor, "N M T V F"]:
        """See `Description.forward`."""
        flag = seen.unsqueeze(-1).to(x.dtype)
        x = torch.where(seen.unsqueeze(-1), x, 0)
        bone = (x - x.index_select(3, self.parents)) * flag * flag.index_select(3, self.parents)
        return torch.cat([x, _changes(x, flag), bone, flag], -1)


class Distances(Description):
    """How far the joint is from each of A others and how that changes, how fast it moves, seen: F = 2 A + 2.

    The same from wherever one looks, and for whichever way a body faces; DD-Net (Yang et al. 2019, arXiv 1907.09658) reads
    distances and little else. Others are all joints, or of many those that `spread_out` names.
    """

    def __init__(self, skeleton: Skeleton, dims: int) -> None:
        super().__init__(skeleton, dims)
        self.others = spread_out(skeleton, _MOST)
        self.num = 2 * len(self.others) + 2
        self.register_buffer("index", torch.tensor(self.others), persistent=False)
        self.index: Tensor

    def forward(self, x: Float[Tensor, "N M T V C"], seen: Bool[Tensor, "N M T V"]) -> Float[Tensor, "N M T V F"]:
        """See `Description.forward`."""
        flag = seen.unsqueeze(-1).to(x.dtype)
        x = torch.where(seen.unsqueeze(-1), x, 0)
        both = flag * flag.index_select(3, self.index).transpose(3, 4)
        far = _apart(x, x, self.index) * both
        fast = _length(list(_changes(x, flag).unbind(-1))).unsqueeze(-1) * flag
        return torch.cat([far, _changes(far, both), fast, flag], -1)

    def brought(self, weight: Float[Tensor, "D F"], other: Description) -> Float[Tensor, "D F2"]:
        """See `Description.brought`: what is read of the distance to a joint goes to the joint at its place."""
        if not isinstance(other, Distances):
            raise TypeError(f"distances go to distances, not to {type(other).__name__}")
        far, change, rest = weight.split((len(self.others), len(self.others), 2), 1)
        return torch.cat([*self._moved((far, change), other), rest], 1)

    def _moved(self, parts: Sequence[Float[Tensor, "D A"]], other: "Distances") -> list[Float[Tensor, "D A2"]]:
        """Weights of distances to joints, for those of another skeleton."""
        matrix = joint_matrix(self.skeleton, other.skeleton)[np.ix_(other.others, self.others)]
        return [transfer_joint_weights(part.T, matrix).T for part in parts]


class Relations(Distances):
    """`Distances`, and how far the joint is from each of A joints of the nearest other person, how that changes, is one there.

    F = 4 A + 3. Nearest is told for each pair of joints; with two persons it is the other one. A clip of one person is told
    as by `Distances`, with zeros beside.
    """

    def __init__(self, skeleton: Skeleton, dims: int) -> None:
        super().__init__(skeleton, dims)
        self.num += 2 * len(self.others) + 1

    def forward(self, x: Float[Tensor, "N M T V C"], seen: Bool[Tensor, "N M T V"]) -> Float[Tensor, "N M T V F"]:
        """See `Description.forward`."""
        own, flag = super().forward(x, seen), seen.unsqueeze(-1).to(x.dtype)
        x = torch.where(seen.unsqueeze(-1), x, 0)
        far = both = x.new_zeros(*x.shape[:4], len(self.others))
        for number in range(1, x.shape[1]):
            there = flag * flag.roll(number, 1).index_select(3, self.index).transpose(3, 4)
            apart = _apart(x, x.roll(number, 1), self.index)
            far = torch.where((there > 0) & ((both == 0) | (apart < far)), apart, far)
            both = torch.maximum(both, there)
        return torch.cat([own, far, _changes(far, both), both.amax(-1, keepdim=True)], -1)

    def brought(self, weight: Float[Tensor, "D F"], other: Description) -> Float[Tensor, "D F2"]:
        """See `Description.brought`: other people's joints are matched like one's own."""
        if not isinstance(other, Relations):
            raise TypeError(f"relations go to relations, not to {type(other).__name__}")
        num = len(self.others)
        own, away, there = weight.split((2 * num + 2, 2 * num, 1), 1)
        return torch.cat([super().brought(own, other), *self._moved(away.split(num, 1), other), there], 1)


DESCRIPTIONS: dict[str, type[Description]] = {
    "coordinates": Coordinates,
    "distances": Distances,
    "relations": Relations,
}
"""Every description by the name that settings call it."""


def spread_out(skeleton: Skeleton, most: int) -> tuple[int, ...]:
    """All joints, or of many as many as are asked for, each the one that is most bones away from those before it.

    The first is a joint of the centre; of equally far ones it is the first by name, whatever the order of the joints.

    Args:
        skeleton: The joints.
        most: How many at the most.

    >>> chain = Skeleton.make("chain", list("abcdefg"), [(i, i + 1) for i in range(6)], centre=["a"])
    >>> spread_out(chain, 3), spread_out(chain, 7)
    ((0, 3, 6), (0, 1, 2, 3, 4, 5, 6))
    """
    if len(skeleton) <= most:
        return tuple(range(len(skeleton)))
    hops, by_name = skeleton.hops(), sorted(range(len(skeleton)), key=skeleton.joints.__getitem__)
    found = [min(skeleton.centre, key=skeleton.joints.__getitem__)]
    while len(found) < most:
        found.append(max(by_name, key=lambda joint: hops[found, joint].min()))
    return tuple(sorted(found))


def _changes(value: Float[Tensor, "N M T V F"], there: Float[Tensor, "N M T V G"]) -> Float[Tensor, "N M T V F"]:
    """From the frame before, where there is something to compare in both."""
    change = _SPEED * (value[:, :, 1:] - value[:, :, :-1]) * there[:, :, 1:] * there[:, :, :-1]
    return F.pad(change, (0, 0, 0, 0, 1, 0))


def _apart(
    x: Float[Tensor, "N M T V C"], other: Float[Tensor, "N M T V C"], index: Int[Tensor, " A"]
) -> Float[Tensor, "N M T V A"]:
    """How far every joint is from some joints of another body."""
    pairs = zip(x.unbind(-1), other.unbind(-1), strict=True)
    return _length([a.unsqueeze(4) - b.index_select(3, index).unsqueeze(3) for a, b in pairs])


def _length(axes: list[Tensor]) -> Tensor:
    square = torch.full((), 1e-12, dtype=axes[0].dtype, device=axes[0].device)  # the slope of a root has no end at 0
    for along in axes:
        square = square + along.square()
    return square.sqrt()
