"""From what scripts/results.py has run to docs/results.md and the short table of the README."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tasks import METHODS, TASKS

from ossein.evaluate import Spread
from ossein.files import read_json, read_text, write_json, write_text

ROOT = Path(__file__).parents[1]
NUMBERS = ROOT / "docs" / "results.json"
"""The numbers behind the page: runs are not part of the repository."""
START, END = "<!-- results -->", "<!-- /results -->"
"""Between these the README holds its table."""
FUSED = ("ossein", "ossein-random")
"""The methods whose seeds are also fused."""


def write(out: Path) -> None:
    """Write docs/results.md, and the README's short table, from all that is done."""
    kept = collected(out)
    if not kept:
        raise SystemExit(f"{out}: nothing is done yet. Run some first: python scripts/results.py run")
    write_json(NUMBERS, kept)
    done = {name: kept[name]["methods"] for name in TASKS if name in kept}
    floors = {name: kept[name]["floor"] for name in done}
    together = {name: kept[name]["fused"] for name in done}
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
        fused=markdown(fused_columns(done, together), [name for name in done if together[name]]),
        cost=markdown(cost_columns(done), list(done)),
        commits="; ".join(f"{method.title}: {commits_of(done, key)}" for key, method in METHODS.items() if key in ran),
        versions=", ".join(f"{name} {number}" for name, number in made[0]["versions"].items()),
        gpu=gpu_of(done),
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


def collected(out: Path) -> dict[str, Any]:
    """The numbers of every task: those of earlier runs, which lie beside the page, and in their place those of this folder.

    Of a task its `methods` by name, its `floor`, and top-1 of all seeds as one recogniser, `fused`.
    """
    kept: dict[str, Any] = read_json(NUMBERS) if NUMBERS.exists() else {}
    for name in TASKS:
        if not (out / name / "floor.json").exists():
            continue
        task = kept.setdefault(name, {"methods": {}, "fused": {}})
        task["floor"] = read_json(out / name / "floor.json")
        for key in METHODS:
            if (out / name / key / "table.json").exists():
                task["methods"][key] = told(read_json(out / name / key / "table.json"))
            if (out / name / key / "fused.json").exists():
                task["fused"][key] = read_json(out / name / key / "fused.json")["top1"]
        if (out / name / "untrained.json").exists():
            task["methods"]["untrained"] = told(read_json(out / name / "untrained.json"))
    return kept


def told(table: dict[str, Any]) -> dict[str, Any]:
    """A table without what is of the machine that made it alone, such as its folders, but for the name of a GPU."""
    made = {key: table["made_by"][key] for key in ("commit", "versions")}
    return {**table, "made_by": made | ({"gpu": gpu} if (gpu := on_gpu(table)) else {})}


def on_gpu(table: dict[str, Any]) -> str:
    """The GPU that a table was made on; none if empty."""
    made = table["made_by"]
    return made.get("gpu") or made.get("machine", "").partition("NVIDIA")[2].strip()


def gpu_of(done: dict[str, Any]) -> str:
    """In words, which numbers were made on a GPU; empty if none was."""
    found: dict[str, dict[str, list[str]]] = {}
    for name, tables in done.items():
        for key, table in tables.items():
            if gpu := on_gpu(table):
                where = f"an NVIDIA {gpu} with torch {table['made_by']['versions']['torch']}"
                found.setdefault(where, {}).setdefault(name, []).append(key)
    each = []
    for where, rows in found.items():
        words = [f"{name} ({' '.join(keys)})" for name, keys in rows.items()]
        each.append(f"{', '.join(words)} on {where}")
    return f", but for {' and '.join(each)}" if each else ""


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


def fused_columns(done: dict[str, Any], together: dict[str, Any]) -> list[tuple[str, Callable[[str], str]]]:
    """One training, the mean over seeds, beside all seeds as one recogniser."""

    def one(name: str, key: str) -> str:
        return text_of(done[name][key]["top1"]) if key in done[name] else "-"

    def all_(name: str, key: str) -> str:
        return f"{100 * together[name][key]:.1f}" if key in together[name] else "-"

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
        if key not in done[name]:
            return "-"
        return "GPU" if on_gpu(done[name][key]) else f"{done[name][key]['cost'] / 60:.0f}"

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
