"""Mixing along both axes of a skeleton sequence: joints by learned matrices, frames by convolution; joint-major."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from ossein.nn.linear import Linear
from ossein.nn.norm import BatchNorm
from ossein.nn.rows import Places
from ossein.nn.temporal import TemporalConv
from ossein.skeleton import Skeleton


class JointMixing(nn.Module):
    """h'_v = sum over joints w of A_vw W h_w, with a learned matrix A for each of H groups of features.

    A convolution over joints that may learn which joints matter to each other, bones or not (as the adaptive graphs of
    2s-AGCN, Shi et al. 2019, do, without a branch for each). The matrices start as what the skeleton says, see `matrices`.

    Args:
        skeleton: The V joints.
        width: D, a multiple of `heads`.
        heads: H.
    """

    def __init__(self, skeleton: Skeleton, width: int, heads: int) -> None:
        super().__init__()
        self.linear = Linear(width, width)
        start = matrices(skeleton, heads)
        self.matrix = nn.Parameter(start + 0.02 * torch.randn_like(start))

    def forward(self, h: Float[Tensor, "V N T D"]) -> Float[Tensor, "V N T D"]:
        """Features after looking across the joints of each frame."""
        V, N, T, D = h.shape
        values = self.linear(h).view(V, N * T, len(self.matrix), -1)
        return torch.einsum("hvw,wrhd->vrhd", self.matrix.to(values.dtype), values).reshape(V, N, T, D)


def matrices(skeleton: Skeleton, heads: int) -> Float[Tensor, "H V V"]:
    """For each head the mean over joints 0, 1, 2 bones away, over all joints, and again from 0.

    >>> matrices(Skeleton.make("arm", ["hand", "elbow", "base"], [(0, 1), (1, 2)]), 2)[1].tolist()
    [[0.0, 1.0, 0.0], [0.5, 0.0, 0.5], [0.0, 1.0, 0.0]]
    """
    hops = torch.from_numpy(skeleton.hops())
    near = [(hops == far).float() for far in (0, 1, 2)] + [torch.ones(len(skeleton), len(skeleton))]
    means = [one / one.sum(1, keepdim=True).clamp(min=1) for one in near]
    return torch.stack([means[head % len(means)] for head in range(heads)])


class MixBlock(nn.Module):
    """h + JointMixing(ReLU(BN(h))), then the same with a convolution over time: a pre-activation residual block.

    Args:
        skeleton: The V joints.
        width: D.
        heads: H, see `JointMixing`.
        kernel: Frames of the convolution, odd.
        dilation: Of the convolution.
    """

    def __init__(self, skeleton: Skeleton, width: int, heads: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.norm_joints, self.norm_frames = BatchNorm(width), BatchNorm(width)
        self.joints = JointMixing(skeleton, width, heads)
        self.frames = TemporalConv(width, kernel, dilation=dilation)

    def forward(
        self, h: Float[Tensor, "V N T D"], places: tuple[Bool[Tensor, "N T 1"], Places] | None = None
    ) -> Float[Tensor, "V N T D"]:
        """Features after looking along both axes.

        Args:
            h: Features, 0 where a frame is absent.
            places: Where a frame is present, and which (joint, clip, frame) places are; None where everything is.
                Absent frames stay 0, as the padding of the convolution is.
        """
        here, rows = places or (None, None)
        h = h + _only(here, self.joints(F.relu(self.norm_joints(h, rows), inplace=True)))
        return h + _only(here, self.frames(F.relu(self.norm_frames(h, rows), inplace=True)))


def _only(here: Tensor | None, h: Tensor) -> Tensor:
    return h if here is None else h * here.to(h.dtype)
