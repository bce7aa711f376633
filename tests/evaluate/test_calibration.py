"""Calibration against hand-made numbers, slow loops, and models whose error is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossein.errors import DataError
from ossein.evaluate.calibration import (
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    probabilities,
    thresholds,
)


def told(seed=0, clips=4000, classes=5, windows=1):
    """Labels drawn from the probabilities that some logits mean, so that these are calibrated."""
    rng = np.random.default_rng(seed)
    logits = np.repeat(rng.normal(0, 2, (clips, 1, classes)), windows, 1)
    p = probabilities(logits)
    return logits, (p.cumsum(1) < rng.random((clips, 1))).sum(1)


def test_error_by_hand():
    # Two clips in (0.8, 0.867], one right; one in (0.6, 0.667], right; three at 1, all right.
    p = np.array([[0.85, 0.15], [0.15, 0.85], [0.65, 0.35], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    labels = np.array([0, 0, 0, 0, 1, 0])
    expected = 2 / 6 * abs(0.5 - 0.85) + 1 / 6 * abs(1 - 0.65) + 3 / 6 * 0
    assert expected_calibration_error(p, labels, 15) == pytest.approx(expected)


def test_the_edge_of_a_bin_belongs_to_the_bin_below():
    p = np.array([[0.6, 0.4], [0.61, 0.39]])
    # 0.6 = 9 / 15 is in bin 9, 0.61 in bin 10; in one bin the errors would cancel.
    error = expected_calibration_error(p, np.array([0, 1]), 15)
    assert error == pytest.approx((0.4 + 0.61) / 2)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 20))
def test_error_against_a_loop(seed, bins):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(4), 60)
    labels = rng.integers(0, 4, 60)
    total = 0.0
    for b in range(bins):
        inside = [n for n in range(60) if b / bins < p[n].max() <= (b + 1) / bins]
        if inside:
            right = np.mean([p[n].argmax() == labels[n] for n in inside])
            total += len(inside) / 60 * abs(right - np.mean([p[n].max() for n in inside]))
    assert expected_calibration_error(p, labels, bins) == pytest.approx(total)


def test_probabilities_are_the_mean_over_windows_however_large_the_scores():
    logits = np.array([[[np.log(3), 0.0], [0.0, np.log(9)], [4000.0, 0.0]]])
    np.testing.assert_allclose(probabilities(logits), [[(0.75 + 0.1 + 1) / 3, (0.25 + 0.9 + 0) / 3]])
    np.testing.assert_allclose(probabilities(logits[:, :2], 0.5), [[(0.9 + 1 / 82) / 2, (0.1 + 81 / 82) / 2]])


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("windows", [1, 3])
def test_the_temperature_of_a_model_that_is_too_sure(factor, windows):
    logits, labels = told(windows=windows)
    found = fit_temperature(logits * factor, labels)
    assert found == pytest.approx(factor, rel=0.06)
    loss = [negative_log_likelihood(probabilities(logits * factor, found * by), labels) for by in (0.9, 1.0, 1.1)]
    assert loss[1] < min(loss[0], loss[2])


def test_calibrated_probabilities_come_true():
    logits, labels = told()
    found = fit_temperature(4 * logits, labels)
    before, after = (expected_calibration_error(probabilities(4 * logits, t), labels) for t in (1.0, found))
    assert before > 0.15
    assert after < 0.02
    assert (probabilities(4 * logits, found).argmax(1) == probabilities(logits).argmax(1)).all()


def test_clips_that_do_not_tell_a_temperature():
    right = np.array([[[3.0, 0.0]], [[0.0, 2.0]]])
    with pytest.raises(DataError, match=r"2 clips do not tell a temperature: the right class is on top"):
        fit_temperature(right, np.array([0, 1]))
    for high in (0.3, 3.0, 30.0):  # all but a tie are right: the colder, the likelier, until all is 0 to rounding
        with pytest.raises(DataError, match=r"the right class is on top of nearly all"):
            fit_temperature(np.array([[[high, 0.0]], [[0.0, 0.0]]]), np.array([0, 1]))
    with pytest.raises(DataError, match=r"the scores say nothing about the classes"):
        fit_temperature(np.zeros((4, 1, 3)), np.array([0, 1, 2, 0]))
    with pytest.raises(DataError, match=r"the scores say nothing about the classes"):
        fit_temperature(right, np.array([1, 0]))
    with pytest.raises(DataError):
        fit_temperature(right, np.array([0, -1]))
    with pytest.raises(DataError, match=r"expected \[N K\] and \[N\]"):
        expected_calibration_error(np.ones((2, 2)), np.array([0]))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_thresholds_against_a_search(seed):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(3), 40).round(1)  # with equal confidences
    labels = rng.integers(0, 3, 40)
    confidence, right = p.max(1), p.argmax(1) == labels
    for found in thresholds(p, labels, [0.3, 0.6, 0.9]):
        good = [c for c in np.unique(confidence) if right[confidence >= c].mean() >= found.accuracy]
        assert found.sure == (min(good) if good else None)
        answered = (confidence >= found.sure).sum() if good else 0
        assert (found.clips, found.share) == (answered, pytest.approx(answered / 40))
