"""Write what commands print below the commands, into the blocks titled "output" of the README and the pages in docs/.

    python scripts/outputs.py docs/walk.md docs/check.md

A page is run as a reader would run it, trainings in full, in a folder of its own with the data that the tests make. An empty
block asks for its output:

    ```text title="output"
    ```

Lines may be left out by hand, `...` in their place. They stay out, unless `--whole` is given, for as long as the lines that are
left are still those that are printed; a block that says something else is written anew. Without pages, all are done (hours).

What was done before Ctrl-C or an error is written.

With `--brief` trainings are as short as in the tests. Scores and answers are then worth nothing: put `...` in their place.
"""

import argparse
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from pages import ROOT, SHORT, Block, Short, class_names, run_page
from shown import renewed
from standins import write_data

BRIEF = {begin: more for begin, more in SHORT.items() if begin[0] != "data"}
"""Data are made in full, so that what is told of them is true."""


def main() -> None:
    """Renew the pages that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "pages", type=Path, nargs="*", default=[ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    )
    parser.add_argument("--brief", action="store_true", help="trainings as short as in the tests")
    parser.add_argument("--whole", action="store_true", help="write the lines that were left out, too")
    asked = parser.parse_args()
    for page in [page.resolve() for page in asked.pages]:
        print(page.name, flush=True)
        renew(page, BRIEF if asked.brief else {}, whole=asked.whole)


def renew(page: Path, short: Short, *, whole: bool = False) -> None:
    """Run a page and write what its blocks print into it.

    Args:
        page: The page.
        short: What makes its commands short.
        whole: Whether to write the lines that it leaves out.
    """
    home, ran, classes = Path.cwd(), [], []
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            write_data(Path(folder))
            for one in run_page(page, short):
                ran.append(one)
                classes = class_names()
        finally:
            os.chdir(home)
            write(page, ran, classes, whole=whole)


def write(page: Path, ran: list[tuple[Block, str]], classes: list[str], *, whole: bool) -> None:
    """Put what blocks printed below them, be it all of the page or what was done before a stop.

    Args:
        page: The page.
        ran: The blocks and what they printed.
        classes: The names of classes in the stores that they made.
        whole: Whether to write the lines that the page leaves out.
    """
    lines = page.read_text(encoding="utf-8").splitlines(keepends=True)
    for block, printed in reversed(ran):
        if block.output:
            shown = renewed("" if whole else block.output.text, printed, classes)
            lines[_place(block.output)] = shown.splitlines(keepends=True)
    page.write_text("".join(lines), encoding="utf-8")


def _place(block: Block) -> slice:
    """The lines that are a block's text."""
    return slice(block.line - 1, block.line - 1 + len(block.text.splitlines()))


if __name__ == "__main__":
    main()
