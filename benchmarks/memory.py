"""Memory: training on a store larger than what each process may hold of its own, in one process and in two."""

import shutil
import tempfile
import time
from pathlib import Path

from clips import store_of
from found import Result, Table, arguments
from training import together

from ossein.store import Store

MOST = 1e9
"""What was set out for: bytes that a process holds of its own."""

BATCH, STEPS = 32, 40


def frames_for(size: float, clips: int, joints: int, dims: int) -> int:
    """Frames of each clip in a store of so many bytes; a joint takes two bytes for each coordinate and for its score.

    >>> frames_for(5e9, 100_000, 17, 2)
    490
    """
    return round(size / clips / (joints * (dims + 1) * 2))


def trainings(store: Store, steps: int, batch: int) -> dict[int, list[dict]]:
    """What each process of one, and of two, says of itself."""
    return {world: together(store.path, world, steps, batch) for world in (1, 2)}


def describe(store: Store, said: dict[int, list[dict]], note: str) -> Table:
    """Private memory by process."""
    rows = [
        [
            f"{world} process{'es' if world > 1 else ''}, number {rank}",
            f"{one['idle'] / 1e6:.0f}",
            f"{one['private'] / 1e6:.0f}",
            f"{store.path.stat().st_size / one['private']:.1f}",
        ]
        for world, ranks in said.items()
        for rank, one in enumerate(ranks)
    ]
    columns = ["", "MB before anything is opened", "private MB at the most", "store, times that"]
    return Table(f"{len(store):,} clips, {store.path.stat().st_size / 1e9:.2f} GB", columns, rows, note)


def goals(said: dict[int, list[dict]]) -> Table:
    """What was set out for, and what was reached."""
    rows = []
    for world, ranks in said.items():
        most = max(one["private"] for one in ranks)
        name = f"private memory of each of {world} process{'es' if world > 1 else ''}, MB"
        rows.append([name, f"<= {MOST / 1e6:.0f}", f"{most / 1e6:.0f}", "yes" if most <= MOST else "no"])
    return Table("Goals", ["", "goal", "reached", "met"], rows)


def main() -> None:
    parser = arguments(__doc__, rounds=STEPS)
    parser.add_argument("--clips", type=int, default=100_000, help="clips of the store")
    parser.add_argument("--bytes", type=float, default=5e9, help="size of the store")
    call = parser.parse_args()
    result = Result("memory", "Memory of a training")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # While it is written its numbers lie beside it in single precision.
        if shutil.disk_usage(folder).free < 4 * call.bytes:
            raise SystemExit(f"{folder}: {4 * call.bytes / 1e9:.0f} GB must be free. Set TMPDIR, or give --bytes.")
        frames = frames_for(call.bytes, call.clips, 17, 2)
        began = time.perf_counter()
        store = store_of(folder, call.clips, frames=(frames, frames))
        took = time.perf_counter() - began
        said = trainings(store, call.rounds, BATCH)
        note = (
            f"Clips of {frames} frames, V = 17, C = 2; preset ossein, {BATCH} clips a step over all processes, {call.rounds} "
            f"steps, one thread each. Private is what belongs to no file (`Anonymous` of smaps_rollup): torch, model, optimiser, "
            f"one batch. The clips stay in the page cache, which all processes share. Writing the store took {took:.0f} s."
        )
        result.add(describe(store, said, note), {str(world): ranks for world, ranks in said.items()})
        result.add(goals(said))
    result.write(call.out)


if __name__ == "__main__":
    main()
