"""Pages of documentation as programs: their blocks in order, each run as a reader would run it, on tiny data.

A block with a title (```csv title="mine.csv") is a file to write. Lines of `sh` blocks are commands, `python` blocks share
one set of names. Commands are run as typed; in tests those that train get settings appended that make them short.

A block titled "output" (```text title="output") is what the block above it prints, each command of several behind a `$`.
`scripts/outputs.py` writes these.
"""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from unittest.mock import patch

from shown import difference

from ossein.cli import run
from ossein.recipes.finetune import TUNED
from ossein.store import Store

ROOT = Path(__file__).parents[1]

Short = Mapping[tuple[str, ...], str]

SHORT: Short = {
    ("pretrain",): "--input.frames 8 --train.epochs 1 --train.steps 0",
    ("recognise",): "--input.frames 8 --train.epochs 1 --train.steps 0",
    ("quickstart",): "--clips 60 --labels 1 --seeds 0 --frames 8 --pretrain-epochs 0.2 --epochs 1",
    ("reproduce",): "--pretrain-epochs 0.1 --epochs 0.1 --frames 8 --seeds 0",
    ("data", "synthetic"): "--clips 36",
}
"""What makes a command short, by the words it begins with."""

LEARNED: Short = {**SHORT, ("recognise",): "--input.frames 8 --train.epochs 60 --train.steps 0"}
"""Likewise for a page whose model must know something, so that it can be calibrated: some seconds."""

SHORT_TUNING = "input: {frames: 8}\ntrain: {epochs: 0.3, batch: 16, steps: 0}\n"
"""What makes the protocols short that train: a file of settings."""

OUTPUT = "output"
"""The title of a block that is what the block above it prints."""

WIDTH = 160
"""Of the screen that pages show, in characters."""

_FENCE = re.compile(
    r"^```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_ELSEWHERE = ("git", "cd", "source")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Args:
        page: The page.
        line: The number of its first line of text, from 1.
        language: What the fence says.
        title: The file that the block is, if it is one.
        text: What it holds.
        output: The block that says what this one prints, if there is one directly below.
    """

    page: Path
    line: int
    language: str
    title: str
    text: str
    output: "Block | None" = None

    def commands(self) -> Iterator[list[str]]:
        """The words of each command."""
        for line in self.text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield words


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, each with its output."""
    text = page.read_text(encoding="utf-8")
    out: list[Block] = []
    end = 0
    for at in _FENCE.finditer(text):
        line = text.count("\n", 0, at.start("text")) + 1
        block = Block(page, line, at["language"], at["title"] or "", at["text"])
        if block.title == OUTPUT:
            assert not text[end : at.start()].strip(), f"{page.name}:{line}: an output of no block"
            out[-1] = replace(out[-1], output=block)
        else:
            out.append(block)
        end = at.end()
    return out


def run_page(page: Path, short: Short = SHORT) -> Iterator[tuple[Block, str]]:
    """Run the blocks of a page in the working folder, one after the other; gives those that were run, and what each printed.

    Args:
        page: The page.
        short: What makes commands short; nothing, to run them as typed.
    """
    names: dict[str, object] = {"__name__": page.stem}
    for block in blocks(page):
        if block.title:
            Path(block.title).write_text(block.text, encoding="utf-8")
        if block.language == "sh":
            yield block, run_commands(block, short)
        elif block.language == "python" and not block.title:
            yield block, run_program(block, names)


def check_outputs(ran: Iterable[tuple[Block, str]], *, every: bool = True) -> None:
    """Stop the test if a page does not show what its blocks printed.

    Args:
        ran: The blocks and what they printed.
        every: Whether each block of commands has to show it.
    """
    done = list(ran)  # all of them first, since the classes are those of the stores that they make
    classes = class_names()
    for block, printed in done:
        where, renew = f"{block.page.name}:{block.line}", f"Renew it: python scripts/outputs.py {block.page.name}"
        if block.output is None:
            assert not every or block.language == "python" or not printed, (
                f"{where}: prints and does not show it.\n{printed}"
            )
        else:
            told = difference(block.output.text, printed, classes)
            assert not told, f"{where}: prints something else than the page shows. {renew}\n{told}"


def class_names() -> list[str]:
    """The classes of all stores below the working folder."""
    return sorted({name for path in Path().rglob("*.clips") for name in Store.open(path).classes})


def run_program(block: Block, names: dict[str, object]) -> str:
    """Run a program with names that it shares with others; returns what it prints."""
    # The empty lines make line numbers in a traceback those of the page.
    code = compile("\n" * (block.line - 1) + block.text, str(block.page), "exec")
    with screen() as out:
        exec(code, names)
    return out.getvalue()


def run_commands(block: Block, short: Short) -> str:
    """Run the commands of a block; returns what they print, behind each command where there are several."""
    commands = list(block.commands())
    told = []
    for words in commands:
        told += [f"$ {shlex.join(words)}\n"] if len(commands) > 1 else []
        told.append(run_command(words, f"{block.page.name}:{block.line}", short))
    return "".join(told) if any(not one.startswith("$ ") and one for one in told) else ""


@contextmanager
def screen() -> Iterator[StringIO]:
    """What is printed goes into the text, as on a screen of one width."""
    with patch.dict(os.environ, COLUMNS=str(WIDTH)), redirect_stdout(StringIO()) as out, redirect_stderr(out):
        yield out


def run_command(words: list[str], where: str, short: Short) -> str:
    """Run one command line, shortened where it trains, and stop the test if it fails; returns what it prints."""
    run_it = {"ossein": run_ossein, "torchrun": run_torchrun, "python": run_python}.get(words[0])
    if run_it:
        code, printed = run_it(words, short)
        assert code == 0, f"{where}: {shlex.join(words)}\n{printed}"
        return printed
    if words[0] == "make":
        assert set(words[1:]) <= targets(), f"{where}: the Makefile has no such target"
    elif words[0] == "pip":
        check_install(words, where)
    else:
        assert words[0] in _ELSEWHERE, f"{where}: nothing tests '{words[0]}'"
    return ""


def run_ossein(words: list[str], short: Short) -> tuple[int, str]:
    """Run a command line of ossein in this process."""
    # On a terminal, answers are a table; what is told to this screen is none to the command.
    table = ["--output", "table"] if words[1] == "predict" and not {"--output", "--out"} & set(words) else []
    with screen() as out:
        code = run([*shortened(words[1:], short), *table])
    return code, out.getvalue()


def run_torchrun(words: list[str], short: Short) -> tuple[int, str]:
    """Run one in several processes."""
    at = words.index("ossein") + 1
    return run_python(
        ["python", "-m", "torch.distributed.run", "--standalone", *words[1:at], *shortened(words[at:], short)], short
    )


def run_python(words: list[str], short: Short) -> tuple[int, str]:
    """Run a program with this Python, as it is."""
    env = os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": str(WIDTH)}
    done = subprocess.run(
        [sys.executable, *words[1:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env
    )
    return done.returncode, done.stdout


def shortened(words: list[str], short: Short) -> list[str]:
    """A command line of ossein with settings appended that make it short."""
    verb = words[2 * words.count("--use") :]
    more = next((text for begin, text in short.items() if tuple(verb[: len(begin)]) == begin), "")
    if short and verb[0] == "evaluate" and "--config" not in words and set(words) & set(TUNED):
        Path("short.yaml").write_text(SHORT_TUNING, encoding="utf-8")
        more = "--seeds 0 --config short.yaml"
    return words + more.split()


def targets() -> set[str]:
    """The targets of the Makefile."""
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def check_install(words: list[str], where: str) -> None:
    """An install names extras that exist, and the pins."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {extra for word in words for found in re.findall(r"\[([\w,]+)\]", word) for extra in found.split(",")}
    assert extras <= set(project["optional-dependencies"]), f"{where}: no such extra"
    assert words[words.index("-c") + 1] == "constraints.txt", f"{where}: installs without the pins"
