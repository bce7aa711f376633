"""Protocols that change no weight: a recogniser's own answers, and probes on what a frozen model makes of clips."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np

from ossein.clip import PERSONS
from ossein.deploy import Card, load_pretrained, load_recogniser
from ossein.errors import DataError, SettingsError, SkeletonError
from ossein.evaluate import Ranks, Scores, choose_strength, knn, linear_probe, retrieve
from ossein.evaluate.model import class_scores, encoder_features, model_features
from ossein.recipes.base import check_input, labelled
from ossein.recipes.joints import bring_over, counterparts, same_joints
from ossein.store import Split, Store
from ossein.train import Run
from ossein.words import count

Probe = Literal["classes", "linear", "knn", "retrieval"]
PROBES: tuple[Probe, ...] = ("classes", "linear", "knn", "retrieval")

NEIGHBOURS = (1, 5, 20)
"""The k of the nearest neighbours, as far as there are so many training clips; all are told, none is chosen."""


def check_joints(run: Run, card: Card, store: Store) -> str | None:
    """Make sure that a run can be used on the joints of a store; a line where a pre-training is brought over to others.

    Raises:
        SkeletonError: The store has clips of more or fewer dimensions, or joints that the model does not know.
    """
    if card.kind == "recogniser" and card.dims == store.dims and not same_joints(card, store):
        raise SkeletonError(
            f"{run.folder}: the model knows {card.skeleton['name']}, {store.path.name} holds {store.skeleton.name}. "
            "Use a store with the same joints, or train a recogniser on this one from the pre-training."
        )
    return counterparts(card, store, run.folder)


def check_probe(run: Run, card: Card, store: Store, split: Split, protocols: Sequence[Probe]) -> None:
    """Make sure before anything is computed that a run can be tested so; without a protocol, that it goes with the clips.

    Raises:
        DataError: The classes are other ones, or no clip of a half has a label.
        SettingsError: A protocol does not fit the kind of run, or the clips cannot be normalised as its were.
    """
    check_input(card.input.normalise, store, before=str(run.folder))
    if card.kind == "recogniser" and card.classes != store.classes:
        raise DataError(
            f"{run.folder}: the model knows {count(len(card.classes), 'class')}, {store.path.name} names other ones "
            f"({len(store.classes)}). Use a store with the same classes."
        )
    if "classes" in protocols and card.kind != "recogniser":
        raise SettingsError(
            f"{run.folder}: a pre-trained encoder names no classes. Use --protocol linear knn retrieval, or finetune."
        )
    if protocols:
        _halves(store, split, protocols)


def probe(run: Run, card: Card, store: Store, split: Split, protocols: Sequence[Probe]) -> Iterator[dict[str, Any]]:
    """The numbers of each protocol on the test half, fitted on the training half where there is something to fit.

    Args:
        run: A finished run.
        card: What its bundle says.
        store: The data.
        split: Whose halves to use.
        protocols: Which; see `ossein.recipes.evaluate.evaluate`.
    """
    told = {"run": run.folder.name, "split": split.name}
    train, test = _halves(store, split, protocols)
    test_y = store.labels[test]
    if "classes" in protocols:
        scores = class_scores(load_recogniser(run.folder)[0], store, test, card.input)
        yield {**told, "protocol": "classes", **Scores.of(scores, test_y, len(store.classes)).plain()}
    if set(protocols) <= {"classes"}:
        return
    train_z, test_z = (_features(run, card, store, half) for half in (train, test))
    train_y, num = store.labels[train], len(store.classes)
    if "linear" in protocols:
        strength = choose_strength(train_z, train_y)
        scores = linear_probe(train_z, train_y, test_z, num_classes=num, strengths=(strength,))
        yield {**told, "protocol": "linear", "strength": strength, **Scores.of(scores, test_y, num).plain()}
    if "knn" in protocols:
        found = knn(train_z, train_y, test_z, k=[k for k in NEIGHBOURS if k <= len(train_y)], num_classes=num)
        for k, scores in found.items():
            yield {**told, "protocol": f"knn (k={k})", **Scores.of(scores, test_y, num).plain()}
    if "retrieval" in protocols:
        first, precision = retrieve(train_z, train_y, test_z, test_y, num_classes=num)
        yield {**told, "protocol": "retrieval", **Ranks.of(first, precision).plain()}


def _halves(store: Store, split: Split, protocols: Sequence[Probe]) -> tuple[np.ndarray, np.ndarray]:
    """The clips to fit and to test on; where nothing is fitted the first may be without labels."""
    test = labelled(store, split.test, f"test clip of '{split.name}'")
    if set(protocols) == {"classes"}:
        return split.train, test
    return labelled(store, split.train, f"train clip of '{split.name}'"), test


def _features(run: Run, card: Card, store: Store, indices: np.ndarray) -> np.ndarray:
    if card.kind == "recogniser":
        return model_features(load_recogniser(run.folder)[0], store, indices, card.input)
    encoder = bring_over(load_pretrained(run.folder)[0].encoder, card, store)
    # No weight goes with a person, so that it can be shown more of them than it learned from.
    persons = max(card.input.persons, min(PERSONS, store.max_persons))
    return encoder_features(encoder, store, indices, card.input.change(persons=persons))
