"""How many labels to learn from: the words for shares of the labelled clips, and the draw itself."""

import re
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from ossein.errors import SettingsError

_AMOUNT = re.compile(r"(?P<number>\d{1,9}(\.\d{1,9})?)(?P<unit>%|-per-class)")


def draw_labels(labels: np.ndarray, indices: Sequence[int] | np.ndarray, amount: str, seed: int) -> np.ndarray:
    """The clips whose labels may be used: all of them, or a draw in which each class gives its own share.

    Draws are nested: with one seed and the same `indices`, each class lists its clips in one random order, and every
    amount takes the first of that list. So 1% is part of 5%, and 5-per-class is part of any draw that takes five or more
    of each class.

    Args:
        labels: The class of every clip of the store, int [N]; clips with label -1 are in no draw.
        indices: The clips to draw from, in any order.
        amount: `all` for `indices` as they are, unlabelled ones too; a percentage of each class, such as `5%`, rounded
            half up but at least one clip; or a number of each class, such as `5-per-class`, all of a class that has fewer.
        seed: Names the draw, from 0.

    Returns:
        Clip numbers int64, in ascending order where they are drawn.

    Raises:
        SettingsError: `amount` is no such word, is not above 0 or is above 100%, or `seed` is below 0.

    >>> draw_labels(np.array([0, 0, 1, 1, 1, -1]), range(6), "9-per-class", seed=0).tolist()
    [0, 1, 2, 3, 4]
    """
    if seed < 0:
        raise SettingsError(f"seed {seed} of a draw of labels, expected 0 or more. Choose another seed.")
    number, of_each = _read(amount)
    if number is None:
        return np.asarray(indices, np.int64)
    pool = np.unique(np.asarray(indices, np.int64))
    drawn = [
        _first(pool[labels[pool] == label], (seed, int(label)), number, of_each)
        for label in np.unique(labels[pool])
        if label >= 0
    ]
    return np.sort(np.concatenate(drawn)) if drawn else pool[:0]


def _first(own: np.ndarray, seed: tuple[int, int], number: Fraction, of_each: bool) -> np.ndarray:
    # Exact arithmetic: in floats 14.5 % of 100 clips would be fewer than 14.5.
    num = int(number) if of_each else max(1, int(number * len(own) / 100 + Fraction(1, 2)))
    return np.random.default_rng(seed).permutation(own)[:num]


def _read(amount: str) -> tuple[Fraction | None, bool]:
    """The number in an amount (None for `all`), and whether it counts clips of each class, not per cent."""
    if amount == "all":
        return None, False
    match = _AMOUNT.fullmatch(amount)
    if match is None:
        meant = "Say all, 5% or 5-per-class."
        if re.fullmatch(r"\d+", amount):
            meant = f"Did you mean '{amount}%' or '{amount}-per-class'?"
        raise SettingsError(f"'{amount}' is no amount of labels. {meant}")
    number, of_each = Fraction(match["number"]), match["unit"] != "%"
    if of_each and (number < 1 or number.denominator != 1):
        raise SettingsError(f"'{amount}' is no amount of labels, expected whole clips, 1 or more. Say 5-per-class.")
    if not of_each and not 0 < number <= 100:
        raise SettingsError(f"'{amount}' is no share of the labels, expected above 0% and at most 100%. Say 5%.")
    return number, of_each
