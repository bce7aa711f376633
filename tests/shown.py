"""What pages show of what their commands print, compared with what the commands print now.

Times, rates, counts and scores differ from machine to machine, and tests train less than readers do. What is compared are
words and structure: lines, columns, labels, names of files, hints. A line `...` on a page stands for any lines.
"""

import re
from collections.abc import Iterable, Sequence
from difflib import unified_diff

ELSE = "..."
"""Stands for any lines."""

_PROGRESS = re.compile(r" +(?:\d+ %  .*|\.\.\.)")
_PASSING = re.compile(rf"[\s━─╇╭╮╰╯]*|{_PROGRESS.pattern}|  took \d+ s")
"""Lines that are not compared: empty ones, rules of tables, progress, how long it took."""

_BORDER = re.compile(r"\s*[│┃]\s*")
# A number of its own: the digits of `split1`, `seed-0`, `coco-17`, `3-D` and `5-per-class` belong to a word.
_NUMBER = re.compile(r"(?<![\w.])(?<![^\W\d]-)[-+]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]\d+)?(?!\w*-[^\W\d])(?![\d.]*\d)")
_SPREAD = re.compile(r"#(?: to #| ± #)?(?: \(n=#\))?")
_HASH = re.compile(r"\b(?=[a-f]*\d)[0-9a-f]{16,}\b")
# What is counted, in the singular or in the plural: "# clips", "# test clips", "# classes".
_COUNTED = re.compile(r"(?<=# )((?:[a-z-]+ )??[a-z-]{2,}?)(?:(?<=s)es|(?<!s)s)\b")
_PRECISION = re.compile(r"^(precision) \w+: .*")


def comparable(line: str, classes: Iterable[str] = ()) -> str:
    """A line as it is on every machine.

    Args:
        line: As it was printed or is shown.
        classes: Names of classes. Which of them a model answers is a matter of its training, so they are all one.

    >>> comparable("split1, seed 0: top-1 91.5 % of 24 clips", ["kick"])
    'split1, seed #: top-1 # % of # clip'
    >>> comparable(" kick     ┃  91.5 ± 0.3 (n=3) ", ["kick"])
    'CLASS | #'
    """
    line = _PRECISION.sub(r"\1", " ".join(_BORDER.sub(" | ", line).split()).strip("| "))
    names = "|".join(map(re.escape, sorted(classes, key=len, reverse=True)))
    line = re.sub(rf"\b(?:{names})\b", "CLASS", line) if names else line
    return _COUNTED.sub(r"\1", _SPREAD.sub("#", _NUMBER.sub("#", _HASH.sub("#", line))))


def difference(shown: str, printed: str, classes: Sequence[str] = ()) -> str:
    """What sets apart what a page shows and what is printed, line by line; nothing where they agree."""
    before, after = (_once([line for _, line in _lines(text, classes)]) for text in (shown, printed))
    if _places(before, after) is not None:
        return ""
    return "\n".join(unified_diff(before, after, "on the page", "printed", lineterm="", n=1))


def renewed(shown: str, printed: str, classes: Sequence[str] = ()) -> str:
    """What a page should show: what is printed, less what it leaves out already, if the rest has not changed."""
    before, after = _lines(shown, classes), _lines(printed, classes)
    places = _places([line for _, line in before], [line for _, line in after])
    raw = [line.rstrip() for line in printed.strip("\n").splitlines()]
    if not before or places is None:
        return _cut(raw)
    begins = [0, *(at for at, _ in after[1:]), len(raw)]
    out: list[str] = []
    for place in places:
        out += [ELSE] if place is None else raw[begins[place] : begins[place + 1]]
    return _cut(out)


def _lines(text: str, classes: Sequence[str]) -> list[tuple[int, str]]:
    """The lines that are compared, with their places in the text."""
    lines = enumerate(text.strip("\n").splitlines())
    return [(i, comparable(line, classes)) for i, line in lines if not _PASSING.fullmatch(line)]


def _once(lines: list[str]) -> list[str]:
    """Lines that are alike and follow each other once: a table has as many rows as a training gives it."""
    out: list[str] = []
    for line in lines:
        told = [one for one in out[-2:] if one != ELSE]
        out += [line] if line not in told[-1:] and [line] != out[-1:] else []
    return out


def _places(shown: list[str], printed: list[str]) -> list[int | None] | None:
    """For each line that is shown, which printed one it is, None for `...`; None for all where they differ."""
    at: list[int | None] = []
    i = j = 0
    star, mark = -1, 0
    while j < len(printed):
        if i < len(shown) and shown[i] == ELSE:
            star, mark = i, j
        elif i < len(shown) and shown[i] == printed[j]:
            j += 1
        elif star >= 0:
            mark += 1
            i, j = star, mark
        else:
            return None
        at[i:] = [None if shown[i] == ELSE else j - 1]
        i += 1
    rest = shown[i:]
    return [*at[:i], *(None for _ in rest)] if all(line == ELSE for line in rest) else None


def _cut(lines: list[str]) -> str:
    """The lines, of those about progress only the first and the last."""
    out: list[str] = []
    for i, line in enumerate(lines):
        told = [bool(_PROGRESS.fullmatch(one)) for one in lines[max(i - 1, 0) : i + 2]]
        if 0 < i < len(lines) - 1 and all(told):
            out += ["  ..."] if out[-1] != "  ..." else []
        else:
            out.append(line)
    return "".join(f"{line}\n" for line in out)
