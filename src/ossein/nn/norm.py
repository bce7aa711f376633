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

from ossein.nn.across import several_processes, sum_over_processes
from ossein.nn.rows import Places, put_rows, take_rows


class BatchNorm(nn.BatchNorm1d):
    """y = weight * (x - mean) / sqrt(var + eps) + bias over the rows of x, for each feature.

    `nn.BatchNorm1d` over [R, D] with two additions: only the given rows count and are normalised (the others come
    out as 0), and with several processes mean and variance are those of all their rows.
    """

    def forward(self, input: Float[Tensor, "*R D"], rows: Places = None) -> Float[Tensor, "*R D"]:
        """Normalise the last axis.

        Args:
            input: Features.
            rows: Which rows (all axes but the last, flattened) exist; a mask only in evaluation.
        """
        flat = input.reshape(-1, input.shape[-1])
        return put_rows(self._norm(take_rows(flat, rows)), rows, flat.shape[0]).view(input.shape)

    def _norm(self, x: Tensor) -> Tensor:
        if self.training and several_processes():
            return self._shared_norm(x)
        if self.training and len(x) < 2:
            # One row (or none) has no spread to learn from; the running statistics stand in for it.
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps)
        return super().forward(x)

    def _shared_norm(self, x: Tensor) -> Tensor:
        """Training mode with the statistics of all processes; plain arithmetic, differentiable through the sums."""
        wide = x.float()
        sums = torch.cat([wide.sum(0), wide.new_tensor([float(len(wide))])])
        sums = sum_over_processes(sums)
        num, mean = sums[-1].detach(), sums[:-1] / sums[-1].clamp(min=1)
        var = sum_over_processes((wide - mean).square().sum(0)) / num.clamp(min=1)
        self._track(mean.detach(), var.detach() * num / (num - 1).clamp(min=1), num > 1)
        assert self.running_mean is not None
        assert self.running_var is not None
        # As with one process: a single row has no spread, the running statistics stand in for it.
        mean, var = torch.where(num > 1, mean, self.running_mean), torch.where(num > 1, var, self.running_var)
        out = (wide - mean) * torch.rsqrt(var + self.eps) * self.weight + self.bias
        return out.to(x.dtype)

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
