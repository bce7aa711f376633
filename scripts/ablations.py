"""Make docs/ablations.md from what `ossein reproduce` has run; the page names the commands.

python scripts/ablations.py runs/reproduce-penn runs/reproduce-jhmdb
"""

import argparse
from pathlib import Path
from typing import Any

from ossein.files import read_json, read_text, write_text

ROOT = Path(__file__).parents[1]


def write(folders: list[Path], page: Path) -> None:
    """Write the page: the paper's conclusions on all data sets side by side, then the tables of each."""
    records = {folder: read_json(folder / "tables.json") for folder in folders}
    lines = [read_text(ROOT / "scripts" / "ablations_text.md").format(claims="\n".join(claims(list(records.values()))))]
    for folder, record in records.items():
        lines += section(folder, record)
    write_text(page, "\n".join(lines).rstrip() + "\n")


def claims(records: list[dict[str, Any]]) -> list[str]:
    """Each conclusion of the paper as a row of a table, with what each data set says of it."""
    heads = ["the paper's numbers say", *(title(record) for record in records)]
    rows: dict[tuple[str, str], list[str]] = {}
    for at, record in enumerate(records):
        for table in record["tables"].values():
            for claim in table["claims"]:
                row = rows.setdefault((table["title"], claim["text"]), ["-"] * len(records))
                row[at] = verdict(claim)
    body = [[f"{name}: {text}", *row] for (name, text), row in rows.items()]
    return [f"| {' | '.join(row)} |" for row in [heads, ["---"] * len(heads), *body]]


def verdict(claim: dict[str, Any]) -> str:
    """Whether a conclusion holds, and the difference in points."""
    if not claim["n"]:
        return "-"
    return f"{claim['holds']} ({100 * claim['mean']:+.1f})"


def title(record: dict[str, Any]) -> str:
    """The data set and its split."""
    data = record["data"]["data"]
    return f"{Path(data['store']).stem}, {', '.join(data['splits'])}"


def section(folder: Path, record: dict[str, Any]) -> list[str]:
    """The tables of a data set, one level below those of the run's own page and without its figures."""
    body = read_text(folder / "tables.md").partition("Changed in the paper's recipe:")
    kept = [line for line in (body[1] + body[2]).splitlines() if not line.startswith("![")]
    made = record["made_by"]
    told = [f"Commit {made['commit']}, torch {made['versions']['torch']}:", "", "```text", made["command"], "```", ""]
    return [f"## {title(record)}", "", *told, *(f"#{line}" if line.startswith("##") else line for line in kept), ""]


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", help="what `ossein reproduce` wrote to, one for each data set")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "ablations.md")
    call = parser.parse_args()
    write(call.folders, call.page)


if __name__ == "__main__":
    main()
