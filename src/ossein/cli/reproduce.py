"""The verb `reproduce`: a paper's ablation tables on one's own data, its numbers beside one's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from ossein.cli.screen import command, make_screen, parse, say, show, table
from ossein.errors import DataError
from ossein.recipes.ablation import Budget, Plan
from ossein.recipes.reproduce import plan as make_plan
from ossein.recipes.reproduce import reproduce as run_reproduce
from ossein.store import Store, find_dataset
from ossein.train import Stopped
from ossein.words import count


@dataclass(frozen=True)
class Reproduce:
    """Run a paper's ablation tables on a data set and set its numbers beside yours; the same command goes on after a stop."""

    paper: Annotated[Literal["skeletonmae"], tyro.conf.Positional]
    """The paper: SkeletonMAE (Yan et al., ICCV 2023)."""
    dataset: str
    """A data set of `ossein data list` such as finegym, or the path of a store (FILE.clips)."""
    table: tuple[Literal["depth", "layers", "parts", "joints", "backbone", "loss", "transfer"], ...] = ()
    """The tables to run; by default all, the transfer only with --target."""
    split: tuple[str, ...] = ()
    """The split to train and test on, or several as folds; needed where the data have more than one."""
    target: str | None = None
    """The data set to move to, for the table transfer."""
    target_split: tuple[str, ...] = ()
    """The split of the target, or several as folds."""
    backbones: tuple[Literal["gin", "gcn", "gat"], ...] = ("gin", "gcn", "gat")
    """The graph networks of the tables parts and backbone."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """One pre-training and fine-tuning of each cell for each of these."""
    budget: Annotated[Budget, tyro.conf.arg(name="")] = Budget()
    """How much of everything."""
    folder: Path = Path("data")
    """Where the stores of known data sets lie."""
    out: Path | None = None
    """The folder to write to, and to go on in; runs/reproduce-DATASET by default."""
    dry_run: bool = False
    """List the cells and what is done of them, and run nothing."""


def reproduce(args: Sequence[str]) -> None:
    """Run `ossein reproduce`."""
    call = parse(Reproduce, "ossein reproduce", args)
    store = _open(call.dataset, call.folder)
    out = call.out or Path("runs") / f"reproduce-{store.path.stem}"
    plan = make_plan(
        store,
        out,
        tables=call.table,
        splits=call.split,
        target=_open(call.target, call.folder) if call.target else None,
        target_splits=call.target_split,
        kinds=call.backbones,
        seeds=call.seeds,
        budget=call.budget,
    )
    if call.dry_run:
        _list(plan)
        return
    try:
        record = run_reproduce(plan, screen=make_screen())
    except (Stopped, KeyboardInterrupt):
        say(f"\nstopped; what was saved is in {out}. To go on, the same again:\n  {command('reproduce', *args)}")
        raise SystemExit(130) from None
    rows = [(key, _direction(told)) for key, told in record["tables"].items()]
    show(table("Does the paper's direction hold?", ("table", "holds"), rows))
    say(f"tables and figures: {out / 'tables.md'}")


def _open(word: str, folder: Path) -> Store:
    if word.endswith(".clips"):
        return Store.open(word)
    entry = find_dataset(word)
    path = folder / entry.store_name
    if not path.is_file():
        asked = f"{entry.title} is given out at {entry.page}. {entry.how()}"
        how = f"Run 'ossein data get {entry.name}', or name its folder with --folder." if entry.file else asked
        raise DataError(f"{path}: is not there. {how}")
    return Store.open(path)


def _list(plan: Plan) -> None:
    show(table("Cells", ("table", "cell", "which", "trains", "seeds done"), plan.rows()))
    done = sum(plan.done(training) for training in plan.trainings)
    tunes = sum(training.tunes for training in plan.trainings)
    say(
        f"{count(len(plan.trainings), 'training')}: {count(len(plan.trainings) - tunes, 'pre-training')}, "
        f"{count(tunes, 'fine-tuning')}; {done} done. They go to {plan.out}."
    )
    for key, told in plan.tables.items():
        for what in told.left_out:
            say(f"left out of {key}: {what}")


def _direction(told: dict[str, Any]) -> str:
    return told["holds"] or "the paper draws no conclusion"
