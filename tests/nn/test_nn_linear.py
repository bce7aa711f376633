"""The linear map against torch's, with every way that its products are made."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ossein.nn import Linear, weight_gradient, wide_product
from ossein.nn import linear as linear_module


def pair(bias: bool = True, features_in: int = 6, features_out: int = 8) -> tuple[Linear, nn.Linear]:
    torch.manual_seed(0)
    ours, theirs = Linear(features_in, features_out, bias=bias), nn.Linear(features_in, features_out, bias=bias)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def gradients(module: nn.Linear, x: Tensor) -> list[Tensor]:
    x = x.clone().requires_grad_()
    out = module(x)
    (out * torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view_as(out)).sum().backward()
    learned = [value.grad for value in (x, *module.parameters()) if value.grad is not None]
    assert len(learned) == 1 + len(list(module.parameters()))
    return [out.detach(), *learned]


@pytest.mark.parametrize("bias", [True, False])
# Rows: none, one, few, some beyond whole tiles of 16, and whole tiles alone.
@pytest.mark.parametrize("shape", [(0, 6), (1, 6), (3, 5, 6), (2, 75, 6), (4, 80, 6)])
def test_it_is_torchs(shape: tuple[int, ...], bias: bool):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    for mine, expected in zip(*(gradients(module, x) for module in pair(bias)), strict=True):
        torch.testing.assert_close(mine, expected, rtol=1e-4, atol=1e-5)


def test_it_goes_through_the_other_library_where_that_is_faster(monkeypatch):
    asked = []
    monkeypatch.setattr(linear_module, "_product", lambda *given: asked.append(given) or F.linear(*given))
    ours, _ = pair()
    ours(torch.ones(4, 6)).sum().backward()
    assert len(asked) == 1  # nobody asks for the gradient of the input
    ours(torch.ones(4, 6).requires_grad_()).sum().backward()
    assert len(asked) == 3
    with torch.autocast("cpu", torch.bfloat16):
        assert ours(torch.ones(4, 6)).dtype == torch.bfloat16
    ours.double()(torch.ones(4, 6).double())
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    ours.float()(torch.ones(4, 6))
    assert len(asked) == 3


@pytest.mark.filterwarnings("ignore:Input #")
def test_it_passes_gradcheck_in_single_precision():
    torch.manual_seed(0)
    x, weight, bias = torch.randn(5, 3), torch.randn(4, 3), torch.randn(4)
    inputs = [value.requires_grad_() for value in (x, weight, bias)]
    assert torch.autograd.gradcheck(linear_module._Product.apply, inputs, eps=1e-2, atol=1e-2, rtol=1e-2)


def test_inputs_that_are_views_and_gradients_that_are_one_number():
    ours, theirs = pair()
    x = torch.randn(6, 40, 9).transpose(0, 2)[::2]
    torch.testing.assert_close(ours(x), theirs(x))
    for module in (ours, theirs):
        module(x).sum().backward()
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad)


@pytest.mark.parametrize("rows", [1, 63, 64, 200])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_gradient_of_a_weight_is_a_product(rows: int, dtype: torch.dtype):
    torch.manual_seed(0)
    grad, x = torch.randn(rows, 5).to(dtype), torch.randn(rows, 3).to(dtype)
    out = weight_gradient(grad, x)
    assert out.dtype == dtype
    close = 0.05 if dtype == torch.bfloat16 else 1e-5
    torch.testing.assert_close(out.double(), grad.double().T @ x.double(), rtol=close, atol=10 * close)


def test_an_exported_graph_has_torchs_own_operation():
    program = torch.export.export(pair()[0].eval(), (torch.randn(4, 6),))
    assert "aten.linear.default" in {str(node.target) for node in program.graph.nodes}


@pytest.mark.parametrize("learned", [True, False])
@pytest.mark.parametrize("columns", [0, 1, 40])
def test_a_product_with_many_columns_is_a_product(columns: int, learned: bool):
    torch.manual_seed(0)
    given, weights = (torch.randn(7, 5), torch.randn(5, columns)), torch.randn(7, columns)
    found = []
    for product in (wide_product, torch.matmul):
        matrix, h = given[0].clone().requires_grad_(learned), given[1].clone().requires_grad_()
        out = product(matrix, h)
        (out * weights).sum().backward()
        found.append([out.detach(), h.grad, *([matrix.grad] if learned else [])])
    for mine, expected in zip(*found, strict=True):
        torch.testing.assert_close(mine, expected)


def test_such_a_product_takes_the_precision_of_its_columns_and_the_other_library(monkeypatch):
    asked = []
    monkeypatch.setattr(linear_module, "_product", lambda *given: asked.append(given) or F.linear(*given))
    matrix = torch.eye(3)
    for dtype, times in ((torch.float32, 1), (torch.float64, 1), (torch.bfloat16, 1)):
        assert wide_product(matrix, torch.ones(3, 4, dtype=dtype)).dtype == dtype
        assert len(asked) == times
