"""What can go wrong, in words: every error ossein raises on purpose, and the did-you-mean helper.

A message is one sentence of fact (what, where, got, wanted) and one of help (what to do). The command line prints
the message alone; in Python each class is also the built-in error a caller would expect.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class OsseinError(Exception):
    """The base of every error that ossein raises on purpose."""


class DataError(OsseinError, ValueError):
    """A file, clip, store or split holds something it must not."""


class SkeletonError(OsseinError, ValueError):
    """A skeleton is not well formed, or does not fit the data or the model."""


class SettingsError(OsseinError, ValueError):
    """A setting is unknown, out of range, or contradicts another."""


class BundleError(OsseinError, ValueError):
    """A run, checkpoint or bundle cannot be read or does not fit."""


class Diverged(OsseinError, RuntimeError):
    """Training produced a loss that is not finite."""


class MissingExtra(OsseinError, ImportError):
    """A feature needs an optional package that is not installed."""


def did_you_mean(word: str, known: Iterable[str], *, most: int = 12) -> str:
    """A sentence that offers the nearest known words, or lists them when none is near.

    Args:
        word: What was asked for.
        known: The words that would have been understood.
        most: How many known words to list when none is near.

    >>> did_you_mean("xsbu", ["xsub", "xview"])
    "Did you mean 'xsub'?"
    >>> did_you_mean("zzz", ["xsub", "xview"])
    'Known: xsub, xview.'
    """
    known = list(known)
    near = get_close_matches(word, known, n=3, cutoff=0.6)
    if near:
        return "Did you mean " + " or ".join(f"'{name}'" for name in near) + "?"
    more = f", and {len(known) - most} more" if len(known) > most else ""
    return f"Known: {', '.join(known[:most])}{more}." if known else "None are known."
