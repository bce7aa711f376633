"""Calibration of a finished recogniser: labelled clips it has not learned from -> probabilities that come true. Top to bottom."""

from pathlib import Path
from typing import Any

import numpy as np

from ossein.deploy import Card, load_recogniser, read_card
from ossein.errors import DataError, SettingsError
from ossein.evaluate.calibration import (
    Threshold,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    probabilities,
    thresholds,
)
from ossein.evaluate.model import class_logits
from ossein.files import write_json
from ossein.recipes.base import check_input
from ossein.recipes.probe import check_joints
from ossein.recipes.seen import learned_of, refuse_seen
from ossein.store import ALL, Store, resolve
from ossein.train import Run
from ossein.words import count

ACCURACIES = (0.8, 0.9, 0.95, 0.99)
"""The accuracies for which the least probability is always told."""

BINS = 15
"""Of the calibration error (Guo et al. 2017)."""

_VAL = ".val"


def calibrate(bundle: Path, store: Store, *, split: str | None = None, accuracy: float | None = None) -> dict[str, Any]:
    """Fit the temperature of a recogniser, choose from which probability on to name a class, and write both into its card.

    Args:
        bundle: A finished recognition run or its bundle; its card is replaced.
        store: The data.
        split: Calibrate on the test half of this split. Where not given, that of the split the model was trained on if it is
            a validation half (`NAME.val`), or all clips of a store that it has not learned from.
        accuracy: How often a class that is named is to be right; below the probability that this takes, nothing is known.
            Where not given, a class is always named.

    Returns:
        What is written into the card under `calibration`.

    Raises:
        BundleError: The bundle cannot be used.
        DataError: The model has learned from the clips, they have no label or too little to tell, no probability is enough
            for the accuracy, or the test half would be used without being named.
        SkeletonError: The store has other joints than the model.
        SettingsError: The accuracy is out of range.
    """
    if accuracy is not None and not 0 < accuracy <= 1:
        raise SettingsError(f"accuracy is {accuracy}, expected a share above 0 and up to 1, such as 0.95.")
    folder, card = read_card(bundle)
    model = load_recogniser(folder)[0]
    clips, name = _clips(folder, card, store, split)
    labels = store.labels[clips]
    logits = class_logits(model, store, clips, card.input)
    temperature = fit_temperature(logits, labels)
    before, after = probabilities(logits), probabilities(logits, temperature)
    table = thresholds(after, labels, sorted({*ACCURACIES, *([accuracy] if accuracy else [])}))
    record = {
        "store": store.path.name,
        "hash": store.hash,
        "split": name,
        "num_clips": len(clips),
        "test_clips": len(np.intersect1d(clips, _test(card, store))),
        "top1": float((after.argmax(1) == labels).mean()),
        "nll": [negative_log_likelihood(p, labels) for p in (before, after)],
        "ece": [expected_calibration_error(p, labels, BINS) for p in (before, after)],
        "bins": BINS,
        "accuracy": accuracy,
        "thresholds": [threshold.plain() for threshold in table],
    }
    sure = _sure(table, accuracy) if accuracy else 0.0
    new = card.change(temperature=temperature, sure=sure, calibration=record)
    write_json(folder / "bundle.json", new.plain())
    return {**record, "temperature": temperature, "sure": sure}


def _clips(folder: Path, card: Card, store: Store, split: str | None) -> tuple[np.ndarray, str]:
    """The clips to calibrate on, and what they are called."""
    learned = learned_of(card.data, store)
    _check(folder, card, store)
    if split is None and learned and learned["split"] == ALL:
        raise DataError(
            f"{folder}: learned from every clip of {store.path.name}, which leaves none to calibrate on. Calibrate on other data."
        )
    if split is None and learned and not learned["split"].endswith(_VAL):
        raise DataError(
            f"{folder}: learned from '{learned['split']}' of {store.path.name}, whose test half judges it. Train on "
            f"'{learned['split']}{_VAL}' and calibrate on what that holds out, or name the clips with --split."
        )
    word = split or (learned["split"] if learned else ALL)
    clips = np.arange(len(store)) if word == ALL else resolve(store, word).test
    clips = clips[store.labels[clips] >= 0]
    if not len(clips):
        raise DataError(f"{store.path.name}: no clip of '{word}' has a label. Calibration needs labelled clips.")
    refuse_seen(card.data, store, clips, f"the model in {folder}")
    return clips, word


def _check(folder: Path, card: Card, store: Store) -> None:
    """Make sure that the model can be used on the clips of a store, and names their classes."""
    check_joints(Run(folder), card, store)
    check_input(card.input.normalise, store, before=str(folder))
    if card.classes != store.classes:
        raise DataError(
            f"{folder}: the model knows {count(len(card.classes), 'class')}, {store.path.name} names other ones "
            f"({len(store.classes)}). Use a store with the same classes."
        )


def _test(card: Card, store: Store) -> np.ndarray:
    """The clips that the split of a model keeps to judge it; none of a store that it has not learned from."""
    learned = learned_of(card.data, store)
    if learned is None or learned["split"] == ALL:
        return np.zeros(0, np.int64)
    return resolve(store, learned["split"].removesuffix(_VAL)).test


def _sure(table: list[Threshold], accuracy: float) -> float:
    found = next(threshold for threshold in table if threshold.accuracy == accuracy)
    if found.sure is None:
        raise DataError(
            f"no probability is enough to be right {100 * accuracy:g} % of the time on these clips. Ask for less (--accuracy)."
        )
    return found.sure
