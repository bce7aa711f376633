"""The verb `data`: known data sets and foreign files to stores, what is in them, and what is wrong with them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from ossein.cli.screen import Place, choose, counting, parse, say, show, table
from ossein.readers import READERS
from ossein.readers.synthetic import SyntheticSettings
from ossein.recipes.check import check, finding_lines, finding_rows, summary
from ossein.recipes.describe import class_rows, fact_rows, split_rows
from ossein.recipes.get import get
from ossein.recipes.prepare import generate, prepare
from ossein.skeleton import Skeleton, builtin_names
from ossein.store import Entry, Store, datasets


@dataclass(frozen=True)
class Get:
    """Fetch a known data set and make a store of it; goes on where an earlier call stopped."""

    name: Annotated[str, tyro.conf.Positional]
    """The data set (see `ossein data list`), such as gym-hrnet."""
    folder: Path = Path("data")
    """Where to put the store, NAME.clips, and the download."""
    keep_download: bool = False
    """Keep the file that was fetched once the store is made."""
    mirror: str | None = None
    """Fetch from this address, whose folders are those of the original server."""


@dataclass(frozen=True)
class Prepare:
    """Read a foreign file or folder and write it as one store."""

    format: Annotated[str, tyro.conf.Positional]
    """The format (see `ossein data list`), or auto to tell it from the file."""
    source: Place
    """The file or folder to read."""
    out: Place
    """The store to write, such as penn.clips."""
    skeleton: str | None = None
    """A built-in skeleton or a YAML file, for data that do not say which joints they have."""
    classes: Path | None = None
    """A text file with one class name per line, in the order of labels."""
    overwrite: bool = False
    """Replace the store where it exists."""


@dataclass(frozen=True)
class Synthetic:
    """Write a store of synthetic clips: a kinematic human, seen by a camera and a detector that errs."""

    out: Place
    """The store to write."""
    settings: Annotated[SyntheticSettings, tyro.conf.arg(name="")] = SyntheticSettings()
    """What to generate."""
    overwrite: bool = False
    """Replace the store where it exists."""


@dataclass(frozen=True)
class Info:
    """Say what is in a store."""

    store: Place
    """The store."""


@dataclass(frozen=True)
class Check:
    """Find what is wrong with a data set before anyone trains on it; exit status 1 where something is an error."""

    data: Place
    """A store, or a file or folder in any format that ossein reads."""
    format: str = "auto"
    """The format of a file (see `ossein data list`)."""
    skeleton: str | None = None
    """A built-in skeleton or a YAML file, for files that do not say which joints they have."""
    json: Path | None = None
    """Write the findings to this file, as JSON."""
    report: Path | None = None
    """Write them to this file as one HTML page, with pictures."""


@dataclass(frozen=True)
class List:
    """List the known data sets, the formats that can be read, the built-in skeletons, and the stores in a folder."""

    folder: Place = Path()
    """Where to look for stores."""


def data(args: Sequence[str]) -> None:
    """Run one of the verbs below `ossein data`."""
    kinds: dict[str, Callable[[Sequence[str]], None]] = {
        "get": _get,
        "prepare": _prepare,
        "synthetic": _synthetic,
        "info": _info,
        "check": _check,
        "list": _list,
    }
    choose("ossein data", kinds, args)


def _get(args: Sequence[str]) -> None:
    call = parse(Get, "ossein data get", args)
    _show_store(get(call.name, call.folder, keep_download=call.keep_download, mirror=call.mirror, bar=counting))


def _prepare(args: Sequence[str]) -> None:
    call = parse(Prepare, "ossein data prepare", args)
    with counting(call.out.name) as progress:
        store = prepare(
            call.format,
            call.source,
            call.out,
            skeleton=call.skeleton,
            classes=call.classes,
            overwrite=call.overwrite,
            progress=progress,
        )
    _show_store(store)


def _synthetic(args: Sequence[str]) -> None:
    call = parse(Synthetic, "ossein data synthetic", args)
    with counting(call.out.name) as progress:
        store = generate(call.settings, call.out, overwrite=call.overwrite, progress=progress)
    _show_store(store)


def _info(args: Sequence[str]) -> None:
    _show_store(Store.open(parse(Info, "ossein data info", args).store))


def _check(args: Sequence[str]) -> None:
    call = parse(Check, "ossein data check", args)
    health = check(
        call.data, format=call.format, skeleton=call.skeleton, json=call.json, report=call.report, bar=counting
    )
    if health.findings:
        heads = ("level", "what was found", "how many", "for example")
        show(table(str(call.data), heads, finding_rows(health)))
        say("\n" + "\n".join(finding_lines(health)) + "\n")
    say(f"{call.data}: {summary(health)}")
    if not health.sound:
        raise SystemExit(1)


def _list(args: Sequence[str]) -> None:
    folder = parse(List, "ossein data list", args).folder
    heads = ("name", "what it is", "clips", "classes", "skeleton", "metric", "to be had")
    title = "Data sets: 'ossein data get NAME' fetches one, or says where to ask for it"
    show(table(title, heads, [_row(entry) for entry in datasets().values()]))
    show(table("Formats", ("name", "what it is"), [(name, reader.help) for name, reader in READERS.items()]))
    joints = [(name, str(len(Skeleton.of(name)))) for name in builtin_names()]
    show(table("Built-in skeletons", ("name", "joints"), joints))
    stores = [(path.name, *_line(Store.open(path))) for path in sorted(folder.glob("*.clips"))]
    if stores:
        show(table(f"Stores in {folder}", ("file", "clips", "classes", "skeleton"), stores))
    else:
        word = "Make one: ossein data prepare, or ossein data synthetic demo.clips"
        print(f"The folder {folder} holds no stores (*.clips). {word}")


def _row(entry: Entry) -> tuple[str, ...]:
    counts = ("-" if number is None else str(number) for number in (entry.clips, entry.classes))
    return entry.name, entry.title, *counts, entry.skeleton, entry.metric, "at once" if entry.file else "on request"


def _line(store: Store) -> tuple[str, ...]:
    return str(len(store)), str(len(store.classes)), f"{store.skeleton.name}, {store.dims}-D"


def _show_store(store: Store) -> None:
    show(table(str(store.path), ("what", "value"), fact_rows(store)))
    if splits := split_rows(store):
        show(table("Splits", ("name", "train", "test", "test clips that are also in train"), splits))
    show(table("Classes", ("number", "name", "clips"), class_rows(store)))
