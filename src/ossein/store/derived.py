"""Splits that no list in the store names: one subject left out, folds, and a cut of training clips to choose settings on.

Every draw has seed 0, so a name stands for the same clips wherever the same store lies. Clips without a label test
nothing, but may be learned from. Identical clips never stand on both sides.
"""

import numpy as np

from ossein.errors import DataError
from ossein.store.file import Store
from ossein.words import count

Halves = tuple[np.ndarray, np.ndarray]
"""Clips to learn from and clips to test on, int64, ascending."""

SHARE = 0.2
"""How much of the training half a validation cut holds out."""

_UNLABELLED = "Label the clips, or pre-train on all of them with --split all."

_GROUPS = (("subjects", 3), ("cameras", 2))
"""What is held out whole, and of how many in the training half at least."""


def subjects(store: Store) -> list[int]:
    """The subjects that can be left out: those with labelled clips, in ascending order.

    Raises:
        DataError: There are fewer than two.
    """
    found = np.unique(store.subjects[(store.subjects >= 0) & (store.labels >= 0)])
    if len(found) < 2:
        labelled = (store.labels >= 0).any()
        help = "Prepare the data with their subjects, or use --split kfold5." if labelled else _UNLABELLED
        raise DataError(
            f"{store.path}: leaving one subject out needs labelled clips of 2 or more known subjects, found {len(found)}. {help}"
        )
    return found.tolist()


def leave_out(store: Store, subject: int) -> Halves:
    """All other known subjects against one; clips of unknown subjects are in neither half."""
    held = store.subjects == subject
    return _apart(store, np.flatnonzero(~held & (store.subjects >= 0)), np.flatnonzero(held))


def check_folds(store: Store, num: int) -> None:
    """Refuse a number of folds that leaves one of them empty.

    Raises:
        DataError: There are fewer than two folds, or more than different labelled clips.
    """
    most = len(np.unique(_twins(store, np.arange(len(store)))[store.labels >= 0]))
    if most < 2:
        raise DataError(
            f"{store.path}: kfold{num} needs 2 or more different labelled clips to test on, found {most}. {_UNLABELLED}"
        )
    if not 2 <= num <= most:
        raise DataError(
            f"{store.path}: kfold{num} of {count(most, 'different labelled clip')}, expected 2 to {most} "
            "folds. Use another number."
        )


def fold(store: Store, num: int, number: int) -> Halves:
    """One of several folds against the others; each class is spread over the folds as evenly as it goes.

    Args:
        store: The data.
        num: How many folds there are; see `check_folds`.
        number: Which of them tests, from 1.
    """
    twins = _twins(store, np.arange(len(store)))
    held = np.zeros(len(store), bool)
    dealt = 0
    for own in _by_class(store, twins):
        # The deal goes on from class to class: else the first folds would get the odd clip of every class.
        held[own[(dealt + np.arange(len(own))) % num == number - 1]] = True
        dealt += len(own)
    return _apart(store, np.arange(len(store)), np.flatnonzero(held[twins]))


def validation(store: Store, train: np.ndarray, test: np.ndarray) -> Halves:
    """The training half of a split, split again as the split itself was: about a fifth to choose settings on.

    Whole subjects are held out where no subject is in both halves, all are known and 3 or more train; else whole cameras,
    where none is in both, all are known and 2 or more train; else a fifth of each class. Of the test half nothing is read but
    its subjects and cameras.

    Args:
        store: The data.
        train: The training half, clip numbers.
        test: The test half.
    """
    train = np.unique(train)
    for name, least in _GROUPS:
        of = getattr(store, name)
        there = np.unique(of[train[store.labels[train] >= 0]])
        known = of[train].min() >= 0 and of[test].min() >= 0
        if known and len(there) >= least and not np.isin(of[train], of[test]).any():
            some = np.random.default_rng(0).permutation(there)[: max(1, round(SHARE * len(there)))]
            return _apart(store, train, train[np.isin(of[train], some)])
    twins = _twins(store, train)
    held = [own[: min(len(own) - 1, max(1, round(SHARE * len(own))))] for own in _by_class(store, twins)]
    return _apart(store, train, train[np.isin(twins, np.concatenate([*held, twins[:0]]))])


def _by_class(store: Store, clips: np.ndarray) -> list[np.ndarray]:
    """The different ones of some clips, class by class in random order; those without a label are left out."""
    clips = np.unique(clips)
    known = np.unique(store.labels[clips])
    return [
        np.random.default_rng((0, int(label))).permutation(clips[store.labels[clips] == label])
        for label in known[known >= 0]
    ]


def _twins(store: Store, clips: np.ndarray) -> np.ndarray:
    """For each of some clips in ascending order the one that stands for all identical to it: of those with a label the first."""
    first = dict(zip(clips.tolist(), clips.tolist()))
    _, which, copies = np.unique(store.digests[clips], return_inverse=True, return_counts=True)
    alike = clips[copies[which] > 1]  # a shortcut: few clips are left to compare
    first |= {i: min(i, j) for i, j in store.identical(alike, alike)}
    labelled: dict[int, int] = {}
    for clip, one in first.items():
        if store.labels[clip] >= 0:
            labelled.setdefault(one, clip)
    return np.array([labelled.get(one, one) for one in first.values()], np.int64)


def _apart(store: Store, pool: np.ndarray, held: np.ndarray) -> Halves:
    """The rest of the pool against what is held out, without its identical twins; what has no label tests nothing."""
    rest = np.setdiff1d(pool, held)
    alike = rest[np.isin(store.digests[rest], store.digests[held])]
    copies = [i for i, _ in store.identical(alike, held)]
    return np.setdiff1d(rest, copies), held[store.labels[held] >= 0]
