"""Random clips, and stores made of clips."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

from ossein.clip import Clip
from ossein.readers.base import Source
from ossein.skeleton import Skeleton
from ossein.store import Store, write_store

TRIANGLE = Skeleton.make("triangle", ["a", "b", "c"], [(0, 1), (1, 2)])


@pytest.fixture(scope="session")
def triangle() -> Skeleton:
    return TRIANGLE


@pytest.fixture(scope="session")
def random_clip() -> Callable[..., Clip]:
    def make(seed: int, persons: int = 1, frames: int = 5, dims: int = 2, absent: float = 0.2, **fields: Any) -> Clip:
        rng = np.random.default_rng(seed)
        score = rng.uniform(0.01, 1, (persons, frames, 3)) * (rng.random((persons, frames, 3)) >= absent)
        x = rng.normal(size=(persons, frames, 3, dims))
        return Clip(x, score, **{"name": f"clip {seed}", **fields})

    return make


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Store]:
    def make(clips: Iterable[Clip], **source: Any) -> Store:
        source = {"skeleton": TRIANGLE, **source}
        return write_store(Source(clips=iter(clips), **source), tmp_path_factory.mktemp("store") / "set.clips")

    return make
