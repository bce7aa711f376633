"""What recipes share: the screen they report to, and how they find runs and clips."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ossein.errors import BundleError, DataError, SettingsError
from ossein.store import Several, Store
from ossein.train import Report, Run, all_processes, first_process, start_processes
from ossein.words import count


class Screen(Protocol):
    """Where a recipe tells how far it is; the command line has one that draws, the library one that is silent."""

    def say(self, text: str) -> None:
        """Show a line."""
        ...

    def note(self, text: str) -> None:
        """Show a line that goes for more than one training: once, however many of them tell it."""
        ...

    def training(self, title: str) -> AbstractContextManager[Report]:
        """Show the progress of one training while the block lasts."""
        ...


class Silent:
    """A screen that shows nothing."""

    def say(self, text: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def training(self, title: str) -> AbstractContextManager[Report]:
        """Nothing, for as long as the block lasts."""
        return nullcontext(lambda progress: None)


def leaves(folder: Path) -> list[Run]:
    """The runs in a folder: itself, or one for each fold and seed below it.

    Raises:
        BundleError: There is none.
    """
    files = [folder / "run.yaml"] if (folder / "run.yaml").is_file() else sorted(folder.glob("*/run.yaml"))
    if not files:
        raise BundleError(f"{folder}: holds no run (run.yaml is missing). Name a folder that a run was written to.")
    return [Run(file.parent) for file in files]


def data_record(store: Store, split: str, train: np.ndarray, seen: np.ndarray | None = None) -> dict[str, Any]:
    """What a run says of its data: enough to find out later which clips it has seen.

    Args:
        store: The data.
        split: What the split is called.
        train: The clips it learns from.
        seen: All that it has seen, in pre-training too; `train` where not given.
    """
    return {
        "store": store.path.name,
        "hash": store.hash,
        "split": split,
        "clips": len(train),
        "seen": _ranges(train if seen is None else seen),
        "facts": {key: store.facts[key] for key in _FACTS if key in store.facts},
    }


def pooled(records: Sequence[dict[str, Any]], store: Store) -> dict[str, Any]:
    """What several runs on one split of a store say of their data together: whatever any of them has seen, store by store.

    Args:
        records: What each says, see `data_record`.
        store: The data.
    """
    found: dict[str, dict[str, Any]] = {}
    for one in (one for record in records for one in learned_from(record)):
        known = found.setdefault(one["hash"], one)
        every = np.union1d(_numbers(known["seen"]), _numbers(one["seen"]))
        found[one["hash"]] = {**known, "clips": max(known["clips"], one["clips"]), "seen": _ranges(every)}
    own, labels = found.pop(store.hash), dict.fromkeys(record["labels"] for record in records)
    return {**own, "labels": ", ".join(labels), "also": list(found.values())}


def learned_from(data: dict[str, Any]) -> list[dict[str, Any]]:
    """What a run has learned from, store by store, each as of `data_record`; the run's own store comes first."""
    return [{key: value for key, value in data.items() if key in _RECORD}, *data.get("also", ())]


def learned_of(data: dict[str, Any], store: Store) -> dict[str, Any] | None:
    """What a run has learned from a store; None where it has not."""
    return next((one for one in learned_from(data) if one["hash"] == store.hash), None)


def seen(data: dict[str, Any], store: Store) -> np.ndarray:
    """The clips of a store that a run has seen, by its data record; none where it learned from other data."""
    found = learned_of(data, store)
    return _numbers(found["seen"]) if found else np.zeros(0, np.int64)


def refuse_seen(data: dict[str, Any], store: Store, test: np.ndarray, what: str) -> None:
    """Make sure that a run has seen none of the clips it is to be tested on.

    Raises:
        DataError: It has.
    """
    both = np.intersect1d(seen(data, store), test)
    if not len(both):
        return
    told = f"{what} has seen {len(both)} of the {count(len(test), 'test clip')}, such as '{store.names[both[0]]}'. "
    if data["hash"] == store.hash:
        raise DataError(f"{told}It learned from --split {data['split']}; choose a test split without its clips.")
    found = learned_of(data, store) or {}
    part = "all clips" if found["split"] == "all" else f"the training half of '{found['split']}'"
    raise DataError(
        f"{told}It learned from {part} of {found['store']} too; pre-train without these (--also FILE:SPLIT takes a training "
        "half alone), or choose a test split without them."
    )


def check_input(normalise: str, store: Store | Several, before: str | None = None) -> None:
    """Make sure before a long run that clips can be normalised as asked for.

    Args:
        normalise: How.
        store: The data.
        before: The pre-training that asks for it, where it is one.

    Raises:
        SettingsError: They cannot.
    """
    why = None
    if normalise == "image" and store.dims != 2:
        why = f"holds {store.dims}-D clips, --input.normalise image is for 2-D ones"
    elif normalise == "image" and not store.has_sizes:
        why = "not every clip says the size of its image, which --input.normalise image needs"
    elif normalise == "facing" and store.dims != 3:
        why = f"holds {store.dims}-D clips, --input.normalise facing is for 3-D ones"
    elif normalise == "facing" and not (store.skeleton.up and store.skeleton.across):
        why = "its skeleton does not say 'up' and 'across', which --input.normalise facing needs"
    if why and before:
        raise SettingsError(
            f"{store.path.name}: {why}, and the pre-training in {before} had it. Pre-train with --input.normalise centre."
        )
    if why:
        raise SettingsError(f"{store.path.name}: {why}. Use --input.normalise centre.")


def begin(run: Run, record: dict[str, Any], device: str, *, resume: bool) -> None:
    """Write down what a run is (see `Run.begin`): once, however many processes there are.

    Raises:
        SettingsError: The folder holds another run, or there is no such device.
        BundleError: The record in the folder is damaged.
    """
    start_processes(device)
    if first_process():
        run.begin(record, resume=resume)
    all_processes()


_FACTS = ("source", "origin", "license", "licence", "unit", "sensor")
"""What is kept of the facts of a store."""

_RECORD = ("store", "hash", "split", "clips", "seen", "facts")
"""What `data_record` says of a store."""


def _ranges(indices: np.ndarray) -> str:
    """Clip numbers as text, neighbours drawn together: 0-3,7."""
    order = np.unique(indices)
    breaks = np.flatnonzero(np.diff(order) > 1) + 1
    return ",".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else f"{part[0]}" for part in np.split(order, breaks))


def _numbers(text: str) -> np.ndarray:
    parts = [part.partition("-") for part in text.split(",")]
    return np.concatenate([np.arange(int(first), int(last or first) + 1) for first, _, last in parts])
