"""Evaluation of finished runs: protocols on frozen models, then protocols that train. Top to bottom."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ossein.deploy import Card, preset_after, read_card
from ossein.errors import BundleError, DataError, SettingsError
from ossein.evaluate import spread
from ossein.files import write_json
from ossein.recipes.base import Screen, Silent, leaves, left_out
from ossein.recipes.describe import protocol_name
from ossein.recipes.finetune import TUNED, Training, Tuned, Tuning, plan
from ossein.recipes.probe import PROBES, Probe, check_joints, check_probe, probe
from ossein.recipes.seen import learned_of, refuse_seen
from ossein.store import ALL, Split, Store, resolve, resolve_many
from ossein.train import Run

Protocol = Probe | Tuned

NUMBERS = ("top1", "top5", "mean_class", "rank1", "rank5", "map")
"""What is averaged over runs, as far as a protocol has it."""


@dataclass(frozen=True)
class Case:
    """One run on one split.

    Args:
        run: The run.
        card: What its bundle says.
        split: The halves to use; those that are fitted or trained learn from the training half alone.
    """

    run: Run
    card: Card
    split: Split


def evaluate(
    folder: Path,
    store: Store,
    *,
    protocols: tuple[Protocol, ...] = (),
    split: str | None = None,
    tuning: Tuning | None = None,
    screen: Screen | None = None,
) -> dict[str, Any]:
    """Test every run in a folder on the test half of its split (or of others).

    What has been trained stays in `evaluation/` below each run: a call that was stopped goes on where it is repeated.

    Args:
        folder: A run, or a folder of runs (folds, seeds).
        store: The data.
        protocols: `classes`: the recogniser's own answers, with all its test windows. `linear`, `knn` and `retrieval`: a
            linear probe, nearest neighbours, and the order of the training clips, on frozen features. `finetune`, `semi`
            and `transfer`: recognisers trained from the pre-trained weights, on all labels, on shares of them, and on data
            that the pre-training has not learned from. Where none is given: `classes` for recognisers, `linear` and `knn`
            for pre-trained encoders.
        split: A word for splits to use, in place of the one that a run was trained on.
        tuning: How to train, for the protocols that do.
        screen: Where to tell of progress.

    Returns:
        What is written to `folder/evaluation.json`: numbers of each run and protocol, mean and spread over runs, and what
        pre-training gains over random weights, training by training.

    Raises:
        BundleError: There is no finished run.
        SkeletonError: The store has other joints than a recogniser, too few of a pre-training's, or other dimensions.
        DataError: A run has seen test clips in training, or no clip of a half has a label.
        SettingsError: A protocol does not fit the kind of run, or an option does not fit the protocols.
        Diverged: The loss of a training is no longer finite.
        Stopped: Ctrl-C; the state is saved.
    """
    screen, tuning = screen or Silent(), tuning or Tuning()
    _check_options(protocols, tuning)
    cases = [case for run in leaves(folder) for case in _cases(run, store, split)]
    probes = [(case, _probes(case, store, protocols)) for case in cases]
    trainings = [training for case in cases for training in _trainings(case, store, protocols, tuning)]
    for case, kinds in probes:
        for told in _notes(case, store, kinds):
            screen.note(told)
    rows = [row for case, kinds in probes if kinds for row in probe(case.run, case.card, store, case.split, kinds)]
    rows += [row for training in trainings for row in training.rows(store, screen)]
    results = {"store": store.path.name, "hash": store.hash, "rows": rows, "mean": _means(rows), "gain": _gains(rows)}
    write_json(folder / "evaluation.json", results)
    return results


def _check_options(protocols: tuple[Protocol, ...], tuning: Tuning) -> None:
    if tuning != Tuning() and not set(protocols) & set(TUNED):
        raise SettingsError(
            f"--preset, --seeds, --shares, --control and --config are for the protocols {', '.join(TUNED)}. "
            "Name one with --protocol, or leave them out."
        )
    if tuning.shares != Tuning().shares and "semi" not in protocols:
        raise SettingsError("--shares is for the protocol semi. Name it with --protocol, or leave --shares out.")


def _cases(run: Run, store: Store, split: str | None) -> list[Case]:
    if not run.done:
        raise BundleError(f"{run.folder}: is not finished. Go on with it: the same command, with --out and --resume.")
    card = read_card(run.folder)[1]
    check_joints(run, card, store)
    cases = [Case(run, card, each) for each in (resolve_many(store, [split]) if split else _own(run, card, store))]
    for case in cases:
        refuse_seen(card.data, store, case.split.test, f"the run in {run.folder}")
    return cases


def _own(run: Run, card: Card, store: Store) -> list[Split]:
    """The split that a run was trained on; where other data have none of that name, their only one."""
    learned = learned_of(card.data, store)
    name = (learned or card.data)["split"]
    if learned and name == ALL:
        raise DataError(
            f"{run.folder}: learned from every clip of {store.path.name}, which leaves none to test on. "
            "Use other data, or train on a split."
        )
    try:
        return [resolve(store, name)]
    except DataError:
        if learned:
            raise
        return resolve_many(store)


def _probes(case: Case, store: Store, protocols: Collection[str]) -> list[Probe]:
    default: tuple[Probe, ...] = ("classes",) if case.card.kind == "recogniser" else ("linear", "knn")
    kinds: list[Probe] = [kind for kind in PROBES if kind in (protocols or default)]
    if kinds:
        check_probe(case.run, case.card, store, case.split, kinds)
    return kinds


def _notes(case: Case, store: Store, kinds: Sequence[Probe]) -> list[str]:
    """What is to be known of the probes of a run."""
    if not kinds:
        return []
    halves = {"test": case.split.test, **({} if set(kinds) == {"classes"} else {"train": case.split.train})}
    told = [left_out(store, clips, f"{half} clip of '{case.split.name}'") for half, clips in halves.items()]
    return [line for line in (check_joints(case.run, case.card, store), *told) if line]


def _trainings(case: Case, store: Store, protocols: Collection[str], tuning: Tuning) -> list[Training]:
    kinds: list[Tuned] = [kind for kind in TUNED if kind in protocols]
    if not kinds:
        return []
    preset = tuning.preset or preset_after(case.card.model)
    if preset is None:
        raise SettingsError(
            f"{case.run.folder}: no recogniser is known to go with '{case.card.preset}'. Name a --preset that reads its "
            "encoder."
        )
    return plan(case.run, case.card, store, case.split, preset, kinds, tuning)


def _means(rows: list[dict[str, Any]]) -> dict[str, Any]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(protocol_name(row), []).append(row)
    return {name: {key: _spread(own, key) for key in NUMBERS if key in own[0]} for name, own in groups.items()}


def _gains(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Top-1 from pre-trained less that from random weights, each training with its control."""

    def place(row: dict[str, Any]) -> tuple[Any, ...]:
        return row["run"], row["split"], row["protocol"], row["seed"]

    control = {place(row): row["top1"] for row in rows if row.get("weights") == "random"}
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row.get("weights") == "pre-trained" and place(row) in control:
            pair = {"seed": row["seed"], "top1": row["top1"] - control[place(row)]}
            found.setdefault(row["protocol"], []).append(pair)
    return {name: _spread(pairs, "top1") for name, pairs in found.items()}


def _spread(rows: list[dict[str, Any]], key: str) -> dict[str, Any]:
    """Mean and spread over runs; of trainings with several seeds the mean over folds for each seed, then over seeds."""
    seeds = sorted({row["seed"] for row in rows if "seed" in row})
    if len(seeds) < 2:
        return spread([row[key] for row in rows]).plain()
    return spread([float(np.mean([row[key] for row in rows if row["seed"] == seed])) for seed in seeds]).plain()
