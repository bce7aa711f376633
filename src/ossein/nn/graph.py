"""Message passing between joints, dense and joint-major: features are [V R D], R graphs side by side.

With the joints first, summing over neighbours is one product of a [V V] matrix with a [V, R*D] one, which is what
processors do best; a batch of R skeletons costs one large product in place of R small ones.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

from ossein.nn.linear import Linear, wide_product
from ossein.nn.norm import BatchNorm, PReLU
from ossein.nn.rows import Mask, Places, of_each_joint
from ossein.skeleton import Skeleton


class GraphConv(nn.Module, ABC):
    """One round of messages between the joints of R graphs.

    Args:
        skeleton: The V joints.
        features_in: D, features of a joint before.
        features_out: E, features of a joint after.
    """

    entry: ClassVar[str] = ""
    """The linear map without bias that features go through before anything else, where there is one."""

    @abstractmethod
    def __init__(self, skeleton: Skeleton, features_in: int, features_out: int) -> None:
        super().__init__()

    @abstractmethod
    def forward(self, h: Float[Tensor, "V R D"], rows: Mask = None) -> Float[Tensor, "V R E"]:
        """Features of every joint after hearing from its neighbours.

        Args:
            h: Features of every joint.
            rows: Which (joint, graph) places exist, for a `BatchNorm` of the layer; see `of_each_joint`.
        """


def after(linear: Linear, conv: GraphConv, h: Float[Tensor, "V R D"], rows: Mask = None) -> Float[Tensor, "V R E"]:
    """conv(linear(h)) for a map without bias from D to D; with the layer's own entry it makes one map."""
    if not conv.entry:
        return conv(linear(h), rows)
    weight = conv.get_parameter(f"{conv.entry}.weight") @ linear.weight
    return functional_call(conv, {f"{conv.entry}.weight": weight}, (h, rows))


def gather(matrix: Float[Tensor, "V W"], h: Float[Tensor, "W R D"]) -> Float[Tensor, "V R D"]:
    """For every joint the sum of the features of all joints, weighted by its row of the matrix."""
    return wide_product(matrix, h.flatten(1)).view(len(matrix), *h.shape[1:])


class GINConv(GraphConv):
    """h'_v = MLP((1 + eps) h_v + sum of h_u over the neighbours u), Xu et al. 2019, Eq 4.1; eps = 0, not learned.

    MLP = Linear-BN-PReLU-Linear. The first linear map and the sum over neighbours commute.
    """

    entry = "first"

    def __init__(self, skeleton: Skeleton, features_in: int, features_out: int) -> None:
        super().__init__(skeleton, features_in, features_out)
        self.register_buffer(
            "matrix", torch.from_numpy(skeleton.adjacency()) + torch.eye(len(skeleton)), persistent=False
        )
        self.matrix: Tensor
        # The batch norm takes away any constant, so the first map has no bias.
        self.first = Linear(features_in, features_out, bias=False)
        self.norm = BatchNorm(features_out)
        self.act = PReLU()
        self.second = Linear(features_out, features_out)

    def forward(self, h: Float[Tensor, "V R D"], rows: Mask = None) -> Float[Tensor, "V R E"]:
        """One round of messages."""
        return self.second(self.act(self.norm(gather(self.matrix, self.first(h)), rows)))


class GCNConv(GraphConv):
    """h' = S^-1/2 (A + I) S^-1/2 h W + b with S the degrees of A + I, Kipf and Welling 2017, Eq 2."""

    entry = "linear"

    def __init__(self, skeleton: Skeleton, features_in: int, features_out: int) -> None:
        super().__init__(skeleton, features_in, features_out)
        looped = torch.from_numpy(skeleton.adjacency()) + torch.eye(len(skeleton))
        root = looped.sum(1).rsqrt()
        self.register_buffer("matrix", root[:, None] * looped * root, persistent=False)
        self.matrix: Tensor
        self.linear = Linear(features_in, features_out, bias=False)
        self.bias = nn.Parameter(torch.zeros(features_out))

    def forward(self, h: Float[Tensor, "V R D"], rows: Mask = None) -> Float[Tensor, "V R E"]:
        """One round of messages."""
        out = gather(self.matrix, self.linear(h))
        return out + self.bias.to(out.dtype)


class GATConv(GraphConv):
    """h'_v = sum over u of a_vu W h_u, a = softmax over neighbours and v itself of LeakyReLU(s.Wh_v + t.Wh_u).

    Velickovic et al. 2018, Eq 1-5, four of them side by side (concatenated).
    """

    entry = "linear"

    def __init__(self, skeleton: Skeleton, features_in: int, features_out: int) -> None:
        super().__init__(skeleton, features_in, features_out)
        far = torch.from_numpy(skeleton.adjacency()) + torch.eye(len(skeleton)) == 0
        self.register_buffer("far", far, persistent=False)
        self.far: Tensor
        self.heads = 4 if features_out % 4 == 0 else 1
        self.linear = Linear(features_in, features_out, bias=False)
        self.receive = nn.Parameter(torch.empty(self.heads, features_out // self.heads))
        self.send = nn.Parameter(torch.empty(self.heads, features_out // self.heads))
        self.bias = nn.Parameter(torch.zeros(features_out))
        nn.init.xavier_uniform_(self.receive)
        nn.init.xavier_uniform_(self.send)

    def forward(self, h: Float[Tensor, "V R D"], rows: Mask = None) -> Float[Tensor, "V R E"]:
        """One round of messages."""
        w = self.linear(h).unflatten(-1, (self.heads, -1))
        receive, send = (w * self.receive.to(w.dtype)).sum(-1), (w * self.send.to(w.dtype)).sum(-1)
        # [V U R H]: how much joint v hears of joint u.
        logits = F.leaky_relu(receive[:, None] + send[None], 0.2)
        share = logits.masked_fill(self.far[..., None, None], float("-inf")).softmax(1)
        out = torch.einsum("vurh,urhe->vrhe", share.to(w.dtype), w).flatten(-2)
        return out + self.bias.to(out.dtype)


class PartitionConv(GraphConv):
    """h'_i = sum over kinds k of W_k mean(m_kij h_j over the neighbours j of kind k) + b, Yan et al. 2018, Eq 6 and 10.

    The kinds are the paper's "spatial configuration", see `partitions`; m, one number for each kind and edge, starts at 1
    and is learned (section 3.6, "edge importance"). The released code divides by all neighbours, Eq 6 by those of a kind.
    """

    def __init__(self, skeleton: Skeleton, features_in: int, features_out: int) -> None:
        super().__init__(skeleton, features_in, features_out)
        self.register_buffer("matrix", partitions(skeleton), persistent=False)
        self.matrix: Tensor
        self.importance = nn.Parameter(torch.ones_like(self.matrix))
        self.linear = Linear(len(self.matrix) * features_in, features_out)

    def forward(self, h: Float[Tensor, "V R D"], rows: Mask = None) -> Float[Tensor, "V R E"]:
        """One round of messages."""
        V, R, D = h.shape
        heard = gather((self.matrix * self.importance).transpose(0, 1).flatten(0, 1), h)
        # [V kinds R D] -> [V R kinds*D]: one product in place of one for each kind.
        return self.linear(heard.view(V, len(self.matrix), R, D).transpose(1, 2).flatten(2))


def partitions(skeleton: Skeleton) -> Float[Tensor, "K V V"]:
    """A of each kind of neighbour, every row with its mean: itself and its equals, nearer to the centre, further from it.

    "Spatial configuration partitioning" (Yan et al. 2018, arXiv 1801.07455, Eq 8), with the number of bones to the nearest
    centre joint for the distance to the body's centre of gravity.

    >>> partitions(Skeleton.make("arm", ["hand", "elbow", "base"], [(0, 1), (1, 2)], centre=[2]))[1].tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    """
    far = torch.from_numpy(skeleton.hops()[:, list(skeleton.centre)].min(1))
    near = torch.from_numpy(skeleton.adjacency()) + torch.eye(len(skeleton))
    outwards = torch.sign(far - far[:, None])
    kinds = torch.stack([near * (outwards == side) for side in (0, -1, 1)])
    return kinds / kinds.sum(2, keepdim=True).clamp(min=1)


class GraphStack(nn.Module):
    """Several rounds of messages, each followed by BN-PReLU: the spatial encoder G_E of SkeletonMAE without embedding.

    Args:
        conv: What makes one layer.
        skeleton: The V joints.
        width: D, the same before and after.
        depth: The number of layers L.
    """

    def __init__(self, conv: type[GraphConv], skeleton: Skeleton, width: int, depth: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(conv(skeleton, width, width) for _ in range(depth))
        self.norms = nn.ModuleList(BatchNorm(width) for _ in range(depth))
        self.acts = nn.ModuleList(PReLU() for _ in range(depth))

    def forward(self, h: Float[Tensor, "V R D"], rows: Places = None) -> Float[Tensor, "V R D"]:
        """Features of R graphs.

        Args:
            h: Features of every joint.
            rows: Which graphs exist, as they were taken: all of them, unless a mask tells.
        """
        places = of_each_joint(rows, len(h))
        for conv, norm, act in zip(self.convs, self.norms, self.acts, strict=True):
            h = act(norm(conv(h, places), places))
        return h
