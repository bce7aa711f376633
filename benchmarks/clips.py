"""Made-up clips in a store, quickly: bodies that wander, in the sizes that a benchmark asks for."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ossein.clip import Clip
from ossein.readers.base import Source
from ossein.skeleton import Skeleton
from ossein.store import Store, write_store

CLASSES = 60


def wander(
    num: int,
    *,
    frames: tuple[int, int] = (40, 130),
    persons: int = 1,
    skeleton: str = "coco-17",
    dims: int = 2,
    absent: float = 0.0,
    seed: int = 0,
) -> Iterator[Clip]:
    """Clips one after another, in numbers that float16 holds.

    Args:
        num: How many.
        frames: Least and most frames of a clip.
        persons: M, in every clip.
        skeleton: The joints.
        dims: C.
        absent: Share of joints with score 0.
        seed: Which of many.
    """
    rng, joints = np.random.default_rng(seed), len(Skeleton.of(skeleton))
    # Cut from one long recording, since drawing normal numbers for gigabytes would be most of the work.
    body = rng.normal(0, 50, (persons, 1, joints, dims)) + rng.normal(0, 2, (persons, 4 * frames[1], joints, dims))
    score = rng.uniform(0.3, 1, body.shape[:3]) * (rng.random(body.shape[:3]) >= absent)
    body, score = (a.astype(np.float16).astype(np.float32) for a in (body, score))
    for i in range(num):
        length, first = int(rng.integers(frames[0], frames[1] + 1)), int(rng.integers(0, 3 * frames[1]))
        part = slice(first, first + length)
        moved = body[:, part] + np.float32(256 + i % 64)
        x = moved.astype(np.float16) if num <= 20_000 else np.round(moved)
        yield Clip(x, score[:, part], name=f"{i:07d}", label=i % CLASSES, size=(640, 480))


def store_of(folder: Path, num: int, **sizes) -> Store:
    """A store of such clips in a folder; see `wander`."""
    skeleton = Skeleton.of(sizes.get("skeleton", "coco-17"))
    classes = tuple(f"class_{k:02d}" for k in range(CLASSES))
    source = Source(wander(num, **sizes), num, skeleton, classes=classes)
    name = "-".join(str(value) for value in (num, *sizes.values())).replace(" ", "")
    return write_store(source, folder / f"{name}.clips")
