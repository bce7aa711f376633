"""Nearest neighbours: how well an encoder places clips of one class together, with nothing fitted at all."""

from collections.abc import Sequence

import numpy as np

from ossein.errors import SettingsError
from ossein.evaluate.base import check_training, nearest, unit_length
from ossein.words import count

_TIE = 1e-6
"""The weight of similarity beside whole votes: too little to outvote anyone, enough to settle a tie."""


def knn(
    train_z: np.ndarray,
    train_y: np.ndarray,
    test_z: np.ndarray,
    *,
    num_classes: int,
    k: int | Sequence[int] = (1, 5, 20),
    chunk: int = 256,
) -> dict[int, np.ndarray]:
    """Scores [N K] of test clips for each k: the share of the k most similar training clips that vote for a class.

    Similarity is the cosine of the features. Tied classes are ordered by the similarity of their voters. Accuracy can
    swing by ten points with k, so give several and report them all; k = 1 is what most papers report.

    Args:
        train_z: Frozen features of the training clips, [N D].
        train_y: Their classes from 0, int [N].
        test_z: Frozen features of the test clips, [N D].
        num_classes: K.
        k: How many neighbours vote; several numbers share one search.
        chunk: How many test clips are compared at a time; memory grows with it, results do not change.

    Raises:
        DataError: The features or labels do not fit together.
        SettingsError: A k is below 1 or above the number of training clips.

    >>> z = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> knn(z, np.array([0, 1]), np.array([[0.1, 0.9]]), num_classes=2, k=1)[1].argmax()
    np.int64(1)
    """
    check_training(train_z, train_y, test_z, num_classes)
    ks = (k,) if isinstance(k, int) else tuple(k)
    if not ks or min(ks) < 1 or max(ks) > len(train_z):
        of = count(len(train_z), "training clip")
        raise SettingsError(f"k = {list(ks)} neighbours of {of}. Ask for 1 to {len(train_z)}.")
    train, test = unit_length(train_z), unit_length(test_z)
    parts = [nearest(train, test[start : start + chunk], max(ks)) for start in range(0, len(test), chunk)]
    near, alike = (np.concatenate(part) for part in zip(*parts)) if parts else (np.zeros((0, max(ks)), int),) * 2
    return {one: _votes(train_y[near[:, :one]], alike[:, :one], num_classes) for one in ks}


def _votes(classes: np.ndarray, alike: np.ndarray, num_classes: int) -> np.ndarray:
    rows = np.repeat(np.arange(len(classes)), classes.shape[1])
    out = np.zeros((len(classes), num_classes))
    np.add.at(out, (rows, classes.ravel()), ((1 + _TIE * alike) / classes.shape[1]).ravel())
    return out
