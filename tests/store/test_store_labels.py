import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossein.errors import SettingsError
from ossein.store import draw_labels

AMOUNTS = ["0.5%", "1%", "1-per-class", "5%", "2-per-class", "10%", "50%", "5-per-class", "100%", "99-per-class"]


def share_of(amount: str, there: int) -> int:
    """How many of the clips of a class an amount takes, in plain words: per cent in tenths, rounded half up."""
    if amount.endswith("-per-class"):
        return min(int(amount.removesuffix("-per-class")), there)
    tenths = round(10 * float(amount.removesuffix("%")))
    return max(1, (2 * tenths * there + 1000) // 2000) if there else 0


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(-1, 4), min_size=1, max_size=60), st.integers(0, 9), st.randoms())
def test_each_class_gives_its_share(labels, seed, random):
    labels = np.array(labels)
    pool = [i for i in range(len(labels)) if i % 3]
    shuffled = random.sample(pool, len(pool))
    for amount in AMOUNTS:
        drawn = draw_labels(labels, pool, amount, seed)
        assert drawn.dtype == np.int64
        assert drawn.tolist() == draw_labels(labels, shuffled, amount, seed).tolist() == sorted(set(drawn.tolist()))
        assert set(drawn.tolist()) <= set(pool)
        counts = [int((labels[drawn] == c).sum()) for c in range(-1, 5)]
        assert counts == [0] + [share_of(amount, int((labels[pool] == c).sum())) for c in range(5)]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(-1, 4), min_size=1, max_size=60), st.integers(0, 9))
def test_a_smaller_amount_is_part_of_a_larger_one(labels, seed):
    """Within a kind always, and across kinds in every class in which the counts are so ordered."""
    labels = np.array(labels)
    draws = [draw_labels(labels, range(len(labels)), amount, seed) for amount in AMOUNTS]
    for a in draws:
        for b in draws:
            for c in range(5):
                small, large = sorted((set(a[labels[a] == c]), set(b[labels[b] == c])), key=len)
                assert small <= large


def test_all_is_what_was_given_with_unlabelled_clips():
    assert draw_labels(np.array([0, -1, 1]), [2, 1, 0], "all", 0).tolist() == [2, 1, 0]
    assert draw_labels(np.array([0, -1, 1]), [2, 1, 0], "100%", 0).tolist() == [0, 2]


def test_halves_are_rounded_up_and_never_to_none():
    labels = np.repeat([0, 1, 2, 3], [30, 10, 29, 1])
    drawn = draw_labels(labels, range(70), "5%", 0)
    assert np.bincount(labels[drawn]).tolist() == [2, 1, 1, 1]  # of 1.5, 0.5, 1.45 and 0.05
    # In floats 14.5 / 100 * 100 + 0.5 lies below 15, and 9.2 * 375 / 100 + 0.5 below 35: what is written is what counts.
    assert len(draw_labels(np.zeros(100, int), range(100), "14.5%", 0)) == 15
    assert len(draw_labels(np.zeros(375, int), range(375), "9.2%", 0)) == 35


def test_draws_differ_by_seed_and_are_even():
    labels = np.repeat([0, 1], 10)
    drawn = [draw_labels(labels, range(20), "1-per-class", seed) for seed in range(400)]
    counts = np.bincount(np.concatenate(drawn), minlength=20)
    assert counts.min() > 15
    assert counts.max() < 75
    assert len({tuple(pair) for pair in drawn}) > 60  # the two classes are drawn independently


def test_only_unlabelled_clips_give_none():
    assert draw_labels(np.full(3, -1), range(3), "50%", 0).tolist() == []


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("5", "Did you mean '5%' or '5-per-class'?"),
        ("0.5", "'0.5' is no amount of labels. Say all"),
        ("", "'' is no amount of labels. Say all, 5% or 5-per-class."),
        ("few", "'few' is no amount of labels"),
        ("-5%", "'-5%' is no amount of labels"),
        ("5 %", "'5 %' is no amount of labels"),
        ("1e2%", "'1e2%' is no amount of labels"),
        ("9999999999999%", "'9999999999999%' is no amount of labels"),
        ("0%", "expected above 0% and at most 100%"),
        ("101%", "expected above 0% and at most 100%"),
        ("0-per-class", "expected whole clips, 1 or more"),
        ("2.5-per-class", "expected whole clips, 1 or more"),
    ],
)
def test_other_words_are_refused(amount, words):
    with pytest.raises(SettingsError, match=re.escape(words)):
        draw_labels(np.zeros(3, int), [0], amount, 0)


def test_a_negative_seed_is_refused():
    with pytest.raises(SettingsError, match="seed -1"):
        draw_labels(np.zeros(3, int), [0], "all", -1)
