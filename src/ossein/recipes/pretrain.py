"""Pre-training: clips without labels -> an encoder. The whole story, top to bottom."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from ossein.deploy import Card, write_bundle
from ossein.pretrain import build_method
from ossein.recipes.base import Screen, Silent, begin, check_input
from ossein.recipes.device import compile_reason, nearby
from ossein.recipes.pool import Also, Pool
from ossein.recipes.presets import PRETRAIN, Facts, PretrainSettings, precision_reason
from ossein.recipes.turns import each_once
from ossein.settings import Choice, settle
from ossein.store import Store, to_learn
from ossein.train import Feed, Run, all_processes, first_process, fit, provenance
from ossein.words import count


@dataclass(frozen=True)
class Fold:
    """One training set and where its run goes.

    Args:
        split: What the split is called.
        train: The clips to learn from.
        run: The folder.
    """

    split: str
    train: np.ndarray
    run: Run


def folds(store: Store, splits: list[str] | None, out: Path) -> list[Fold]:
    """The training sets that some words for splits name: one run in `out`, or several in folders below it.

    Args:
        store: The data.
        splits: Names of splits or patterns such as `split*`, or `all` for every clip; None for the only split there is.
        out: The folder for the runs.

    Raises:
        DataError: A split does not exist.
    """
    found = to_learn(store, splits)
    if len(found) == 1:
        return [Fold(found[0].name, found[0].train, Run(out))]
    return [Fold(split.name, split.train, Run(out / split.name.replace(":", "-"))) for split in found]


def pretrain(
    preset: str,
    store: Store,
    out: Path,
    *,
    splits: list[str] | None = None,
    also: Sequence[Also] = (),
    settings: Choice[PretrainSettings] = None,
    resume: bool = False,
    screen: Screen | None = None,
) -> list[Run]:
    """Learn an encoder from the clips of a split, labels unseen; one run for each fold.

    Args:
        preset: Where settings come from, such as `skeletonmae`.
        store: The data.
        out: The folder to write to.
        splits: Whose training halves to learn from; see `folds`.
        also: Other stores to learn from too, in every fold.
        settings: Settings in place of the preset's, or a function that makes those of each fold from the preset's.
        resume: Go on with what is in `out`; several copies of such a call share the folds.
        screen: Where to tell of progress.

    Raises:
        DataError: A split does not exist, or the other stores do not go with the first.
        SkeletonError: Another store shares no joint with the first.
        SettingsError: Settings contradict the data, `out` holds another run, or another process is at one of several.
        Diverged: The loss is no longer finite.
        Stopped: Ctrl-C; the state is saved.
    """
    screen = screen or Silent()
    pool = Pool(store, also)
    found = folds(store, splits, out)
    jobs: dict[str, Callable[[], None]] = {}
    for fold in found:
        own = settle(settings, lambda fold=fold: PRETRAIN[preset](Facts.of(pool.rows, pool.clips(fold.train))))
        jobs[fold.run.folder.name] = partial(_pretrain_one, preset, pool, fold, own, resume=resume, screen=screen)
    each_once(jobs, out, screen.note, resume=resume)
    return [fold.run for fold in found]


def _pretrain_one(
    preset: str, pool: Pool, fold: Fold, settings: PretrainSettings, *, resume: bool, screen: Screen
) -> None:
    run, s, store = fold.run, settings, pool.store
    check_input(s.input.normalise, pool.rows)
    clips, data = pool.clips(fold.train), pool.record(fold.split, fold.train)
    torch.manual_seed(s.train.seed)
    method = build_method(store.skeleton, store.dims, s.input.frames, s.input.persons, s.model)
    feed = Feed(pool.rows, clips, s.input, s.augment, s.train.batch, s.train.seed)
    words = [str(one) for one in pool.also]
    record = {"kind": "pretrain", "preset": preset, "also": words, "data": data, "settings": s.plain()}
    record["precision"] = precision_reason(s.train)
    record |= {"compile": why} if (why := compile_reason(s.train, len(clips))) else {}
    begin(run, record, s.train.device, resume=resume)
    if run.done:
        screen.say(f"{run.folder}: done already")
        return
    for line in pool.lines(fold.train):
        screen.say(line)
    for key in ("precision", "compile"):
        if key in record:
            screen.note(record[key])
    feed = replace(feed, store=nearby(pool.rows, s.train.device, screen))
    with screen.training(f"pre-train {preset} on {count(len(clips), 'clip')}") as report:
        fit(method, feed, s.train, s.optim, run, report)
    card = Card(
        kind="pretrained",
        preset=preset,
        skeleton=store.skeleton.plain(),
        dims=store.dims,
        input=s.input,
        model=s.model,
        data=data,
        made_by=provenance(),
        metrics={"loss": run.log_lines()[-1]["loss"]},
    )
    if first_process():
        write_bundle(run.bundle, card, method)
    all_processes()
