"""What a person sees while a recipe runs: bars on a terminal, a line now and then in a log file."""

import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import tyro
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from ossein.errors import did_you_mean
from ossein.own import used
from ossein.recipes.base import Screen, Silent
from ossein.train import Progress as Training
from ossein.train import Report, first_process
from ossein.words import count

T = TypeVar("T")

Place = Annotated[Path, tyro.conf.Positional]
"""A file or folder that is given without a flag before it."""

_PLAIN: dict[str, Any] = {"highlight": False, "soft_wrap": True, "markup": False, "emoji": False}

console = Console(**_PLAIN, quiet=not first_process())
"""Where words go; nowhere for all but the first of several processes."""

_paper = Console(**_PLAIN, quiet=not first_process(), width=10_000)
"""The same where lines have no end."""


def make_screen() -> Screen:
    """The screen of this process: the terminal for the first of several processes, nothing for the others."""
    return Terminal() if first_process() else Silent()


def misuse(text: str) -> NoReturn:
    """Leave because the command line is wrong: exit status 2."""
    print(f"ossein: {text}", file=sys.stderr)
    raise SystemExit(2)


def parse(kind: type[T], prog: str, args: Sequence[str]) -> T:
    """The words of a command line as a record; leaves with exit status 2 where they are wrong, with 0 after `--help`."""
    try:
        return tyro.cli(kind, prog=prog, args=args)
    except ValidationError as error:  # tyro tells those of groups of settings itself
        first = error.errors()[0]
        flag = ".".join(map(str, first["loc"])).replace("_", "-")
        misuse(f"--{flag}: {first['msg']}, got {first['input']!r}. Run with --help to see every setting and its range.")


def command(*words: str) -> str:
    """A command line to go on with, in which what `--use` named is named again."""
    return shlex.join(["ossein", *(word for one in used() for word in ("--use", one)), *words])


def say(text: str) -> None:
    """Show text as it is."""
    console.print(text)


def show(table: Table) -> None:
    """Show a table; in a file or a pipe, where no screen sets a limit, as wide as it wants to be."""
    free = not console.is_terminal and "COLUMNS" not in os.environ
    (_paper if free else console).print(table)


def table(title: str, heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    """A table of text; all columns but the first are set to the right if they hold numbers."""
    out = Table(title=title, title_justify="left", header_style="bold", show_edge=False)
    for i, head in enumerate(heads):
        numbers = i > 0 and all(row[i].lstrip("+-")[:1].isdigit() or not row[i].strip("- ") for row in rows)
        out.add_column(head, justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        out.add_row(*row)
    return out


def choose(verb: str, kinds: dict[str, Callable[[Sequence[str]], None]], args: Sequence[str], then: str = "") -> None:
    """Run one of the verbs below a verb.

    Args:
        verb: The words before it.
        kinds: What to run, by its name.
        args: The words after `verb`.
        then: What all of them take, for the line of usage.
    """
    usage = f"usage: {verb} {{{','.join(kinds)}}} ... {then}[--help]"
    if not args:
        misuse(usage)
    if args[0] in ("-h", "--help"):
        print(usage)
    elif args[0] not in kinds:
        misuse(f"'{args[0]}' is no verb of {verb}. {did_you_mean(args[0], kinds)}")
    else:
        kinds[args[0]](args[1:])


class Terminal:
    """A screen with progress bars; where output goes to a file, a line every tenth of the way."""

    def __init__(self) -> None:
        self._noted: set[str] = set()

    def say(self, text: str) -> None:
        """Show a line."""
        say(text)

    def note(self, text: str) -> None:
        """Show a line, unless it was noted before."""
        if text not in self._noted:
            self._noted.add(text)
            say(text)

    @contextmanager
    def training(self, title: str) -> Iterator[Report]:
        """Show the progress of one training."""
        say(title)
        began = time.perf_counter()
        with _bar() as tell:

            def report(at: Training) -> None:
                numbers = "  ".join(f"{name} {_number(value)}" for name, value in at.log.items() if name != "lr")
                tell(at.step, at.total, f"epoch {at.epoch:.1f}  {numbers}  {at.rate:.0f} clips/s")

            yield report
        say(f"  took {time.perf_counter() - began:.0f} s")


@contextmanager
def counting(title: str, unit: str = "clip") -> Iterator[Callable[[int, int | None], None]]:
    """Show how many clips (or megabytes, or what the unit says) are done."""
    with _bar() as tell:
        yield lambda done, total: tell(done, total or 0, f"{title}: {count(done, unit)}")


@contextmanager
def _bar() -> Iterator[Callable[[int, int, str], None]]:
    if not console.is_terminal:
        yield _lines()
        return
    columns = (
        BarColumn(30),
        TaskProgressColumn(),
        TextColumn("{task.description}", markup=False),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda done, total, text: progress.update(task, completed=done, total=total or None, description=text)


def _lines() -> Callable[[int, int, str], None]:
    shown = 0

    def tell(done: int, total: int, text: str) -> None:
        nonlocal shown
        tenth = 10 * done // total if total else 0
        if tenth > shown:
            shown = tenth
            say(f"  {10 * tenth:3d} %  {text}")

    return tell


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
