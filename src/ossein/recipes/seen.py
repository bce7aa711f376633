"""What a run has seen of which data: kept with its model, so that it is never tested on that.

Clips are known by their number in a store of the same content, and by their digest in any other: data that were prepared anew,
or a larger set that holds a smaller one.
"""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from ossein.errors import DataError
from ossein.store import ALL, Store
from ossein.words import count


def data_record(store: Store, split: str, train: np.ndarray, seen: np.ndarray | None = None) -> dict[str, Any]:
    """What a run says of its data: enough to find out later which clips it has seen.

    Args:
        store: The data.
        split: What the split is called.
        train: The clips it learns from.
        seen: All that it has seen, in pre-training too; `train` where not given.
    """
    every = np.unique(train if seen is None else seen)
    return {
        "store": store.path.name,
        "hash": store.hash,
        "split": split,
        "clips": len(train),
        "seen": _ranges(every),
        "digests": _text(np.setdiff1d(store.digests[every], np.delete(store.digests, every))),
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
        clips = max(known["clips"], one["clips"])
        digests = _text(np.union1d(_digests(known), _digests(one)))
        found[one["hash"]] = {**known, "clips": clips, "seen": _ranges(every), "digests": digests}
    own, labels = found.pop(store.hash), dict.fromkeys(record["labels"] for record in records)
    return {**own, "labels": ", ".join(labels), "also": list(found.values())}


def learned_from(data: dict[str, Any]) -> list[dict[str, Any]]:
    """What a run has learned from, store by store, each as of `data_record`; the run's own store comes first."""
    return [{key: value for key, value in data.items() if key in _RECORD}, *data.get("also", ())]


def learned_of(data: dict[str, Any], store: Store) -> dict[str, Any] | None:
    """What a run has learned from a store; None where it has not."""
    return next((one for one in learned_from(data) if one["hash"] == store.hash), None)


def seen(data: dict[str, Any], store: Store) -> np.ndarray:
    """The clips of a store that a run has seen, by its data record: in this store, or the same in any other."""
    found = learned_of(data, store)
    numbers = _numbers(found["seen"]) if found else np.zeros(0, np.int64)
    known = np.concatenate([_digests(one) for one in learned_from(data)])
    return np.union1d(numbers, np.flatnonzero(np.isin(store.digests, known)))


def readable(data: dict[str, Any]) -> dict[str, Any]:
    """A data record without what only a machine can read."""
    plain = {key: value for key, value in data.items() if key != "digests"}
    return {**plain, **({"also": [readable(one) for one in data["also"]]} if "also" in data else {})}


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
    found = learned_of(data, store)
    if found is None:
        names = " and ".join(one["store"] for one in learned_from(data) if np.isin(_digests(one), store.digests).any())
        raise DataError(
            f"{told}They are in {names} too, which it learned from; choose a test split without them, or pre-train without."
        )
    part = "all clips" if found["split"] == ALL else f"the training half of '{found['split']}'"
    raise DataError(
        f"{told}It learned from {part} of {found['store']} too; pre-train without these (--also FILE:SPLIT takes a training "
        "half alone), or choose a test split without them."
    )


_FACTS = ("source", "origin", "license", "licence", "unit", "sensor")
"""What is kept of the facts of a store."""

_RECORD = ("store", "hash", "split", "clips", "seen", "digests", "facts")
"""What `data_record` says of a store."""


def _ranges(indices: np.ndarray) -> str:
    """Clip numbers as text, neighbours drawn together: 0-3,7."""
    order = np.unique(indices)
    breaks = np.flatnonzero(np.diff(order) > 1) + 1
    return ",".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else f"{part[0]}" for part in np.split(order, breaks))


def _numbers(text: str) -> np.ndarray:
    parts = [part.partition("-") for part in text.split(",")]
    return np.concatenate([np.arange(int(first), int(last or first) + 1) for first, _, last in parts])


def _text(digests: np.ndarray) -> str:
    """Digests of clips as text."""
    return base64.b64encode(np.unique(digests).astype("<i8").tobytes()).decode()


def _digests(record: dict[str, Any]) -> np.ndarray:
    """Those that a record holds; none in one from before they were kept."""
    return np.frombuffer(base64.b64decode(record.get("digests", "")), "<i8")
