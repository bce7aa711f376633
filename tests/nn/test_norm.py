"""Batch norm against torch's over the rows that exist, also in two processes; PReLU against torch's."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from two import TwoProcesses, in_two_threads

from ossein.nn import BatchNorm, PReLU, across

WIDTH = 5


def pair() -> tuple[BatchNorm, nn.BatchNorm1d]:
    torch.manual_seed(0)
    ours = BatchNorm(WIDTH).double()
    for value in (ours.weight, ours.bias, ours.running_mean):
        nn.init.normal_(value)
    nn.init.uniform_(ours.running_var, 0.5, 2)
    theirs = nn.BatchNorm1d(WIDTH).double()
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def same_state(ours: nn.Module, theirs: nn.Module) -> None:
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], value)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(7, WIDTH), (3, 4, WIDTH), (2, 3, 4, WIDTH)])
def test_it_is_torchs_over_all_axes_but_the_last(shape: tuple[int, ...], training: bool):
    ours, theirs = (module.train(training) for module in pair())
    for _ in range(3):
        x = torch.randn(shape, dtype=torch.float64) * 3 + 1
        torch.testing.assert_close(ours(x), theirs(x.view(-1, WIDTH)).view(shape))
    same_state(ours, theirs)


@settings(max_examples=20, deadline=None)
@given(present=st.lists(st.booleans(), min_size=12, max_size=12).filter(lambda p: sum(p) > 1), training=st.booleans())
def test_only_the_given_rows_count_and_the_others_come_out_as_zero(present: list[bool], training: bool):
    ours, theirs = (module.train(training) for module in pair())
    x = torch.randn(3, 4, WIDTH, dtype=torch.float64).requires_grad_()
    seen = torch.tensor(present).view(3, 4)
    out = ours(x, seen.flatten().nonzero().squeeze(1))
    torch.testing.assert_close(out[seen], theirs(x[seen]))
    assert not out[~seen].any()
    same_state(ours, theirs)
    out.square().sum().backward()
    assert x.grad is not None
    assert not x.grad[~seen].any()


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("absent", [[], [1, 2, 7], [*range(11)], [*range(12)]])
def test_a_mask_says_the_same_as_numbers(absent: list[int], training: bool):
    ours, other = (pair()[0].train(training) for _ in range(2))
    here = torch.tensor([row not in absent for row in range(12)])
    x = (torch.randn(12, WIDTH, dtype=torch.float64) * 3 + 1).requires_grad_()
    twin = x.detach().clone().requires_grad_()
    out, expected = ours(x, here), other(twin, here.nonzero().squeeze(1))
    torch.testing.assert_close(out, expected)
    for one in (out, expected):
        one.pow(3).sum().backward()
    torch.testing.assert_close(x.grad, twin.grad)
    torch.testing.assert_close([p.grad for p in ours.parameters()], [p.grad for p in other.parameters()])
    same_state(ours, other)


def test_two_processes_with_masks_give_what_one_would(monkeypatch):
    x = torch.randn(8, WIDTH, dtype=torch.float64)
    here = torch.tensor([True, False, True, True, True, False, False, True])
    alone, state = pair()
    expected = alone(x, here)
    both = [BatchNorm(WIDTH).double() for _ in range(2)]
    for one in both:
        one.load_state_dict(state.state_dict())
    monkeypatch.setattr(across, "dist", TwoProcesses())
    out = in_two_threads(lambda rank: both[rank](x.chunk(2)[rank], here.chunk(2)[rank]))
    torch.testing.assert_close(torch.cat(out), expected)
    same_state(both[0], alone)


@pytest.mark.parametrize("rows", [[], [4]])
def test_rows_without_spread_are_normalised_by_the_running_statistics_and_teach_nothing(rows: list[int]):
    ours, theirs = pair()
    x = torch.randn(3, 4, WIDTH, dtype=torch.float64)
    out = ours(x, torch.tensor(rows, dtype=torch.long)).view(-1, WIDTH)
    same_state(ours, theirs)
    torch.testing.assert_close(out[rows], theirs.eval()(x.view(-1, WIDTH)[rows]))
    assert not out[[i for i in range(12) if i not in rows]].any()
    assert ours(x[:1, :0]).shape == (1, 0, WIDTH)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("sizes", [(4, 4), (1, 7), (0, 5), (1, 1), (0, 1), (0, 0)])
def test_two_processes_give_what_one_would(monkeypatch, sizes: tuple[int, int], dtype: torch.dtype):
    of = torch.Generator().manual_seed(0)
    x = [(torch.randn(num, WIDTH, generator=of) * 2 + 1).to(dtype) for num in sizes]
    aim = [torch.randn(num, WIDTH, generator=of).to(dtype) for num in sizes]
    close = {"rtol": 1e-4, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 0.02, "atol": 0.02}

    modules = [pair()[0].float() for _ in range(3)]

    def work(module: BatchNorm, x: Tensor, aim: Tensor) -> tuple[Tensor, ...]:
        x = x.clone().requires_grad_()
        out = module(x)
        (out * aim).sum().backward()
        assert x.grad is not None
        assert module.weight.grad is not None
        return out.detach(), x.grad, module.weight.grad

    one = work(modules[2], torch.cat(x), torch.cat(aim))
    monkeypatch.setattr(across, "dist", TwoProcesses())
    both = in_two_threads(lambda rank: work(modules[rank], x[rank], aim[rank]))
    for module in modules[:2]:
        same_state(module, modules[2])
    for i in range(2):
        torch.testing.assert_close(torch.cat([share[i] for share in both]), one[i], **close)
    torch.testing.assert_close(both[0][2] + both[1][2], one[2], **close)


def test_half_precision_is_normalised_in_full_precision():
    x = (torch.randn(64, WIDTH) + 100).bfloat16()
    out = BatchNorm(WIDTH)(x)
    assert out.dtype == torch.bfloat16
    expected = nn.BatchNorm1d(WIDTH)(x.float())
    torch.testing.assert_close(out.float(), expected, rtol=2e-2, atol=2e-2)


# PReLU


@pytest.mark.parametrize("slope", [0.25, 0.0, -0.5, 1.5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_prelu_and_both_gradients_are_torchs(slope: float, dtype: torch.dtype):
    ours, theirs = PReLU(slope).to(dtype), nn.PReLU(init=slope).to(dtype)
    torch.manual_seed(0)
    x = torch.randn(3, 4, 6, dtype=dtype)
    x[0, 0, :2] = 0
    grad = torch.randn_like(x)
    a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
    ours(a).backward(grad)
    theirs(b).backward(grad)
    torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=0)
    torch.testing.assert_close(a.grad, b.grad)
    torch.testing.assert_close(ours.slope.grad, theirs.weight.grad)


def test_prelu_passes_gradcheck():
    torch.manual_seed(0)
    module = PReLU(0.3).double()
    x = torch.randn(4, 6, dtype=torch.float64).requires_grad_()

    def of(x: Tensor, slope: Tensor) -> Tensor:
        return torch.func.functional_call(module, {"slope": slope}, x)

    assert torch.autograd.gradcheck(of, (x, module.slope), atol=1e-9, rtol=1e-7)


def test_prelus_slope_gradient_is_summed_in_full_precision():
    x = -torch.ones(64, 511).bfloat16()
    module = PReLU()
    module(x).sum().backward()
    assert module.slope.grad is not None
    assert module.slope.grad.item() == -64 * 511
