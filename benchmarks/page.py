"""Write `docs/benchmarks.md` from what the scripts found: `benchmarks/out/*.json` into `benchmarks/page.md`."""

import argparse
import json
from pathlib import Path
from typing import Any

from found import OUT, Table, as_markdown

TEMPLATE = Path(__file__).with_name("page.md")
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
ORDER = (
    "pretrain_step",
    "finetune_step",
    "precision",
    "loader",
    "memory",
    "allocator",
    "inference",
    "growth",
    "gpu",
)
"""Sections in the order of the page; what is not named here follows."""

GPU_ONCE = Path(__file__).with_name("gpu_once.md")
"""Stands where `gpu.py` has found nothing."""

PICTURES = {"growth": "![Time and memory against clips, frames, joints, persons and processes](growth.png)"}


def read(folder: Path) -> list[dict[str, Any]]:
    """What each script found, in the order of the page."""
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}
    names = [*(name for name in ORDER if name in found), *(name for name in found if name not in ORDER)]
    return [found[name] for name in names]


def goals(found: list[dict[str, Any]]) -> str:
    """Every goal of every script in one table; those that were missed are counted in words."""
    given = [
        (one["title"], row)
        for one in found
        for table in one["tables"]
        if table["title"] == "Goals"
        for row in table["rows"]
    ]
    if not given:
        return ""
    missed = sum(row[-1] != "yes" for _, row in given)
    rows = [[f"{title}: {row[0]}", *row[1:]] for title, row in given]
    said = "All were met." if not missed else f"{missed} of {len(given)} were missed."
    return "## Goals\n\n" + as_markdown(Table("What was set out for", ["", "goal", "reached", "met"], rows, said))


def section(one: dict[str, Any]) -> str:
    """The tables of a script, under its title and what it ran on."""
    told = one["machine"]
    versions = ", ".join(f"{name} {told[name]}" for name in ("ossein", "python", "torch", "numpy") if name in told)
    head = (
        f"## {one['title']}\n\n`{one['command']}`, {one['time']}: {told['cpu']}, {told['cores']} cores, GPU {told['gpu']}, load "
        f"{told['load']}; {versions}.\n"
    )
    tables = [as_markdown(Table(**table)) for table in one["tables"] if table["title"] != "Goals"]
    return "\n".join([head, *tables, *([PICTURES[one["name"]] + "\n"] if one["name"] in PICTURES else [])])


def page(found: list[dict[str, Any]]) -> str:
    """The whole page."""
    text = TEMPLATE.read_text(encoding="utf-8").replace("{goals}", goals(found))
    sections = [
        *map(section, found),
        *([] if any(one["name"] == "gpu" for one in found) else [GPU_ONCE.read_text(encoding="utf-8")]),
    ]
    return text.replace("{results}", "\n".join(sections)).rstrip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the result files")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page to write")
    call = parser.parse_args()
    found = read(call.out)
    if not found:
        raise SystemExit(f"{call.out}: holds no result. Run a script of benchmarks/ first.")
    call.page.write_text(page(found), encoding="utf-8")
    print(f"wrote {call.page}")


if __name__ == "__main__":
    main()
