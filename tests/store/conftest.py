"""Random clips, stores made of clips, and sound data sets in which faults are made."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest
from faults import Set

from ossein.clip import Clip
from ossein.readers.base import Source
from ossein.readers.synthetic import SyntheticSettings, synthetic
from ossein.skeleton import Skeleton
from ossein.store import Store, check_store, write_store

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


@pytest.fixture(scope="session")
def people() -> dict[int, list[Clip]]:
    """Sound clips of six subjects and three classes, 2-D and 3-D: from 3 subjects on in the test half."""
    out: dict[int, list[Clip]] = {}
    kinds: tuple[Literal[2, 3], ...] = (2, 3)
    for dims in kinds:
        made = synthetic(SyntheticSettings(clips=36, persons=6, frames=(12, 16), dims=dims, swap=0, drop=0, miss=0))
        out[dims] = [
            replace(clip, name=f"clip {n}", label=n % 3, subject=n // 6, camera=n // 12, setup=0)
            for n, clip in enumerate(made.clips)
        ]
    return out


@pytest.fixture
def examine(people, tmp_path):
    """Findings and skipped kinds of a sound set with a fault made in it."""

    def run(fault: Callable[[Set], None] = lambda s: None, dims: int = 3):
        data = Set(list(people[dims]))
        fault(data)
        source = Source(clips=iter(data.clips), skeleton=data.skeleton, classes=data.classes, splits=data.splits)
        health = check_store(write_store(source, tmp_path / "s.clips"))
        return {one.kind: one for one in health.findings}, {one.kind: one.why for one in health.skipped}

    return run
