"""What tests of whole runs share: what a run left, a screen that breaks it off, and data that differ in one thing."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ossein.clip import Clip
from ossein.readers.base import Source
from ossein.store import Store, write_store
from ossein.train import Progress, Run, read_tensors

SMALL = ("--input.frames", 8, "--model.encoder.width", 8, "--model.encoder.depth", 1, "--train.precision", "fp32")
SMALL = (*SMALL, "--train.device", "cpu", "--train.batch", 5)
"""Words of a command line that make a run small."""
SHORT = (*SMALL, "--train.epochs", 1)
"""And short."""


def weights(folder: Path) -> dict[str, Tensor]:
    """What a finished run has learned."""
    return read_tensors(folder / "bundle" / "model.safetensors")[0]


def equal(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> bool:
    """Whether weights are the same to the bit."""
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def losses(folder: Path) -> list[float]:
    """The loss of every line of a run's log."""
    return [line["loss"] for line in Run(folder).log_lines()]


def same_run(a: Path, b: Path) -> bool:
    """Whether two runs have the same curve and the same weights."""
    return Run(a).log_lines() == Run(b).log_lines() and equal(weights(a), weights(b))


class Watched:
    """A screen that counts steps and remembers what it is told; it interrupts in some step, as a kill would.

    Args:
        stop_at: The step, from 1 over all trainings; 0 for none.
    """

    def __init__(self, stop_at: int = 0) -> None:
        self.stop_at, self.steps = stop_at, 0
        self.titles: list[str] = []
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    def note(self, text: str) -> None:
        self.lines.append(text)

    def training(self, title: str) -> "Watched":
        self.titles.append(title)
        return self

    def __enter__(self) -> Callable[[Progress], None]:
        return self.report

    def __exit__(self, *_: object) -> None: ...

    def report(self, progress: Progress) -> None:
        self.steps += 1
        if self.steps == self.stop_at:
            raise KeyboardInterrupt


def with_label(clip: Clip, label: int) -> Clip:
    """The clip with another label."""
    return Clip(clip.x, clip.score, clip.name, label, size=clip.size)


def remade(
    store: Store, path: Path, change: Callable[[int, Clip], Clip] = lambda i, clip: clip, **source: Any
) -> Store:
    """The clips of a store written anew, each as `change(number, clip)` gives it back.

    Args:
        store: The clips, with their classes and splits.
        path: The file to write.
        change: What becomes of each clip.
        source: Fields of the source that are others, such as `facts` or `skeleton`.
    """
    clips = [change(i, store.clip(i)) for i in range(len(store))]
    splits = {name: tuple(store.names[i] for i in members) for name, members in store.splits.items()}
    fields = {"skeleton": store.skeleton, "classes": store.classes, "splits": splits, **source}
    return write_store(Source(iter(clips), **fields), path)
