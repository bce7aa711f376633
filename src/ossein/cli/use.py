"""The verbs `quickstart`, `evaluate` and `fuse`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from ossein.cli.screen import Place, command, make_screen, parse, say, show, table
from ossein.cli.train import resumable
from ossein.errors import SettingsError
from ossein.recipes.describe import evaluation_table, fused_table, protocol_name
from ossein.recipes.evaluate import Protocol
from ossein.recipes.evaluate import evaluate as run_evaluate
from ossein.recipes.finetune import Tuning
from ossein.recipes.fuse import fuse as run_fuse
from ossein.recipes.quickstart import QuickstartSettings
from ossein.recipes.quickstart import quickstart as run_quickstart
from ossein.store import Store
from ossein.train import Stopped, free_folder
from ossein.view import draw_confusion
from ossein.words import count


@dataclass(frozen=True)
class Quickstart:
    """The whole story in minutes: data, pre-training, few labels with and without it, the floor, a picture."""

    data: Path | None = None
    """Your own file or folder (any format, or a store) in place of synthetic clips."""
    split: str | None = None
    """The split of your data to use, where there are several."""
    out: Path = Path("quickstart")
    """The folder to write to; what an earlier quickstart left there is replaced."""
    settings: Annotated[QuickstartSettings, tyro.conf.arg(name="")] = QuickstartSettings()
    """How much of everything."""


@dataclass(frozen=True)
class Evaluate:
    """Test finished runs on clips that they have not learned from."""

    run: Place
    """A run, or a folder of runs (folds, seeds)."""
    store: Place
    """The data."""
    protocol: tuple[Protocol, ...] = ()
    """classes: the model's answers; linear, knn, retrieval: frozen features; finetune, semi, transfer: train on all labels,
    on few, on other data. By default what fits the run."""
    split: str | None = None
    """Test on this split in place of the one that the run was trained on; such as xview_train:xview_val_nodup."""
    preset: str | None = None
    """The recogniser to train; by default the one that belongs to the pre-training."""
    seeds: tuple[int, ...] = Tuning.seeds
    """One training for each of these seeds."""
    shares: tuple[str, ...] = Tuning.shares
    """For semi: how many labels to learn from, such as 5% of each class or 5-per-class."""
    control: bool = False
    """Train from random weights too, to see what pre-training gains."""
    config: Path | None = None
    """A YAML file with settings of the training to change in the preset's, or a whole run.yaml."""
    confusion: Path | None = None
    """Draw the first confusion matrix of the table to this PNG."""


def quickstart(args: Sequence[str]) -> None:
    """Run `ossein quickstart`."""
    call = parse(Quickstart, "ossein quickstart", args)
    with resumable(["quickstart", *args], call.out, resumes=False):
        told = run_quickstart(call.settings, call.out, data=call.data, split=call.split, screen=make_screen())
    show(table(f"Top-1 on {count(told.num_test, 'unseen clip')}", ("method", "top-1 %"), told.rows()))
    say(f"\npicture of hidden joints rebuilt: {told.picture}\nmodel: {told.model}")
    say(f"try it: {command('predict', str(told.model), str(told.sample))}")


def evaluate(args: Sequence[str]) -> None:
    """Run `ossein evaluate`."""
    call = parse(Evaluate, "ossein evaluate", args)
    if call.confusion and set(call.protocol) == {"retrieval"}:
        raise SettingsError("--confusion: retrieval names no classes. Add another protocol, or leave --confusion out.")
    store = Store.open(call.store)
    tuning = Tuning(call.preset, call.seeds, call.shares, call.control, call.config)
    try:
        results = run_evaluate(
            call.run, store, protocols=call.protocol, split=call.split, tuning=tuning, screen=make_screen()
        )
    except (Stopped, KeyboardInterrupt):
        say(f"\nstopped; what was trained is kept. To go on:\n  {command('evaluate', *args)}")
        raise SystemExit(130) from None
    show(table(f"{call.run} on {store.path.name}", *evaluation_table(results)))
    if call.confusion:
        first = next(row for row in results["rows"] if "confusion" in row)
        draw_confusion(np.array(first["confusion"]), store.classes, call.confusion)
        say(f"confusion of {first['run']} ({protocol_name(first)}): {call.confusion}")


@dataclass(frozen=True)
class Fuse:
    """Make one recogniser of several: of other seeds, other streams, other presets."""

    store: Place
    """The data that they learned from."""
    runs: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Runs, or folders of runs (folds, seeds); those of a split become one."""
    out: Path | None = None
    """The folder to write to; runs/fuse-STORE-1 or the next that is free by default."""


def fuse(args: Sequence[str]) -> None:
    """Run `ossein fuse`."""
    call = parse(Fuse, "ossein fuse", args)
    store = Store.open(call.store)
    out = call.out or free_folder(Path("runs"), f"fuse-{store.path.stem}")
    results = run_fuse(store, call.runs, out, screen=make_screen())
    show(table(f"Top-1 on {store.path.name}", ("recogniser", "split", "top-1 %"), fused_table(results)))
    say(f"model in {out}")
