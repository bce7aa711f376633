"""A sound data set on its way to a store, and every fault that a check is to find in it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ossein.clip import Clip
from ossein.skeleton import Skeleton
from ossein.store.checks import halves, labels, near, presence, shape, sides, space

COCO = Skeleton.of("coco-17")
LEFT, RIGHT = (list(side) for side in zip(*COCO.pairs))
ARMS = [5, 6, 7, 8, 9, 10]


@dataclass
class Set:
    """A data set on its way to a store: what a fault changes."""

    clips: list[Clip]
    skeleton: Skeleton = COCO
    classes: tuple[str, ...] = ("walk", "wave", "bow")
    splits: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: {
            "xsub_train": tuple(f"clip {n}" for n in range(18)),
            "xsub_val": tuple(f"clip {n}" for n in range(18, 36)),
        }
    )

    def change(self, n: int, **fields) -> None:
        """Replace fields of one clip."""
        self.clips[n] = replace(self.clips[n], **fields)

    def each(self, change: Callable[[np.ndarray], np.ndarray]) -> None:
        """Change the coordinates of every clip."""
        for n, clip in enumerate(self.clips):
            self.change(n, x=change(clip.x))

    def like(self, n: int, other: int) -> None:
        """Let one clip have the body of another."""
        self.change(n, x=self.clips[other].x, score=self.clips[other].score)


def set_x(data: Set, n: int, where: Any, value: Any) -> None:
    """Put joints of one clip somewhere."""
    x = data.clips[n].x.copy()
    x[where] = value
    data.change(n, x=x)


def hide(data: Set, n: int, where: Any) -> None:
    """Let joints of one clip be absent."""
    score = data.clips[n].score.copy()
    score[where] = 0
    data.change(n, score=score)


def hide_each(data: Set, joint: int, every: int) -> None:
    """Let a joint be absent in all clips but for one in so many."""
    for n in range(len(data.clips)):
        if every == 0 or n % every:
            hide(data, n, np.s_[:, :, joint])


def swap_sides(data: Set, n: int, where: Any) -> None:
    """Take left joints for right ones in some frames of one clip."""
    x = data.clips[n].x.copy()
    both = x[:, where].copy()
    both[:, :, LEFT + RIGHT] = both[:, :, RIGHT + LEFT]
    x[:, where] = both
    data.change(n, x=x)


def copy_jittered(data: Set) -> None:
    """A test clip that is a training clip at another rate, elsewhere, twice as large, and with jitter."""
    x = data.clips[0].x
    place = np.linspace(0, x.shape[1] - 1, 2 * x.shape[1] + 3)
    low = np.minimum(place.astype(int), x.shape[1] - 2)
    share = (place - low)[:, None, None]
    slow = x[:, low] * (1 - share) + x[:, low + 1] * share
    slow = 2 * slow + 3 + np.random.default_rng(0).normal(0, 0.004, slow.shape)
    data.change(20, x=slow, score=np.ones(slow.shape[:3]))


def in_two_rates(data: Set) -> None:
    for n in range(4):
        data.change(n, rate=25.0)


def wrong_order(data: Set) -> None:
    """The joints of the trunk one further, as where another data set's order is taken."""
    order = [11, 1, 2, 3, 4, 0, 6, 7, 8, 9, 10, 5, 12, 13, 14, 15, 16]
    data.each(lambda x: x[:, :, order])


def crossed_legs(data: Set) -> None:
    """Sides of knees and ankles swapped in all clips: another skeleton's order of legs."""
    order = [*range(13), 14, 13, 16, 15]
    data.each(lambda x: x[:, :, order])


def twisted(data: Set) -> None:
    order = [0, 1, 2, 3, 4, 6, 5, 8, 7, 10, 9, *range(11, 17)]
    data.change(7, x=data.clips[7].x[:, :, order])


def stretching(data: Set) -> None:
    """In one clip the body grows to three times its size."""
    x = data.clips[5].x
    grow = np.linspace(1, 3, x.shape[1])
    data.change(5, x=x * grow[None, :, None, None])


def frozen(data: Set) -> None:
    data.change(4, x=np.repeat(data.clips[4].x[:, :1], 12, 1), score=np.ones((1, 12, 17)))


def ghost(data: Set) -> None:
    clip = data.clips[3]
    x, score = np.repeat(clip.x, 2, 0), np.repeat(clip.score, 2, 0)
    score[1] = 0
    data.change(3, x=x, score=score)


def cut(data: Set, n: int, frames: int) -> None:
    data.change(n, x=data.clips[n].x[:, :frames], score=data.clips[n].score[:, :frames])


def beside(data: Set, n: int, *bodies: np.ndarray) -> None:
    """Let others stand beside the person of one clip."""
    x = np.concatenate([data.clips[n].x, *bodies])
    data.change(n, x=x, score=np.ones(x.shape[:3]))


def crowd(data: Set) -> None:
    """Four persons in one clip, all of them seen throughout."""
    x = data.clips[3].x
    beside(data, 3, x + 1, x + 2, x + 3)


def in_turn(data: Set, n: int = 3, frames: Any = np.s_[1::2]) -> None:
    """Two persons 2 m apart who have each other's slot in every other frame."""
    beside(data, n, data.clips[n].x + 2)
    set_x(data, n, np.s_[:, frames], data.clips[n].x[::-1, frames])


def frames_for_persons(data: Set) -> None:
    """Frames and persons of one clip in each other's place."""
    clip = data.clips[3]
    data.change(3, x=clip.x.transpose(1, 0, 2, 3), score=clip.score.transpose(1, 0, 2))


def nobody(data: Set) -> None:
    data.change(2, score=np.zeros_like(data.clips[2].score))


def both_halves(data: Set) -> None:
    data.change(0, subject=5)


def overlap(data: Set) -> None:
    data.splits["xsub_val"] = (*data.splits["xsub_val"], "clip 0")


def mute(data: Set) -> None:
    for n in range(18):
        data.change(n, label=n % 2)


def lopsided(data: Set) -> None:
    for n in range(36):
        data.change(n, label=n % 2)
    data.change(0, label=2)


def mirror_one(data: Set) -> None:
    data.change(9, x=data.clips[9].x * np.array([-1, 1, 1], np.float32))


def missing(data: Set) -> None:
    data.splits["xsub_val"] = (*data.splits["xsub_val"], "lost", "lost too")


def contrary(data: Set) -> None:
    data.like(1, 0)


def untested(data: Set) -> None:
    for n in range(18, 36):
        data.change(n, label=n % 2)


FAULTS = [
    # kind, level, how many, of how many, dimensions, fault
    (halves.IDENTICAL, "error", 2, 18, 3, lambda s: (s.like(20, 2), s.like(23, 5))),
    (halves.BROKEN, "error", 1, 1, 3, overlap),
    (halves.CROSSED, "error", 1, 3, 3, both_halves),
    (halves.UNTAUGHT, "error", 1, 3, 3, mute),
    (halves.UNTESTED, "note", 1, 3, 3, untested),
    (halves.MISSING, "warning", 2, 20, 3, missing),
    (near.KIND, "error", 1, 18, 3, copy_jittered),
    (near.KIND, "error", 1, 18, 2, copy_jittered),
    (labels.EMPTY, "warning", 1, 4, 3, lambda s: setattr(s, "classes", (*s.classes, "jump"))),
    (labels.UNEVEN, "note", 1, 3, 3, lopsided),
    (labels.UNLABELLED, "note", 2, 36, 3, lambda s: (s.change(1, label=-1), s.change(2, label=-1))),
    (labels.TWICE, "note", 1, 36, 3, lambda s: s.like(3, 0)),
    (labels.CONTRARY, "error", 1, 36, 3, contrary),
    (labels.RATES, "note", 4, 36, 3, in_two_rates),
    (space.LONG, "error", 3, 19, 3, wrong_order),
    (space.LONG, "error", 4, 19, 2, wrong_order),
    (space.UNIT, "note", 36, 36, 3, lambda s: s.each(lambda x: 1000 * x)),
    (space.SCALE, "warning", 1, 36, 3, lambda s: s.change(3, x=1000 * s.clips[3].x)),
    (space.SCALE, "warning", 1, 36, 2, lambda s: s.change(3, x=s.clips[3].x / 640)),
    (space.UPSIDE, "warning", 36, 36, 2, lambda s: s.each(lambda x: x * np.array([1, -1], np.float32))),
    (space.OUTSIDE, "warning", 1, 36, 2, lambda s: s.change(3, size=(10.0, 10.0))),
    (space.OUTSIDE, "warning", 36, 36, 2, lambda s: s.each(lambda x: x / 1000)),
    (sides.FLIPPED, "note", 1, 36, 3, lambda s: swap_sides(s, 8, np.s_[4:5])),
    (sides.FLIPPED, "note", 1, 36, 2, lambda s: swap_sides(s, 8, np.s_[4:5])),
    (sides.SWAPPED, "error", 1, 6, 3, crossed_legs),
    (sides.TWISTED, "warning", 1, 36, 3, twisted),
    (sides.MIRRORED, "warning", 1, 36, 3, mirror_one),
    (sides.LEFT_HANDED, "note", 36, 36, 3, lambda s: s.each(lambda x: x * np.array([-1, 1, 1], np.float32))),
    (shape.STRAY, "warning", 1, 36, 3, lambda s: set_x(s, 6, np.s_[0, 3, 9], 40)),
    (shape.STRAY, "warning", 1, 36, 2, lambda s: set_x(s, 6, np.s_[0, 3, 9], -9000)),
    (shape.FILLED, "warning", 1, 36, 3, lambda s: set_x(s, 6, np.s_[0, 3, ARMS], 0)),
    (shape.FILLED, "warning", 1, 36, 2, lambda s: set_x(s, 6, np.s_[0, 3, [9, 10]], 1)),
    (shape.FILLED, "warning", 1, 36, 2, lambda s: set_x(s, 6, np.s_[0, 3, ARMS], 77.5)),
    (shape.STRETCHED, "warning", 1, 36, 3, stretching),
    (shape.FIXED, "note", 1, 17, 3, lambda s: s.each(lambda x: x - x[:, :, :1])),
    (shape.FROZEN, "warning", 1, 36, 3, frozen),
    (presence.ONE_FRAME, "warning", 1, 36, 3, lambda s: cut(s, 3, 1)),
    (presence.SHORT, "note", 1, 36, 3, lambda s: cut(s, 3, 3)),
    (presence.NOBODY, "warning", 1, 36, 3, nobody),
    (presence.GAPS, "note", 3, None, 3, lambda s: hide(s, 3, np.s_[:, 4:7])),
    (presence.ABSENT, "note", 1, 37, 3, ghost),
    (presence.BEYOND, "note", 1, 36, 3, crowd),
    (presence.BEYOND, "warning", 2, 36, 3, lambda s: [beside(s, n, *[s.clips[n].x + 1] * 3) for n in (3, 4)]),
    (presence.TRADES, "note", 1, 36, 3, in_turn),
    (presence.TRADES, "warning", 2, 36, 3, lambda s: [in_turn(s, n) for n in (3, 4)]),
    (presence.AXES, "warning", 1, 36, 3, frames_for_persons),
    (presence.NEVER, "note", 1, 17, 2, lambda s: hide_each(s, 3, 0)),
    (presence.RARELY, "warning", 1, 17, 2, lambda s: hide_each(s, 3, 12)),
]
