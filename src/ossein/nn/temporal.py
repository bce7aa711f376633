"""Looking along time, on joint-major features [V N T D]."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ossein.nn.norm import BatchNorm
from ossein.nn.rows import Rows


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
        self.reduce = nn.Linear(width, 4 * quarter, bias=False)
        self.norm_in = BatchNorm(4 * quarter)
        self.convs = nn.ModuleList(
            nn.Conv1d(quarter, quarter, kernel, padding=(kernel - 1) // 2 * d, dilation=d, bias=False)
            for d in dilations
        )
        self.norm_out = BatchNorm(4 * quarter)

    def forward(self, h: Float[Tensor, "V N T D"], rows: Rows = None) -> Float[Tensor, "V N T D"]:
        """Features after looking along time.

        Args:
            h: Features, 0 where a frame is absent.
            rows: Which (joint, clip, frame) places are present. Absent ones stay 0, so that
                padding at the end of a clip is no different from the zero padding of the convolutions.
        """
        V, N, T, _ = h.shape
        q = self.quarter
        z = self.norm_in(self.reduce(h), rows)
        # Convolutions and pooling want time last; the fourth branch stays as it is.
        scales = F.relu(z[..., : 3 * q]).reshape(V * N, T, 3 * q).transpose(1, 2).contiguous()
        branches = [conv(scales[:, i * q : (i + 1) * q]) for i, conv in enumerate(self.convs)]
        branches.append(F.max_pool1d(scales[:, 2 * q :], 3, stride=1, padding=1))
        looked = torch.cat(branches, 1).transpose(1, 2).reshape(V, N, T, 3 * q)
        return F.relu(self.norm_out(torch.cat((looked, z[..., 3 * q :]), -1), rows) + h)


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
        # The features stay last, so that nothing is copied: to the convolution this is an image in channels-last order.
        out = self.conv(h.view(V * N, T, 1, D).permute(0, 3, 1, 2))
        return out.permute(0, 2, 3, 1).reshape(V, N, out.shape[2], D)
