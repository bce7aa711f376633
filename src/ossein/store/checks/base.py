"""What checks share: one look at every clip, and what was found, in words.

A *gauge* reads a number (or an array) off one clip; all gauges are read in a single pass over the store, so that a data
set larger than memory is looked at once. A *check* turns those numbers into findings.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Literal

import numpy as np

from ossein.skeleton import Skeleton
from ossein.store.file import Store
from ossein.words import count

Level = Literal["error", "warning", "note"]
"""error: numbers made with this data are wrong; warning: some clips are worth a look; note: good to know."""

LEVELS: tuple[Level, ...] = ("error", "warning", "note")

Place = tuple[str, int, int]
"""Where something was found, such as the name of a split, how often, and of how many."""

MOST_EXAMPLES = 5
"""How many clips a finding names."""


SOME = 0.05
"""The share of clips from which a few clips are a matter of the whole set."""


@dataclass(frozen=True)
class Example:
    """A clip that shows what a finding speaks of.

    Args:
        clip: Its name.
        says: What is seen in it; may be empty.
        number: Its number in the store; None where it is no clip.
        frame: The frame that shows it best, where one does.
    """

    clip: str
    says: str = ""
    number: int | None = None
    frame: int | None = None


@dataclass(frozen=True)
class Finding:
    """One thing that is the matter with a data set.

    Args:
        kind: What it is, in a few words.
        level: How bad it is.
        count: How many clips, joints or frames have it.
        of: Of how many.
        unit: What is counted, in the singular.
        means: What it means, one sentence.
        help: What to do, one sentence.
        examples: A few clips that have it.
        places: Where it was found, each with its own count and of how many.
        drawn: Whether pictures of the examples show it.
    """

    kind: str
    level: Level
    count: int
    of: int
    unit: str
    means: str
    help: str
    examples: tuple[Example, ...] = ()
    places: tuple[Place, ...] = ()
    drawn: bool = False

    @property
    def many(self) -> str:
        """How many of how many, in words: '3 of 72 clips'."""
        return f"{self.count} of {count(self.of, self.unit)}"


@dataclass(frozen=True)
class Skipped:
    """A check that could not be made, and why."""

    kind: str
    why: str


Result = Finding | Skipped


class Body:
    """One clip as gauges see it: M persons, T frames, V joints, C coordinates.

    Args:
        x: Coordinates, float32 [M T V C].
        score: Confidence [M T V].
        skeleton: The V joints.
    """

    def __init__(self, x: np.ndarray, score: np.ndarray, skeleton: Skeleton) -> None:
        self.x, self.seen, self.skeleton = x, score > 0, skeleton

    @cached_property
    def present(self) -> np.ndarray:
        """Whether a person is there, bool [M T]."""
        return np.asarray(self.seen.any(-1))

    @cached_property
    def middle(self) -> np.ndarray:
        """The median of the joints of each person in each frame, [M T C]: a stray joint does not move it."""
        return median(self.x, self.seen[..., None], 2)

    @cached_property
    def away(self) -> np.ndarray:
        """How far each joint is from the middle, [M T V]; 0 where it is absent."""
        return np.where(self.seen, norm(self.x - self.middle[:, :, None]), 0)

    @cached_property
    def size(self) -> float:
        """The size of a body: the median distance of a joint from the middle, in the median frame; 0 where nobody is."""
        each = median(self.away, self.seen, 2)
        return float(median(each.ravel(), self.present.ravel(), 0))

    @cached_property
    def ranges(self) -> tuple[np.ndarray, np.ndarray]:
        """The least and the greatest coordinates of each joint of each person, [M V C]; inf and -inf where never seen."""
        seen = self.seen[..., None]
        return np.where(seen, self.x, np.inf).min(1), np.where(seen, self.x, -np.inf).max(1)


Gauge = Callable[[Body], np.ndarray | float]
"""Reads something off one clip; the same shape for every clip of a store."""


@dataclass(frozen=True, eq=False)
class Look:
    """A store and what gauges read off its clips.

    Args:
        store: The clips.
        values: What each gauge read, [N ...], by its name.
    """

    store: Store
    values: Mapping[str, np.ndarray]

    def __getitem__(self, gauge: str) -> np.ndarray:
        return self.values[gauge]

    @classmethod
    def at(
        cls,
        store: Store,
        gauges: Mapping[str, Gauge],
        progress: Callable[[int, int | None], None] | None = None,
    ) -> "Look":
        """Read gauges off every clip.

        Args:
            store: The clips.
            gauges: What to read, by name.
            progress: Called after each clip with how many are done and how many there are.
        """
        values: dict[str, list] = {name: [] for name in gauges}
        for n in range(len(store)):
            body = body_of(store, n)
            for name, gauge in gauges.items():
                values[name].append(gauge(body))
            if progress:
                progress(n + 1, len(store))
        return cls(store, {name: np.asarray(read) for name, read in values.items()})

    def examples(
        self,
        clips: Iterable[int],
        says: Callable[[int], str] = lambda n: "",
        frame: Callable[[int], int] | None = None,
    ) -> tuple[Example, ...]:
        """The first few of some clips as examples.

        Args:
            clips: Clip numbers, the worst first.
            says: What is seen in a clip.
            frame: Which frame of a clip shows it best.
        """
        few = [int(n) for n in islice(clips, MOST_EXAMPLES)]
        return tuple(Example(self.store.names[n], says(n), n, frame(n) if frame else None) for n in few)

    def most_often(self, count: np.ndarray, frame: np.ndarray, at: str = "frame") -> tuple[Example, ...]:
        """The clips that have something most often as examples, with how often and where.

        Args:
            count: How often each clip has it, [N].
            frame: The frame of each clip that shows it, [N]; looked at only where there is one.
            at: The words before the number of the frame.
        """
        return self.examples(
            worst(count, np.flatnonzero(count)),
            lambda n: f"{times(count[n])}, {at} {frame[n]:.0f}",
            lambda n: int(frame[n]),
        )

    def jumps(self, kind: str, found: np.ndarray, means: str, help: str) -> Iterator[Finding]:
        """Clips in which something is another from one frame to the next: a note, or a warning where `SOME` of them are.

        Args:
            kind: As of `Finding`.
            found: In how many frames of each clip it happens, and the first of them, [N 2].
            means: As of `Finding`.
            help: As of `Finding`.
        """
        num = found[:, 0]
        clips = np.flatnonzero(num)
        if len(clips):
            level = "warning" if len(clips) > SOME * len(num) else "note"
            shown = self.most_often(num, found[:, 1], "first in frame")
            yield Finding(kind, level, len(clips), len(num), "clip", means, help, shown, drawn=True)


Check = Callable[[Look], Iterator[Result]]
"""Findings of one subject; nothing where all is well, `Skipped` where it cannot be told."""


def body_of(store: Store, number: int) -> Body:
    """One clip of a store as gauges see it."""
    shape = (store.persons[number], store.frames[number], len(store.skeleton))
    x, score = store.take_rows(store.start[number] + np.arange(shape[0] * shape[1]))
    return Body(x.reshape(*shape, store.dims), score.reshape(shape), store.skeleton)


def norm(x: np.ndarray) -> np.ndarray:
    """The length of the vectors along the last axis."""
    return np.sqrt(np.einsum("...c,...c->...", x, x))


def median(values: np.ndarray, wanted: np.ndarray, axis: int) -> np.ndarray:
    """The median along an axis of those values that are wanted; 0 where none is.

    Args:
        values: Numbers of any shape.
        wanted: Which of them count, of a shape that broadcasts to theirs.
        axis: The axis that goes away.

    >>> median(np.array([[1.0, 9.0, 5.0], [1.0, 2.0, 3.0]]), np.array([[True, False, True], [False] * 3]), 1)
    array([3., 0.])
    """
    wanted = np.broadcast_to(wanted, values.shape)
    ordered = np.sort(np.where(wanted, values, np.inf), axis)
    count = wanted.sum(axis, keepdims=True)
    low, high = (np.take_along_axis(ordered, np.maximum(place, 0), axis) for place in ((count - 1) // 2, count // 2))
    some = count > 0
    return np.squeeze((np.where(some, low, 0) + np.where(some, high, 0)) / 2, axis)


def worst(values: np.ndarray, clips: np.ndarray) -> np.ndarray:
    """Clip numbers, those with the largest values first."""
    return clips[np.argsort(-values[clips], kind="stable")]


def main_place(places: Sequence[Place]) -> Place:
    """The place with the largest share.

    >>> main_place([("xsub", 1, 10), ("xview", 2, 4)])
    ('xview', 2, 4)
    """
    return max(places, key=lambda place: place[1] / max(1, place[2]))


def times(count: float) -> str:
    """How often, in words.

    >>> times(1), times(3.0)
    ('once', '3 times')
    """
    return "once" if count == 1 else f"{count:.0f} times"
