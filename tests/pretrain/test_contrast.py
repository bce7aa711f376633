"""Telling clips apart: the loss against one written out, which clips count, and what it asks for."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ossein.errors import SettingsError
from ossein.pretrain import Contrast, ContrastSettings

N, F = 6, 10


def made(temperature: float = 0.5) -> Contrast:
    torch.manual_seed(0)
    return Contrast(F, ContrastSettings(width=4, temperature=temperature)).eval()


def views(seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(N, F, generator=generator), torch.randn(N, F, generator=generator)


def slow(contrast: Contrast, first: torch.Tensor, second: torch.Tensor, exist: list[bool]) -> float:
    """Clip by clip, the probability of its own other view among all other views."""
    here = [n for n in range(N) if exist[n]]
    p, q = (contrast.project(view, torch.tensor(exist)) for view in (first, second))
    errors = []
    for a, b in ((p, q), (q, p)):
        for n in here:
            assert float(a[n] @ a[n]) == pytest.approx(1, rel=1e-5)
            like = {other: math.exp(float(a[n] @ b[other]) / contrast.temperature) for other in here}
            errors.append(-math.log(like[n] / sum(like.values())))
    return sum(errors) / len(errors)


@torch.no_grad()
@settings(max_examples=20, deadline=None)
@given(exist=st.lists(st.booleans(), min_size=N, max_size=N).filter(any), temperature=st.floats(0.1, 5))
def test_the_loss_is_that_of_telling_each_clip_from_the_others(exist: list[bool], temperature: float):
    contrast, (first, second) = made(temperature), views()
    loss = contrast(first, second, torch.tensor(exist))
    assert loss.item() == pytest.approx(slow(contrast, first, second, exist), rel=1e-4, abs=1e-5)


@torch.no_grad()
def test_the_order_of_clips_and_of_views_does_not_count():
    contrast, (first, second), order = made(), views(), torch.randperm(N)
    whole = contrast(first, second, torch.ones(N, dtype=torch.bool))
    torch.testing.assert_close(contrast(second, first, torch.ones(N, dtype=torch.bool)), whole)
    torch.testing.assert_close(contrast(first[order], second[order], torch.ones(N, dtype=torch.bool)), whole)


def test_training_brings_views_of_a_clip_together_and_other_clips_apart():
    contrast, (first, _) = made().train(), views()
    second, exist = first + 0.1 * views(2)[0], torch.ones(N, dtype=torch.bool)
    before = contrast(first, second, exist).item()
    optimiser = torch.optim.SGD(contrast.parameters(), 0.1)
    for _ in range(30):
        optimiser.zero_grad()
        contrast(first, second, exist).backward()
        optimiser.step()
    assert contrast(first, second, exist).item() < 0.5 * before


def test_with_nobody_there_is_nothing_to_learn():
    contrast, (first, second) = made(), views()
    loss = contrast(first, second, torch.zeros(N, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0
    assert not any(value.grad.any() for value in contrast.parameters() if value.grad is not None)


@pytest.mark.parametrize("fields", [{"temperature": 0}, {"width": 1}, {"weight": -1}])
def test_settings_that_make_no_sense(fields: dict[str, float]):
    with pytest.raises(SettingsError, match=next(iter(fields))):
        ContrastSettings.read(fields)
