import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossein.errors import DataError, SettingsError
from ossein.evaluate import knn
from ossein.evaluate.base import nearest


def sample(seed=0, train=40, test=15, dims=6, num_classes=4):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(train, dims)), rng.integers(0, num_classes, train), rng.normal(size=(test, dims))


def slow_order(z, y, query, k, num_classes):
    """Classes from first to last: by votes, then by the summed cosine of the voters."""
    cosine = [float(query @ row) / (np.linalg.norm(query) * np.linalg.norm(row)) for row in z]
    near = sorted(range(len(z)), key=lambda i: (-cosine[i], i))[:k]
    votes = [sum(y[i] == c for i in near) for c in range(num_classes)]
    alike = [sum(cosine[i] for i in near if y[i] == c) for c in range(num_classes)]
    voted = [c for c in range(num_classes) if votes[c]]
    return sorted(voted, key=lambda c: (-votes[c], -alike[c])), votes


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 40))
def test_is_the_slow_one(seed, k):
    z, y, test = sample(seed)
    scores = knn(z, y, test, num_classes=4, k=k)[k]
    for row, query in zip(scores, test):
        order, votes = slow_order(z, y, query, k, 4)
        assert np.argsort(-row, kind="stable")[: len(order)].tolist() == order
        np.testing.assert_allclose(row, np.array(votes) / k, atol=2e-6)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0]), min_size=1, max_size=30), st.data())
def test_among_equals_the_first_are_found(cosines, data):
    among = np.array(cosines)[:, None]
    k = data.draw(st.integers(1, len(cosines)))
    found, alike = nearest(among, np.array([[1.0], [-1.0]]), k)
    for sign, order, values in zip((1, -1), found.tolist(), alike):
        assert order == sorted(range(len(cosines)), key=lambda i: (-sign * cosines[i], i))[:k]
        assert (values == sign * among[order, 0]).all()


def test_several_k_share_one_search():
    z, y, test = sample()
    together = knn(z, y, test, num_classes=4, k=(1, 7, 3))
    assert list(together) == [1, 7, 3]
    for k, scores in together.items():
        assert (scores == knn(z, y, test, num_classes=4, k=k)[k]).all()


def test_chunks_do_not_matter():
    z, y, test = sample()
    whole, parts = (knn(z, y, test, num_classes=4, k=5, chunk=chunk)[5] for chunk in (256, 4))
    np.testing.assert_allclose(whole, parts, atol=1e-12)


def test_the_length_of_a_feature_does_not_matter():
    z, y, test = sample()
    long = z * np.random.default_rng(1).uniform(0.1, 100, (40, 1))
    np.testing.assert_allclose(knn(z, y, test, num_classes=4)[5], knn(long, y, 3 * test, num_classes=4)[5], atol=1e-12)


def test_a_tie_goes_to_the_more_similar():
    z = np.array([[1.0, 0.0], [0.0, 1.0]])
    scores = knn(z, np.array([0, 1]), np.array([[0.4, 0.6], [0.6, 0.4]]), num_classes=2, k=2)[2]
    assert scores.argmax(1).tolist() == [1, 0]


def test_zero_features_are_no_error():
    z, y, _ = sample()
    assert np.isfinite(knn(z, y, np.zeros((2, 6)), num_classes=4, k=3)[3]).all()


def test_no_test_clips_give_no_scores():
    z, y, test = sample()
    assert knn(z, y, test[:0], num_classes=4, k=(1, 2))[2].shape == (0, 4)


@pytest.mark.parametrize("k", [0, 41, (1, 0), ()])
def test_impossible_k_is_refused(k):
    z, y, test = sample()
    with pytest.raises(SettingsError, match="neighbours of 40"):
        knn(z, y, test, num_classes=4, k=k)


def test_unlabelled_clips_are_refused():
    z, y, test = sample()
    with pytest.raises(DataError, match="label -1"):
        knn(z, np.where(y == 1, -1, y), test, num_classes=4)
