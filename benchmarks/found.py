"""What a script writes: tables, and one result file with the machine that it ran on."""

import argparse
import json
import os
import platform
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from timing import Limit, Rates, Timing

OUT = Path(__file__).parent / "out"


def arguments(doc: str, *, rounds: int) -> argparse.ArgumentParser:
    """The options that every script has: `--rounds` and `--out`; `doc` is the docstring of the script."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=rounds, help="how often everything is timed in turn")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the result file")
    return parser


def machine() -> dict[str, str]:
    """Processor and its instructions for arithmetic, cores that this process may use, GPU, load and versions."""
    return {
        "cpu": f"{_cpu_name()} ({torch.backends.cpu.get_cpu_capability()})",
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
        "system": f"{platform.system()} {platform.machine()}",
        "load": ", ".join(f"{load:.1f}" for load in os.getloadavg()),
        "python": platform.python_version(),
        **{name: _version(name) for name in ("ossein", "torch", "numpy", "torch_geometric")},
    }


@dataclass(frozen=True)
class Table:
    """A table of the page of results.

    Args:
        title: What is compared, sizes included.
        columns: Heads.
        rows: A cell of text for each head.
        note: What a reader should know, a sentence or two.
    """

    title: str
    columns: list[str]
    rows: list[list[str]]
    note: str = ""


def table(
    title: str,
    timings: dict[str, Timing],
    *,
    limit: Limit | None = None,
    rates: Rates | None = None,
    num_threads: int = 1,
    note: str = "",
) -> Table:
    """Timings as a table; with a limit, also how far each is from it by the processor time of each thread."""
    columns = ["", "CPU ms", "wall ms", "x faster (CPU)", "x faster (wall)"]
    rows = [
        [
            name,
            f"{1e3 * t.cpu:.1f}",
            f"{1e3 * t.wall:.1f}",
            ratio(t.ratio, t.spread),
            ratio(t.wall_ratio, t.wall_spread),
        ]
        for name, t in timings.items()
    ]
    if limit is not None and rates is not None:
        far = [f"{limit.distance(t.cpu / num_threads, rates):.1f}" for t in timings.values()]
        columns.append("x limit (CPU)")
        rows = [[*row, one] for row, one in zip(rows, far, strict=True)]
        note = f"{note} {limit_text(limit, rates)}".strip()
    return Table(title, columns, rows, note)


def goal_table(*goals: tuple[str, str, str, bool]) -> Table:
    """What was set out for: what it is, the goal, what was reached, and whether that meets it."""
    rows = [[name, goal, reached, "yes" if met else "no"] for name, goal, reached, met in goals]
    return Table("Goals", ["", "goal", "reached", "met"], rows)


def limit_text(limit: Limit, rates: Rates) -> str:
    """The limit and what it was made of, in a sentence."""
    return (
        f"Limit {1e3 * limit.seconds(rates):.2f} ms: {limit.flops / 1e9:.2f} GFLOP at {rates.flops / 1e9:.0f} GFLOP/s "
        f"take {1e3 * limit.flops / rates.flops:.2f} ms, {limit.bytes / 1e6:.1f} MB at {rates.copy / 1e9:.1f} GB/s "
        f"take {1e3 * limit.bytes / rates.copy:.2f} ms."
    )


def ratio(median: float, spread: tuple[float, float]) -> str:
    """A ratio with its quartiles."""
    return f"{median:.2f} ({spread[0]:.2f}-{spread[1]:.2f})"


@dataclass
class Result:
    """What a script found: `Result("loader", "Sampling and augmentation")`, then `add`, then `write`.

    Args:
        name: Of the script, without .py.
        title: Of its section on the page of results.
        tables: For the page.
        numbers: The same and more as plain numbers, by a name for each comparison.
    """

    name: str
    title: str
    tables: list[Table] = field(default_factory=list)
    numbers: dict[str, Any] = field(default_factory=dict)

    def add(self, table: Table, numbers: Any = None) -> None:
        """Keep a table, show it, and keep its numbers (timings, or any plain data)."""
        self.tables.append(table)
        if isinstance(numbers, dict):
            numbers = {key: asdict(value) if isinstance(value, Timing) else value for key, value in numbers.items()}
        self.numbers[table.title] = numbers
        print(as_markdown(table), flush=True)

    def write(self, out: Path) -> Path:
        """Write `NAME.json` into a folder, and say where."""
        out.mkdir(parents=True, exist_ok=True)
        file = out / f"{self.name}.json"
        made = {
            "machine": machine(),
            "command": " ".join(_command()),
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        file.write_text(json.dumps({**asdict(self), **made}, indent=1) + "\n", encoding="utf-8")
        print(f"wrote {file}")
        return file


def as_markdown(table: Table) -> str:
    """A table as the page of results has it."""
    lines = [table.columns, ["---"] + ["---:"] * (len(table.columns) - 1), *table.rows]
    body = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
    return f"**{table.title}**\n\n{body}\n" + (f"\n{table.note}\n" if table.note else "")


def _command() -> list[str]:
    return ["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
