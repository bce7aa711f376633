"""Counted things in words."""

import pytest

from ossein.words import count, noun


@pytest.mark.parametrize(
    ("number", "word", "told"),
    [
        (0, "clip", "0 clips"),
        (1, "clip", "1 clip"),
        (11, "clip", "11 clips"),
        (1, "class", "1 class"),
        (2, "class", "2 classes"),
        (2, "different labelled clip", "2 different labelled clips"),
        (1, "class of 'all of it'", "1 class of 'all of it'"),
        (3, "class of 'all of it'", "3 classes of 'all of it'"),
        (1.0, "epoch", "1.0 epochs"),
        ("1", "frame", "1 frame"),
        (30, "MB", "30 MB"),
        ("?", "clip", "? clips"),
    ],
)
def test_the_word_goes_with_the_number(number, word, told):
    assert count(number, word) == told
    assert told.endswith(noun(number, word))


def test_words_that_are_not_regular():
    assert [count(n, "query", "queries") for n in (0, 1, 2)] == ["0 queries", "1 query", "2 queries"]
    assert [noun(n, "is", "are") for n in (0, 1, 2)] == ["are", "is", "are"]
