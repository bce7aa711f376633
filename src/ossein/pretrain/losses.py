"""How far rebuilt features are from the true ones."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor


def cosine_error(
    target: Float[Tensor, "V R D"], rebuilt: Float[Tensor, "V R D"], hidden: Bool[Tensor, "V R"], beta: float = 2.0
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """The re-weighted cosine error of SkeletonMAE (arXiv 2307.08476), Eq 2, mean over graphs.

    L = sum over hidden joints i of (1/m - cos(x_i, y_i)/m)^beta, with m the number of hidden joints of the graph. It
    equals m^-beta * sum (1 - cos)^beta: for one mask size GraphMAE's scaled cosine error times a constant.

    Args:
        target: True features x.
        rebuilt: Rebuilt features y.
        hidden: True where a joint was hidden and is to be rebuilt.
        beta: How much easy joints are weighted down.

    Returns:
        The loss, and the number of graphs with at least one hidden joint: those the mean runs over.
    """
    exact = torch.promote_types(target.dtype, torch.float32)
    num_hidden = hidden.sum(0)
    graphs = (num_hidden > 0).sum()
    if torch.compiler.is_compiling():
        # How many are hidden depends on the data, which shapes must not.
        apart = (1 - F.cosine_similarity(target.to(exact), rebuilt.to(exact), dim=-1)).clamp(min=0)
        error = (apart / num_hidden.clamp(min=1)).pow(beta) * hidden
        return error.sum() / graphs.clamp(min=1), graphs.float()
    # Only the hidden ones are looked at: all of them would take as long as two layers.
    joint, graph = hidden.nonzero().unbind(1)
    rows = joint * hidden.shape[1] + graph
    x, y = (features.flatten(0, 1).index_select(0, rows).to(exact) for features in (target, rebuilt))
    apart = (1 - F.cosine_similarity(x, y, dim=-1)).clamp(min=0)
    error = (apart / num_hidden.index_select(0, graph)).pow(beta)
    return error.sum() / graphs.clamp(min=1), graphs.float()
