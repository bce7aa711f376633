"""Label propagation: what the labels of a few clips say of all others, over a graph of clips that are alike."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from ossein.errors import DataError, SettingsError
from ossein.evaluate.base import check_labels, nearest, unit_length
from ossein.words import count

FEWEST, MOST = 5, 20
"""Bounds of the number of neighbours, where none is given."""
_SHARPNESS = 3
"""The power of the cosine that is the weight of an edge, as in Iscen et al. (2019)."""
_ROUNDS = 100
"""How often labels are passed on; at the usual share, what comes later adds less than a ten-thousandth."""


def propagate(
    features: np.ndarray | Sequence[np.ndarray],
    labels: np.ndarray,
    *,
    num_classes: int,
    neighbours: int | None = None,
    share: float = 0.9,
    chunk: int = 1024,
) -> np.ndarray:
    """How much each clip is of each class, as far as the labels of some of them tell: float64 [N K], rows sum to 1.

    Clips are the nodes of a graph, each joined to those most like it, with the weight cos^3 (Iscen et al. 2019, "Label
    propagation for deep semi-supervised learning"). Labels then spread (Zhou et al. 2004, "Learning with local and
    global consistency"):

        F <- share * S F + Y,  S = D^-1/2 (W + W') D^-1/2

    Y holds for each class its labelled clips, with 1 in all, so that a class with more labels is not more likely for
    that. Nothing is learned. A clip that no label reaches has a row of zeros.

    Args:
        features: What describes the clips, [N D]; several descriptions of the same clips [N D1], [N D2], ... count alike,
            whatever their numbers.
        labels: Classes from 0, int [N]; -1 where not known.
        num_classes: K.
        neighbours: The clips that each is joined to; a quarter of the clips of an average class, from 5 to 20, where not
            given.
        share: How much of what a clip says its neighbours told it, in [0, 1).
        chunk: How many clips are compared at a time; memory grows with it.

    Raises:
        DataError: The features or labels do not fit together, or no label is known.
        SettingsError: There are fewer than 1 or more than N - 1 neighbours, or the share is out of range.

    >>> z = np.array([[1.0, 0.0], [0.9, 0.1], [0.1, 0.9], [0.0, 1.0]])
    >>> propagate(z, np.array([0, -1, -1, 1]), num_classes=2, neighbours=1).argmax(1)
    array([0, 0, 1, 1])
    """
    sets = [features] if isinstance(features, np.ndarray) else list(features)
    _check(sets, labels, num_classes)
    num = len(labels)
    k = usual_neighbours(num, num_classes) if neighbours is None else neighbours
    if not 1 <= k <= num - 1:
        raise SettingsError(f"{k} neighbours of {count(num, 'clip')}. Ask for 1 to {num - 1}.")
    if not 0 <= share < 1:
        raise SettingsError(f"share {share}, expected 0 to below 1. Try 0.9.")
    graph = _graph(_one_description(sets), k, chunk)
    start = np.zeros((num, num_classes))
    known = np.flatnonzero(labels >= 0)
    start[known, labels[known]] = 1
    start /= np.maximum(start.sum(0), 1)
    told = start
    for _ in range(_ROUNDS):
        told = share * (graph @ told) + start
    whole = told.sum(1, keepdims=True)
    return told / np.where(whole > 0, whole, 1)


def usual_neighbours(num_clips: int, num_classes: int) -> int:
    """A quarter of the clips of an average class, from 5 to 20, and fewer where there are not so many clips.

    >>> usual_neighbours(1258, 15), usual_neighbours(100, 27), usual_neighbours(4, 2)
    (20, 5, 3)
    """
    return min(num_clips - 1, max(FEWEST, min(MOST, num_clips // (4 * num_classes))))


def _one_description(sets: Sequence[np.ndarray]) -> np.ndarray:
    """The clips on one sphere: each set about its mean and of length 1, side by side."""
    parts = [unit_length(z.astype(np.float64) - z.mean(0, dtype=np.float64)) for z in sets]
    return unit_length(np.concatenate(parts, 1)).astype(np.float32)


def _graph(z: np.ndarray, k: int, chunk: int) -> sparse.csr_array:
    """S, see `propagate`."""
    num, rows, columns, weights = len(z), [], [], []
    for first in range(0, num, chunk):
        own = np.arange(first, min(first + chunk, num))
        near, alike = nearest(z, z[own], k + 1)
        # One of the k + 1 is the clip itself, or there are so many equal to it that it is not among them.
        other = near != own[:, None]
        other[other.all(1), -1] = False
        rows.append(np.repeat(own, k))
        columns.append(near[other])
        weights.append(np.maximum(alike[other], 0).astype(np.float64) ** _SHARPNESS)
    edges = sparse.coo_array(
        (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))), (num, num)
    ).tocsr()
    both = edges + edges.T
    degree = np.asarray(both.sum(1)).ravel()
    scale = sparse.diags_array(1 / np.sqrt(np.where(degree > 0, degree, 1)))
    return (scale @ both @ scale).tocsr()


def _check(sets: Sequence[np.ndarray], labels: np.ndarray, num_classes: int) -> None:
    for z in sets:
        if z.ndim != 2 or len(z) != len(labels):
            raise DataError(
                f"features {list(z.shape)} of {count(len(labels), 'label')}, expected [N D] and [N]. "
                "Take both from the same clips."
            )
        if not np.isfinite(z).all():
            raise DataError(
                f"clip {np.argwhere(~np.isfinite(z))[0, 0]} has a feature that is not finite. Check where they come from."
            )
    if not sets or not (labels >= 0).any():
        raise DataError("nothing to spread: expected features, and a label from 0 of one clip at least. Label some.")
    check_labels(labels[labels >= 0], num_classes)
