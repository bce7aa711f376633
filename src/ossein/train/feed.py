"""The way of a clip from the store to the model: sample, normalise, augment, choose the stream.

The same settings feed training, evaluation and prediction, and they travel in the bundle, so that a model is never
shown clips prepared otherwise than those it learned from.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch
from pydantic import Field, field_validator

from ossein.augment import AugmentSettings, Compose, NormaliseName, StreamName, build, normaliser, planes, stream
from ossein.clip import UNKNOWN, Batch
from ossein.draw import Draw, Draws, mix
from ossein.errors import DataError
from ossein.settings import Settings
from ossein.store.resident import Resident
from ossein.store.sample import Rows, sample_test, sample_train

_AT_ONCE = 512
"""Clips that are prepared together where a step has fewer."""

_LABELLED, _BESIDE, _ELSE = range(3)
"""What is random: the order of clips with labels, of those beside them, and everything else in a step."""

_ORDERS = 4
"""How many orders are remembered: of either kind the one that ends in a step and the one that begins."""


class InputSettings(Settings):
    """How clips of any length become batches [N M T V C]."""

    frames: int = Field(default=64, ge=1, le=4096)
    """T, frames per clip after resampling (paper: 64)."""
    persons: int = Field(default=1, ge=1, le=16)
    """M, persons per clip; the first ones of each clip are kept, missing ones are absent (paper: up to 2)."""
    normalise: NormaliseName = "image"
    """image: by the size of the image (the paper); centre: body at the origin, size 1; facing: 3-D, in the body's own axes."""
    stream: StreamName = "joint"
    """What the model sees: positions, bones, or the differences of either from frame to frame."""
    crop: tuple[float, float] = (0.5, 1.0)
    """Least and most share of a clip that a training window covers."""
    share: float = Field(default=0.95, gt=0, le=1)
    """Share of a clip that a test window covers."""
    views: int = Field(default=1, ge=1, le=100)
    """Test windows per clip, whose scores are averaged (paper's recipe: 1; an option: 10)."""

    @field_validator("crop")
    @classmethod
    def _in_order(cls, crop: tuple[float, float]) -> tuple[float, float]:
        if not 0 < crop[0] <= crop[1] <= 1:
            raise ValueError("expected two shares, 0 < least <= most <= 1")
        return crop


@dataclass(frozen=True)
class Feed:
    """Endless training batches from some clips of a store, each known by its step alone.

    Args:
        store: Where the clips lie; where that is a device, batches are made on it.
        indices: Which clips.
        input: How they are sampled and normalised.
        augment: How they are varied.
        batch: N, clips per step over all processes.
        seed: Names the order of clips and every random draw.
        beside: Clips that join the batches without their labels; none where not given.
        beside_batch: How many of them join each step.
    """

    store: Rows | Resident
    indices: np.ndarray
    input: InputSettings
    augment: AugmentSettings
    batch: int
    seed: int
    beside: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    beside_batch: int = 0
    _orders: dict[tuple[int, int], np.ndarray] = field(default_factory=dict, repr=False, compare=False)
    _ready: dict[tuple[int, int, int], tuple[Batch, Draw]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.indices) == 0:
            raise DataError("there is no clip to train on: the split is empty. Choose another split or more labels.")

    @property
    def size(self) -> int:
        """Clips of every step that are learned from with their labels: all of them where they are fewer than a batch."""
        return min(self.batch, len(self.indices))

    @property
    def steps_per_epoch(self) -> float:
        """Steps in which every clip is seen once. A batch may hold the last clips of one epoch and the first of the next."""
        return len(self.indices) / self.size

    def at(self, step: int, rank: int = 0, world: int = 1) -> tuple[Batch, Draw]:
        """The batch of a step (counted over all epochs) and the draw for what else is random in it.

        Args:
            step: From 0.
            rank: Which process this is.
            world: How many processes share the batch; where it cannot be shared evenly, the first ones get a clip more.
        """
        # Small batches are made several at a time: a hundred passes over 32 clips take most of their time to begin. Always
        # the same ones together, so that a resumed run sees the same to the last bit.
        several = max(1, world * _AT_ONCE // (self.batch + self.beside_batch))
        if (step, rank, world) not in self._ready:
            self._ready.clear()
            steps = range(step - step % several, step - step % several + several)
            made = self._make([self._part(number, rank, world) for number in steps])
            self._ready.update({(number, rank, world): one for number, one in zip(steps, made, strict=True)})
        return self._ready.pop((step, rank, world))

    def draw(self, step: int, **share: int) -> Draw:
        """What a step draws from, with nothing drawn yet; `share` of it as in `Draw.of`."""
        return Draw.of(self.seed, _ELSE, step, **share)

    def _part(self, step: int, rank: int, world: int) -> tuple[np.ndarray, np.ndarray, Draw]:
        """The clips of a process in a step, which of them have labels to learn from, and the draw."""
        labelled = self._piece(self.indices, self.size, step, _LABELLED)
        beside = self._piece(self.beside, self.beside_batch if len(self.beside) else 0, step, _BESIDE)
        whole = np.concatenate([labelled, beside])
        if len(whole) < world:
            # Fewer clips than processes: every process sees all of them, which averages to the same.
            rank, world = 0, 1
        each, extra = divmod(len(whole), world)
        first = rank * each + min(rank, extra)
        own = slice(first, first + each + (rank < extra))
        draw = self.draw(step, rank=rank, world=world, extra=extra)
        return whole[own], np.arange(len(whole))[own] < len(labelled), draw

    def _make(self, parts: list[tuple[np.ndarray, np.ndarray, Draw]]) -> list[tuple[Batch, Draw]]:
        indices, known, draws = zip(*parts, strict=True)
        ends = np.cumsum([len(some) for some in indices]).tolist()
        draw = Draws(draws, tuple(len(some) for some in indices))
        batch = sample_train(
            self.store, np.concatenate(indices), self.input.frames, draw, self.input.crop, self.input.persons
        )
        unknown = torch.from_numpy(~np.concatenate(known)).to(batch.label.device)
        label = batch.label.masked_fill(unknown, UNKNOWN)
        batch = normaliser(self.input.normalise)(replace(batch, x=planes(batch.x), label=label))
        batch = stream(self.input.stream)(self._varied(batch, draw))
        batch = replace(batch, x=batch.x.contiguous())
        return [(batch.take(slice(first, end)), one) for first, end, one in zip([0, *ends], ends, draws)]

    @cached_property
    def _varied(self) -> Compose:
        return build(self.augment)

    def _piece(self, clips: np.ndarray, size: int, step: int, what: int) -> np.ndarray:
        """The clips of a step: one random order of all after the other, cut into pieces of one size.

        A smaller last batch of an epoch would teach as much as a whole one, and leave batch norm with what it saw last.
        """
        rounds, places = np.divmod(np.arange(step * size, (step + 1) * size), max(1, len(clips)))
        each = [clips[self._order(len(clips), what, int(r))[places[rounds == r]]] for r in np.unique(rounds)]
        return np.concatenate([clips[:0], *each])

    def _order(self, num: int, what: int, round: int) -> np.ndarray:
        if (what, round) not in self._orders:
            while len(self._orders) >= _ORDERS:
                self._orders.pop(next(iter(self._orders)))
            generator = torch.Generator().manual_seed(mix(self.seed, what, round))
            self._orders[what, round] = torch.randperm(num, generator=generator).numpy()
        return self._orders[what, round]


def fixed_batches(
    store: Rows, indices: Sequence[int] | np.ndarray, input: InputSettings, size: int = 64
) -> Iterator[Batch]:
    """Batches in order, without anything random; a clip's `views` windows lie beside each other.

    Args:
        store: Where the clips lie.
        indices: Which clips.
        input: How they are sampled and normalised.
        size: Clips (of all views) per batch.
    """
    clips = max(1, size // input.views)
    for first in range(0, len(indices), clips):
        some = np.asarray(indices)[first : first + clips]
        batch = sample_test(store, some, input.frames, input.share, input.views, input.persons)
        yield stream(input.stream)(normaliser(input.normalise)(batch))
