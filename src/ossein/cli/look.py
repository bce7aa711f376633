"""The verbs `view`, `runs` and `report`: pictures of clips and models, and pages about runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from ossein.cli.screen import Place, choose, make_screen, parse, say, show, table
from ossein.recipes.report import report as run_report
from ossein.recipes.runs import HEADS, compare, run_rows
from ossein.recipes.view import Group, find_clip, view_clip, view_rebuilt, view_saliency
from ossein.store import Store
from ossein.view.report import Flat


@dataclass(frozen=True)
class ViewClip:
    """Show a clip: a strip of frames (.png), an animation (.gif), or a page that plays it (.html)."""

    file: Place
    """A store, or a file or folder in any format that ossein reads."""
    out: Path
    """The picture to write."""
    clip: str = "0"
    """The clip's name, or its number from 0."""
    frames: int = 8
    """Frames in a .png."""
    format: str = "auto"
    """The format of the file; see `ossein data list`."""
    skeleton: str | None = None
    """A built-in skeleton or a YAML file, for files that do not say which joints they have."""


@dataclass(frozen=True)
class ViewRebuilt:
    """Show hidden joints beside those that a pre-training rebuilt: .png, or .html to play it."""

    run: Place
    """A pre-training run."""
    store: Place
    """Clips on the same skeleton."""
    out: Path
    """The picture to write."""
    clip: tuple[str, ...] = ()
    """Names or numbers of clips; the first two by default."""
    frames: int = 6
    """Frames of each clip in a .png."""
    seed: int = 0
    """Names the draw of what is hidden."""


@dataclass(frozen=True)
class ViewSaliency:
    """Show which joints and frames a recogniser's answer rests on: .png, or .html to play it."""

    bundle: Place
    """A recognition run or its bundle."""
    store: Place
    """Clips on the same skeleton."""
    out: Path
    """The picture to write."""
    clip: str = "0"
    """The clip's name, or its number from 0."""
    by: Group = "joint"
    """What goes out of sight at a time: single joints, or whole parts of the body."""
    of: str | None = None
    """The class to explain; by default the answer."""


@dataclass(frozen=True)
class Runs:
    """List the runs in a folder, the latest last. `ossein runs diff A B` tells two apart."""

    folder: Place = Path("runs")
    """Where to look, at any depth."""


@dataclass(frozen=True)
class RunsDiff:
    """Tell two runs apart, or two folders of runs: settings that differ, numbers side by side."""

    a: Place
    """One."""
    b: Place
    """The other."""


@dataclass(frozen=True)
class Report:
    """Write one HTML file about a run, or a folder of runs, that needs no server and no network."""

    run: Place
    """A run, or a folder of runs (folds, seeds)."""
    store: Annotated[Path | None, tyro.conf.Positional] = None
    """The data it learned from, to show clips too."""
    out: Path | None = None
    """The file to write; report.html in the run's folder by default."""
    map: Flat = "pca"
    """How features are brought to two dimensions."""


def view(args: Sequence[str]) -> None:
    """Run one of the verbs below `ossein view`."""
    kinds: dict[str, Callable[[Sequence[str]], None]] = {
        "clip": _view_clip,
        "rebuilt": _view_rebuilt,
        "saliency": _view_saliency,
    }
    choose("ossein view", kinds, args, then="--out PICTURE ")


def runs(args: Sequence[str]) -> None:
    """Run `ossein runs` or `ossein runs diff`."""
    if args and args[0] == "diff":
        _diff(args[1:])
        return
    call = parse(Runs, "ossein runs", args)
    show(table(f"Runs in {call.folder}", HEADS, run_rows(call.folder)))


def report(args: Sequence[str]) -> None:
    """Run `ossein report`."""
    call = parse(Report, "ossein report", args)
    store = Store.open(call.store) if call.store else None
    out = run_report(call.run, store, call.out, flat_map=call.map, screen=make_screen())
    say(f"report: {out}")


def _view_clip(args: Sequence[str]) -> None:
    call = parse(ViewClip, "ossein view clip", args)
    clip, skeleton, name = find_clip(call.file, call.clip, format=call.format, skeleton=call.skeleton)
    view_clip(clip, skeleton, call.out, caption=name, frames=call.frames)
    say(f"{clip.name}: {call.out}")


def _view_rebuilt(args: Sequence[str]) -> None:
    call = parse(ViewRebuilt, "ossein view rebuilt", args)
    store = Store.open(call.store)
    view_rebuilt(call.run, store, call.out, clips=call.clip, seed=call.seed, frames=call.frames)
    say(f"hidden joints rebuilt: {call.out}")


def _view_saliency(args: Sequence[str]) -> None:
    call = parse(ViewSaliency, "ossein view saliency", args)
    view_saliency(call.bundle, Store.open(call.store), call.out, clip=call.clip, by=call.by, of=call.of)
    say(f"what the answer rests on: {call.out}")


def _diff(args: Sequence[str]) -> None:
    call = parse(RunsDiff, "ossein runs diff", args)
    settings, numbers = compare(call.a, call.b)
    heads = (str(call.a), str(call.b))
    if settings:
        show(table("What differs", ("setting", *heads), settings))
    else:
        say("No setting differs.")
    show(table("Numbers", ("number", *heads), numbers))
