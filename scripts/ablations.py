"""Make docs/ablations.md from what `ossein reproduce` has run; the page names the commands.

    python scripts/ablations.py runs/reproduce-penn runs/reproduce-jhmdb

Data sets that are not among the folders stay on the page as they are: their tables lie beside it, in docs/ablations.json.
"""

import argparse
from pathlib import Path
from typing import Any

from ossein.files import read_json, read_text, write_json, write_text

ROOT = Path(__file__).parents[1]
TABLES = ROOT / "docs" / "ablations.json"
"""What is behind the page: runs are not part of the repository."""


def write(folders: list[Path]) -> None:
    """Write the page: the paper's conclusions on all data sets side by side, then the tables of each."""
    kept = read_json(TABLES) if TABLES.exists() else {}
    kept |= dict(told(folder) for folder in folders)
    if not kept:
        raise SystemExit(f"{TABLES}: nothing is done yet. Name what `ossein reproduce` wrote to.")
    write_json(TABLES, kept)
    text = read_text(ROOT / "scripts" / "ablations_text.md").format(claims="\n".join(claims(kept)))
    sections = ["\n".join([f"## {title}", "", *of["text"], ""]) for title, of in kept.items()]
    write_text(ROOT / "docs" / "ablations.md", "\n".join([text, *sections]).rstrip() + "\n")


def told(folder: Path) -> tuple[str, dict[str, Any]]:
    """The data set and its split, and what the page says of it."""
    record = read_json(folder / "tables.json")
    data = record["data"]["data"]
    found = {
        f"{table['title']}: {claim['text']}": verdict(claim)
        for table in record["tables"].values()
        for claim in table["claims"]
    }
    title = f"{Path(data['store']).stem}, {', '.join(data['splits'])}"
    return title, {"claims": found, "text": section(folder, record)}


def claims(kept: dict[str, Any]) -> list[str]:
    """Each conclusion of the paper as a row of a table, with what each data set says of it."""
    names = dict.fromkeys(name for of in kept.values() for name in of["claims"])
    body = [[name, *(of["claims"].get(name, "-") for of in kept.values())] for name in names]
    rows = [["the paper's numbers say", *kept], ["---"] * (1 + len(kept)), *body]
    return [f"| {' | '.join(row)} |" for row in rows]


def verdict(claim: dict[str, Any]) -> str:
    """Whether a conclusion holds, and the difference in points."""
    if not claim["n"]:
        return "-"
    return f"{claim['holds']} ({100 * claim['mean']:+.1f})"


def section(folder: Path, record: dict[str, Any]) -> list[str]:
    """The tables of a data set, one level below those of the run's own page and without its figures."""
    body = read_text(folder / "tables.md").partition("Changed in the paper's recipe:")
    kept = [line for line in (body[1] + body[2]).splitlines() if not line.startswith("![")]
    made = record["made_by"]
    how = [f"Commit {made['commit']}, torch {made['versions']['torch']}:", "", "```text", made["command"], "```", ""]
    return [*how, *(f"#{line}" if line.startswith("##") else line for line in kept)]


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*", help="what `ossein reproduce` wrote to, one for each data set")
    write(parser.parse_args().folders)


if __name__ == "__main__":
    main()
