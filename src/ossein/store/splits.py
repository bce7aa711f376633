"""Which clips train and which test: the words for splits, and the proof that the halves share no clip.

A store keeps plain lists such as `xsub_train` and `xsub_val`. A *protocol* is a training list with its counterpart:
`xsub` is `xsub_train` with `xsub_test`, or with `xsub_val` where there is no such list. Bare lists (`train`, or
`train1` with `test1`) go by the name of the training list.

Other splits follow from what is known of the clips: `loso` leaves each subject out in turn (`loso-3` leaves out
subject 3), `kfold5` is five folds (`kfold5-1` to `kfold5-5`), and `xsub.val` splits the training half of `xsub` again,
to choose settings on. A list or protocol that the store keeps under such a name goes before them.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import InitVar, dataclass, field
from fnmatch import fnmatchcase

import numpy as np

from ossein.errors import DataError, did_you_mean
from ossein.store import derived
from ossein.store.file import Store
from ossein.words import count

_TRAIN = re.compile(r"(?:(?P<prefix>.+)_)?train(?P<fold>\d*)")
_FAMILY = re.compile(r"(?P<word>loso|kfold(?P<num>[1-9]\d{0,3}))(?:-(?P<member>\d{1,9}))?")
_VAL = ".val"
ALL = "all"
"""The word for every clip, where there is only something to learn and nothing to test."""


@dataclass(frozen=True, eq=False)
class Split:
    """Clips to train on and clips to test on, checked when made: no clip is in both, and neither is empty but the test half of `all`.

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
            if not len(clips) and (half, self.name) != ("test", ALL):
                raise DataError(f"split '{self.name}': the {half} half is an empty split. Choose another.")
        both = np.intersect1d(self.train, self.test)
        if len(both):
            which = f"'{names[both[0]]}'" if names else f"number {both[0]}"
            raise DataError(
                f"split '{self.name}': {count(len(both), 'clip is', 'clips are')} in both halves, clip {which} is the "
                "first. A test on clips that were trained on proves nothing; mend the lists or choose another split."
            )

    def __repr__(self) -> str:
        return f"Split('{self.name}', {len(self.train)} train, {len(self.test)} test)"


def protocols(store: Store) -> list[str]:
    """The names of the protocols that the store keeps, numbers in counting order."""
    return sorted(_protocols(store.splits), key=_natural)


def families(store: Store) -> dict[str, list[str]]:
    """The splits that follow from what is known of the clips, by the word for all of them: `loso` and `kfold5`."""
    found: dict[str, list[str]] = {}
    for word in ("loso", "kfold5"):
        # Where the subjects are not known, or the clips too few.
        with suppress(DataError):
            found[word] = _members(store, word)
    return found


def resolve(store: Store, text: str) -> Split:
    """The split that a word stands for.

    Args:
        store: Where the lists are.
        text: A protocol (`xsub`), its training list (`xsub_train`), two lists as `TRAIN:TEST`
            (`xview_train:xview_val_nodup`), one subject left out (`loso-3`), one of several folds (`kfold5-1`), or any of
            these followed by `.val` for its training half, split again.

    Raises:
        DataError: There is no such protocol, list, subject or fold, a half is empty, or a clip is in both halves.
    """
    known = _protocols(store.splits)
    name = {train: name for name, (train, _) in known.items()}.get(text, text)
    lists = known.get(name) or tuple(text.split(":", 1))
    if len(lists) == 2 and all(one in store.splits for one in lists):
        halves = store.splits[lists[0]], store.splits[lists[1]]
    elif text.endswith(_VAL):
        whole = resolve(store, text.removesuffix(_VAL))
        name, halves = whole.name + _VAL, derived.validation(store, whole.train, whole.test)
    elif len(lists) == 2:
        missing = next(one for one in lists if one not in store.splits)
        raise DataError(f"{store.path}: no list is called '{missing}'. {did_you_mean(missing, store.splits)}")
    else:
        name, halves = _derive(store, text)
    return Split(name, *halves, names=store.names)


def resolve_many(store: Store, texts: Sequence[str] | None = None) -> list[Split]:
    """The splits that several words stand for, each once.

    Args:
        store: Where the lists are.
        texts: Words as `resolve` takes them, words for several splits (`loso`, `kfold5`), or patterns such as `loso*` or
            `split?` that stand for all protocols of such a name, and where there are none for the subjects or folds.
            `.val` may follow each. Where None, the store's only protocol.

    Raises:
        DataError: A word or pattern stands for nothing, or none is given and the choice is not clear.
    """
    if texts is None:
        texts = protocols(store)
        if len(texts) != 1:
            raise DataError(f"{store.path}: has {len(texts)} splits, name one with --split. {_offer(store, '')}")
    splits = {split.name: split for text in texts for word in _words(store, text) for split in [resolve(store, word)]}
    return list(splits.values())


def to_learn(store: Store, texts: Sequence[str] | None = None) -> list[Split]:
    """The splits to train on: those of `resolve_many`, or for the word `all` alone every clip, with none left to test on.

    Raises:
        DataError: As for `resolve_many`.
    """
    if texts is not None and list(texts) == [ALL]:
        return [Split(ALL, np.arange(len(store)), np.arange(0), names=store.names)]
    try:
        return resolve_many(store, texts)
    except DataError as error:
        raise DataError(f"{error} To train on every clip, use --split {ALL}.") from None


def training(store: Store, text: str) -> np.ndarray:
    """The clips to pre-train on.

    Args:
        store: Where the lists are.
        text: `all` for every clip; a word as `resolve` takes it, for its training half; or a list that belongs to no
            protocol, such as one of unlabelled clips.

    Raises:
        DataError: As for `resolve`.
    """
    if text == ALL:
        return np.arange(len(store))
    paired = {name for pair in _protocols(store.splits).values() for name in pair}
    return store.splits[text] if text in store.splits.keys() - paired else resolve(store, text).train


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


def _words(store: Store, text: str) -> list[str]:
    """The words for single splits that a word or pattern stands for."""
    known = protocols(store)
    if text in known:
        return [text]
    if text.endswith(_VAL) and text not in store.splits:
        return [word + _VAL for word in _words(store, text.removesuffix(_VAL))]
    family = _FAMILY.match(text)
    if not any(c in text for c in "*?["):
        several = family is not None and family["word"] == text and text not in store.splits
        return _members(store, text) if several else [text]
    found = [name for name in known if fnmatchcase(name, text)]
    if family and not found:
        found = [name for name in _members(store, family["word"]) if fnmatchcase(name, text)]
    if not found:
        raise DataError(f"{store.path}: no split matches '{text}'. {_offer(store, text)}")
    return found


def _members(store: Store, word: str) -> list[str]:
    """The names of the splits that `loso`, `kfold5` and the like stand for."""
    if word == "loso":
        return [f"loso-{subject}" for subject in derived.subjects(store)]
    num = int(word.removeprefix("kfold"))
    derived.check_folds(store, num)
    return [f"{word}-{i}" for i in range(1, num + 1)]


def _derive(store: Store, text: str) -> tuple[str, derived.Halves]:
    """The split of one subject or fold by its name."""
    match = _FAMILY.fullmatch(text)
    if match is None:
        raise DataError(f"{store.path}: no split is called '{text}'. {_offer(store, text)}")
    members = _members(store, match["word"])
    if text == match["word"]:
        raise DataError(f"{store.path}: '{text}' stands for {len(members)} splits. Name one, such as '{members[0]}'.")
    name = f"{match['word']}-{int(match['member'])}"
    if name not in members:
        raise DataError(f"{store.path}: no split is called '{text}'. {did_you_mean(text, members)}")
    number = int(match["member"])
    return name, derived.fold(store, int(match["num"]), number) if match["num"] else derived.leave_out(store, number)


def _offer(store: Store, text: str) -> str:
    known = protocols(store)
    more = list(families(store))
    if known:
        return did_you_mean(text, known + more)
    made = f" Folds are made by --split {' or '.join(more)}." if more else ""
    lists = f"Lists are named TRAIN:TEST; {did_you_mean(text, store.splits)}"
    return f"The store has no training list with a counterpart.{made} {lists}"


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
