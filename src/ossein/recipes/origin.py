"""Where a run comes from: its settings beside the preset's, its command and data, the time and memory it took."""

from pathlib import Path
from typing import Any

from ossein.deploy import read_card
from ossein.errors import BundleError, OsseinError
from ossein.recipes.presets import PRETRAIN, RECOGNISE, Facts
from ossein.recipes.runs import Told
from ossein.settings import flat
from ossein.skeleton import Skeleton
from ossein.store import Store, training
from ossein.view.report import say
from ossein.words import count


def settings_of(told: Told, store: Store | None) -> tuple[dict[str, Any], dict[str, Any] | None, str]:
    """Settings, the preset's for the same data, and what is to be known of the comparison."""
    settings = flat(told.record["settings"])
    try:
        preset, note = _preset(told, store)
    except OsseinError:
        return settings, None, "The preset's settings could not be made again, so that none stands out."
    return settings, preset, note if preset else "Its preset is not one of ossein's, so that no setting stands out."


def _preset(told: Told, store: Store | None) -> tuple[dict[str, Any] | None, str]:
    record, name = told.record, str(told.record.get("preset"))
    if name not in (*PRETRAIN, *RECOGNISE):
        return None, ""
    facts, note = _facts(told, store), "Settings that differ from the preset's come first and stand out."
    if record.get("kind") == "pretrain":
        return flat(PRETRAIN[name](facts).plain()), note
    start = None
    if record.get("from"):
        try:
            start = read_card(_origin(Path(record["from"]), record["data"]["split"]))[1]
        except BundleError:
            note += (
                f" The pre-training, {record['from']}, is not there; what follows from it may stand out without need."
            )
    return flat(RECOGNISE[name](facts, start).plain()), note


def _origin(folder: Path, split: str) -> Path:
    own = folder / split.replace(":", "-")
    return own if own.is_dir() else folder


def _facts(told: Told, store: Store | None) -> Facts:
    """What the preset was told of the data; without them as far as the run tells of it."""
    if store:
        return Facts.of(store, training(store, told.record["data"]["split"]))
    if told.card is None:
        raise BundleError(f"{told.run.folder}: is not finished.")
    s = told.card.input
    return Facts(
        skeleton=Skeleton.from_plain(told.card.skeleton),
        dims=told.card.dims,
        persons=s.persons,
        has_sizes=s.normalise == "image",
        num_train=int(told.record["data"]["clips"]),
        handed=0.5 if told.record["settings"].get("augment", {}).get("mirror") else 1.0,
    )


def provenance_rows(told: Told) -> list[tuple[str, str]]:
    """Where a run comes from and what it took, as (what, value)."""
    record, data = told.record, told.record["data"]
    made = record.get("made_by") or {}
    ended = told.card.made_by if told.card else {}
    versions = ", ".join(f"{name} {number}" for name, number in (made.get("versions") or {}).items())
    rows = [
        ("command", made.get("command")),
        ("started from", record.get("from")),
        ("commit", made.get("commit")),
        ("versions", versions),
        ("machine", made.get("machine")),
        ("store", data.get("store")),
        ("content of the store", data.get("hash")),
        ("other stores", say([one["store"] for one in data.get("also", ())]) if data.get("also") else None),
        *((f"data: {key}", value) for key, value in (data.get("facts") or {}).items()),
        ("time", _time(told)),
        ("speed", _speed(told)),
        ("memory at the end", f"{ended['memory']} MiB at most" if ended.get("memory") else None),
    ]
    return [(name, str(value)) for name, value in rows if value]


def _time(told: Told) -> str:
    return when(told) + (f", {duration(told.seconds)} with its test and any pause" if told.seconds is not None else "")


def _speed(told: Told) -> str | None:
    log, batch = told.run.log_lines(), told.record["settings"].get("train", {}).get("batch")
    if not told.seconds or not log or not batch:
        return None
    clips = min(batch, told.record["data"]["clips"]) * log[-1]["step"]
    rate = count(f"{clips / told.seconds:.0f}", "clip")
    return f"{rate} a second, {log[-1]['step'] / told.seconds:.1f} steps a second, all in all"


def when(told: Told) -> str:
    """When a run began."""
    return f"{told.began:%Y-%m-%d %H:%M} UTC"


def duration(seconds: float) -> str:
    """A time in seconds, or in minutes from two on."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"
