"""What processes that share a batch do together, so that two give what one would: sums and rows of all of them."""

from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def several_processes() -> bool:
    """Whether other processes hold further clips of the batch."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def sum_over_processes(x: Tensor) -> Tensor:
    """The sum over all processes; differentiable, each process being told what all of them make of it."""
    return _Sum.apply(x)


def of_each_process(x: Tensor) -> Tensor:
    """What each process gives, one after the other along a new first axis; no gradient passes through."""
    out = x.new_zeros(dist.get_world_size(), *x.shape)
    out[dist.get_rank()] = x
    dist.all_reduce(out)
    return out


def gather_rows(x: Float[Tensor, "R D"]) -> tuple[Float[Tensor, "S D"], int]:
    """The rows of all processes, one process after the other, and where one's own begin; differentiable.

    Args:
        x: One's own rows; other processes may have more or fewer.
    """
    if not several_processes():
        return x, 0
    rank, counts = dist.get_rank(), of_each_process(torch.tensor(len(x), device=x.device))
    first, whole = int(counts[:rank].sum()), int(counts.sum())
    # Each process adds its rows in a place of their own.
    return sum_over_processes(F.pad(x, (0, 0, first, whole - first - len(x)))), first


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        out = x.clone()
        dist.all_reduce(out)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        out = grads[0].clone()
        dist.all_reduce(out)
        return out
