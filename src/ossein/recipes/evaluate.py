"""Evaluation of finished runs: class names on test clips, or probes on frozen features. Top to bottom."""

from pathlib import Path
from typing import Any, Literal

import numpy as np

from ossein.deploy import Card, load_pretrained, load_recogniser, read_card
from ossein.errors import BundleError, DataError, SettingsError, SkeletonError
from ossein.evaluate import Scores, knn, linear_probe, spread
from ossein.evaluate.model import class_scores, encoder_features, model_features
from ossein.files import write_json
from ossein.recipes.base import leaves, refuse_seen
from ossein.store import Split, Store, resolve
from ossein.train import Run

Protocol = Literal["classes", "linear", "knn"]


def evaluate(
    folder: Path, store: Store, *, protocols: tuple[Protocol, ...] = (), split: str | None = None
) -> dict[str, Any]:
    """Test every run in a folder on the test half of its split (or of another one).

    Args:
        folder: A run, or a folder of runs (folds, seeds).
        store: The data.
        protocols: `classes`: the recogniser's own answers, with all its test windows. `linear` and `knn`: a linear
            probe, and nearest neighbours, on frozen features, fitted on the training half. Where none is given: `classes`
            for recognisers, the other two for pre-trained encoders.
        split: The split to test on, in place of the one that a run was trained on.

    Returns:
        What is written to `folder/evaluation.json`: numbers of each run and protocol, mean and spread over runs.

    Raises:
        BundleError: There is no finished run.
        SkeletonError: The store has other joints than the model.
        DataError: A run has seen test clips in training, or clips have no label.
        SettingsError: A protocol does not fit the kind of run.
    """
    tables = [_evaluate_one(run, store, protocols, split) for run in leaves(folder)]
    rows = [row for table in tables for row in table]
    kinds = list(dict.fromkeys(row["protocol"] for row in rows))
    means = {
        kind: {
            key: spread([row[key] for row in rows if row["protocol"] == kind]).plain()
            for key in ("top1", "top5", "mean_class")
        }
        for kind in kinds
    }
    results = {"store": store.path.name, "hash": store.hash, "rows": rows, "mean": means}
    write_json(folder / "evaluation.json", results)
    return results


def _evaluate_one(run: Run, store: Store, protocols: tuple[Protocol, ...], split: str | None) -> list[dict[str, Any]]:
    if not run.done:
        raise BundleError(f"{run.folder}: is not finished. Go on with it: the same command, with --out and --resume.")
    card = read_card(run.folder)[1]
    _check(card, store, run.folder)
    chosen = resolve(store, split or card.data["split"])
    refuse_seen(card.data, store, chosen.test, f"the run in {run.folder}")
    kinds = protocols or (("classes",) if card.kind == "recogniser" else ("linear", "knn"))
    _check_labels(store, chosen, chosen.test if kinds == ("classes",) else np.union1d(chosen.train, chosen.test))
    rows = []
    for name, scores in _scores(run, card, store, chosen, kinds).items():
        numbers = Scores.of(scores, store.labels[chosen.test], scores.shape[1]).plain()
        rows.append({"run": run.folder.name, "protocol": name, "split": chosen.name, **numbers})
    return rows


def _scores(run: Run, card: Card, store: Store, split: Split, protocols: tuple[Protocol, ...]) -> dict[str, np.ndarray]:
    out: dict[str, np.ndarray] = {}
    if "classes" in protocols:
        if card.kind != "recogniser":
            raise SettingsError(f"{run.folder}: a pre-trained encoder names no classes. Use --protocol linear knn.")
        out["classes"] = class_scores(load_recogniser(run.folder)[0], store, split.test, card.input)
    if "linear" in protocols or "knn" in protocols:
        train_z, test_z = (_features(run, card, store, part) for part in (split.train, split.test))
        train_y, num = store.labels[split.train], len(store.classes)
        if "linear" in protocols:
            out["linear"] = linear_probe(train_z, train_y, test_z, num_classes=num)
        if "knn" in protocols:
            found = knn(train_z, train_y, test_z, k=[k for k in (1, 5, 20) if k <= len(train_y)], num_classes=num)
            out |= {f"knn (k={k})": scores for k, scores in found.items()}
    return out


def _features(run: Run, card: Card, store: Store, indices: np.ndarray) -> np.ndarray:
    if card.kind == "recogniser":
        return model_features(load_recogniser(run.folder)[0], store, indices, card.input)
    return encoder_features(load_pretrained(run.folder)[0].encoder, store, indices, card.input)


def _check(card: Card, store: Store, folder: Path) -> None:
    if card.skeleton["joints"] != list(store.skeleton.joints) or card.dims != store.dims:
        raise SkeletonError(
            f"{folder}: the model knows {card.skeleton['name']} in {card.dims}-D, {store.path.name} holds "
            f"{store.skeleton.name} in {store.dims}-D. Use a store with the same joints."
        )
    if card.kind == "recogniser" and card.classes != store.classes:
        raise DataError(
            f"{folder}: the model knows {len(card.classes)} classes, {store.path.name} names other ones "
            f"({len(store.classes)}). Use a store with the same classes."
        )


def _check_labels(store: Store, split: Split, needed: np.ndarray) -> None:
    unlabelled = needed[store.labels[needed] < 0]
    if len(unlabelled):
        raise DataError(
            f"{store.path.name}: {len(unlabelled)} clips of '{split.name}' have no label, such as "
            f"'{store.names[unlabelled[0]]}'. Evaluation needs labels; drop these clips or label them."
        )
