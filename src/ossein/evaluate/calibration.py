"""Calibration: probabilities that come true as often as they say, and the probability from which on to believe a class."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ossein.errors import DataError
from ossein.evaluate.base import check_labels
from ossein.words import count

COLDEST, HOTTEST = 0.05, 20.0
"""Between these a temperature is looked for; at either end the clips do not tell one."""


class Threshold(NamedTuple):
    """From which probability on a class is right as often as was asked for.

    Args:
        accuracy: What was asked for, in (0, 1].
        sure: The least probability of the class that is named; None where no probability is enough.
        share: The share of the clips that get an answer.
        clips: How many clips that are: few of them prove little.
    """

    accuracy: float
    sure: float | None
    share: float
    clips: int

    def plain(self) -> dict[str, Any]:
        """The threshold as plain data, for JSON."""
        return self._asdict()


def probabilities(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Class probabilities of clips, float64 [N K]: softmax(logits / temperature), averaged over windows.

    Args:
        logits: Scores before softmax of each window of each clip, [N W K].
        temperature: Above 1 for a model that is too sure of itself.

    >>> probabilities(np.array([[[2.0, 0.0]]]), 2.0).round(3)
    array([[0.731, 0.269]])
    """
    z = logits.astype(np.float64) / temperature
    p = np.exp(z - z.max(-1, keepdims=True))
    return (p / p.sum(-1, keepdims=True)).mean(1)


def negative_log_likelihood(p: np.ndarray, labels: np.ndarray) -> float:
    """The mean of -log p of the true class, in nats.

    Args:
        p: Class probabilities, [N K].
        labels: The true classes from 0, int [N].

    Raises:
        DataError: Shapes do not fit, there is no clip, or a clip has no label.

    >>> round(negative_log_likelihood(np.array([[0.5, 0.5]]), np.array([1])), 4)
    0.6931
    """
    _check(p, labels)
    true = np.take_along_axis(p, labels[:, None], 1)
    return float(-np.log(np.maximum(true, np.finfo(np.float64).tiny)).mean())


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature at which labelled clips are the most likely (Guo et al. 2017, "On Calibration of Modern Neural Networks").

    One number for all classes, so that the order of the classes of a window, and with it top-1, stays as it is. It must be
    fitted to clips that the model has not learned from: of its own training clips a model is rightly sure.

    Args:
        logits: Scores before softmax of each window of each clip, [N W K].
        labels: The true classes from 0, int [N].

    Raises:
        DataError: Shapes do not fit, a clip has no label, or the clips do not tell: all of them are right, or the scores
            say nothing about the classes.
    """
    from scipy.optimize import minimize_scalar

    def loss(log_temperature: float) -> float:
        return negative_log_likelihood(probabilities(logits, np.exp(log_temperature)), labels)

    bounds = np.log(COLDEST), np.log(HOTTEST)
    found: Any = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-4})
    # No lower than at an end, to rounding: beyond it the clips would only become more likely.
    sure, says_nothing = (loss(end) <= found.fun + 1e-12 for end in bounds)
    if sure or says_nothing:
        why = "the scores say nothing about the classes" if says_nothing else "the right class is on top of nearly all"
        clips = count(len(labels), "clip does", "clips do")
        raise DataError(f"{clips} not tell a temperature: {why}. Calibrate on more clips, or on others.")
    return float(np.exp(found.x))


def expected_calibration_error(p: np.ndarray, labels: np.ndarray, bins: int = 15) -> float:
    """How far probabilities are from how often they come true: ECE (Naeini et al. 2015, Guo et al. 2017 eq. 3).

    ECE = sum over bins b of |b| / N * |accuracy(b) - confidence(b)|, the clips sorted by the probability of the class on top
    into `bins` of equal width, ((i - 1) / bins, i / bins].

    Args:
        p: Class probabilities, [N K].
        labels: The true classes from 0, int [N].
        bins: How many bins.

    Raises:
        DataError: Shapes do not fit, there is no clip, or a clip has no label.

    >>> round(expected_calibration_error(np.array([[0.9, 0.1], [0.9, 0.1]]), np.array([0, 1])), 4)
    0.4
    """
    _check(p, labels)
    confidence, right = p.max(1), p.argmax(1) == labels
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gap = np.bincount(place, right - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(labels))


def thresholds(p: np.ndarray, labels: np.ndarray, accuracies: Iterable[float]) -> list[Threshold]:
    """For each accuracy the least probability above which the class on top is right that often.

    It is chosen on the clips themselves, and so holds on them exactly and elsewhere about as well as these stand for it.

    Args:
        p: Class probabilities, [N K].
        labels: The true classes from 0, int [N].
        accuracies: Shares in (0, 1].

    Raises:
        DataError: Shapes do not fit, there is no clip, or a clip has no label.

    >>> thresholds(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1]), [1.0])
    [Threshold(accuracy=1.0, sure=0.9, share=0.5, clips=1)]
    """
    _check(p, labels)
    order = np.argsort(-p.max(1), kind="stable")
    confidence = p.max(1)[order]
    right = (p.argmax(1) == labels)[order].cumsum() / np.arange(1, len(labels) + 1)
    # Clips of the same confidence are answered together or not at all.
    whole = np.append(confidence[1:] < confidence[:-1], True)
    return [_threshold(accuracy, confidence, np.flatnonzero(whole & (right >= accuracy))) for accuracy in accuracies]


def _threshold(accuracy: float, confidence: np.ndarray, good: np.ndarray) -> Threshold:
    if not len(good):
        return Threshold(accuracy, None, 0.0, 0)
    last = int(good[-1])
    return Threshold(accuracy, float(confidence[last]), (last + 1) / len(confidence), last + 1)


def _check(p: np.ndarray, labels: np.ndarray) -> None:
    if p.ndim != 2 or labels.shape != p.shape[:1] or not len(labels):
        raise DataError(
            f"probabilities {list(p.shape)} for labels {list(labels.shape)}, expected [N K] and [N] with at least one clip."
        )
    check_labels(labels, p.shape[1])
