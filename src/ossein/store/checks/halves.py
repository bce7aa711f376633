"""What is wrong with splits: clips, people and classes that stand, or do not stand, on both sides."""

import re
from collections.abc import Iterator

import numpy as np

from ossein.errors import DataError
from ossein.store.checks.base import MOST_EXAMPLES, Example, Finding, Level, Look, Place, Result, Skipped, main_place
from ossein.store.file import Store
from ossein.store.splits import Split, protocols, resolve

IDENTICAL = "identical clips in both halves"
BROKEN = "splits that cannot be used"
CROSSED = "people, cameras or set-ups in both halves"
UNTAUGHT = "classes that are tested but never taught"
UNTESTED = "classes that are taught but never tested"
MISSING = "names in a split without a clip"

_CLAIMS = (
    ("subjects", re.compile(r"(^|[_-])(x-?sub|c-?sub|cross-?subject|subject|loso)", re.IGNORECASE)),
    ("cameras", re.compile(r"(^|[_-])(x-?view|cross-?view|x-?cam)", re.IGNORECASE)),
    ("setups", re.compile(r"(^|[_-])(x-?set|c-?set|cross-?set)", re.IGNORECASE)),
)
"""What the name of a split promises to keep apart."""

_ONE_SIDED: tuple[tuple[str, Level, str, str], ...] = (
    (
        UNTAUGHT,
        "error",
        "No clip of these classes is in the training half, so that none of their test clips can be told right.",
        "Move some of their clips to the training half, or leave them out of the test.",
    ),
    (
        UNTESTED,
        "note",
        "The training half has them, and the result does not say how well they are told.",
        "Move some of their clips to the test half, or say which classes were tested.",
    ),
)
"""What it means that classes are in one half only, and what to do."""

_NOTES = re.compile(r"(\d+) names without a clip")


def identical(look: Look) -> Iterator[Result]:
    """Test clips that are identical to a training clip."""
    store = look.store
    places: list[Place] = []
    shown: dict[int, int] = {}
    if not protocols(store):
        yield Skipped(IDENTICAL, "the store has no split")
    for split in splits(store):
        twins = dict(store.identical(split.test, split.train))
        if twins:
            places.append((split.name, len(twins), len(split.test)))
            shown |= twins
    if places:
        name, count, of = main_place(places)
        yield Finding(
            IDENTICAL,
            "error",
            count,
            of,
            f"test clip of '{name}'",
            "Every number of them is that of a training clip, so that a test on them shows memory, not recognition.",
            "Leave them out of the test list, or report the number with and without them.",
            look.examples(shown, lambda n: f"the same as '{store.names[shown[n]]}'"),
            tuple(places),
            drawn=True,
        )


def broken(look: Look) -> Iterator[Result]:
    """Splits that `resolve` refuses: a clip in both halves, say."""
    told = []
    for name in protocols(look.store):
        try:
            resolve(look.store, name)
        except DataError as error:
            told.append(Example(name, str(error)))
    if told:
        num = len(protocols(look.store))
        help = "Mend the lists where the data comes from, and make the store again."
        means = "Nothing can be trained or tested on them."
        yield Finding(BROKEN, "error", len(told), num, "split", means, help, tuple(told))


def crossed(look: Look) -> Iterator[Result]:
    """Splits that promise to keep people (cameras, set-ups) apart, and do not."""
    places: list[Place] = []
    for split in splits(look.store):
        for what in (what for what, claim in _CLAIMS if claim.search(split.name)):
            who: np.ndarray = getattr(look.store, what)
            train, test = (np.unique(who[half][who[half] >= 0]) for half in (split.train, split.test))
            if not len(train) or not len(test):
                yield Skipped(CROSSED, f"{what} of the clips of split '{split.name}' are not known")
                continue
            both = np.intersect1d(train, test)
            if len(both):
                places.append((f"{split.name} ({what} {', '.join(map(str, both[:5]))})", len(both), len(test)))
    if places:
        name, count, of = main_place(places)
        yield Finding(
            CROSSED,
            "error",
            count,
            of,
            f"test group of '{name}'",
            "By its name the split keeps them apart; a model that knows them from training does better than it will on "
            "others.",
            "Move all clips of each to one half, or give the split another name.",
            places=tuple(places),
        )


def classes(look: Look) -> Iterator[Result]:
    """Classes that are in one half of a split only."""
    for kind, level, means, help in _ONE_SIDED:
        places: list[Place] = []
        names: set[int] = set()
        for split in splits(look.store):
            train, test = (set(look.store.labels[half].tolist()) - {-1} for half in (split.train, split.test))
            whole, other = (test, train) if kind == UNTAUGHT else (train, test)
            # Halves without any label (for pre-training, say) promise nothing.
            if whole - other and train and test:
                places.append((split.name, len(whole - other), len(whole)))
                names |= whole - other
        if places:
            name, count, of = main_place(places)
            shown = tuple(Example(look.store.classes[k]) for k in sorted(names)[:MOST_EXAMPLES])
            yield Finding(kind, level, count, of, f"class of '{name}'", means, help, shown, tuple(places))


def missing(look: Look) -> Iterator[Result]:
    """Names in lists of a split that no clip has, as the store has noted them."""
    places: list[Place] = []
    for key, note in look.store.facts.items():
        found = _NOTES.match(note) if key.startswith("split ") else None
        if found:
            name, num = key.removeprefix("split "), int(found[1])
            places.append((name, num, num + len(look.store.splits.get(name, ()))))
    if places:
        name, count, of = main_place(places)
        means = "The list names clips that are not here, so that results are not those of the whole list."
        help = "Fetch the clips that are missing, or say how many there were."
        yield Finding(MISSING, "warning", count, of, f"name of '{name}'", means, help, places=tuple(places))


CHECKS = {IDENTICAL: identical, BROKEN: broken, CROSSED: crossed, UNTAUGHT: classes, MISSING: missing}


def splits(store: Store) -> Iterator[Split]:
    """The splits of a store that can be used."""
    for name in protocols(store):
        try:
            yield resolve(store, name)
        except DataError:
            continue
