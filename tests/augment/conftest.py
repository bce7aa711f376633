"""Batches of made-up bodies with everything that real ones have: gaps, late persons, empty clips."""

from collections.abc import Callable

import pytest
import torch

from ossein.clip import Batch
from ossein.draw import Draw
from ossein.skeleton import Skeleton


@pytest.fixture(scope="session")
def bodies() -> Callable[..., Batch]:
    """Smoothly moving bodies; clip 1 lacks its first person, clip 2 everybody, all lack some joints and frames."""

    def make(name: str = "ntu-25", num: int = 4, persons: int = 2, frames: int = 9, seed: int = 0) -> Batch:
        skeleton = Skeleton.of(name)
        dims = 3 if name == "ntu-25" else 2
        of = torch.Generator().manual_seed(seed)
        rest = torch.randn(num, persons, 1, len(skeleton), dims, generator=of) * 3 + 10
        x = rest + torch.randn(num, persons, frames, 1, dims, generator=of).cumsum(2)
        x = x + 0.3 * torch.randn(x.shape, generator=of)
        score = torch.rand(x.shape[:-1], generator=of) * 0.9 + 0.1
        score = score * (torch.rand(score.shape, generator=of) > 0.2)
        score[:, -1, :2] = 0
        score[1 % num, 0] = 0
        if num > 2:
            score[2] = 0
        size = torch.tensor([640.0, 480.0]).repeat(num, 1)
        return Batch(torch.zeros_like(x), score, skeleton, torch.arange(num), torch.arange(num), size).change(x=x)

    return make


@pytest.fixture(scope="session")
def one_clip() -> Callable[[Batch, int], Batch]:
    """Clip n of a batch as a batch of one."""

    def pick(batch: Batch, n: int) -> Batch:
        fields = {key: getattr(batch, key)[n : n + 1] for key in ("x", "score", "label", "index", "size")}
        return batch.change(**fields)

    return pick


class Table(Draw):
    """A draw in which every entry (clip, person, frame, joint, axis) has its own number whatever the shape."""

    order: list[int] | None = None

    def _table(self, shape: tuple[int, ...], numbers: Callable[..., torch.Tensor]) -> torch.Tensor:
        table = numbers((8, 6, 16, 30, 3), generator=self.generator)
        out = table[tuple(slice(size) for size in shape) + (0,) * (5 - len(shape))]
        return out if self.order is None or len(shape) < 4 or shape[3] == 1 else out[:, :, :, self.order]

    def uniform(self, shape: tuple[int, ...], low: float = 0.0, high: float = 1.0) -> torch.Tensor:
        return self._table(shape, torch.rand) * (high - low) + low

    def normal(self, shape: tuple[int, ...]) -> torch.Tensor:
        return self._table(shape, torch.randn)


@pytest.fixture(scope="session")
def table() -> Callable[..., Draw]:
    """Draws whose numbers do not depend on how many persons and frames there are, and follow permuted joints."""

    def make(seed: int, order: list[int] | None = None) -> Draw:
        draw = Table.of(seed)
        object.__setattr__(draw, "order", order)
        return draw

    return make
