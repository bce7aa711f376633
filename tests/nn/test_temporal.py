"""Looking along time: the four branches of the multi-scale module one after another, and convolution frame by frame."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ossein.nn import MultiScaleTemporal, TemporalConv, along_time

V, N, T, D = 3, 2, 9, 8


def module(kernel: int = 5) -> MultiScaleTemporal:
    torch.manual_seed(0)
    made = MultiScaleTemporal(D, kernel).double()
    for value in made.parameters():
        nn.init.normal_(value, std=0.5)
    return made


def features(seed: int = 1) -> Tensor:
    return torch.randn(V, N, T, D, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def norm(x: Tensor, of: nn.BatchNorm1d, channels: slice) -> Tensor:
    """Batch norm in train mode of [V N T Q] channels, by the formula."""
    mean, var = x.mean((0, 1, 2)), x.var((0, 1, 2), unbiased=False)
    return (x - mean) / (var + of.eps).sqrt() * of.weight[channels] + of.bias[channels]


def reference(m: MultiScaleTemporal, h: Tensor, kernel: int) -> Tensor:
    """Branch by branch: 1x1 map, then a convolution or a max-pool written as loops over frames."""
    q, branches = D // 4, []
    for i in range(4):
        own = slice(i * q, (i + 1) * q)
        z = norm(h @ m.reduce.weight[own].T, m.norm_in, own)
        if i < 3:
            z = F.relu(z)
        out = torch.zeros_like(z)
        for t in range(T):
            if i < 2:
                for k in range(kernel):
                    source = t + (k - kernel // 2) * (i + 1)
                    if 0 <= source < T:
                        out[:, :, t] += z[:, :, source] @ m.convs[i].weight[:, :, k].T
            elif i == 2:
                out[:, :, t] = z[:, :, max(t - 1, 0) : t + 2].amax(2)
            else:
                out[:, :, t] = z[:, :, t]
        branches.append(norm(out, m.norm_out, own))
    return F.relu(torch.cat(branches, -1) + h)


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_it_is_its_four_branches(kernel: int):
    m, h = module(kernel), features()
    torch.testing.assert_close(m(h), reference(m, h, kernel))


def test_a_frame_hears_of_frames_up_to_four_away_in_its_own_clip_and_joint():
    m = module().eval()
    h = features().requires_grad_()
    out, heard = m(h), torch.zeros(V, N, T, dtype=torch.bool)
    for v in range(V):
        for n in range(N):
            (grad,) = torch.autograd.grad(out[v, n, 0].square().sum(), h, retain_graph=True)
            reached = grad.abs().sum(-1) > 0
            heard[v, n] = reached[v, n]
            reached[v, n] = False
            assert not reached.any()
    # Dilation 1 reaches 1 and 2 frames far, dilation 2 reaches 2 and 4.
    assert heard.any((0, 1)).nonzero().flatten().tolist() == [0, 1, 2, 4]


@pytest.mark.parametrize("training", [True, False])
def test_absent_frames_are_like_the_end_of_the_clip(training: bool):
    short, long = module().train(training), module().train(training)
    h = features()
    present = torch.zeros(V, N, T + 4, dtype=torch.bool)
    present[:, :, :T] = True
    padded = F.pad(h, (0, 0, 0, 4))
    rows = present.flatten().nonzero().squeeze(1)
    out = long(padded, rows)
    torch.testing.assert_close(out[:, :, :T], short(h))
    assert not out[:, :, T:].any()
    for name, value in short.state_dict().items():
        torch.testing.assert_close(long.state_dict()[name], value)


def test_naming_all_rows_is_naming_none():
    torch.testing.assert_close(module()(features(), torch.arange(V * N * T)), module()(features()))


def test_nobody_present_is_fine():
    m = module()
    out = m(torch.zeros(V, N, T, D, dtype=torch.float64), torch.zeros(0, dtype=torch.long))
    assert not out.any()
    torch.testing.assert_close(m.norm_out.running_mean, torch.zeros(D, dtype=torch.float64))


@torch.no_grad()
@pytest.mark.parametrize(
    ("kernel", "stride", "dilation"),
    [(1, 1, 1), (3, 1, 1), (9, 1, 1), (3, 2, 1), (9, 2, 1), (5, 3, 1), (3, 1, 2), (5, 1, 2), (5, 2, 3)],
)
def test_a_temporal_convolution_sums_over_frames_around_every_stride(kernel: int, stride: int, dilation: int):
    torch.manual_seed(0)
    m, h = TemporalConv(D, kernel, stride, dilation).double(), features()
    out = m(h)
    assert out.shape == (V, N, -(-T // stride), D)
    for t in range(out.shape[2]):
        expected = torch.zeros(V, N, D, dtype=torch.float64)
        for k in range(kernel):
            source = t * stride + (k - kernel // 2) * dilation
            if 0 <= source < T:
                expected += h[:, :, source] @ m.conv.weight[:, :, k, 0].T
        torch.testing.assert_close(out[:, :, t], expected)


@pytest.mark.parametrize(("kernel", "dilation"), [(1, 1), (3, 1), (5, 2), (3, 9)])
def test_convolution_over_time_has_torchs_gradients(kernel: int, dilation: int):
    torch.manual_seed(0)
    h, weight = torch.randn(4, T, 6).requires_grad_(), torch.randn(5, 6, kernel).requires_grad_()
    out = along_time(h, weight, dilation)
    padding = kernel // 2 * dilation
    expected = F.conv1d(h.transpose(1, 2), weight, padding=padding, dilation=dilation).transpose(1, 2)
    torch.testing.assert_close(out, expected)
    aim = torch.randn_like(out)
    mine, theirs = (torch.autograd.grad((one * aim).sum(), (h, weight)) for one in (out, expected))
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_convolution_over_time_passes_gradcheck():
    torch.manual_seed(0)
    h, weight = (torch.randn(shape, dtype=torch.float64).requires_grad_() for shape in [(2, 5, 3), (4, 3, 3)])
    assert torch.autograd.gradcheck(lambda h, weight: along_time(h, weight, 2), (h, weight))


def test_convolution_over_time_in_half_precision():
    torch.manual_seed(0)
    h, weight = torch.randn(20, T, 6).requires_grad_(), torch.randn(5, 6, 3).requires_grad_()
    exact = torch.autograd.grad(along_time(h, weight).square().mean(), (h, weight))
    with torch.autocast("cpu", torch.bfloat16):
        out = along_time(h, weight)
    assert out.dtype == torch.bfloat16
    for one, other in zip(torch.autograd.grad(out.float().square().mean(), (h, weight)), exact, strict=True):
        assert one.dtype == torch.float32
        assert (one - other).norm() < 0.02 * other.norm()
