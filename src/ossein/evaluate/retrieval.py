"""Retrieval: each test clip asks for clips of its own class, and frozen features alone say which training clips are near."""

import numpy as np

from ossein.errors import DataError
from ossein.evaluate.base import check_labels, check_training, unit_length
from ossein.words import count

NOWHERE = int(np.iinfo(np.int64).max)
"""The place of a clip that is not there: further than any, however few clips there are to find."""


def retrieve(
    train_z: np.ndarray,
    train_y: np.ndarray,
    test_z: np.ndarray,
    test_y: np.ndarray,
    *,
    num_classes: int,
    chunk: int = 256,
) -> tuple[np.ndarray, np.ndarray]:
    """How near the training clips of its own class stand to each test clip; nothing is fitted.

    Training clips are ordered by the cosine of their features with those of the query, equals by their number. Average
    precision is the mean of (clips of the class so far) / (place) over the places of all clips of the class. A query whose
    class is not among the training clips finds nothing, and that is no reason to leave it out.

    Args:
        train_z: Frozen features of the training clips, [N D].
        train_y: Their classes from 0, int [N].
        test_z: Frozen features of the test clips, the queries, [Q D].
        test_y: Their classes, int [Q].
        num_classes: K.
        chunk: How many queries are compared at a time; memory grows with it, results do not change.

    Returns:
        The place of the first clip of the query's class, from 0, or `NOWHERE` where there is none, int64 [Q]; and the average
        precision, in [0, 1], float64 [Q].

    Raises:
        DataError: The features or labels do not fit together.

    >>> retrieve(np.eye(2), np.array([0, 1]), np.array([[0.1, 0.9]]), np.array([0]), num_classes=2)
    (array([1]), array([0.5]))
    """
    check_training(train_z, train_y, test_z, num_classes)
    check_labels(test_y, num_classes)
    if len(test_z) != len(test_y):
        raise DataError(
            f"{count(len(test_z), 'query', 'queries')} with {count(len(test_y), 'label')}, expected one label each. "
            "Check the selection."
        )
    train, test = unit_length(train_z), unit_length(test_z)
    first, precision = np.zeros(len(test), np.int64), np.zeros(len(test))
    for start in range(0, len(test), chunk):
        part = slice(start, start + chunk)
        order = np.argsort(-(test[part] @ train.T), axis=1, kind="stable")
        first[part], precision[part] = _judge(train_y[order] == test_y[part, None])
    return first, precision


def _judge(same: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What `retrieve` returns, from whether the clip at each place is of the class of the query, bool [Q N]."""
    found, place = same.cumsum(1), np.arange(1, same.shape[1] + 1)
    first = np.where(same.any(1), same.argmax(1), NOWHERE)
    return first, (same * found / place).sum(1) / np.maximum(1, found[:, -1])
