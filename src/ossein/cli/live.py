"""The verbs `predict`, `calibrate` and `stream`."""

import io
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Console

from ossein.cli.screen import Place, console, misuse, parse, say, show, table
from ossein.errors import DataError
from ossein.files import write_text
from ossein.recipes.predict import FORMATS, Asked, Output, Row, as_json, as_table
from ossein.recipes.predict import predict as run_predict
from ossein.recipes.stream import Streaming
from ossein.recipes.stream import stream as run_stream
from ossein.words import count


@dataclass(frozen=True)
class Predict:
    """Name what happens in files, and when."""

    bundle: Place
    """The folder of a finished recognition run, or of its bundle."""
    files: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Files in any format that ossein reads, stores, folders to search for such files, or - for lines of JSON on standard input."""
    output: Output | None = None
    """By default a table on a terminal, else lines of JSON, or what the ending of --out says."""
    out: Path | None = None
    """The file to write, whole or not at all."""
    skip: bool = False
    """Pass over files that cannot be read or do not fit, and say so."""
    asked: Annotated[Asked, tyro.conf.arg(name="")] = Asked()
    """What is asked about every clip."""


@dataclass(frozen=True)
class Calibrate:
    """Make the probabilities of a recogniser come true: fit its temperature to labelled clips it has not learned from."""

    bundle: Place
    """The folder of a finished recognition run, or of its bundle; its card is changed."""
    store: Place
    """The data."""
    split: str | None = None
    """Calibrate on the test half of this split; by default what a split NAME.val held out, or all clips of other data."""
    accuracy: float | None = None
    """How often a named class is to be right, such as 0.95; less sure answers become "nothing known"."""


@dataclass(frozen=True)
class Live:
    """Answer for frames as they come: a line of JSON for each on standard input, a line of JSON for each answer."""

    bundle: Place
    """The folder of a finished recognition run, or of its bundle."""
    file: Place = Path("-")
    """A file of lines in place of standard input."""
    strict: bool = False
    """Stop at a line that is no frame, in place of passing over it."""
    how: Annotated[Streaming, tyro.conf.arg(name="")] = Streaming()
    """How the stream is read and answered."""


def predict(args: Sequence[str]) -> None:
    """Run `ossein predict`."""
    call = parse(Predict, "ossein predict", args)
    if not call.files:
        misuse("predict: no file is named. Name files, stores or folders, or - for lines of JSON on standard input.")
    rows = run_predict(
        call.bundle,
        call.files,
        call.asked,
        lines=_input() if Path("-") in call.files else (),
        skip=_complain if call.skip else None,
    )
    output = call.output or _output(call.out)
    if output == "jsonl" and not call.out:
        for row in rows:
            print(as_json(row), flush=True)
    elif output == "table" and not call.out:
        show(table("", *as_table(list(rows))))
    else:
        text = _plain(list(rows)) if output == "table" else FORMATS[output](list(rows))
        if call.out:
            write_text(call.out, text)
        else:
            print(text, end="")


def calibrate(args: Sequence[str]) -> None:
    """Run `ossein calibrate`."""
    from ossein.recipes.calibrate import calibrate as run_calibrate
    from ossein.store import Store

    call = parse(Calibrate, "ossein calibrate", args)
    told = run_calibrate(call.bundle, Store.open(call.store), split=call.split, accuracy=call.accuracy)
    (nll, new_nll), (ece, new_ece) = told["nll"], told["ece"]
    rows = [
        ("temperature", "1.00", f"{told['temperature']:.2f}"),
        ("calibration error, ECE %", f"{100 * ece:.1f}", f"{100 * new_ece:.1f}"),
        ("negative log-likelihood", f"{nll:.3f}", f"{new_nll:.3f}"),
    ]
    title = f"{call.bundle} on {count(told['num_clips'], 'clip')} of '{told['split']}'"
    show(table(title, ("", "before", "after"), rows))
    heads = ("right at least", "probability", "answered", "clips")
    show(
        table(
            "From which probability on a class is right so often",
            heads,
            [_threshold(one) for one in told["thresholds"]],
        )
    )
    if told["test_clips"]:
        say(
            count(told["test_clips"], "of these clips is a test clip", "of these clips are test clips")
            + " of the model: its numbers are no longer of unseen clips alone."
        )
    named = f"named from a probability of {told['sure']:.3f} on" if told["sure"] else "always named (see --accuracy)"
    say(f"written to the card of the bundle; a class is {named}")


def stream(args: Sequence[str]) -> None:
    """Run `ossein stream`."""
    call = parse(Live, "ossein stream", args)
    lines = _input() if call.file == Path("-") else _lines(call.file)
    try:
        for row in run_stream(call.bundle, lines, call.how, bad=None if call.strict else _complain):
            print(as_json(row), flush=True)
    except KeyboardInterrupt:
        pass  # the way to end it


def _output(out: Path | None) -> Output:
    if out:
        return "csv" if out.suffix == ".csv" else "jsonl"
    return "table" if console.is_terminal else "jsonl"


def _plain(rows: list[Row]) -> str:
    """A table as text alone, for a file."""
    text = io.StringIO()
    Console(file=text, width=200, color_system=None, markup=False, emoji=False).print(table("", *as_table(rows)))
    return text.getvalue()


def _threshold(one: dict[str, Any]) -> tuple[str, ...]:
    sure = "-" if one["sure"] is None else f"{one['sure']:.3f}"
    return f"{100 * one['accuracy']:g} %", sure, f"{100 * one['share']:.1f} %", str(one["clips"])


def _input() -> Iterable[bytes]:
    return iter(sys.stdin.buffer.readline, b"")


def _lines(path: Path) -> Iterable[bytes]:
    try:
        with path.open("rb") as file:
            yield from file
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}). Check the path.") from None


def _complain(text: str) -> None:
    print(f"ossein: {text}", file=sys.stderr, flush=True)
