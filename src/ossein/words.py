"""Counted things in words: one clip, two clips."""


def count(number: object, one: str, more: str = "") -> str:
    """How many there are of what, in words.

    Args:
        number: How many, or the text of it where it is rounded.
        one: The word for one, such as `class` or `label of 'walk'`.
        more: The word for any other number, where it is not the first with an `s`.

    >>> count(1, "clip"), count(24, "test clip"), count(0, "class of 'walk'")
    ('1 clip', '24 test clips', "0 classes of 'walk'")
    >>> count(f"{29.97:.0f}", "frame"), count(1, "clip has", "clips have")
    ('30 frames', '1 clip has')
    """
    return f"{number} {noun(number, one, more)}"


def noun(number: object, one: str, more: str = "") -> str:
    """The word that goes with a number, without the number.

    Args:
        number: How many, or the text of it where it is rounded.
        one: The word for one.
        more: The word for any other number, where it is not the first with an `s`.

    >>> noun(1, "is", "are"), noun(2, "is", "are"), noun(2, "pair of bones")
    ('is', 'are', 'pairs of bones')
    """
    if str(number) == "1" or one.isupper():  # a sign such as MB is the same for any number
        return one
    head, of, rest = one.partition(" of ")
    return more or f"{head}{'es' if head.endswith('s') else 's'}{of}{rest}"
