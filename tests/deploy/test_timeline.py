"""Timelines against every sequence there is, and what becomes of gaps, flicker and doubt."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossein.deploy.timeline import Moments, Segment, segments, smooth


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.3, 1.0, 50.0]))
def test_smoothing_against_every_sequence(seed, switch):
    rng = np.random.default_rng(seed)
    p, weight = rng.dirichlet(np.ones(3), 6), rng.uniform(0.1, 2, 6)

    def worth(labels):
        changes = sum(a != b for a, b in pairwise(labels))
        return sum(weight[s] * np.log(p[s, c]) for s, c in enumerate(labels)) - switch * changes

    best = max(product(range(3), repeat=6), key=worth)
    assert worth(smooth(p, weight, switch)) == pytest.approx(worth(best))
    if switch == 0:
        assert smooth(p, weight, switch).tolist() == p.argmax(1).tolist()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_moments_against_a_loop(seed):
    rng = np.random.default_rng(seed)
    starts = np.sort(rng.choice(40, 6, replace=False)).tolist()
    ends = [at + int(rng.integers(1, 12)) for at in starts]
    p = rng.dirichlet(np.ones(4), 6)
    moments = Moments.of(starts, ends, p)
    for frame in range(max(ends)):
        held = [w for w in range(6) if starts[w] <= frame < ends[w]]
        s = int(np.searchsorted(moments.edges, frame, side="right")) - 1
        if frame < moments.edges[0]:
            assert not held
        else:
            assert moments.covered[s] == bool(held)
            if held:
                middle = (moments.edges[s] + moments.edges[s + 1]) / 2
                weight = [min(middle - starts[w], ends[w] - middle) for w in held]
                np.testing.assert_allclose(moments.p[s], np.average(p[held], axis=0, weights=weight), atol=1e-12)


def test_an_action_as_long_as_a_window_is_found_between_others():
    """A window that sees half of it names what surrounds it, as a model does that looks for a movement which stands out."""
    starts = list(range(0, 21, 2))
    seen = [max(0, min(at, 8) + 8 - max(at, 8)) // 2 for at in starts]  # quarters of frames 8 to 16
    run = np.array([0.0, 0.03, 0.2, 0.8, 0.98])[seen]
    moments = Moments.of(starts, [at + 8 for at in starts], np.column_stack([1 - run, run]))
    found = segments(moments, CLASSES, unit=2, switch=1.0, sure=0.0)
    assert names(found) == [(0, 8, "walk"), (8, 16, "run"), (16, 28, "walk")]


def moments(*best, sure=0.9, covered=None):
    """Moments of four frames each, with one class far ahead."""
    p = np.full((len(best), 3), (1 - sure) / 2)
    p[np.arange(len(best)), best] = sure
    there = np.ones(len(best), bool) if covered is None else np.array(covered, bool)
    return Moments(np.arange(len(best) + 1) * 4, p, there)


def names(found):
    return [(one.start, one.end, one.name) for one in found]


CLASSES = ("walk", "run", "jump")


def test_neighbours_of_one_class_are_one_segment():
    found = segments(moments(0, 0, 1, 1, 1), CLASSES, unit=4, switch=1.0, sure=0.0)
    assert found == [Segment(0, 8, "walk", pytest.approx(0.9)), Segment(8, 20, "run", pytest.approx(0.9))]


def test_flicker_is_smoothed_and_a_real_change_is_not():
    flicker = moments(0, 0, 1, 0, 0, sure=0.6)
    assert names(segments(flicker, CLASSES, unit=4, switch=1.0, sure=0.0)) == [(0, 20, "walk")]
    assert len(segments(flicker, CLASSES, unit=4, switch=0.0, sure=0.0)) == 3
    assert len(segments(moments(0, 0, 1, 0, 0, sure=0.98), CLASSES, unit=4, switch=1.0, sure=0.0)) == 3
    # A moment counts as much as it lasts.
    assert len(segments(moments(0, 0, 1, 0, 0, sure=0.98), CLASSES, unit=16, switch=1.0, sure=0.0)) == 1


def test_nothing_is_known_below_the_threshold_and_neighbours_merge():
    p = np.array([[0.9, 0.05, 0.05], [0.35, 0.4, 0.25], [0.45, 0.3, 0.25], [0.05, 0.05, 0.9]])
    found = segments(Moments(np.array([0, 4, 8, 10, 14]), p, np.ones(4, bool)), CLASSES, unit=4, switch=0.0, sure=0.5)
    assert names(found) == [(0, 4, "walk"), (4, 10, None), (10, 14, "jump")]
    assert found[1].confidence == pytest.approx((4 * 0.4 + 2 * 0.45) / 6)


def test_the_confidence_of_a_segment_is_that_of_its_moments_by_their_length():
    p = np.array([[0.9, 0.05, 0.05], [0.4, 0.3, 0.3]])  # 2 frames and 10
    known = Moments(np.array([0, 2, 12]), p, np.ones(2, bool))
    mean = pytest.approx((2 * 0.9 + 10 * 0.4) / 12)
    for sure, name in ((0.48, "walk"), (0.49, None)):
        assert segments(known, CLASSES, unit=4, switch=0.0, sure=sure) == [Segment(0, 12, name, mean)]


def test_a_gap_parts_what_it_lies_between():
    found = segments(moments(0, 0, 0, 0, covered=[1, 0, 1, 1]), CLASSES, unit=4, switch=1.0, sure=0.0)
    assert names(found) == [(0, 4, "walk"), (8, 16, "walk")]
