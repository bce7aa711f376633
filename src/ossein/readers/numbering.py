"""Labels, subjects, cameras and set-ups as files write them, by number or by text, made numbers."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ossein.clip import UNKNOWN
from ossein.errors import DataError, did_you_mean

GROUPS = ("subject", "camera", "setup")
"""What a clip may belong to besides its class, as `Clip` calls it."""

# What str() makes of a value that is not there, in Python, numpy, pandas and JSON.
_NOTHING = {"", "nan", "none", "null", "<na>"}
_MOST = 2**31 - 1
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


def number_groups(where: Path, told: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """The numbers of subject, camera and setup by clip; what a clip does not say it does not have.

    Whole numbers, `3`, `3.0` or `"3"`, stand for themselves. Texts that are not all numbers count from 0 in sorted order.

    Args:
        where: The file, named in errors.
        told: What the file says of each clip by its name; keys other than `GROUPS` are passed over.

    Raises:
        DataError: A value is neither whole number nor text, or one clip has a number where another has a text.

    >>> number_groups(Path("mine.csv"), {"a": {"subject": "P07", "camera": 2.0}, "b": {"subject": "P02"}, "c": {}})
    {'a': {'subject': 1, 'camera': 2}, 'b': {'subject': 0}, 'c': {}}
    """
    out: dict[str, dict[str, int]] = {name: {} for name in told}
    for key in GROUPS:
        said = {name: of_clip[key] for name, of_clip in told.items() if not says_nothing(of_clip.get(key))}
        numbers = _numbers(where, key, said)
        for name, value in said.items():
            out[name][key] = numbers[value]
    return out


def says_nothing(value: Any) -> bool:
    """Whether a value stands for none: empty, `None`, NaN, -1, or a text of that meaning.

    >>> [says_nothing(value) for value in (None, "NaN", -1, "-1.0", "wave", 0)]
    [True, True, True, True, False, False]
    """
    missing = value is None or (isinstance(value, float) and value != value)
    return missing or (isinstance(value, str) and value.strip().lower() in _NOTHING) or _whole(value) == UNKNOWN


def _numbers(where: Path, key: str, said: Mapping[str, Any]) -> dict[Any, int]:
    """The number of each different value of one key."""
    for name, value in said.items():
        number = _whole(value)
        if abs(number or 0) > _MOST or (number is None and not isinstance(value, str)):
            raise DataError(
                f"{where}: clip '{name}': {key} {value!r:.80}, expected a text, or a whole number up to {_MOST}. "
                "Mend it, or leave it out."
            )
    texts = [value for value in said.values() if isinstance(value, str)]
    word = next((text for text in texts if _whole(text) is None), None)
    if word is None:
        return {value: _whole(value) or 0 for value in said.values()}
    other = next((name for name, value in said.items() if not isinstance(value, str)), None)
    if other is not None:
        raise DataError(
            f"{where}: clip '{other}': {key} {said[other]}, but '{word}' in another clip. Write numbers in all, or texts."
        )
    return {text: n for n, text in enumerate(sorted(set(texts)))}


def _whole(value: Any) -> int | None:
    """The whole number that a number or a text is; None for everything else."""
    if isinstance(value, str):
        found = _WHOLE.fullmatch(value.strip())
        return int(found[1]) if found else None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        return None
    return int(value)
