"""A linear map that is fast on any processor.

In full precision torch leaves products of matrices to its BLAS, which is not equally good everywhere: on AMD processors
with AVX-512 MKL runs at less than half of what oneDNN, the other library that torch is built with, gets out of the same
machine. In bf16 torch takes oneDNN by itself.
"""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

_TILE = 4


class Linear(nn.Linear):
    """y = x W' + b, as `nn.Linear`: the same weights by the same names, and the same numbers but for rounding."""

    def forward(self, input: Float[Tensor, "*R D"]) -> Float[Tensor, "*R E"]:
        """Apply it to the last axis."""
        if not _goes_elsewhere(input, self.weight):
            return F.linear(input, self.weight, self.bias)
        return _Product.apply(input, self.weight, self.bias)


def _goes_elsewhere(x: Tensor, weight: Tensor) -> bool:
    """Whether this is work for oneDNN that torch would not give to it."""
    return (
        not torch.compiler.is_compiling()
        and x.dtype == weight.dtype == torch.float32
        and x.device.type == "cpu"
        and x.numel() > 0
        and torch.backends.mkldnn.is_available()
        and not torch.is_autocast_enabled("cpu")
    )


def _product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")


def wide_product(matrix: Float[Tensor, "V W"], h: Float[Tensor, "W R"]) -> Float[Tensor, "V R"]:
    """matrix h, for few and small rows of the matrix and many columns."""
    matrix = matrix.to(h.dtype)
    return _Across.apply(matrix, h) if _goes_elsewhere(h, matrix) else matrix @ h


def weight_gradient(grad: Float[Tensor, "R E"], x: Float[Tensor, "R D"]) -> Float[Tensor, "E D"]:
    """grad' x, for many rows and few columns.

    The rows are taken for pixels of images of 4 by 4, and the product for the gradient of a convolution that looks at one
    pixel: twice as fast as the product by name in full precision, where the latter leaves its registers idle.
    """
    images, pixels = len(x) // _TILE**2, len(x) // _TILE**2 * _TILE**2
    if x.dtype != torch.float32 or x.device.type != "cpu" or images < _TILE:
        return grad.t() @ x
    weight = x.new_empty(grad.shape[1], x.shape[1], 1, 1)
    of = (
        grad[:pixels].view(images, _TILE, _TILE, -1).permute(0, 3, 1, 2),
        x[:pixels].view(images, _TILE, _TILE, -1).permute(0, 3, 1, 2),
    )
    out = torch.ops.aten.convolution_backward(
        *of, weight, None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1, [False, True, False]
    )[1].view(weight.shape[:2])
    return out if pixels == len(x) else out.addmm_(grad[pixels:].t(), x[pixels:])


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _product(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        x, weight = ctx.saved_tensors
        grad, (of_x, of_weight, of_bias) = grads[0], ctx.needs_input_grad
        flat = grad.reshape(-1, grad.shape[-1])
        return (
            _product(grad, weight.t(), None) if of_x else None,
            weight_gradient(flat, x.reshape(-1, x.shape[-1])) if of_weight else None,
            flat.sum(0) if of_bias else None,
        )


class _Across(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, matrix: Tensor, h: Tensor) -> Tensor:
        ctx.save_for_backward(matrix, h if ctx.needs_input_grad[0] else None)
        return _product(matrix, h.t(), None)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        (matrix, h), grad = ctx.saved_tensors, grads[0].contiguous()
        of_matrix, of_h = ctx.needs_input_grad
        return (
            grad @ h.t() if of_matrix else None,
            _product(matrix.t().contiguous(), grad.t(), None) if of_h else None,
        )
