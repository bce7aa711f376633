"""What the protocols share: labelled features checked once, score columns for every class, cosines."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from ossein.errors import DataError
from ossein.words import count


def check_training(train: np.ndarray, labels: np.ndarray, test: np.ndarray, num_classes: int) -> None:
    """Refuse what no classifier can be fitted to.

    Args:
        train: Features of the training clips, [N D].
        labels: Their classes from 0, int [N].
        test: Features of the test clips, [N D] with the same D.
        num_classes: K; labels are 0 to K - 1.

    Raises:
        DataError: Shapes do not fit, a feature is not finite, a label is missing or out of range, or the training
            clips show fewer than two classes.
    """
    if train.ndim != 2 or test.ndim != 2 or train.shape[1] != test.shape[1] or labels.shape != train.shape[:1]:
        raise DataError(
            f"training features {list(train.shape)}, labels {list(labels.shape)} and test features {list(test.shape)}, "
            "expected [N D], [N] and [N D] with one D. Take both from the same encoder."
        )
    for name, z in (("training", train), ("test", test)):
        if not np.isfinite(z).all():
            raise DataError(
                f"{name} clip {np.argwhere(~np.isfinite(z))[0, 0]} has a feature that is not finite. "
                "The encoder may have diverged; train it again with a smaller learning rate."
            )
    check_labels(labels, num_classes)
    if len(np.unique(labels)) < 2:
        raise DataError(
            f"the {count(len(labels), 'training clip shows', 'training clips show')} "
            f"{count(len(np.unique(labels)), 'class')}, at least 2 are needed. Take more clips."
        )


@contextmanager
def few_labels() -> Iterator[None]:
    """Fit a classifier without being asked whether so few labels a class are not numbers to regress on."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        yield


def check_labels(labels: np.ndarray, num_classes: int) -> None:
    """Refuse labels that are not classes.

    Args:
        labels: Classes from 0, int [N].
        num_classes: K; labels are 0 to K - 1.

    Raises:
        DataError: A label is `UNKNOWN` or otherwise out of range, or the labels are not whole numbers.
    """
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise DataError(f"labels are {labels.dtype} {list(labels.shape)}, expected whole numbers [N]. Convert them.")
    bad = np.flatnonzero((labels < 0) | (labels >= num_classes))
    if len(bad):
        raise DataError(
            f"clip {bad[0]} of {len(labels)} has label {labels[bad[0]]}, expected 0 to {num_classes - 1}. "
            "Leave unlabelled clips out of the evaluation."
        )


def all_columns(scores: np.ndarray, classes: np.ndarray, num_classes: int, missing: float) -> np.ndarray:
    """Scores [N seen] as scores [N K]: classes that training never showed get the score `missing`.

    Args:
        scores: One column per class in `classes`.
        classes: Which classes the columns are.
        num_classes: K.
        missing: The score of the other classes, at most as high as any in `scores`.

    >>> all_columns(np.array([[0.3, 0.7]]), np.array([0, 2]), 3, missing=0.0)
    array([[0.3, 0. , 0.7]])
    """
    out = np.full((len(scores), num_classes), missing)
    out[:, classes] = scores
    return out


def unit_length(z: np.ndarray) -> np.ndarray:
    """Features [N D] in float64, each divided by its length, so that products are cosines; zero features stay 0."""
    z = z.astype(np.float64)
    length = np.linalg.norm(z, axis=1, keepdims=True)
    return z / np.where(length > 0, length, 1)


def nearest(among: np.ndarray, z: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k most alike of some clips for each of others, nearest first, and their cosines, both [N k].

    Args:
        among: Features of the clips to find, of length 1, [Q D]; among equals the first ones are found.
        z: Features of the clips that ask, of length 1, [N D].
        k: How many to find, at most Q.
    """
    cosine = z @ among.T
    # What is above the k-th value, and of its equals as many of the first ones as are lacking: a partition takes any of them.
    least = np.partition(cosine, -k, axis=1)[:, -k, None]
    above, equal = cosine > least, cosine == least
    wanted = above | (equal & (equal.cumsum(1, dtype=np.int32) <= k - above.sum(1, keepdims=True)))
    # By number, so that the stable sort by cosine leaves equals in the order in which they were given.
    some = wanted.nonzero()[1].reshape(len(z), k)
    alike = np.take_along_axis(cosine, some, 1)
    order = np.argsort(-alike, axis=1, kind="stable")
    return np.take_along_axis(some, order, 1), np.take_along_axis(alike, order, 1)
