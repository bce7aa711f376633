"""From encoded features back to those of the hidden joints; dropped after pre-training."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from ossein.nn import GraphConv, Linear, Places, after, of_each_joint
from ossein.skeleton import Skeleton


class GraphDecoder(nn.Module):
    """A linear map without bias, then one message-passing layer with linear output: Y = G_D(A, H), Eq 1.

    With `remask`, hidden joints are replaced by a learned vector between the two, as GraphMAE does. SkeletonMAE's
    figure shows no such step, and with whole parts hidden it makes the output of wrists and ankles constant, because
    their only neighbour is hidden too.

    Args:
        conv: What makes the layer.
        skeleton: The V joints.
        width: D.
        remask: Whether hidden joints are hidden from the decoder again.
    """

    def __init__(self, conv: type[GraphConv], skeleton: Skeleton, width: int, remask: bool = False) -> None:
        super().__init__()
        self.linear = Linear(width, width, bias=False)
        self.conv = conv(skeleton, width, width)
        self.token = nn.Parameter(torch.zeros(width)) if remask else None

    def forward(
        self, z: Float[Tensor, "V R D"], hidden: Bool[Tensor, "V R"], rows: Places = None
    ) -> Float[Tensor, "V R D"]:
        """Rebuilt features of every joint.

        Args:
            z: Encoded features.
            hidden: What is to be rebuilt.
            rows: Which graphs exist; see `GraphStack`.
        """
        places = of_each_joint(rows, len(z))
        if self.token is None:
            return after(self.linear, self.conv, z, places)
        h = self.linear(z)
        return self.conv(torch.where(hidden.unsqueeze(-1), self.token.to(h.dtype), h), places)
