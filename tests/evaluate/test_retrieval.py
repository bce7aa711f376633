import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from ossein.errors import DataError
from ossein.evaluate import Ranks, knn, retrieve, top_k
from ossein.evaluate.retrieval import NOWHERE


def sample(seed=0, train=40, test=15, dims=6, num_classes=4):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, num_classes, train), rng.integers(0, num_classes, test)
    return rng.normal(size=(train, dims)), labels[0], rng.normal(size=(test, dims)), labels[1]


def slow(z, y, query, wanted):
    """One query at a time, one place at a time."""
    cosine = [float(query @ row) / (np.linalg.norm(query) * np.linalg.norm(row)) for row in z]
    order = sorted(range(len(z)), key=lambda i: (-cosine[i], i))
    places = [place for place, i in enumerate(order) if y[i] == wanted]
    if not places:
        return NOWHERE, 0.0
    precisions = [sum(other <= place for other in places) / (place + 1) for place in places]
    return places[0], sum(precisions) / len(precisions)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 9), st.integers(2, 30))
def test_is_the_slow_one(seed, num_classes, train):
    z, y, test, wanted = sample(seed, train=train, num_classes=num_classes)
    y[:2] = 0, 1  # two classes at least; of nine some are missing
    first, precision = retrieve(z, y, test, wanted, num_classes=num_classes, chunk=4)
    for n, query in enumerate(test):
        place, average = slow(z, y, query, wanted[n])
        assert first[n] == place
        assert precision[n] == pytest.approx(average)


def test_is_what_others_measure():
    """Rank-1 is the nearest neighbour's accuracy, average precision that of scikit-learn."""
    z, y, test, wanted = sample(3)
    first, precision = retrieve(z, y, test, wanted, num_classes=4)
    assert Ranks.of(first, precision).rank1 == pytest.approx(top_k(knn(z, y, test, num_classes=4, k=1)[1], wanted))
    cosine = (test / np.linalg.norm(test, axis=1)[:, None]) @ (z / np.linalg.norm(z, axis=1)[:, None]).T
    theirs = [average_precision_score(y == wanted[n], cosine[n]) for n in range(len(test))]
    np.testing.assert_allclose(precision, theirs)


def test_equals_keep_the_order_of_the_training_clips():
    z, y = np.ones((6, 2)), np.array([1, 1, 0, 1, 0, 1])
    first, precision = retrieve(z, y, np.ones((2, 2)), np.array([0, 1]), num_classes=2)
    assert first.tolist() == [2, 0]
    np.testing.assert_allclose(precision, [(1 / 3 + 2 / 5) / 2, (1 + 1 + 3 / 4 + 4 / 6) / 4])


@pytest.mark.parametrize("train", [2, 4, 40])
def test_a_class_that_training_lacks_counts_as_nothing_found(train):
    z, y, test, _ = sample(train=train)
    y[:2] = 0, 1
    first, precision = retrieve(z, y, test[:2], np.array([4, 4]), num_classes=5)
    assert first.tolist() == [NOWHERE, NOWHERE]
    found = Ranks.of(first, precision)
    assert (found.rank1, found.rank5, found.map, found.num_clips) == (0, 0, 0, 2)


def test_the_length_of_a_feature_does_not_matter():
    z, y, test, wanted = sample()
    long = z * np.random.default_rng(1).uniform(0.1, 100, (40, 1))
    for one, other in zip(
        retrieve(z, y, test, wanted, num_classes=4), retrieve(long, y, 3 * test, wanted, num_classes=4)
    ):
        np.testing.assert_allclose(one, other)


def test_numbers_of_a_retrieval():
    found = Ranks.of(np.array([0, 0, 1, 4, 5, 9]), np.array([1, 0.5, 0.5, 0.25, 0.25, 0.5]))
    plain = found.plain()
    assert plain["rank1"] == pytest.approx(2 / 6)
    assert plain["rank5"] == pytest.approx(4 / 6)
    assert plain["map"] == pytest.approx(0.5)
    assert plain["num_clips"] == 6
    assert plain["interval"][0] <= 2 / 6 <= plain["interval"][1]
    with pytest.raises(DataError, match="at least one clip"):
        Ranks.of(np.zeros(0, int), np.zeros(0))


def test_what_does_not_fit_is_refused():
    z, y, test, wanted = sample()
    with pytest.raises(DataError, match="15 queries with 14 labels"):
        retrieve(z, y, test, wanted[1:], num_classes=4)
    with pytest.raises(DataError, match="label -1"):
        retrieve(z, y, test, np.where(wanted == 1, -1, wanted), num_classes=4)
    with pytest.raises(DataError, match="label -1"):
        retrieve(z, np.where(y == 1, -1, y), test, wanted, num_classes=4)
    with pytest.raises(DataError, match=r"\[15, 5\]"):
        retrieve(z, y, test[:, 1:], wanted, num_classes=4)
