"""Timelines: what happens when in a long recording, from the probabilities of overlapping windows.

The probabilities of a moment are the mean over the windows that hold it, each weighted by how far the moment is from the
window's nearer end: what lies in the middle of a window decides its answer, and without weights an action as long as a
window drowns in windows that see half of it. The classes of all moments are chosen together: a change of class costs, so
that it must be worth it (the Viterbi algorithm). Neighbours of one class are one segment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

_TINY = 1e-9


@dataclass(frozen=True)
class Segment:
    """A stretch of time in which one thing happens.

    Args:
        start: Where it begins, in seconds where the frame rate is known, else in frames.
        end: Where it ends.
        name: The class; None where nothing is known.
        confidence: The mean probability of the class that was best.
    """

    start: float
    end: float
    name: str | None
    confidence: float


@dataclass(frozen=True)
class Timeline:
    """What happens in one recording.

    Args:
        name: The clip's name.
        segments: In order; where nobody is there is none.
        unit: Of start and end: `s` or `frames`.
    """

    name: str
    segments: tuple[Segment, ...]
    unit: str


@dataclass(frozen=True, eq=False)
class Moments:
    """A recording between the edges of its windows: S moments, some in no window.

    Args:
        edges: Where each moment begins, and at last where the last one ends, in frames [S + 1].
        p: Mean class probabilities, [S K].
        covered: Whether a window holds it, bool [S].
    """

    edges: np.ndarray
    p: np.ndarray
    covered: np.ndarray

    @classmethod
    def of(cls, starts: Sequence[int], ends: Sequence[int], p: np.ndarray) -> "Moments":
        """The weighted mean over windows.

        Args:
            starts: The first frame of each window, W of them.
            ends: The frame behind the last of each.
            p: Class probabilities of each, [W K].
        """
        edges = np.unique([*starts, *ends])
        middle = (edges[:-1] + edges[1:]) / 2
        total, sum_ = np.zeros((len(middle), p.shape[1])), np.zeros((len(middle), 1))
        for start, end, one in zip(starts, ends, p.astype(np.float64), strict=True):
            held = slice(*np.searchsorted(edges, (start, end)))
            weight = np.minimum(middle[held] - start, end - middle[held])[:, None]
            total[held] += weight * one
            sum_[held] += weight
        covered = sum_[:, 0] > 0
        return cls(edges, np.divide(total, sum_, out=total, where=sum_ > 0), covered)


def segments(moments: Moments, classes: Sequence[str], *, unit: float, switch: float, sure: float) -> list[Segment]:
    """Moments as segments, in frames.

    Args:
        moments: What is known of each.
        classes: Class names.
        unit: How many frames count as one piece of evidence: the frames from window to window.
        switch: What a change of class costs, in nats; 0 takes the best class of each moment.
        sure: The least confidence at which a class is named.
    """
    out: list[Segment] = []
    for run in _groups(moments.covered):
        if moments.covered[run[0]]:
            out += _run(moments, run, classes, unit, switch, sure)
    return out


def smooth(p: np.ndarray, weight: np.ndarray, switch: float) -> np.ndarray:
    """The classes c_s of moments, int [S], with the greatest sum of weight_s log p_s(c_s) less `switch` for each change.

    Args:
        p: Class probabilities, [S K].
        weight: How much each moment counts, [S].
        switch: What a change costs.

    >>> smooth(np.array([[0.9, 0.1], [0.4, 0.6], [0.9, 0.1]]), np.ones(3), 1.0)
    array([0, 0, 0])
    """
    gain = weight[:, None] * np.log(np.maximum(p, _TINY))
    best, came = gain[0], np.zeros(p.shape, int)
    for s in range(1, len(p)):
        top = int(best.argmax())
        stays = best >= best[top] - switch
        came[s] = np.where(stays, np.arange(p.shape[1]), top)
        best = np.where(stays, best, best[top] - switch) + gain[s]
    path = [int(best.argmax())]
    for s in range(len(p) - 1, 0, -1):
        path.append(int(came[s, path[-1]]))
    return np.array(path[::-1])


def _run(
    moments: Moments, run: np.ndarray, classes: Sequence[str], unit: float, switch: float, sure: float
) -> list[Segment]:
    """The segments of moments that follow each other without a gap."""
    length = np.diff(moments.edges)[run]
    label = smooth(moments.p[run], length / unit, switch)
    confidence = moments.p[run, label]
    for group in _groups(label):
        if np.average(confidence[group], weights=length[group]) < sure:
            label[group] = -1
    found = []
    for group in _groups(label):
        first, last = run[group[0]], run[group[-1]]
        best = int(label[group[0]])
        name = classes[best] if best >= 0 else None
        mean = float(np.average(confidence[group], weights=length[group]))
        found.append(Segment(float(moments.edges[first]), float(moments.edges[last + 1]), name, mean))
    return found


def _groups(label: np.ndarray) -> list[np.ndarray]:
    """The places of equal neighbours."""
    edges = [0, *(np.flatnonzero(np.diff(label)) + 1).tolist(), len(label)]
    return [np.arange(first, last) for first, last in pairwise(edges)]
