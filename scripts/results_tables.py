"""From what scripts/results.py has run to docs/results.md and the short table of the README."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tasks import METHODS, TASKS

from ossein.evaluate import Spread
from ossein.files import read_json, read_text, write_text

ROOT = Path(__file__).parents[1]
START, END = "<!-- results -->", "<!-- /results -->"
"""Between these the README holds its table."""
FUSED = ("ossein", "ossein-random")
"""The methods whose seeds are also fused."""


def write(out: Path) -> None:
    """Write docs/results.md, and the README's short table, from all that is done."""
    done = {
        name: {
            key: read_json(out / name / key / "table.json")
            for key in METHODS
            if (out / name / key / "table.json").exists()
        }
        for name in TASKS
    }
    done = {name: tables for name, tables in done.items() if tables and (out / name / "floor.json").exists()}
    if not done:
        raise SystemExit(f"{out}: nothing is done yet. Run some first: python scripts/results.py run")
    for name, tables in done.items():
        if (out / name / "untrained.json").exists():
            tables["untrained"] = read_json(out / name / "untrained.json")
    floors = {name: read_json(out / name / "floor.json") for name in done}
    ran = methods_of(done)
    columns: list[tuple[str, Callable[[str], str]]] = [
        ("data set", lambda name: TASKS[name].title),
        *((METHODS[key].title, lambda name, key=key: cell(done[name].get(key))) for key in ran),
        ("ExtraTrees", lambda name: text_of(floors[name]["extra_trees"])),
        ("linear SVM", lambda name: text_of(floors[name]["linear_svm"])),
        ("published", lambda name: TASKS[name].published or "-"),
    ]
    made = [table["made_by"] for tables in done.values() for table in tables.values()]
    text = read_text(ROOT / "scripts" / "results_text.md").format(
        table=markdown(columns, list(done)),
        probes=markdown(probe_columns(done), [name for name in done if probed(done[name])]),
        fused=markdown(
            fused_columns(done, out), [name for name in done if any(fused_of(out, name, key) for key in FUSED)]
        ),
        cost=markdown(cost_columns(done), list(done)),
        commits="; ".join(f"{method.title}: {commits_of(done, key)}" for key, method in METHODS.items() if key in ran),
        versions=", ".join(f"{name} {number}" for name, number in made[0]["versions"].items()),
    )
    write_text(ROOT / "docs" / "results.md", text)
    before, _, rest = read_text(ROOT / "README.md").partition(START)
    after = rest.partition(END)[2]
    short = [
        columns[0],
        *(columns[1 + ran.index(key)] for key in ("ossein", "ossein-random", "ssl") if key in ran),
        columns[-3],
    ]
    write_text(ROOT / "README.md", f"{before}{START}\n{markdown(short, list(done))}\n{END}{after}")


def methods_of(done: dict[str, Any]) -> list[str]:
    """The methods that were run on any task; the others get no column."""
    return [key for key in METHODS if any(key in tables for tables in done.values())]


def commits_of(done: dict[str, Any], key: str) -> str:
    """The commits that a column was made with, and which of its numbers."""
    found: dict[str, list[str]] = {}
    for name, tables in done.items():
        if key in tables:
            found.setdefault(tables[key]["made_by"]["commit"], []).append(name)
    if len(found) < 2:
        return next(iter(found), "-")
    return ", ".join(f"{commit} ({' '.join(names)})" for commit, names in sorted(found.items()))


def probed(tables: dict[str, Any]) -> bool:
    """Whether any method of a task was probed with frozen weights."""
    return any("probes" in table for table in tables.values())


def probe_columns(done: dict[str, Any]) -> list[tuple[str, Callable[[str], str]]]:
    """Frozen encoders: a linear probe and the nearest neighbour."""

    def of(name: str, key: str, probe: str) -> str:
        return text_of(done[name][key]["probes"][probe]) if "probes" in done[name].get(key, {}) else "-"

    titles = {"ossein": "ossein", "untrained": "random weights", "ssl": "SkeletonMAE"}
    pairs = [(key, probe) for key in titles for probe in ("linear", "knn (k=1)")]
    return [
        ("data set", lambda name: TASKS[name].title),
        *((f"{titles[key]}, {probe}", lambda name, key=key, probe=probe: of(name, key, probe)) for key, probe in pairs),
    ]


def fused_of(out: Path, name: str, key: str) -> float | None:
    """Top-1 of all seeds of a method as one recogniser, where they were fused."""
    file = out / name / key / "fused.json"
    return read_json(file)["top1"] if file.exists() else None


def fused_columns(done: dict[str, Any], out: Path) -> list[tuple[str, Callable[[str], str]]]:
    """One training, the mean over seeds, beside all seeds as one recogniser."""

    def one(name: str, key: str) -> str:
        return text_of(done[name][key]["top1"]) if key in done[name] else "-"

    def all_(name: str, key: str) -> str:
        share = fused_of(out, name, key)
        return "-" if share is None else f"{100 * share:.1f}"

    both = [
        column
        for key in FUSED
        for column in (
            (f"{METHODS[key].title}, one", lambda name, key=key: one(name, key)),
            ("three fused", lambda name, key=key: all_(name, key)),
        )
    ]
    return [("data set", lambda name: TASKS[name].title), *both]


def cost_columns(done: dict[str, Any]) -> list[tuple[str, Callable[[str], str]]]:
    """CPU minutes of each column, all seeds and folds, pre-training counted where it was first needed."""

    def of(name: str, key: str) -> str:
        return f"{done[name][key]['cost'] / 60:.0f}" if key in done[name] else "-"

    return [
        ("data set", lambda name: TASKS[name].title),
        *((METHODS[key].title, lambda name, key=key: of(name, key)) for key in methods_of(done)),
    ]


def cell(table: dict[str, Any] | None) -> str:
    """One number with its spread."""
    if table is None:
        return "-"
    also = f"; {text_of(table['also'])} without the duplicates" if "also" in table else ""
    return text_of(table["top1"]) + also


def markdown(columns: list[tuple[str, Callable[[str], str]]], names: list[str]) -> str:
    """A table with a line for each task."""
    rows = [[title for title, _ in columns], *([of(name) for _, of in columns] for name in names)]
    lines = ["| " + " | ".join(cells) + " |" for cells in rows]
    return "\n".join([lines[0], "|---" * len(columns) + "|", *lines[1:]])


def text_of(plain: dict[str, Any]) -> str:
    """A mean and spread as text."""
    return str(Spread(plain["mean"], float("nan") if plain["std"] is None else plain["std"], plain["n"]))
