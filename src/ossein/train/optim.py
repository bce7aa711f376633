"""Optimisers and the learning rate at every step."""

import math
from collections.abc import Iterable
from typing import Literal

import torch
from pydantic import Field, field_validator
from torch import nn

from ossein.settings import Settings


class OptimSettings(Settings):
    """Which optimiser, and its learning rate over the course of training; times are shares of the whole training."""

    kind: Literal["adam", "adamw", "sgd"] = "adam"
    """The optimiser; sgd is with Nesterov momentum."""
    lr: float = Field(default=1.5e-4, gt=0, le=10)
    """The highest learning rate."""
    weight_decay: float = Field(default=0.0, ge=0, le=1)
    """Weight decay; in adamw not through the gradient, and never on biases, norms and slopes there."""
    momentum: float = Field(default=0.9, ge=0, lt=1)
    """Momentum of sgd, or the first beta of Adam."""
    warmup: float = Field(default=0.0, ge=0, lt=1)
    """Share of training over which the rate rises from 0 in a straight line."""
    schedule: Literal["constant", "steps", "cosine"] = "constant"
    """After the warm-up: constant; divided by ten at each of `drops`; or falling to 0 along a cosine."""
    drops: tuple[float, ...] = ()
    """Shares of training at which schedule steps divides the rate by ten."""
    clip: float = Field(default=0.0, ge=0)
    """Largest norm of the gradient; 0 for no limit."""

    @field_validator("drops")
    @classmethod
    def _shares(cls, drops: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < drop < 1 for drop in drops):
            raise ValueError("expected shares of the training between 0 and 1")
        return drops


def learning_rate(settings: OptimSettings, progress: float) -> float:
    """The learning rate when a share `progress` of training, in [0, 1), is done.

    >>> s = OptimSettings(lr=1.0, warmup=0.1, schedule="steps", drops=(0.5,))
    >>> [round(learning_rate(s, p), 3) for p in (0.05, 0.2, 0.6)]
    [0.5, 1.0, 0.1]
    """
    if progress < settings.warmup:
        return settings.lr * progress / settings.warmup
    if settings.schedule == "steps":
        return settings.lr * 0.1 ** sum(progress >= drop for drop in settings.drops)
    if settings.schedule == "cosine":
        rest = (progress - settings.warmup) / (1 - settings.warmup)
        return settings.lr * 0.5 * (1 + math.cos(math.pi * rest))
    return settings.lr


def build_optimiser(model: nn.Module, settings: OptimSettings) -> torch.optim.Optimizer:
    """The optimiser that the settings describe, over the parameters that learn."""
    learned = [p for p in model.parameters() if p.requires_grad]
    if settings.kind == "sgd":
        return torch.optim.SGD(
            learned,
            lr=settings.lr,
            momentum=settings.momentum,
            nesterov=settings.momentum > 0,
            weight_decay=settings.weight_decay,
        )
    betas = (settings.momentum, 0.999)
    if settings.kind == "adam":
        return torch.optim.Adam(learned, lr=settings.lr, betas=betas, weight_decay=settings.weight_decay)
    groups = [
        {"params": _of(learned, matrices=True), "weight_decay": settings.weight_decay},
        {"params": _of(learned, matrices=False), "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.lr, betas=betas)


def _of(parameters: Iterable[nn.Parameter], *, matrices: bool) -> list[nn.Parameter]:
    return [p for p in parameters if (p.ndim > 1) == matrices]
