"""Finished and unfinished runs in a folder: a table of them, and what sets two apart."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ossein.deploy import Card, read_card
from ossein.errors import BundleError
from ossein.evaluate import spread
from ossein.recipes.base import leaves
from ossein.settings import flat
from ossein.train import Run

HEADS = ("run", "when", "kind", "preset", "store", "split", "labels", "seed", "top-1 %", "minutes")
"""The columns of `run_rows`."""


@dataclass(frozen=True)
class Told:
    """What a run says of itself.

    Args:
        run: Its folder.
        record: Its `run.yaml`.
        card: What its bundle says; None for a run that is not finished.
    """

    run: Run
    record: dict[str, Any]
    card: Card | None

    @classmethod
    def of(cls, run: Run) -> "Told":
        """From its folder.

        Raises:
            BundleError: The record or the bundle is damaged.
        """
        return cls(run, run.read(), read_card(run.folder)[1] if run.done else None)

    @property
    def metrics(self) -> dict[str, Any]:
        """The numbers of a finished run."""
        return self.card.metrics if self.card else {}

    @property
    def seed(self) -> int | None:
        """That of the training; None where nothing was trained."""
        return self.record["settings"].get("train", {}).get("seed")

    @property
    def began(self) -> datetime:
        """When training began; by the file's time where the record does not say."""
        return _time(self.record) or datetime.fromtimestamp((self.run.folder / "run.yaml").stat().st_mtime, UTC)

    @property
    def seconds(self) -> float | None:
        """From begin to model, pauses of a run that was stopped among them; None where that was not written down."""
        began = _time(self.record)
        ended = _time({"made_by": self.card.made_by}) if self.card else None
        return (ended - began).total_seconds() if began and ended else None

    def settings(self) -> dict[str, Any]:
        """Everything that may set two runs apart, by dotted path: settings, and what was learned from."""
        told = {key: self.record.get(key) for key in ("preset", "from")}
        data = {
            key: self.record["data"].get(key) for key in ("store", "hash", "split", "labels", "clips", "pretrained")
        }
        made_by = self.record.get("made_by") or {}
        versions = {f"version of {name}": number for name, number in (made_by.get("versions") or {}).items()}
        return (
            told | flat({"data": data}) | flat(self.record["settings"]) | versions | {"commit": made_by.get("commit")}
        )


def run_rows(folder: Path) -> list[tuple[str, ...]]:
    """A row of text, with the columns `HEADS`, for each run in a folder and below it, the latest last.

    Raises:
        BundleError: There is no run.
    """
    files = sorted(folder.rglob("run.yaml"))
    if not files:
        raise BundleError(f"{folder}: holds no run (no run.yaml below it). Name a folder that runs were written to.")
    rows = [_row(Run(file.parent), folder) for file in files]
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])]


def compare(a: Path, b: Path) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """What sets two runs apart, or two folders of runs: settings that differ, and numbers side by side.

    Returns:
        (path, value of a, value of b), then (number, of a, of b). Of several runs, every value that occurs, and mean and
        spread.

    Raises:
        BundleError: One holds no run, or is damaged.
    """
    both = [[Told.of(run) for run in leaves(folder)] for folder in (a, b)]
    said = [_all([one.settings() for one in told]) for told in both]
    keys = dict.fromkeys(key for one in said for key in one)
    settings: list[tuple[str, ...]] = [
        (key, *(one.get(key, "-") for one in said)) for key in keys if len({one.get(key) for one in said}) > 1
    ]
    numbers = [_numbers(told) for told in both]
    names = dict.fromkeys(name for one in numbers for name in one)
    return settings, [(name, *(one.get(name, "-") for one in numbers)) for name in names]


def _row(run: Run, root: Path) -> tuple[float, tuple[str, ...]]:
    name = str(run.folder.relative_to(root)) if run.folder != root else run.folder.name
    try:
        told = Told.of(run)
    except BundleError:
        when = (run.folder / "run.yaml").stat().st_mtime
        return when, (name, "-", "not readable", *["-"] * (len(HEADS) - 3))
    record, data = told.record, told.record["data"]
    seconds, top1 = told.seconds, told.metrics.get("top1")
    row = (
        name,
        f"{told.began.astimezone():%Y-%m-%d %H:%M}",
        record.get("kind", "-") + ("" if run.done else ", not finished"),
        record.get("preset", "-"),
        data.get("store", "-"),
        data.get("split", "-"),
        data.get("labels", "-"),
        "-" if told.seed is None else told.seed,
        "-" if top1 is None else f"{100 * top1:.1f}",
        "-" if seconds is None else f"{seconds / 60:.1f}",
    )
    return told.began.timestamp(), tuple(map(str, row))


_NUMBERS = {"top1": "top-1 %", "top5": "top-5 %", "mean_class": "mean class %"}


def _numbers(told: list[Told]) -> dict[str, str]:
    out = {"runs": str(len(told)), "finished": str(sum(one.card is not None for one in told))}
    done = [one for one in told if one.card]
    for key, name in _NUMBERS.items():
        values = [one.metrics[key] for one in done if key in one.metrics]
        if len(values) == 1 and key == "top1":
            low, high = done[0].metrics["interval"]
            out[name] = f"{100 * values[0]:.1f} [{100 * low:.1f}, {100 * high:.1f}]"
        elif values:
            out[name] = str(spread(values)) if len(values) > 1 else f"{100 * values[0]:.1f}"
    clips = [one.metrics["num_clips"] for one in done if "num_clips" in one.metrics]
    losses = [one.metrics["loss"] for one in done if "loss" in one.metrics]
    minutes = [one.seconds / 60 for one in done if one.seconds is not None]
    if clips:
        out["test clips"] = ", ".join(map(str, dict.fromkeys(clips)))
    if losses:
        out["loss at the end"] = f"{np.mean(losses):.4g}"
    if minutes:
        out["minutes"] = f"{np.mean(minutes):.1f}"
    return out


def _all(settings: list[dict[str, Any]]) -> dict[str, str]:
    """Every value that occurs, by path."""
    keys = dict.fromkeys(key for one in settings for key in one)
    return {key: " | ".join(dict.fromkeys(str(one.get(key, "-")) for one in settings)) for key in keys}


def _time(record: dict[str, Any]) -> datetime | None:
    text = (record.get("made_by") or {}).get("time")
    try:
        return datetime.fromisoformat(text) if text else None
    except (TypeError, ValueError):
        return None
