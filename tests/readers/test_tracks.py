from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossein.errors import DataError
from ossein.readers.tracks import MOST, PATIENCE, assign_tracks, span, triples

SHAPE = np.random.default_rng(1).uniform(0, 1, (5, 2))


def pose(x, y=0.0, score=1.0):
    return np.c_[np.add(SHAPE, [x, y]), np.full(5, score)]


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_the_order_of_detections_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    ways = np.cumsum(rng.normal(0, 0.1, (3, 12, 2)), axis=1) + np.array([[0, 0], [5, 0], [0, 5]])[:, None]
    people = [[pose(*ways[m, t], score=0.9 - 0.2 * m) for m in range(3)] for t in range(12)]
    x, score = assign_tracks([[some[i] for i in rng.permutation(3)] for some in people], 5)
    np.testing.assert_allclose(x, np.array(people)[..., :2].swapaxes(0, 1), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(score[:, 0, 0], [0.9, 0.7, 0.5], rtol=1e-6)


def test_the_sum_of_distances_is_the_least():
    rng = np.random.default_rng(5)
    old, new = rng.uniform(0, 0.5, (4, 2)), rng.uniform(0, 0.5, (4, 2))
    x, _ = assign_tracks([[pose(*one) for one in old], [pose(*one) for one in new]], 5)
    moved = np.linalg.norm(x[:, 1, 0] - x[:, 0, 0], axis=-1).sum()
    best = min(np.linalg.norm(new[list(order)] - old, axis=1).sum() for order in permutations(range(4)))
    assert moved == pytest.approx(best, rel=1e-5)


def test_one_person_at_a_time_is_one_person():
    x, score = assign_tracks([[pose(0)], [], [pose(50)]], 5)
    assert x.shape == (1, 3, 5, 2)
    assert score.any(2).tolist() == [[True, False, True]]


def test_a_far_leap_is_somebody_else():
    x, score = assign_tracks([[pose(0), pose(5)], [pose(0.1), pose(20)]], 5)
    assert len(x) == 3
    assert sorted(score.any(2).tolist()) == [[False, True], [True, False], [True, True]]


@pytest.mark.parametrize(("gone", "slots"), [(PATIENCE - 1, 2), (PATIENCE, 3)])
def test_patience(gone, slots):
    frames = [[pose(0), pose(5)], *[[pose(0)]] * gone, [pose(0), pose(5)]]
    assert len(assign_tracks(frames, 5)[0]) == slots


def test_poses_without_a_common_joint_are_compared_by_their_middle():
    upper, lower = np.zeros((5, 3)), np.zeros((5, 3))
    upper[:2], lower[2:] = [[0, 0, 1], [0, 1, 1]], [[0.1, 0, 1], [0.1, 1, 1], [0, 0.5, 1]]
    x, _ = assign_tracks([[upper, pose(9)], [pose(9), lower]], 5)
    assert len(x) == 2


def test_ids_win_and_the_most_confident_stay():
    frames = [[pose(m, score=0.1 * (m + 1)) for m in range(7)], [pose(6 - m, score=0.1) for m in range(7)]]
    x, score = assign_tracks(frames, 5, ids=[list("abcdefg"), list("gfedcba")])
    assert len(x) == MOST
    np.testing.assert_allclose(x[0, :, 0, 0], SHAPE[0, 0] + [6, 6], rtol=1e-6)
    np.testing.assert_allclose(score[:, 0, 0], [0.7, 0.6, 0.5, 0.4, 0.3], rtol=1e-6)


def test_nobody_is_one_absent_person():
    x, score = assign_tracks([[], []], 5, dims=3)
    assert x.shape == (1, 2, 5, 3)
    assert not score.any()


def test_span_is_bounded():
    assert span([3, 1], "a") == (1, 3)
    with pytest.raises(DataError, match="numbered 0 to 1000000"):
        span([0, 10**6], "a")


def test_triples_empties_unseen_joints():
    assert triples([5, 6, 0, 1, 2, 0.5], "a").tolist() == [[0, 0, 0], [1, 2, 0.5]]
