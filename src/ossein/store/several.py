"""Several stores as one: their joints brought onto one skeleton as rows are gathered, so that nothing is copied."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ossein.clip import UNKNOWN
from ossein.errors import DataError, SettingsError
from ossein.mapping import joint_matrix
from ossein.skeleton import Skeleton
from ossein.store.file import Store
from ossein.store.mapped import mapped
from ossein.words import count

_MOST = 1000
"""How often a clip may be seen in one epoch."""


class Several:
    """The clips of several stores on one skeleton, to learn from without labels.

    Joints are matched by name (see `ossein.mapping`); one without counterpart is absent, one halfway between two is
    their mean with the lesser of their scores. 3-D stores are turned so that up is where it is in the first one, and
    mirrored where one is left-handed and the first is not, or the other way round. Behind a first store of 2-D clips
    each 3-D clip becomes several pictures, taken in parallel projection by level cameras evenly around it, y down; clip n
    starts at the golden angle n times, so that a store is seen from all sides. (A parallel picture does not tell front
    from back, so that here left- and right-handed spaces make no difference.)

    Labels are `UNKNOWN` throughout, since stores do not share their classes.

    Args:
        stores: The stores; the first one decides between 2-D and 3-D.
        skeleton: The V joints; those of the first store where not given.
        views: Pictures of each 3-D clip among 2-D ones. An odd number, so that none is another's mirror image.

    Raises:
        DataError: No store is given, two hold the same, or 2-D clips are to join 3-D ones.
        SkeletonError: A store shares no joint with the skeleton.
        SettingsError: `views` is even or below 1.
    """

    def __init__(self, stores: Sequence[Store], skeleton: Skeleton | None = None, views: int = 3) -> None:
        if views < 1 or views % 2 == 0:
            raise SettingsError(f"{views} views of each 3-D clip: expected an odd number from 1.")
        _check(stores)
        self.stores = tuple(stores)
        self.skeleton = skeleton or stores[0].skeleton
        self._groups = [mapped(store, self.skeleton, stores[0], views) for store in stores]
        self._parts = [part for group in self._groups for part in group]
        self._first_row = np.cumsum([0, *(len(part.store.x) for part in self._parts)])
        self.persons = np.concatenate([part.store.persons for part in self._parts])
        self.frames = np.concatenate([part.store.frames for part in self._parts])
        rows = self.persons * self.frames
        self.start = np.cumsum(rows) - rows
        self.labels = np.full(len(rows), UNKNOWN, np.int64)
        self.sizes = np.concatenate([part.sizes for part in self._parts])
        self.subjects = _told_apart([[part.store.subjects for part in group] for group in self._groups])

    def __len__(self) -> int:
        return len(self.start)

    def __repr__(self) -> str:
        return f"Several('{self.path}', {count(len(self), 'clip')}, {self.skeleton.name})"

    @property
    def dims(self) -> int:
        """C, the coordinates of a joint: 2 or 3."""
        return self.stores[0].dims

    @property
    def max_persons(self) -> int:
        """M, the most persons in any clip."""
        return int(self.persons.max())

    @property
    def has_sizes(self) -> bool:
        """Whether the image size of every clip is known; it is not for pictures of 3-D clips."""
        return not bool(np.isnan(self.sizes).any())

    @property
    def names(self) -> tuple[str, ...]:
        """Clip names: the file, the name there, and which picture where there are several."""
        return tuple(f"{part.store.path.name}:{name}{part.tag}" for part in self._parts for name in part.store.names)

    @property
    def path(self) -> Path:
        """The names of the files, joined by +."""
        return Path("+".join(store.path.name for store in self.stores))

    @property
    def facts(self) -> dict[str, str]:
        """What the stores know, by the key and, in each text, the name of the file."""
        keys = dict.fromkeys(key for store in self.stores for key in store.facts)
        return {key: "; ".join(f"{s.path.name}: {s.facts[key]}" for s in self.stores if key in s.facts) for key in keys}

    @property
    def hash(self) -> str:
        """Names the content: that of each store in its order, the skeleton, and the pictures."""
        pictures = [len(group) for group in self._groups]
        content = [[store.hash for store in self.stores], self.skeleton.plain(), pictures]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def record(self) -> list[dict[str, Any]]:
        """One entry per store, as plain data for the record of a run: file, hash, clips, pictures, joints it has."""
        return [
            {
                "store": store.path.name,
                "hash": store.hash,
                "clips": len(store),
                "views": len(group),
                "joints": int(joint_matrix(store.skeleton, self.skeleton).any(1).sum()),
            }
            for store, group in zip(self.stores, self._groups, strict=True)
        ]

    def take_rows(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates and confidence of some rows; see `ossein.store.rows.Rows`."""
        which = np.searchsorted(self._first_row, rows, side="right") - 1
        own = rows - self._first_row[which]
        found = np.unique(which)
        if len(found) == 1:
            return self._parts[found[0]].take_rows(own)
        x = np.empty((*rows.shape, len(self.skeleton), self.dims), np.float32)
        score = np.empty(x.shape[:-1], np.float32)
        for number in found:
            here = which == number
            x[here], score[here] = self._parts[number].take_rows(own[here])
        return x, score

    def numbers(self, which: int, indices: Sequence[int] | np.ndarray | None = None) -> np.ndarray:
        """The numbers that clips of one store have here; those of all of its pictures where it is 3-D among 2-D.

        Args:
            which: The place of the store, from 0.
            indices: Clip numbers of that store; all where not given.

        Raises:
            DataError: There is no such store or clip.
        """
        if not 0 <= which < len(self.stores):
            raise DataError(f"there is no store {which}, they are numbered 0 to {len(self.stores) - 1}.")
        num = len(self.stores[which])
        index = np.arange(num) if indices is None else np.asarray(indices, np.int64)
        if len(index) and not (index.min() >= 0 and index.max() < num):
            raise DataError(
                f"clip {index.min()} to {index.max()} of a store of {count(num, 'clip')}. Check the indices."
            )
        before = sum(len(store) * len(group) for store, group in zip(self.stores, self._groups[:which]))
        return np.concatenate([before + num * view + index for view in range(len(self._groups[which]))])

    def pool(
        self, first: Sequence[int] | np.ndarray | None = None, weights: Sequence[float] | None = None
    ) -> np.ndarray:
        """The clips to learn from: some of the first store and all of the others, but none that came before.

        A clip that is identical to one of a store before it is left out. No clip that the first store keeps for its
        test is therefore learned from by way of another store.

        Args:
            first: Clip numbers of the first store, such as a training half; all where not given.
            weights: How often clips of each store are drawn, in any unit. The store that has most clips for its weight is
                seen once in an epoch, and clips of the others several times. By the number of clips where not given.

        Raises:
            DataError: A store has no clip to give.
            SettingsError: `weights` are not one positive number for each store.
        """
        given = [self.numbers(0, first)]
        known = self.stores[0].digests
        for number, store in enumerate(self.stores[1:], 1):
            given.append(self.numbers(number, np.flatnonzero(~np.isin(store.digests, known))))
            known = np.union1d(known, store.digests)
        for store, clips in zip(self.stores, given, strict=True):
            if not len(clips):
                raise DataError(f"{store.path}: gives no clip that is not in a store before it. Leave it out.")
        return np.concatenate(given if weights is None else _repeated(given, weights))


def _told_apart(subjects: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Performers of the clips of several stores, in which nobody shares a number with somebody of another store."""
    most = 1 + max(int(own.max(initial=0)) for group in subjects for own in group)
    return np.concatenate(
        [np.where(own < 0, own, own + most * number) for number, group in enumerate(subjects) for own in group]
    )


def _check(stores: Sequence[Store]) -> None:
    if not stores:
        raise DataError("no store is given. Give one or more.")
    seen: dict[str, Store] = {}
    for store in stores:
        if store.hash in seen:
            raise DataError(f"{store.path}: holds the same as {seen[store.hash].path}. Name each store once.")
        seen[store.hash] = store
        if store.dims < stores[0].dims:
            raise DataError(
                f"{store.path}: holds 2-D clips, {stores[0].path} 3-D ones, and depth cannot be made up. Put the 2-D store "
                "first: 3-D clips are then pictured in 2-D."
            )


def _repeated(given: Sequence[np.ndarray], weights: Sequence[float]) -> list[np.ndarray]:
    """The clips of each store as often as its weight asks for, each at least once and evenly."""
    want = np.asarray(weights, np.float64)
    if want.shape != (len(given),) or not (np.isfinite(want).all() and want.min() > 0):
        raise SettingsError(
            f"weights {list(weights)} for {count(len(given), 'store')}: expected one positive number for each."
        )
    lengths = np.array([len(clips) for clips in given])
    times = want / lengths / (want / lengths).min()
    if times.max() > _MOST:
        raise SettingsError(
            f"weights {list(weights)}: clips of one store would be seen {times.max():.0f} times in an epoch, expected "
            f"{_MOST} at most. Bring the weights nearer to each other."
        )
    counts = np.rint(times * lengths).astype(np.int64)
    return [clips[np.arange(count) * len(clips) // count] for clips, count in zip(given, counts, strict=True)]
