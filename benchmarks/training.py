"""A training of a preset on a store, in one process or several, watched from inside. Run by other scripts.

As a program it is one of the processes: `python benchmarks/training.py STORE STEPS BATCH THREADS [free]` prints a line of
JSON. `free` leaves the C library to give memory back to the system at every step, see `ossein.cli.allocator`.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ossein.cli.allocator import hold_memory
from ossein.objective import Objective
from ossein.recipes.presets import RECOGNISE, Facts, RecogniseSettings
from ossein.store import Store
from ossein.tasks import Teach, build_recogniser
from ossein.train import Feed, Run, fit

SKIPPED = 3
"""Steps before anything counts: the first ones allocate, and start the processes."""


@dataclass(frozen=True)
class Watched(Feed):
    """A feed that notes, whenever a batch is asked for, what the process has used until then."""

    notes: list[tuple[float, float, int]] = field(default_factory=list)

    def at(self, *args: Any, **kwargs: Any) -> Any:
        self.notes.append((time.process_time(), time.perf_counter(), private_memory()))
        return super().at(*args, **kwargs)


def take(feed: Feed, clips: int = 512) -> None:
    """Take so many clips from a feed, which prepares small batches 512 clips at a time."""
    for step in range(max(1, clips // feed.batch)):
        feed.at(step)


def private_memory() -> int:
    """Bytes that this process alone holds: what belongs to no file (Linux)."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("Anonymous:")).split()[1])


def preset(store: Store, batch: int) -> RecogniseSettings:
    """The preset `ossein` for a store, as `ossein recognise` would have it."""
    facts = Facts(store.skeleton, store.dims, store.max_persons, store.has_sizes, len(store))
    settings = RECOGNISE["ossein"](facts, None)
    return settings.change(train=settings.train.change(batch=batch, device="cpu"))


def objective(store: Store, settings: RecogniseSettings) -> Objective:
    """What is trained, with random weights."""
    torch.manual_seed(0)
    shape = (store.skeleton, store.dims, settings.input.frames, settings.input.persons, len(store.classes))
    assert settings.teach is not None
    return Teach(build_recogniser(*shape, settings.model), settings.teach, settings.smoothing)


def train(path: Path, steps: int, batch: int) -> dict[str, Any]:
    """Train for some steps, as one of the processes that the environment speaks of.

    Args:
        path: The store.
        steps: How many, more than `SKIPPED`.
        batch: Clips a step, over all processes.

    Returns:
        Private memory in bytes before training and at its most, and seconds a step by processor and clock.
    """
    before, store = private_memory(), Store.open(path)
    s = preset(store, batch)
    feed = Watched(store, np.arange(len(store)), s.input, s.augment, batch, 0)
    length = s.train.change(epochs=1e-9, steps=steps, save_every=1e9)
    with tempfile.TemporaryDirectory() as folder:
        fit(objective(store, s), feed, length, s.optim, Run(Path(folder)), lambda _: None)
    cpu, wall, private = np.array(feed.notes).T
    return {
        "idle": before,
        "private": int(max(*private, private_memory())),
        "cpu": float(np.median(np.diff(cpu)[SKIPPED - 1 :])),
        "cpu_whole": float(cpu[-1] - cpu[SKIPPED]) / (len(cpu) - 1 - SKIPPED),
        "wall": float(np.median(np.diff(wall)[SKIPPED - 1 :])),
    }


def together(
    path: Path, world: int, steps: int, batch: int, *, threads: int = 1, hold: bool = True
) -> list[dict[str, Any]]:
    """`train` in fresh processes that share each batch, as `torchrun` starts them.

    Args:
        path: The store.
        world: How many processes.
        steps: How many steps.
        batch: Clips a step, over all processes.
        threads: Threads of each.
        hold: Whether freed memory is kept, as the command line does.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, __file__, str(path), str(steps), str(batch), str(threads), *["free"] * (not hold)]
    shared = {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
        "WORLD_SIZE": str(world),
        "OMP_NUM_THREADS": str(threads),
    }
    started = [
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **(shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)} if world > 1 else {})},
        )
        for rank in range(world)
    ]
    said = [process.communicate()[0] for process in started]
    if any(process.returncode for process in started):
        raise RuntimeError(f"a training left with {[process.returncode for process in started]}")
    return [json.loads(text.splitlines()[-1]) for text in said]


def main() -> None:
    path, steps, batch, threads, *free = sys.argv[1:]
    torch.set_num_threads(int(threads))
    if not free:
        hold_memory()
    print(json.dumps(train(Path(path), int(steps), int(batch))))


if __name__ == "__main__":
    main()
