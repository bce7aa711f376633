"""Batch norm that sees only what is present, and across processes; PReLU with a cheap gradient.

Rows are joints of graphs that exist: absent persons and undetected frames never enter the statistics (pitfall 4 of
the SkeletonMAE design notes), and processes that share a batch share the statistics, so that two give what one would.
"""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from ossein.nn.across import of_each_process, several_processes, sum_over_processes
from ossein.nn.rows import Places, put_rows, take_rows


class BatchNorm(nn.BatchNorm1d):
    """y = weight * (x - mean) / sqrt(var + eps) + bias over the rows of x, for each feature.

    `nn.BatchNorm1d` over [R, D] with two additions: only the given rows count and are normalised (the others come
    out as 0), and with several processes mean and variance are those of all their rows. Where shapes are fixed, and rows
    told by a mask, all of them are gone through and the absent ones weigh nothing.
    """

    def forward(self, input: Float[Tensor, "*R D"], rows: Places = None) -> Float[Tensor, "*R D"]:
        """Normalise the last axis.

        Args:
            input: Features.
            rows: Which rows (all axes but the last, flattened) exist.
        """
        flat = input.reshape(-1, input.shape[-1])
        if self.training and rows is not None and rows.dtype == torch.bool:
            out = self._masked_norm(flat, rows)
        else:
            out = self._norm(take_rows(flat, rows))
        return put_rows(out, rows, flat.shape[0]).view(input.shape)

    def _norm(self, x: Tensor) -> Tensor:
        if self.training and several_processes():
            return self._shared_norm(x)
        if self.training and len(x) < 2:
            # One row (or none) has no spread to learn from; the running statistics stand in for it.
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps)
        return super().forward(x)

    def _masked_norm(self, x: Tensor, here: Tensor) -> Tensor:
        """Training mode in a graph of fixed shapes; the rows that do not exist come out as anything."""
        assert self.running_mean is not None
        assert self.running_var is not None
        exact = x.to(torch.promote_types(x.dtype, torch.float32))
        whole = sum_over_processes if several_processes() else lambda own: own
        weight, num = here.unsqueeze(1).to(exact.dtype), whole(here.sum().to(exact.dtype))
        mean = whole((exact * weight).sum(0)) / num.clamp(min=1)
        var = whole(((exact - mean) * weight).square().sum(0)) / num.clamp(min=1)
        self._track(mean.detach(), var.detach() * num / (num - 1).clamp(min=1), num > 1)
        # As with one process: a single row has no spread, the running statistics stand in for it.
        mean, var = torch.where(num > 1, mean, self.running_mean), torch.where(num > 1, var, self.running_var)
        return ((exact - mean) * torch.rsqrt(var + self.eps) * self.weight + self.bias).to(x.dtype)

    def _shared_norm(self, x: Tensor) -> Tensor:
        """Training mode with the statistics of all processes."""
        assert self.running_mean is not None
        assert self.running_var is not None
        num, mean, var = _statistics(x.detach())
        self._track(mean, var * num / (num - 1).clamp(min=1), num > 1)
        # As with one process: a single row has no spread, the running statistics stand in for it.
        mean, var = torch.where(num > 1, mean, self.running_mean), torch.where(num > 1, var, self.running_var)
        return _SharedNorm.apply(x, self.weight, self.bias, mean, var, num, self.eps)

    @torch.no_grad()
    def _track(self, mean: Tensor, var: Tensor, enough: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        share = (self.momentum or 0.0) * enough.to(mean.dtype)
        self.num_batches_tracked.add_(enough)
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(var, share)


class PReLU(nn.Module):
    """max(x, 0) + slope * min(x, 0) with one learned slope.

    The same function as `nn.PReLU`, whose gradient for the slope costs more than the rest of a layer on CPUs.
    """

    def __init__(self, slope: float = 0.25) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.full((1,), slope))

    def forward(self, x: Float[Tensor, "*R D"]) -> Float[Tensor, "*R D"]:
        """Apply it to every number."""
        if x.device.type != "cpu" or torch.compiler.is_compiling():
            return F.prelu(x, self.slope.to(x.dtype))
        return _PReLU.apply(x, self.slope)


class _PReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(x, slope)
        return F.leaky_relu(x, float(slope))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:  # pyright: ignore[reportIncompatibleMethodOverride]
        x, slope = ctx.saved_tensors
        grad = grads[0].contiguous()
        back = torch.ops.aten.leaky_relu_backward(grad, x, float(slope), False)
        return back, _dot(grad, x.clamp(max=0)).to(slope.dtype).reshape(1)


def _dot(a: Float[Tensor, "*R D"], b: Float[Tensor, "*R D"]) -> Float[Tensor, ""]:
    """Sum of products; in full precision that of half-precision numbers, which torch's own dot product is slow on."""
    if a.dtype in (torch.float32, torch.float64):
        return torch.dot(a.flatten(), b.flatten())
    # A batch norm passes on the sum over rows of gradient times normalised input: here mean 0, deviation 1.
    one = torch.ones(a.shape[-1])
    stats = (one, one.new_zeros(one.shape), one, one.new_zeros(one.shape), one)
    flat = (a.flatten(0, -2), b.flatten(0, -2))
    return torch.ops.aten.native_batch_norm_backward(*flat, *stats, True, 0.0, [False, True, False])[1].sum()


def _statistics(x: Float[Tensor, "R D"]) -> tuple[Float[Tensor, ""], Float[Tensor, " D"], Float[Tensor, " D"]]:
    """How many rows all processes have, and their mean and variance (Chan et al. 1979)."""
    exact = torch.promote_types(x.dtype, torch.float32)
    mean, var = x.new_zeros(2, x.shape[1], dtype=exact)
    if len(x):
        # It answers in the precision of the running statistics that it is given, and of half precision it would not be enough.
        mean, var = torch.batch_norm_update_stats(x, torch.zeros_like(mean), torch.ones_like(mean), 0.0)
    nums, means, variances = of_each_process(torch.stack([torch.full_like(mean, len(x)), mean, var])).unbind(1)
    num = nums.sum(0).clamp(min=1)
    mean = (nums * means).sum(0) / num
    return nums[:, 0].sum(), mean, (nums * (variances + (means - mean).square())).sum(0) / num


class _SharedNorm(torch.autograd.Function):
    """(x - mean) / sqrt(var + eps) * weight + bias, where mean and var are those of the rows of all processes.

    By torch's own operations for fixed statistics, and then what depends on x by way of the statistics (Ioffe and Szegedy
    2015, section 3): a few passes over x, and one sum over processes in each direction.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, var: Tensor, num: Tensor, eps: float
    ) -> Tensor:
        ctx.save_for_backward(x, weight, mean, var, num)
        ctx.eps = eps
        return F.batch_norm(x, mean, var, weight, bias, False, 0.0, eps)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        x, weight, mean, var, num = ctx.saved_tensors
        of_x, of_weight, of_bias = torch.zeros_like(x), torch.zeros_like(weight), torch.zeros_like(weight)
        if len(x):
            fixed = (weight, mean, var, None, None, False, ctx.eps, [True, True, True])
            of_x, of_weight, of_bias = torch.ops.aten.native_batch_norm_backward(grads[0].contiguous(), x, *fixed)
        total_weight, total_bias = of_each_process(torch.stack([of_weight, of_bias])).sum(0)
        # A single row took the running statistics, which depend on nothing.
        share = weight * torch.rsqrt(var + ctx.eps) / num.clamp(min=1) * (num > 1)
        by_statistics = F.batch_norm(x, mean, var, share * total_weight, share * total_bias, False, 0.0, ctx.eps)
        return of_x.sub_(by_statistics), of_weight, of_bias, None, None, None, None
