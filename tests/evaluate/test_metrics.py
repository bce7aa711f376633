import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, top_k_accuracy_score

from ossein.errors import DataError
from ossein.evaluate import Ranks, Scores, confusion, mean_class, spread, top_k, wilson

few = settings(max_examples=20, deadline=None)


def sample(num_clips=60, num_classes=7, seed=0, ties=False):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 3, (num_clips, num_classes)) if ties else rng.normal(size=(num_clips, num_classes))
    return scores.astype(float), rng.integers(0, num_classes, num_clips)


def slow_top_k(scores, labels, k):
    right = 0
    for row, label in zip(scores, labels):
        order = sorted(range(len(row)), key=lambda c: (-row[c], c))
        right += label in order[:k]
    return right / len(labels)


@few
@given(st.integers(0, 1000), st.integers(1, 8), st.booleans())
def test_top_k_is_the_slow_one(seed, k, ties):
    scores, labels = sample(seed=seed, ties=ties)
    assert top_k(scores, labels, k) == pytest.approx(slow_top_k(scores, labels, k))


def test_agrees_with_sklearn():
    scores, labels = sample()
    predicted = scores.argmax(1)
    for k in (1, 2, 5):
        assert top_k(scores, labels, k) == pytest.approx(top_k_accuracy_score(labels, scores, k=k, labels=range(7)))
    assert (confusion(predicted, labels, 7) == confusion_matrix(labels, predicted, labels=range(7))).all()
    assert mean_class(predicted, labels, 7) == pytest.approx(balanced_accuracy_score(labels, predicted))


def test_mean_class_leaves_out_classes_that_do_not_occur():
    labels, predicted = np.array([0, 0, 0, 4]), np.array([0, 0, 1, 4])
    assert mean_class(predicted, labels, 6) == pytest.approx((2 / 3 + 1) / 2)


def test_constant_scores_earn_one_class_only():
    assert top_k(np.zeros((10, 5)), np.repeat(np.arange(5), 2)) == 0.2


def test_minus_infinity_is_a_score():
    assert top_k(np.array([[-np.inf, -5.0], [-np.inf, -5.0]]), np.array([1, 0])) == 0.5


def test_top5_of_few_classes_is_one():
    scores, labels = sample(num_classes=3)
    assert Scores.of(scores, labels, 3).top5 == 1.0


@pytest.mark.parametrize(("right", "of"), [(0, 1), (1, 1), (0, 20), (8, 10), (37, 41), (500, 1000)])
def test_wilson_against_scipy(right: int, of: int):
    known = binomtest(right, of).proportion_ci(0.95, "wilson")
    assert wilson(right, of) == pytest.approx((known.low, known.high), abs=1e-6)


def test_few_clips_that_are_all_right_prove_little():
    scores = Scores.of(np.eye(4), np.arange(4), 4)
    assert scores.top1 == 1
    assert scores.interval == pytest.approx((0.51, 1.0), abs=0.001)
    assert Ranks.of(np.zeros(4, int), np.ones(4)).interval == scores.interval


def test_scores_hold_the_single_numbers():
    scores, labels = sample()
    found = Scores.of(scores, labels, 7)
    assert found.top1 == top_k(scores, labels)
    assert found.top5 == top_k(scores, labels, 5)
    assert found.mean_class == mean_class(scores.argmax(1), labels, 7)
    assert found.interval[0] <= found.top1 <= found.interval[1]
    assert found.confusion.sum() == found.num_clips == 60
    assert found.confusion.diagonal().sum() == round(found.top1 * 60)
    plain = json.loads(json.dumps(found.plain()))
    assert plain["confusion"] == found.confusion.tolist()
    assert plain["interval"] == list(found.interval)
    assert f"{100 * found.top1:.1f}%" in str(found)


def test_spread():
    mean, std, n = spread([0.5, 0.6, 0.7])
    assert (mean, std, n) == (pytest.approx(0.6), pytest.approx(0.1), 3)
    assert str(spread(x for x in (0.5, 0.6, 0.7))) == "60.0 ± 10.0 (n=3)"


def test_spread_of_one_run_claims_no_deviation():
    one = spread([0.942])
    assert math.isnan(one.std)
    assert str(one) == "94.2 (n=1)"
    assert json.loads(json.dumps(one.plain(), allow_nan=False)) == {"mean": 0.942, "std": None, "n": 1}


@pytest.mark.parametrize(
    ("scores", "labels", "words"),
    [
        (np.zeros((2, 3)), np.array([0, -1]), "label -1"),
        (np.zeros((2, 3)), np.array([0, 3]), "label 3"),
        (np.zeros((2, 3)), np.array([0.0, 1.0]), "whole numbers"),
        (np.zeros((3, 3)), np.array([0, 1]), r"\[3, 3\]"),
        (np.zeros((0, 3)), np.zeros(0, int), "at least one"),
        (np.array([[0, np.nan, 1]]), np.array([0]), "NaN"),
        (np.zeros((2, 4)), np.array([0, 1]), r"expected \[N 3\]"),
    ],
)
def test_bad_scores_are_refused(scores, labels, words):
    with pytest.raises(DataError, match=words):
        Scores.of(scores, labels, 3)


def test_bad_predictions_are_refused():
    with pytest.raises(DataError, match="argmax"):
        mean_class(np.zeros((2, 3)), np.array([0, 1]), 3)
    with pytest.raises(DataError, match="label 5"):
        confusion(np.array([5, 0]), np.array([0, 1]), 3)
    with pytest.raises(DataError, match="no values"):
        spread([])
    with pytest.raises(DataError, match="at least one"):
        wilson(0, 0)
