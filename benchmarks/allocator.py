"""What `ossein.cli.allocator.hold_memory` is worth: the same training in fresh processes, with and without it."""

import statistics
import tempfile
from pathlib import Path

from clips import store_of
from found import Result, Table, arguments, ratio
from training import together

BATCH, STEPS = 32, 40


def rounds_of(store: Path, rounds: int, steps: int, batch: int = BATCH) -> list[tuple[float, float]]:
    """CPU seconds a step, freed memory given back and kept, in turn."""
    return [
        tuple(together(store, 1, steps, batch, hold=hold)[0]["cpu_whole"] for hold in (False, True))
        for _ in range(rounds)
    ]


def compare(pairs: list[tuple[float, float]]) -> Table:
    """Medians over rounds, and the ratio within each.

    >>> compare([(2.0, 1.0), (4.0, 2.0)]).rows[1]
    ['memory kept', '1500.0', '2.00 (2.00-2.00)']
    """
    each = sorted(without / held for without, held in pairs)
    low, _, high = statistics.quantiles(each, n=4, method="inclusive")
    without, held = (statistics.median(one) for one in zip(*pairs, strict=True))
    rows = [
        ["memory given back", f"{1e3 * without:.1f}", ratio(1, (1, 1))],
        ["memory kept", f"{1e3 * held:.1f}", ratio(statistics.median(each), (low, high))],
    ]
    note = f"Preset ossein, {BATCH} clips a step, {STEPS} steps, one thread; fresh processes in turn."
    return Table("A training step with and without hold_memory", ["", "CPU ms a step", "x faster (CPU)"], rows, note)


def main() -> None:
    call = arguments(__doc__, rounds=5).parse_args()
    result = Result("allocator", "Memory that is kept between steps")
    with tempfile.TemporaryDirectory() as name:
        store = store_of(Path(name), 1000)
        pairs = rounds_of(store.path, call.rounds, STEPS)
    result.add(compare(pairs), {"pairs": pairs})
    result.write(call.out)


if __name__ == "__main__":
    main()
