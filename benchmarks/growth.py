"""How cost grows: time and memory against clips, frames, joints, persons and processes, as a table and as a picture."""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from clips import store_of
from found import Result, Table, arguments
from timing import Timing, side_by_side, threads
from training import objective, preset, take, together

from ossein.cli.allocator import hold_memory
from ossein.store import Store
from ossein.train import Feed
from ossein.view import Curve, draw_comparison

BATCH, NUM = 16, 256
PICTURE = Path(__file__).parents[1] / "docs" / "growth.png"

AXES: dict[str, tuple[dict, ...]] = {
    "clips": ({"num": 256}, {"num": 1024}, {"num": 4096}, {"num": 16384}),
    "frames": ({"T": 24}, {"T": 48}, {"T": 96}, {"T": 192}),
    "joints": ({"skeleton": "penn-13"}, {"skeleton": "coco-17"}, {"skeleton": "ntu-25"}, {"skeleton": "mediapipe-33"}),
    "persons": ({"persons": 1}, {"persons": 2}, {"persons": 4}),
}
"""What grows, and to what; all else stays as it is."""


@dataclass(frozen=True)
class Place:
    """One of the sizes.

    Args:
        name: Of the size: how many there are.
        feed: Seconds of processor time for a batch.
        step: Likewise for the rest of the training step.
        memory: Bytes that a fresh process holds of its own after opening the store.
    """

    name: str
    feed: float
    step: float
    memory: int


def store_for(folder: Path, size: dict) -> Store:
    """The store of a size."""
    own = {key: value for key, value in size.items() if key in ("skeleton", "persons")}
    frames = 2 * size.get("T", 48)
    return store_of(folder, size.get("num", NUM), frames=(frames, frames), **own)


def calls(store: Store, size: dict) -> tuple[Callable[[], object], Callable[[], object]]:
    """Making batches of 512 clips in all, and a training step with one."""
    s = preset(store, BATCH)
    s = s.change(input=s.input.change(frames=size.get("T", 48), persons=size.get("persons", 1)))
    feed = Feed(store, np.arange(len(store)), s.input, s.augment, BATCH, 0)
    method = objective(store, s).train()
    batch, draw = feed.at(0)

    def train() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=s.train.precision == "bf16"):
            loss = method(batch, draw).loss
        loss.backward()
        method.zero_grad(set_to_none=True)

    return lambda: take(feed), train


def opened_memory(store: Path) -> int:
    """Bytes that a fresh process holds of its own because it opened a store."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from training import private_memory\nfrom ossein.store import Store\n"
        "before = private_memory(); store = Store.open(sys.argv[2]); print(private_memory() - before)"
    )
    words = [sys.executable, "-c", code, str(Path(__file__).parent), str(store)]
    return int(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def count(store: Store, axis: str, size: dict) -> str:
    """How many there are of what grows."""
    known = {
        "clips": len(store),
        "frames": size.get("T", 48),
        "joints": len(store.skeleton),
        "persons": store.max_persons,
    }
    return str(known[axis])


def along(folder: Path, axis: str, sizes: tuple[dict, ...], rounds: int) -> list[Place]:
    """Cost at each size, all of them timed in turn."""
    stores = [store_for(folder, size) for size in sizes]
    timed: dict[str, Callable[[], object]] = {}
    for number, (store, size) in enumerate(zip(stores, sizes, strict=True)):
        timed[f"feed {number}"], timed[f"step {number}"] = calls(store, size)
    took: dict[str, Timing] = side_by_side(timed, rounds)
    memory = [opened_memory(store.path) for store in stores] if axis == "clips" else [0] * len(stores)
    return [
        Place(
            count(store, axis, size),
            took[f"feed {number}"].cpu * BATCH / 512,
            took[f"step {number}"].cpu,
            memory[number],
        )
        for number, (store, size) in enumerate(zip(stores, sizes, strict=True))
    ]


def per_process(folder: Path, rounds: int, steps: int = 20) -> dict[int, tuple[float, float, int]]:
    """CPU seconds a step over all processes, wall seconds a step, most private bytes of one; medians over rounds."""
    store = store_of(folder, NUM)
    found: dict[int, list[tuple[float, float, int]]] = {1: [], 2: []}
    for _ in range(rounds):
        for world, kept in found.items():
            said = together(store.path, world, steps, 2 * BATCH)
            kept.append((sum(s["cpu"] for s in said), said[0]["wall"], max(s["private"] for s in said)))
    return {world: tuple(np.median(kept, 0).tolist()) for world, kept in found.items()}


def table_of(axis: str, places: list[Place]) -> Table:
    """Cost along one axis."""
    rows = [
        [place.name, f"{1e3 * place.feed:.2f}", f"{1e3 * place.step:.1f}"]
        + ([f"{place.memory / 1e6:.1f}"] if axis == "clips" else [])
        for place in places
    ]
    columns = [axis, "feed, CPU ms a batch", "rest of the step, CPU ms"] + ["MB to open it"] * (axis == "clips")
    return Table(f"Cost against {axis}", columns, rows)


def process_table(found: dict[int, tuple[float, float, int]]) -> Table:
    """Cost against processes."""
    rows = [
        [str(world), f"{1e3 * cpu:.0f}", f"{1e3 * wall:.0f}", f"{private / 1e6:.0f}"]
        for world, (cpu, wall, private) in found.items()
    ]
    columns = ["processes", "CPU ms a step, all together", "wall ms a step", "private MB of each"]
    note = (
        f"{2 * BATCH} clips a step over all processes, one thread each. Processes share what they batch-normalise by, a sum a norm "
        "forward and one backward, and wait for each other at each: with small batches on one machine that costs more than the "
        "second process brings, and more threads are the better use of its cores."
    )
    return Table("Cost against processes", columns, rows, note)


def relative(name: str, places: tuple[str, ...], values: list[float]) -> Curve:
    """Values in times of the first.

    >>> relative("feed", ("1", "2"), [2.0, 5.0]).mean
    (1.0, 2.5)
    """
    return Curve(name, places, tuple(value / values[0] for value in values), (float("nan"),) * len(values))


def panels(found: dict[str, list[Place]], processes: dict[int, tuple[float, float, int]]) -> dict[str, list[Curve]]:
    """The curves of the picture."""
    drawn = {}
    for axis, places in found.items():
        at = tuple(place.name for place in places)
        drawn[axis] = [
            relative("feed", at, [place.feed for place in places]),
            relative("rest of the step", at, [place.step for place in places]),
        ]
    at = tuple(map(str, processes))
    drawn["processes"] = [
        relative("CPU time, all together", at, [cpu for cpu, *_ in processes.values()]),
        relative("private memory of each", at, [private for *_, private in processes.values()]),
    ]
    return drawn


def draw(curves: dict[str, list[Curve]], path: Path) -> None:
    """Write the picture."""
    draw_comparison(curves, path, axis="", unit="times the smallest", title="How cost grows", from_zero=True)


def main() -> None:
    parser = arguments(__doc__, rounds=7)
    parser.add_argument("--picture", type=Path, default=PICTURE, help="where to draw")
    call = parser.parse_args()
    hold_memory()
    result = Result("growth", "How cost grows")
    with tempfile.TemporaryDirectory() as name, threads(1):
        folder = Path(name)
        found = {axis: along(folder, axis, sizes, call.rounds) for axis, sizes in AXES.items()}
        processes = per_process(folder, max(3, call.rounds // 2))
    for axis, places in found.items():
        result.add(table_of(axis, places), {place.name: vars(place) for place in places})
    result.add(process_table(processes), {str(world): list(values) for world, values in processes.items()})
    draw(panels(found, processes), call.picture)
    result.write(call.out)


if __name__ == "__main__":
    main()
