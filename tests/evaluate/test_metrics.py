import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, top_k_accuracy_score

from ossein.errors import DataError
from ossein.evaluate import Scores, bootstrap, confusion, mean_class, spread, top_k

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


def test_bootstrap_is_the_slow_one():
    values = (np.arange(40) % 4 > 0).astype(float)
    rng = np.random.default_rng(3)
    means = [np.mean([values[i] for i in rng.integers(40, size=40)]) for _ in range(1000)]
    assert bootstrap(values, seed=3) == pytest.approx(tuple(np.percentile(means, [2.5, 97.5])))


def test_bootstrap_in_chunks_uses_one_stream():
    values = np.random.default_rng(0).random(30_000)  # 66 rows a chunk
    rng = np.random.default_rng(1)
    means = values[rng.integers(30_000, size=(100, 30_000))].mean(1)
    assert bootstrap(values, seed=1, draws=100) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])))


def test_bootstrap_narrows_with_clips_and_widens_with_level():
    def width(n, **more):
        low, high = bootstrap(np.arange(n) % 3 > 0, **more)
        return high - low

    assert width(900) < width(90) / 2
    assert width(90, level=0.99) > width(90, level=0.8)
    assert width(90, seed=1) == width(90, seed=1)


def test_interval_is_that_of_theory():
    low, high = bootstrap(np.arange(2000) % 10 > 0)
    half = 1.96 * math.sqrt(0.9 * 0.1 / 2000)
    assert (low, high) == pytest.approx((0.9 - half, 0.9 + half), abs=0.003)


def test_scores_hold_the_single_numbers():
    scores, labels = sample()
    found = Scores.of(scores, labels, 7, seed=2)
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
        bootstrap(np.zeros(0))
