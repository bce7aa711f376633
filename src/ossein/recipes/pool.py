"""What a pre-training learns from: the clips of one store, or of several on the skeleton of the first."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ossein.errors import DataError
from ossein.recipes.seen import data_record
from ossein.store import ALL, Several, Store, training
from ossein.words import count


@dataclass(frozen=True)
class Also:
    """Another store to learn from.

    Args:
        store: The data.
        split: Whose training half to learn from; `all` for every clip.
    """

    store: Store
    split: str = ALL

    @classmethod
    def read(cls, word: str) -> "Also":
        """From a word of the command line: FILE, or FILE:SPLIT.

        Raises:
            DataError: There is no such store.
        """
        colons = (at for at, letter in enumerate(word) if letter == ":")
        end = next((at for at in colons if Path(word[:at]).is_file()), len(word))
        return cls(Store.open(word[:end]), word[end + 1 :] or ALL)

    def __str__(self) -> str:
        return str(self.store.path) if self.split == ALL else f"{self.store.path}:{self.split}"


class Pool:
    """A store, and other ones to learn from too.

    No clip is learned from that is identical to one which another store keeps for its test, and none twice by way of
    two stores; see `Several.pool`.

    Args:
        store: The store that folds are of; its skeleton and dimensions are those of the whole.
        also: The others.

    Attributes:
        rows: The clips of all of them, to be fed.

    Raises:
        DataError: A split does not exist, two stores hold the same, or 2-D clips are to join 3-D ones.
        SkeletonError: A store shares no joint with the first.
    """

    def __init__(self, store: Store, also: Sequence[Also] = ()) -> None:
        self.store, self.also = store, tuple(also)
        self._halves = [training(one.store, one.split) for one in also]
        self.rows: Store | Several = Several([store, *(one.store for one in also)]) if also else store

    def clips(self, train: np.ndarray) -> np.ndarray:
        """The clips to learn from, by their numbers in `rows`.

        Args:
            train: Clip numbers of the first store, such as a training half.

        Raises:
            DataError: A store has no clip to give.
        """
        if not isinstance(self.rows, Several):
            return train
        halves = [train, *self._halves]
        held = [np.delete(store.digests, half) for store, half in zip(self.rows.stores, halves, strict=True)]
        given = []
        for which, (store, half) in enumerate(zip(self.rows.stores, halves, strict=True)):
            elsewhere = np.concatenate(held[:which] + held[which + 1 :])
            given.append(self.rows.numbers(which, half[~np.isin(store.digests[half], elsewhere)]))
        pool = self.rows.pool(train)
        for store, clips in zip(self.rows.stores, given, strict=True):
            if not np.isin(clips, pool).any():
                raise DataError(
                    f"{store.path}: every clip is in another store, for its test or to learn from. Leave the store out."
                )
        return pool[np.isin(pool, np.concatenate(given))]

    def record(self, split: str, train: np.ndarray) -> dict[str, Any]:
        """What a run says of its data, see `data_record`, with an entry for each other store under `also`.

        Whatever is in a half that is learned from counts as seen, also where its place is taken by its twin.

        Args:
            split: What the split of the first store is called.
            train: The clips of the first store to learn from.
        """
        if not isinstance(self.rows, Several):
            return data_record(self.store, split, train)
        first, *others = self._learned(self.rows, train)
        told = [
            {**entry, **data_record(one.store, one.split, own, half)}
            for entry, one, own, half in zip(self.rows.record()[1:], self.also, others, self._halves, strict=True)
        ]
        return {**data_record(self.store, split, first, train), "also": told}

    def lines(self, train: np.ndarray) -> list[str]:
        """What each store brings, a line for each; none where there is only one.

        Args:
            train: The clips of the first store to learn from.
        """
        if not isinstance(self.rows, Several):
            return []
        halves, learned = [train, *self._halves], self._learned(self.rows, train)
        return [
            f"{entry['store']}: {len(own)} of {count(len(half), 'clip')}"
            + (f" in {entry['views']} pictures each" if entry["views"] > 1 else "")
            + f", {entry['joints']} of the {len(self.rows.skeleton)} joints of {self.rows.skeleton.name}"
            for entry, own, half in zip(self.rows.record(), learned, halves, strict=True)
        ]

    def _learned(self, rows: Several, train: np.ndarray) -> list[np.ndarray]:
        """For each store the clips that are learned from, by their numbers there."""
        clips = self.clips(train)
        return [
            np.flatnonzero(np.isin(rows.numbers(which)[: len(store)], clips)) for which, store in enumerate(rows.stores)
        ]
