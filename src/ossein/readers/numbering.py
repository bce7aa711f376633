"""Labels as files write them, by number or by text, made numbers."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ossein.clip import UNKNOWN
from ossein.errors import DataError, did_you_mean

# What str() makes of a value that is not there, in Python, numpy, pandas and JSON.
_NOTHING = {"", "nan", "none", "null", "<na>"}
_WHOLE = re.compile(r"(-?\d+)(?:\.0*)?")


def number_labels(where: Path, labels: Iterable[str], classes: Sequence[str]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Label numbers of labels written as texts, and the class names.

    A text that is a class name is that class, one that is a whole number (`2`, or `2.0` as a column of floats has it)
    is that number. Of the rest an empty text, `nan`, `none`, `null` (in any case) and -1 are no label, `UNKNOWN`. Where
    no classes are known they are the texts in sorted order, unless all of them are numbers.

    Raises:
        DataError: Classes are known and a text is neither one of them nor a number.

    >>> number_labels(Path("mine.csv"), ["wave", "bow", "wave", "None"], ())
    ({'bow': 0, 'wave': 1, 'None': -1}, ('bow', 'wave'))
    """
    words = sorted(set(labels))
    found = [one for one in words if one in classes or not says_nothing(one)]
    names = tuple(classes) or (() if all(_whole(one) is not None for one in found) else tuple(found))
    numbers: dict[str, int] = {}
    for one in found:
        number = names.index(one) if one in names else _whole(one)
        if number is None:
            raise DataError(f"{where}: no class is called '{one}'. {did_you_mean(one, names)}")
        numbers[one] = number
    return numbers | {one: UNKNOWN for one in words if one not in numbers}, names


def says_nothing(value: Any) -> bool:
    """Whether a value stands for none: empty, `None`, NaN, -1, or a text of that meaning.

    >>> [says_nothing(value) for value in (None, "NaN", -1, "-1.0", "wave", 0)]
    [True, True, True, True, False, False]
    """
    missing = value is None or (isinstance(value, float) and value != value)
    return missing or (isinstance(value, str) and value.strip().lower() in _NOTHING) or _whole(value) == UNKNOWN


def _whole(value: Any) -> int | None:
    """The whole number that a number or a text is; None for everything else."""
    if isinstance(value, str):
        found = _WHOLE.fullmatch(value.strip())
        return int(found[1]) if found else None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        return None
    return int(value)
