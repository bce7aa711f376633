"""The linear probe: how much a frozen encoder knows, as far as a linear classifier can read it off."""

import warnings
from collections.abc import Sequence

import numpy as np

from ossein.errors import SettingsError
from ossein.evaluate.base import all_columns, check_training, few_labels

STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)
"""The choices of C, the inverse of the weight decay."""


def linear_probe(
    train_z: np.ndarray,
    train_y: np.ndarray,
    test_z: np.ndarray,
    *,
    num_classes: int,
    seed: int = 0,
    strengths: Sequence[float] = STRENGTHS,
) -> np.ndarray:
    """Log-probabilities [N K] of test clips by a logistic regression on frozen features.

    The field's "linear evaluation protocol": the encoder is frozen, one linear layer is fitted to the training
    labels. Here the layer is fitted to convergence, so there is no learning rate to tune, and C is chosen on a fifth of
    the *training* clips, cut out per class; test labels are never seen. Features are standardised by the training clips.

    Args:
        train_z: Frozen features of the training clips, [N D].
        train_y: Their classes from 0, int [N].
        test_z: Frozen features of the test clips, [N D].
        num_classes: K; a class without training clips scores -inf.
        seed: Of the cut on which C is chosen.
        strengths: The choices of C, positive; among equally good ones the smallest is taken.

    Raises:
        DataError: The features or labels do not fit together.
        SettingsError: No strength is given or one is not positive.
    """
    check_training(train_z, train_y, test_z, num_classes)
    strength = choose_strength(train_z, train_y, seed=seed, strengths=strengths)
    train_z, test_z = _standardise(train_z, test_z)
    model = _fit(train_z, train_y, strength)
    return all_columns(model.predict_log_proba(test_z), model.classes_, num_classes, missing=-np.inf)


def choose_strength(
    train_z: np.ndarray, train_y: np.ndarray, *, seed: int = 0, strengths: Sequence[float] = STRENGTHS
) -> float:
    """The C that does best on a fifth of the training clips, fitted to the others.

    Args:
        train_z: Frozen features of the training clips, [N D].
        train_y: Their classes from 0, int [N].
        seed: Of the cut.
        strengths: The choices of C, positive; among equally good ones the smallest is taken.

    Raises:
        SettingsError: No strength is given or one is not positive.
    """
    strengths = sorted(strengths)
    if not strengths or strengths[0] <= 0:
        raise SettingsError(f"strengths {strengths}, expected one or more numbers above 0. Try {list(STRENGTHS)}.")
    held = cut(train_y, seed=seed)
    if len(strengths) == 1 or not held.any():  # One clip per class leaves nothing to choose by.
        return strengths[len(strengths) // 2]
    z, y = _standardise(train_z, train_z[:0])[0], train_y
    right = [(_fit(z[~held], y[~held], c).predict(z[held]) == y[held]).mean() for c in strengths]
    return strengths[int(np.argmax(right))]


def cut(labels: np.ndarray, *, share: float = 0.2, seed: int = 0) -> np.ndarray:
    """Which clips to hold out, bool [N]: the same share of every class, drawn at random.

    A class with two or more clips gives at least one and keeps at least one; a single clip is always kept.

    Args:
        labels: Classes, int [N].
        share: How much of each class to hold out, in (0, 1).
        seed: Of the draw.

    >>> cut(np.array([0, 0, 0, 0, 0, 1])).sum()
    np.int64(1)
    """
    rng = np.random.default_rng(seed)
    held = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        own = rng.permutation(np.flatnonzero(labels == label))
        held[own[: min(len(own) - 1, max(1, round(share * len(own))))]] = True
    return held


def _standardise(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both feature sets in float64 with the mean and the spread of the *training* clips taken out.

    A feature that never changes in training says nothing there, so it is 0 in both sets.
    """
    train, test = train.astype(np.float64), test.astype(np.float64)
    mean, std = train.mean(0), train.std(0)
    # A constant column keeps a rounding residue as its spread; dividing by that would blow noise up.
    steady = std <= 1e-9 * np.maximum(1e-9, np.abs(train).max(0))
    scale = np.where(steady, 0.0, 1 / np.where(steady, 1.0, std))
    return (train - mean) * scale, (test - mean) * scale


def _fit(z: np.ndarray, y: np.ndarray, strength: float):
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings(), few_labels():
        # Separable features have no finite optimum at a large C; the held-out clips judge where the fit stopped.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=strength, max_iter=1000).fit(z, y)
