"""The numbers of an evaluation: top-k, mean class accuracy, confusion, intervals, and spreads over runs.

Shares are numbers in [0, 1]; only text shows per cent. N test clips, K classes.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from ossein.errors import DataError
from ossein.evaluate.base import check_labels
from ossein.words import count


def top_k(scores: np.ndarray, labels: np.ndarray, k: int = 1) -> float:
    """The share of clips whose class is among the k classes with the highest scores.

    Among equal scores the class with the lower number counts as the higher one, so that a constant scorer earns no
    more than its due and `k = 1` agrees with `scores.argmax(1)`.

    Args:
        scores: A number per clip and class, [N K]; any order-preserving scale, -inf allowed.
        labels: The true classes from 0, int [N].
        k: How many guesses count; K or more makes every clip right.

    Raises:
        DataError: Shapes do not fit, there is no clip, a score is NaN, or a clip has no label.

    >>> top_k(np.array([[0.1, 0.9], [0.8, 0.2], [0.4, 0.6]]), np.array([1, 0, 0]))
    0.6666666666666666
    """
    return float((_rank(scores, labels) < k).mean())


def mean_class(predicted: np.ndarray, labels: np.ndarray, num_classes: int) -> float:
    """Mean class accuracy: the recall of each class that occurs in `labels`, averaged over those classes.

    Args:
        predicted: The predicted classes, int [N].
        labels: The true classes, int [N].
        num_classes: K.

    Raises:
        DataError: Shapes do not fit, there is no clip, or a number is no class.

    >>> mean_class(np.array([0, 0, 0, 0]), np.array([0, 0, 0, 1]), 3)
    0.5
    """
    counts = confusion(predicted, labels, num_classes)
    present = counts.sum(1) > 0
    return float((counts.diagonal()[present] / counts.sum(1)[present]).mean())


def confusion(predicted: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """How often each true class (row) was taken for each class (column), int [K K].

    Args:
        predicted: The predicted classes, int [N].
        labels: The true classes, int [N].
        num_classes: K.

    Raises:
        DataError: Shapes do not fit, there is no clip, or a number is no class.
    """
    if predicted.shape != labels.shape or not len(labels):
        raise DataError(
            f"predictions {list(predicted.shape)} for labels {list(labels.shape)}, expected one class per clip and at "
            "least one clip. Take the argmax of scores."
        )
    check_labels(labels, num_classes)
    check_labels(predicted, num_classes)
    flat = np.bincount(labels.astype(np.int64) * num_classes + predicted, minlength=num_classes**2)
    return flat.reshape(num_classes, num_classes)


def wilson(right: float, of: float, z: float = 1.959964) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927): it stays within [0, 1], and has a width at 0 and 1 too.

    It tells how much a share owes to which clips were tested, not to the seed of training (see `spread`). Clips count
    as independent; where one performer gives many clips, the true interval is wider.

    Args:
        right: How many.
        of: Of how many, above 0.
        z: The quantile of the normal distribution; as given, for 95 %.

    Raises:
        DataError: There is no clip.

    >>> [round(end, 4) for end in wilson(8, 10)]
    [0.4902, 0.9433]
    """
    if of <= 0:
        raise DataError(f"a share of {of} clips, expected at least one clip.")
    share, more = right / of, z * z / of
    middle = (share + more / 2) / (1 + more)
    half = z / (1 + more) * math.sqrt(share * (1 - share) / of + more / (4 * of))
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, eq=False)
class Scores:
    """What one evaluation found.

    Args:
        top1: The share of clips with the right class on top.
        top5: The share with the right class among the first five (or among all, if there are fewer classes).
        mean_class: The mean of the recalls of the classes.
        interval: The 95 % interval of `top1` over the test clips, see `wilson`.
        confusion: Counts, int [K K], rows are the true classes.
        num_clips: N.
    """

    top1: float
    top5: float
    mean_class: float
    interval: tuple[float, float]
    confusion: np.ndarray
    num_clips: int

    @classmethod
    def of(cls, scores: np.ndarray, labels: np.ndarray, num_classes: int) -> Self:
        """All of it from scores.

        Args:
            scores: A number per clip and class, [N K].
            labels: The true classes from 0, int [N].
            num_classes: K.

        Raises:
            DataError: Shapes do not fit, there is no clip, a score is NaN, or a clip has no label.

        >>> Scores.of(np.eye(3), np.arange(3), 3).top1
        1.0
        """
        if scores.shape[1:] != (num_classes,):
            raise DataError(
                f"scores {list(scores.shape)}, expected [N {num_classes}]. The model and the data name different classes."
            )
        rank = _rank(scores, labels)
        predicted = scores.argmax(1)
        return cls(
            top1=float((rank < 1).mean()),
            top5=float((rank < 5).mean()),
            mean_class=mean_class(predicted, labels, num_classes),
            interval=wilson(int((rank < 1).sum()), len(rank)),
            confusion=confusion(predicted, labels, num_classes),
            num_clips=len(labels),
        )

    def plain(self) -> dict[str, Any]:
        """The scores as plain data, for JSON."""
        return {**vars(self), "interval": list(self.interval), "confusion": self.confusion.tolist()}

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"top-1 {self.top1:.1%} [{low:.1%}, {high:.1%}], top-5 {self.top5:.1%}, "
            f"mean class {self.mean_class:.1%} ({count(self.num_clips, 'clip')})"
        )


@dataclass(frozen=True)
class Ranks:
    """What one retrieval found.

    Args:
        rank1: The share of queries whose nearest clip is of their class.
        rank5: The share with a clip of their class among the nearest five.
        map: Mean average precision.
        interval: The 95 % interval of `rank1` over the queries, see `wilson`.
        num_clips: Queries.
    """

    rank1: float
    rank5: float
    map: float
    interval: tuple[float, float]
    num_clips: int

    @classmethod
    def of(cls, first: np.ndarray, precision: np.ndarray) -> Self:
        """All of it from what `retrieve` returns.

        Args:
            first: The place of the first clip of each query's class, from 0, int [Q]; where there is none, 5 or more.
            precision: The average precision of each query, [Q].

        Raises:
            DataError: There is no query.

        >>> Ranks.of(np.array([0, 1, 7, 0]), np.array([1.0, 0.5, 0.1, 0.4])).rank5
        0.75
        """
        interval = wilson(int((first < 1).sum()), len(first))
        rank1, rank5 = float((first < 1).mean()), float((first < 5).mean())
        return cls(rank1, rank5, float(precision.mean()), interval, len(first))

    def plain(self) -> dict[str, Any]:
        """The numbers as plain data, for JSON."""
        return {**vars(self), "interval": list(self.interval)}


class Spread(NamedTuple):
    """Mean and sample standard deviation of shares over seeds or folds; `std` is NaN for a single value."""

    mean: float
    std: float
    n: int

    def plain(self) -> dict[str, float | int | None]:
        """The spread as plain data, for JSON, which knows no NaN."""
        return {"mean": self.mean, "std": None if math.isnan(self.std) else self.std, "n": self.n}

    def __str__(self) -> str:
        around = "" if math.isnan(self.std) else f" ± {100 * self.std:.1f}"
        return f"{100 * self.mean:.1f}{around} (n={self.n})"


def spread(values: Iterable[float]) -> Spread:
    """Mean and sample standard deviation (n - 1) of shares in [0, 1] over seeds or folds; its text is in per cent.

    Args:
        values: One share per run.

    Raises:
        DataError: There is no value.

    >>> str(spread([0.939, 0.942, 0.945]))
    '94.2 ± 0.3 (n=3)'
    """
    x = np.fromiter(values, np.float64)
    if not len(x):
        raise DataError("a spread of no values. Give the result of at least one run.")
    return Spread(float(x.mean()), float(x.std(ddof=1)) if len(x) > 1 else math.nan, len(x))


def _rank(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The number of classes placed above the true one, int [N]."""
    if scores.ndim != 2 or labels.shape != scores.shape[:1] or not len(labels):
        raise DataError(
            f"scores {list(scores.shape)} for labels {list(labels.shape)}, expected [N K] and [N] with at least one clip."
        )
    check_labels(labels, scores.shape[1])
    if np.isnan(scores).any():
        raise DataError(
            f"clip {np.argwhere(np.isnan(scores))[0, 0]} has a score that is NaN. The model may have diverged."
        )
    true = np.take_along_axis(scores, labels[:, None], 1)
    before = np.arange(scores.shape[1]) < labels[:, None]
    return ((scores > true) | ((scores == true) & before)).sum(1)
