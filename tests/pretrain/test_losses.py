"""The re-weighted cosine error against Eq 2 written as loops."""

import math

import pytest
import torch
from torch import Tensor

from ossein.pretrain import cosine_error

V, R, D = 7, 6, 5


def given(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    of = torch.Generator().manual_seed(seed)
    target, rebuilt = torch.randn(2, V, R, D, generator=of)
    hidden = torch.rand(V, R, generator=of) < 0.5
    hidden[:, 2] = False
    hidden[:, 3] = True
    hidden[:, 4] = torch.arange(V) == 1
    return target, rebuilt, hidden


def reference(target: Tensor, rebuilt: Tensor, hidden: Tensor, beta: float) -> tuple[float, int]:
    graphs = []
    for r in range(R):
        joints = [i for i in range(V) if hidden[i, r]]
        if not joints:
            continue
        m, error = len(joints), 0.0
        for i in joints:
            x, y = target[i, r].tolist(), rebuilt[i, r].tolist()
            cos = sum(a * b for a, b in zip(x, y)) / (math.hypot(*x) * math.hypot(*y))
            error += (1 / m - cos / m) ** beta
        graphs.append(error)
    return sum(graphs) / len(graphs), len(graphs)


@pytest.mark.parametrize("beta", [1.0, 1.5, 2.0, 3.0])
def test_it_is_equation_2_by_loops(beta: float):
    loss, weight = cosine_error(*given(), beta)
    expected, num = reference(*given(), beta)
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    assert weight.item() == num == R - 1


@pytest.mark.parametrize("beta", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("m", [1, 3, 7])
def test_for_one_mask_size_it_is_graphmaes_scaled_cosine_error_times_a_constant(beta: float, m: int):
    target, rebuilt, _ = given()
    hidden = (torch.arange(V) < m)[:, None].expand(V, R)
    sce = (1 - torch.cosine_similarity(target[:m], rebuilt[:m], dim=-1)).pow(beta).mean()
    torch.testing.assert_close(cosine_error(target, rebuilt, hidden, beta)[0], sce * m * m**-beta)


def test_beta_is_2_unless_said():
    assert torch.equal(cosine_error(*given())[0], cosine_error(*given(), 2.0)[0])


def test_the_length_of_either_side_does_not_matter():
    target, rebuilt, hidden = given()
    torch.testing.assert_close(cosine_error(target * 7, rebuilt * 0.01, hidden), cosine_error(target, rebuilt, hidden))


def test_seen_joints_do_not_matter():
    target, rebuilt, hidden = given()
    other = torch.where(hidden[..., None], rebuilt, rebuilt + 1)
    assert torch.equal(cosine_error(target, other, hidden)[0], cosine_error(target, rebuilt, hidden)[0])


def test_it_is_nothing_where_all_is_right_and_most_where_all_is_opposite():
    target, _, hidden = given()
    perfect = target.clone().requires_grad_()
    loss, _ = cosine_error(target, perfect, hidden)
    assert 0 <= loss.item() < 1e-12
    loss.backward()
    assert perfect.grad is not None
    assert perfect.grad.isfinite().all()
    every = torch.ones_like(hidden)
    assert cosine_error(target, -target, every)[0].item() == pytest.approx(V * (2 / V) ** 2, rel=1e-5)


@pytest.mark.parametrize("num", [R, 0])
def test_nothing_hidden_is_a_loss_of_zero_with_a_gradient(num: int):
    target, rebuilt, hidden = (tensor[:, :num] for tensor in given())
    rebuilt = rebuilt.clone().requires_grad_()
    loss, weight = cosine_error(target, rebuilt, torch.zeros_like(hidden))
    assert loss.item() == weight.item() == 0
    loss.backward()
    assert rebuilt.grad is not None
    assert not rebuilt.grad.any()


def test_features_of_length_zero_give_no_nan():
    target, rebuilt, hidden = given()
    rebuilt = torch.zeros_like(rebuilt).requires_grad_()
    loss, _ = cosine_error(target, rebuilt, hidden)
    loss.backward()
    assert loss.isfinite()
    assert rebuilt.grad is not None
    assert rebuilt.grad.isfinite().all()


def test_half_precision_is_compared_in_full_precision():
    target, rebuilt, hidden = given()
    low = cosine_error(target.bfloat16(), rebuilt.bfloat16(), hidden)[0]
    assert low.dtype == torch.float32
    torch.testing.assert_close(low, cosine_error(target, rebuilt, hidden)[0], rtol=0.02, atol=0.0)
