"""The learning rate against a slow reference, and what each optimiser is given."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ossein.errors import SettingsError
from ossein.recipes.presets import Facts, ssl
from ossein.skeleton import Skeleton
from ossein.train import OptimSettings, build_optimiser, learning_rate


def test_the_papers_rate_epoch_by_epoch():
    optim = ssl(Facts(Skeleton.of("coco-17"), 2, 2, True, 1258)).optim
    per_epoch = 10

    def slow(step):
        epoch = step / per_epoch
        if epoch < 5:
            return 0.1 * epoch / 5
        return 0.1 if epoch < 90 else 0.01 if epoch < 100 else 0.001

    for step in range(110 * per_epoch):
        assert learning_rate(optim, step / (110 * per_epoch)) == pytest.approx(slow(step), rel=1e-12), step


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 0.9))
@settings(max_examples=50, deadline=None)
def test_cosine_falls_from_the_full_rate_to_nothing(progress, warmup):
    optim = OptimSettings(lr=2.0, warmup=warmup, schedule="cosine")
    rate = learning_rate(optim, progress)
    if progress < warmup:
        assert rate == pytest.approx(2.0 * progress / warmup)
    else:
        assert rate == pytest.approx(2.0 * math.cos(math.pi / 2 * (progress - warmup) / (1 - warmup)) ** 2)


def test_constant_stays_after_the_warm_up():
    optim = OptimSettings(lr=0.5, warmup=0.2)
    assert [learning_rate(optim, p) for p in (0.0, 0.1, 0.2, 0.99)] == [0.0, 0.25, 0.5, 0.5]


@pytest.mark.parametrize("drops", [(0.5, 1.0), (0.0,), (-0.1,)])
def test_drops_are_shares(drops):
    with pytest.raises(SettingsError, match=r"drops"):
        OptimSettings.read({"drops": drops})


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.PReLU(), nn.Linear(4, 2))


def test_adamw_decays_matrices_alone(model):
    optimiser = build_optimiser(model, OptimSettings(kind="adamw", lr=0.1, weight_decay=0.5))
    before = {name: p.clone() for name, p in model.named_parameters()}
    for p in model.parameters():
        p.grad = torch.zeros_like(p)
    optimiser.step()
    for name, p in model.named_parameters():
        shrunk = before[name] * (1 - 0.1 * 0.5) if p.ndim > 1 else before[name]
        torch.testing.assert_close(p.detach(), shrunk.detach())


def test_adam_decays_through_the_gradient_and_sgd_is_nesterovs(model):
    adam = build_optimiser(model, OptimSettings(kind="adam", lr=0.1, weight_decay=0.5, momentum=0.8))
    assert isinstance(adam, torch.optim.Adam)
    assert not isinstance(adam, torch.optim.AdamW)
    assert (adam.defaults["betas"], adam.defaults["weight_decay"]) == ((0.8, 0.999), 0.5)
    sgd = build_optimiser(model, OptimSettings(kind="sgd", lr=0.1, weight_decay=5e-4))
    assert sgd.defaults["nesterov"]
    assert (sgd.defaults["momentum"], sgd.defaults["weight_decay"]) == (0.9, 5e-4)
    assert not build_optimiser(model, OptimSettings(kind="sgd", momentum=0)).defaults["nesterov"]


@pytest.mark.parametrize("kind", ["adam", "adamw", "sgd"])
def test_frozen_weights_are_left_out(model, kind):
    model[0].requires_grad_(False)
    optimiser = build_optimiser(model, OptimSettings(kind=kind))
    held = {id(p) for group in optimiser.param_groups for p in group["params"]}
    assert held == {id(p) for p in model.parameters() if p.requires_grad}
