"""Windows: long recordings cut into pieces of the length that a model knows, and persons taken one by one."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Self

import numpy as np

from ossein.clip import Clip
from ossein.deploy.bundle import Card
from ossein.errors import SettingsError
from ossein.words import count

_TEXT = re.compile(r"(?P<amount>\d+(\.\d*)?|\.\d+)(?P<unit>s?)")


_AT_ONCE = 256
"""Windows held at a time, so that a recording of hours needs little more memory than one of minutes."""


@dataclass(frozen=True)
class Span:
    """A length of time: a number of frames, or of seconds.

    Args:
        amount: How many; frames are whole.
        seconds: Whether it is seconds.

    Raises:
        SettingsError: The amount is not above 0, or a number of frames is not whole.
    """

    amount: float
    seconds: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.amount < 1e9 or (not self.seconds and self.amount != int(self.amount)):
            raise SettingsError(
                f"'{self}' is no length of time. Give whole frames such as 48, or seconds such as 1.5s."
            )

    def __str__(self) -> str:
        return f"{self.amount:g}{'s' if self.seconds else ''}"

    @classmethod
    def read(cls, text: "str | float | Span") -> Self:
        """A length of time as a person says it.

        Args:
            text: `48` is frames, `1.5s` is seconds.

        Raises:
            SettingsError: It is neither.

        >>> Span.read("1.5s").frames(30.0)
        45
        """
        if isinstance(text, Span):
            return cls(text.amount, text.seconds)
        match = _TEXT.fullmatch(str(text).strip())
        if match is None:
            raise SettingsError(f"'{text}' is no length of time. Give frames such as 48, or seconds such as 1.5s.")
        return cls(float(match["amount"]), match["unit"] == "s")

    def frames(self, rate: float | None) -> int:
        """How many frames it is, 1 or more.

        Args:
            rate: Frames per second, where known.

        Raises:
            SettingsError: It is in seconds and the rate is not known.
        """
        if not self.seconds:
            return int(self.amount)
        if rate is None:
            raise SettingsError(
                f"{self} cannot be told in frames, the frame rate is not known. Say it (--fps), or give a number of frames."
            )
        return max(1, round(self.amount * rate))

    def time(self, rate: float | None) -> float:
        """How many seconds it is.

        Args:
            rate: Frames per second, where known.

        Raises:
            SettingsError: It is in frames and the rate is not known.
        """
        if self.seconds:
            return self.amount
        if rate is None:
            raise SettingsError(
                f"{count(self, 'frame')} cannot be told in seconds, the frame rate is not known. Give seconds: 1.5s."
            )
        return self.amount / rate


def usual(card: Card, rate: float | None) -> Span:
    """How long the clips were that a model learned from.

    Args:
        card: What its bundle says.
        rate: Frames per second of what it is to be used on, where known.

    Raises:
        SettingsError: The bundle does not say.
    """
    if card.frames is None:
        raise SettingsError(
            "the bundle does not say how long its clips were. Name the length with --window, such as 2s."
        )
    return Span(card.frames / card.rate, seconds=True) if card.rate and rate else Span(card.frames)


def starts(frames: int, window: int, hop: int) -> list[int]:
    """The first frames of windows that cover a recording; the last one ends where it ends.

    Args:
        frames: Frames of the recording; where it is shorter than a window, that is the only one.
        window: Frames of a window.
        hop: Frames from one window to the next.

    >>> starts(10, 4, 4)
    [0, 4, 6]
    """
    last = max(0, frames - window)
    return [*range(0, last, hop), last]


def part(clip: Clip, first: int, window: int) -> Clip:
    """Some frames of a clip, fewer where it ends."""
    frames = slice(first, first + window)
    return replace(clip, x=clip.x[:, frames], score=clip.score[:, frames])


def persons(clip: Clip) -> Iterator[tuple[int, Clip]]:
    """Each person who is there at all, by number, as a clip of their own."""
    for m in np.flatnonzero(clip.score.any((1, 2))).tolist():
        yield m, replace(clip, x=clip.x[m : m + 1], score=clip.score[m : m + 1])


@dataclass(frozen=True, eq=False)
class Piece:
    """What is answered for at once: a clip, a window of it, or a person in either.

    Args:
        clip: The piece alone.
        person: Who it is, by number in the clip; None for all.
        frames: The first frame and the one behind the last; None for all.
    """

    clip: Clip
    person: int | None = None
    frames: tuple[int, int] | None = None


def pieces(clip: Clip, window: Span | None, hop: Span | None, *, each_person: bool) -> Iterator[Piece]:
    """The pieces of a clip to answer for, window by window.

    Args:
        clip: The clip.
        window: The length of the windows; None for the clip as it is.
        hop: From the start of one to that of the next; half a window where not given.
        each_person: Whether the persons of each piece follow it.

    Raises:
        SettingsError: A length is in seconds and the clip does not say its frame rate.
    """
    for piece in _windows(clip, window, hop):
        yield piece
        if each_person:
            yield from (Piece(alone, m, piece.frames) for m, alone in persons(piece.clip))


def at_once(all_: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Pieces in lists of a size that memory holds."""
    left = iter(all_)
    while some := list(islice(left, _AT_ONCE)):
        yield some


def rated(clips: Iterable[Clip], fps: float | None) -> Iterator[Clip]:
    """Clips with a frame rate where they do not say one.

    Raises:
        SettingsError: The rate is not above 0.
    """
    if fps is not None and not 0 < fps < 1e6:
        raise SettingsError(f"fps is {fps}, expected frames per second above 0.")
    return (replace(clip, rate=fps) if fps and clip.rate is None else clip for clip in clips)


def evenly(x: np.ndarray, score: np.ndarray, time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frames that were taken at any times, brought to even steps of the usual length.

    Between two frames joints are interpolated linearly; where one of the two is absent the other is taken. Frames that come
    in even steps stay as they are, to the bit.

    Args:
        x: Coordinates [M T V C].
        score: Confidence [M T V].
        time: When each frame was taken, increasing, [T].
    """
    if len(time) < 3:
        return x, score
    span = time[-1] - time[0]
    num = round(span / float(np.median(np.diff(time)))) + 1
    # A burst of frames followed by a pause must not make a clip longer than its frames by much.
    num = min(max(num, 2), 2 * len(time))
    place = np.interp(time[0] + span * np.linspace(0, 1, num), time, np.arange(len(time)))
    near = np.rint(place)
    place = np.where(np.abs(place - near) < _SNAP, near, place)
    low = np.minimum(place.astype(int), len(time) - 2)
    share = (place - low).astype(np.float32)[:, None]
    weight = np.where(score[:, low] > 0, share, np.float32(1))
    weight = np.where((score[:, low + 1] > 0) & (share > 0), weight, np.float32(0))
    x = x[:, low] * (1 - weight[..., None]) + x[:, low + 1] * weight[..., None]
    return x, score[:, low] * (1 - weight) + score[:, low + 1] * weight


_SNAP = 1e-3
"""A time this near to that of a frame, in frames, is that of the frame: clocks tick in milliseconds or count in floats."""


def _windows(clip: Clip, window: Span | None, hop: Span | None) -> Iterator[Piece]:
    if window is None:
        yield Piece(clip)
        return
    length = window.frames(clip.rate)
    step = hop.frames(clip.rate) if hop else max(1, length // 2)
    for first in starts(clip.num_frames, length, step):
        yield Piece(part(clip, first, length), frames=(first, min(first + length, clip.num_frames)))
