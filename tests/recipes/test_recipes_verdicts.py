"""Verdicts on the paper's claims: by the spread over seeds, and by Student's table."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossein.recipes.tables import Claim, Variant
from ossein.recipes.tabulate import Verdict, judge, judge_claim, together


def slow_verdict(differences):
    """By Student's table, for two to four seeds."""
    n = len(differences)
    around = {2: 12.7062, 3: 4.30265, 4: 3.18245}[n] * np.std(differences, ddof=1) / np.sqrt(n)
    return (
        "yes" if np.mean(differences) - around > 0 else "no" if np.mean(differences) + around < 0 else "cannot be told"
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=2, max_size=4))
def test_the_verdict_is_that_of_students_table(pairs):
    better, worse = ([one[i] / 1000 for one in pairs] for i in (0, 1))
    verdict = judge(better, worse)
    differences = np.array(better) - np.array(worse)
    if np.std(differences) > 1e-9 and min(abs(verdict.low), abs(verdict.high)) > 1e-4:
        assert verdict.holds == slow_verdict(differences)
    opposite = {"yes": "no", "no": "yes"}
    assert judge(worse, better).holds == opposite.get(verdict.holds, verdict.holds)


@pytest.mark.parametrize(
    ("better", "worse", "holds"),
    [
        ([0.91, 0.92, 0.915], [0.86, 0.862, 0.87], "yes"),
        ([0.86, 0.862, 0.87], [0.91, 0.92, 0.915], "no"),
        ([0.90, 0.95, 0.85], [0.89, 0.90, 0.91], "cannot be told"),
        ([0.95], [0.5], "cannot be told"),
        ([], [], "cannot be told"),
        ([0.5, 0.6], [0.5, 0.6], "cannot be told"),
        ([0.7, 0.8], [0.5, 0.6], "yes"),
        ([0.1, 0.2, 0.3], [0.4, 0.5, 0.6], "no"),
    ],
)
def test_verdicts_on_made_up_numbers(better, worse, holds):
    assert judge(better, worse).holds == holds


def test_a_claim_is_judged_by_the_seeds_that_all_its_cells_have():
    a, b, c = (Variant((number,)) for number in range(3))
    values = {a.name: {0: 0.9, 1: 0.8, 2: 0.1}, b.name: {0: 0.7, 1: 0.6}, c.name: {1: 0.5, 0: 0.6}}
    verdict = judge_claim(Claim("text", (a, b), (c,)), values)
    assert verdict.n == 2
    assert verdict.mean == pytest.approx(np.mean([0.8 - 0.6, 0.7 - 0.5]))
    assert verdict.holds == "yes"
    assert str(verdict) == "+20.0 [+20.0, +20.0] (n=2)"
    assert judge_claim(Claim("text", (a,), (Variant((9,)),)), values).n == 0


@pytest.mark.parametrize(
    ("holds", "told"),
    [
        ((), None),
        (("yes", "yes"), "yes"),
        (("yes", "cannot be told"), "cannot be told"),
        (("yes", "cannot be told", "no"), "no"),
    ],
)
def test_the_verdict_on_a_table(holds, told):
    assert together(Verdict(one, 0.0, 0.0, 0.0, 3) for one in holds) == told
