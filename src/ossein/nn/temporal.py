"""Looking along time, on joint-major features [V N T D]."""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from ossein.nn.linear import Linear, weight_gradient
from ossein.nn.norm import BatchNorm
from ossein.nn.rows import Places


class MultiScaleTemporal(nn.Module):
    """ReLU(H + [conv_d1 | conv_d2 | maxpool | 1x1](H)): four branches of D/4 features each, along time.

    The module of CTR-GCN (Chen et al. 2021).

    Each branch starts with a 1x1 map; the first two continue with a convolution of `kernel` frames at dilation 1 and
    2, the third with a max-pool of 3 frames. All four 1x1 maps are one product, and each batch norm runs over the
    four branches at once, which is the same thing since features are normalised one by one. (The fourth passes through
    both norms, where CTR-GCN has one: the second only rescales it.)

    Args:
        width: D, a multiple of 4.
        kernel: Frames of the convolutions.
        dilations: One convolution branch for each.
    """

    def __init__(self, width: int, kernel: int = 5, dilations: tuple[int, int] = (1, 2)) -> None:
        super().__init__()
        quarter = width // 4
        self.quarter = quarter
        self.reduce = Linear(width, 4 * quarter, bias=False)
        self.norm_in = BatchNorm(4 * quarter)
        self.dilations = dilations
        self.convs = nn.ModuleList(nn.Conv1d(quarter, quarter, kernel, bias=False) for _ in dilations)
        self.norm_out = BatchNorm(4 * quarter)

    def forward(self, h: Float[Tensor, "V N T D"], rows: Places = None) -> Float[Tensor, "V N T D"]:
        """Features after looking along time.

        Args:
            h: Features, 0 where a frame is absent.
            rows: Which (joint, clip, frame) places are present. Absent ones stay 0, so that
                padding at the end of a clip is no different from the zero padding of the convolutions.
        """
        V, N, T, _ = h.shape
        q = self.quarter
        z = self.norm_in(self.reduce(h), rows).view(V * N, T, 4 * q)
        *scales, pooled = F.relu(z[..., : 3 * q]).split(q, -1)
        weights = [conv.get_parameter("weight") for conv in self.convs]
        branches = [along_time(*one) for one in zip(scales, weights, self.dilations, strict=True)]
        branches.append(F.max_pool2d(_image(pooled), (3, 1), stride=1, padding=(1, 0)).squeeze(3).transpose(1, 2))
        # The fourth branch stays as it is.
        looked = torch.cat((*branches, z[..., 3 * q :]), -1).view(V, N, T, 4 * q)
        return F.relu(self.norm_out(looked, rows) + h)


class TemporalConv(nn.Module):
    """A convolution of all features over time, the same for every joint; no bias, since a batch norm follows.

    Args:
        width: D.
        kernel: Frames, odd.
        stride: Every how many frames there is an output, centred on the first of them.
        dilation: How many frames lie between those that the convolution looks at, and one.
    """

    def __init__(self, width: int, kernel: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        padding = (kernel - 1) // 2 * dilation
        self.conv = nn.Conv2d(width, width, (kernel, 1), (stride, 1), (padding, 0), (dilation, 1), bias=False)

    def forward(self, h: Float[Tensor, "V N T D"]) -> Float[Tensor, "V N t D"]:
        """Features after looking along time, t = ceil(T / stride)."""
        V, N, T, D = h.shape
        if self.conv.stride[0] == 1:
            return along_time(h.view(V * N, T, D), self.conv.weight.squeeze(3), self.conv.dilation[0]).view(h.shape)
        out = self.conv(_image(h.view(V * N, T, D)))
        return out.permute(0, 2, 3, 1).reshape(V, N, out.shape[2], D)


def along_time(h: Float[Tensor, "B T D"], weight: Float[Tensor, "E D K"], dilation: int = 1) -> Float[Tensor, "B T E"]:
    """A convolution over time that keeps the number of frames; without bias, K odd.

    The gradient of its weight is made of K products of matrices. The one that torch would ask for, oneDNN's for images in
    channels-last order, took a third of a whole training step on the machine this was written on.
    """
    if h.device.type != "cpu" or torch.compiler.is_compiling():
        return _convolve(h, weight, dilation)
    if torch.is_autocast_enabled("cpu"):
        dtype = torch.get_autocast_dtype("cpu")
        h, weight = h.to(dtype), weight.to(dtype)
    return _AlongTime.apply(h, weight, dilation)


def _convolve(h: Tensor, weight: Tensor, dilation: int) -> Tensor:
    padding = weight.shape[2] // 2 * dilation
    out = F.conv2d(_image(h), weight.unsqueeze(3), padding=(padding, 0), dilation=(dilation, 1))
    return out.permute(0, 2, 3, 1).reshape(*h.shape[:2], len(weight))


def _image(h: Tensor) -> Tensor:
    # The features stay last, so that nothing is copied: to a convolution this is an image in channels-last order.
    return h.unsqueeze(2).permute(0, 3, 1, 2)


class _AlongTime(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, h: Tensor, weight: Tensor, dilation: int) -> Tensor:
        ctx.save_for_backward(h, weight)
        ctx.dilation = dilation
        return _convolve(h, weight, dilation)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        (h, weight), grad, dilation = ctx.saved_tensors, grads[0], ctx.dilation
        of_h, of_weight, _ = ctx.needs_input_grad
        padding = weight.shape[2] // 2 * dilation
        back = None
        if of_h:
            sizes = ([1, 1], [padding, 0], [dilation, 1], False, [0, 0], 1, [True, False, False])
            back = torch.ops.aten.convolution_backward(_image(grad), _image(h), weight.unsqueeze(3), None, *sizes)[0]
            back = back.permute(0, 2, 3, 1).reshape(h.shape)
        return back, _weight_gradient(grad, h, weight.shape[2], dilation) if of_weight else None, None


def _weight_gradient(grad: Tensor, h: Tensor, kernel: int, dilation: int) -> Tensor:
    """For each place in the kernel grad' h with the frames of h shifted by it.

    With all clips in one row and zeros between them a shift is another part of the same row, and nothing is copied.
    """
    around = (kernel - 1) * dilation
    later = F.pad(grad, (0, 0, 0, around)).flatten(0, 1)
    rows = F.pad(h, (0, 0, around // 2, around // 2)).flatten(0, 1)
    num = len(rows) - around
    return torch.stack([weight_gradient(later[:num], rows[k * dilation :][:num]) for k in range(kernel)], 2)
