"""Which clips train and which test: the words for splits, and the proof that the halves share no clip.

A store keeps plain lists such as `xsub_train` and `xsub_val`. A *protocol* is a training list with its counterpart:
`xsub` is `xsub_train` with `xsub_test`, or with `xsub_val` where there is no such list. Bare lists (`train`, or
`train1` with `test1`) go by the name of the training list.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from fnmatch import fnmatchcase

import numpy as np

from ossein.errors import DataError, SettingsError, did_you_mean
from ossein.store.file import Store

_TRAIN = re.compile(r"(?:(?P<prefix>.+)_)?train(?P<fold>\d*)")


@dataclass(frozen=True, eq=False)
class Split:
    """Clips to train on and clips to test on, checked when made: neither is empty and no clip is in both.

    Args:
        name: What the split is called.
        train: Clip numbers.
        test: Clip numbers.
        names: The names of all clips of the store, for the message of an error.

    Raises:
        DataError: A half is empty, or a clip is in both.

    >>> Split("mine", np.array([0, 1]), np.array([2]))
    Split('mine', 2 train, 1 test)
    """

    name: str
    train: np.ndarray = field(repr=False)
    test: np.ndarray = field(repr=False)
    names: InitVar[Sequence[str]] = ()

    def __post_init__(self, names: Sequence[str]) -> None:
        for half, clips in (("training", self.train), ("test", self.test)):
            if not len(clips):
                raise DataError(f"split '{self.name}': the {half} half is an empty split. Choose another.")
        both = np.intersect1d(self.train, self.test)
        if len(both):
            which = f"'{names[both[0]]}'" if names else f"number {both[0]}"
            raise DataError(
                f"split '{self.name}': {len(both)} clips are in both halves, clip {which} is the first. A test on clips "
                "that were trained on proves nothing; mend the lists or choose another split."
            )

    def __repr__(self) -> str:
        return f"Split('{self.name}', {len(self.train)} train, {len(self.test)} test)"


def protocols(store: Store) -> list[str]:
    """The names of the store's protocols, numbers in counting order."""
    return sorted(_protocols(store.splits), key=_natural)


def resolve(store: Store, text: str) -> Split:
    """The split that a word stands for.

    Args:
        store: Where the lists are.
        text: A protocol (`xsub`), its training list (`xsub_train`), or two lists as `TRAIN:TEST`
            (`xview_train:xview_val_nodup`).

    Raises:
        DataError: There is no such protocol or list, a half is empty, or a clip is in both halves.
    """
    known = _protocols(store.splits)
    by_list = {train: name for name, (train, _) in known.items()}
    if ":" in text:
        name, (train, test) = text, text.split(":", 1)
    else:
        name = by_list.get(text, text)
        if name not in known:
            raise DataError(f"{store.path}: no split is called '{text}'. {_offer(store, text)}")
        train, test = known[name]
    halves = []
    for list_ in (train, test):
        if list_ not in store.splits:
            raise DataError(f"{store.path}: no list is called '{list_}'. {did_you_mean(list_, store.splits)}")
        halves.append(store.splits[list_])
    return Split(name, *halves, names=store.names)


def resolve_many(store: Store, texts: Sequence[str] | None = None) -> list[Split]:
    """The splits that several words stand for, each once.

    Args:
        store: Where the lists are.
        texts: Words as `resolve` takes them, or patterns such as `loso*` or `split?` that stand for all protocols of
            such a name. Where None, the store's only protocol.

    Raises:
        DataError: A word or pattern stands for nothing, or none is given and the choice is not clear.
    """
    known = protocols(store)
    if texts is None:
        if len(known) != 1:
            raise DataError(f"{store.path}: has {len(known)} splits, name one with --split. {_offer(store, '')}")
        texts = known
    words: list[str] = []
    for text in texts:
        found = [name for name in known if fnmatchcase(name, text)] if any(c in text for c in "*?[") else [text]
        if not found:
            raise DataError(f"{store.path}: no split matches '{text}'. {_offer(store, text)}")
        words += found
    splits = {split.name: split for split in (resolve(store, word) for word in words)}
    return list(splits.values())


def training(store: Store, text: str) -> np.ndarray:
    """The clips to pre-train on.

    Args:
        store: Where the lists are.
        text: `all` for every clip; a word as `resolve` takes it, for its training half; or a list that belongs to no
            protocol, such as one of unlabelled clips.

    Raises:
        DataError: As for `resolve`.
    """
    if text == "all":
        return np.arange(len(store))
    paired = {name for pair in _protocols(store.splits).values() for name in pair}
    return store.splits[text] if text in store.splits.keys() - paired else resolve(store, text).train


def few(labels: np.ndarray, indices: Sequence[int] | np.ndarray, per_class: int, seed: int) -> np.ndarray:
    """A small draw with equally many clips of each class; with the same seed a smaller draw is part of a larger one.

    Args:
        labels: The label of every clip of the store; clips with label -1 are never drawn.
        indices: The clips to draw from, in any order.
        per_class: How many of each class; all of a class that has fewer.
        seed: Names the draw, from 0.

    Returns:
        Clip numbers in ascending order.

    Raises:
        SettingsError: `per_class` is below 1 or `seed` below 0.

    >>> few(np.array([0, 0, 1, 1, 1, -1]), range(6), 9, seed=0).tolist()
    [0, 1, 2, 3, 4]
    """
    if per_class < 1 or seed < 0:
        raise SettingsError(f"{per_class} clips per class, seed {seed}: expected 1 or more clips and a seed from 0.")
    pool = np.unique(np.asarray(indices, np.int64))
    drawn = [
        np.random.default_rng((seed, int(label))).permutation(pool[labels[pool] == label])[:per_class]
        for label in np.unique(labels[pool])
        if label >= 0
    ]
    return np.sort(np.concatenate(drawn)) if drawn else pool[:0]


def _protocols(lists: Mapping[str, np.ndarray]) -> dict[str, tuple[str, str]]:
    """(training list, test list) by the name of the protocol."""
    found: dict[str, tuple[str, str]] = {}
    for train in lists:
        match = _TRAIN.fullmatch(train)
        if match is None:
            continue
        stem, fold = train[: match.end() - len("train" + match["fold"])], match["fold"]
        test = next((other for word in ("test", "val") if (other := f"{stem}{word}{fold}") in lists), None)
        if test is not None:
            found[f"{match['prefix']}{fold}" if match["prefix"] else train] = (train, test)
    return found


def _offer(store: Store, text: str) -> str:
    known = protocols(store)
    if known:
        return did_you_mean(text, known)
    return f"The store has no training list with a counterpart. Lists are named TRAIN:TEST; {did_you_mean(text, store.splits)}"


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
