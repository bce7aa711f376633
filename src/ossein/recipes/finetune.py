"""Protocols that train: from a pre-trained encoder to a recogniser, with all labels, with few, on other data.

Every training has a folder of its own below the pre-training's, so that one that was stopped goes on, one that is done
is not done again, and more seeds or shares join those that are there.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ossein.deploy import Card
from ossein.errors import SettingsError, did_you_mean
from ossein.files import read_yaml
from ossein.recipes.base import Screen
from ossein.recipes.presets import RECOGNISE, Facts, RecogniseSettings
from ossein.recipes.recognise import recognise
from ossein.recipes.seen import seen
from ossein.store import Split, Store, draw_labels
from ossein.train import Run

Tuned = Literal["finetune", "semi", "transfer"]
TUNED: tuple[Tuned, ...] = ("finetune", "semi", "transfer")


@dataclass(frozen=True)
class Tuning:
    """How to train.

    Args:
        preset: The recognition preset; None for the one that belongs to the pre-training.
        seeds: One training for each; a seed also names the draw of few labels.
        shares: How many labels `semi` learns from, as words for `ossein.store.draw_labels`.
        control: Whether to do all of it from random weights too.
        config: A YAML file with settings to change in the preset's: some, or a whole run.yaml.
    """

    preset: str | None = None
    seeds: tuple[int, ...] = (0, 1, 2)
    shares: tuple[str, ...] = ("1%", "5%", "10%")
    control: bool = False
    config: Path | None = None


@dataclass(frozen=True)
class Training:
    """One training that is to be done, or is done already.

    Args:
        run: The pre-training.
        split: Whose halves to train and test on.
        protocol: What it is called in tables.
        labels: How many labels it learns from.
        pretrained: Whether it starts from the pre-training's weights, or from random ones.
        seed: Of the training and of the draw of labels.
        preset: The recognition preset.
        settings: All settings but the seed.
        folder: Where it goes.
    """

    run: Run
    split: Split
    protocol: str
    labels: str
    pretrained: bool
    seed: int
    preset: str
    settings: RecogniseSettings = field(repr=False)
    folder: Path

    def rows(self, store: Store, screen: Screen) -> Iterator[dict[str, Any]]:
        """Train where that is not done yet; the numbers on the test half."""
        results = recognise(
            preset=self.preset,
            store=store,
            out=self.folder,
            splits=[self.split.name],
            pretrained=self.run.folder if self.pretrained else None,
            labels=self.labels,
            seeds=(self.seed,),
            settings=self.settings,
            resume=True,
            screen=screen,
        )
        told = {"run": self.run.folder.name, "split": self.split.name, "protocol": self.protocol}
        told |= {"weights": "pre-trained" if self.pretrained else "random", "labels": self.labels}
        for row in results["runs"]:
            yield {**row, **told, "preset": self.preset, "folder": str(self.folder.relative_to(self.run.folder))}


def plan(
    run: Run, card: Card, store: Store, split: Split, preset: str, protocols: Sequence[Tuned], tuning: Tuning
) -> list[Training]:
    """The trainings that some protocols ask for, checked as far as that can be done beforehand.

    Args:
        run: A finished pre-training.
        card: What its bundle says.
        store: The data.
        split: Whose halves to train and test on.
        preset: The recognition preset.
        protocols: Which; see `ossein.recipes.evaluate.evaluate`.
        tuning: How to train.

    Raises:
        SettingsError: A protocol does not fit the run or the data, or the settings, seeds or shares are not well formed.
        DataError: The file with settings cannot be read.
    """
    _check(run, card, store, protocols, tuning)
    settings = _settings(store, card, split, preset, tuning.config)
    mark = _mark({"preset": preset, "settings": settings.plain(), "store": store.hash})
    out = []
    for protocol in protocols:
        for labels in tuning.shares if protocol == "semi" else ("all",):
            draw_labels(store.labels, split.train, labels, 0)  # refuses what is no amount
            words = [protocol, labels.replace("%", "pct")] if protocol == "semi" else [protocol]
            place = run.folder / "evaluation" / "-".join([*words, split.name.replace(":", "-"), mark])
            out += [
                Training(
                    run=run,
                    split=split,
                    protocol=f"{protocol} {labels}" if protocol == "semi" else protocol,
                    labels=labels,
                    pretrained=pretrained,
                    seed=seed,
                    preset=preset,
                    settings=settings,
                    folder=place / f"{'pretrained' if pretrained else 'random'}-seed{seed}",
                )
                for pretrained in ((True, False) if tuning.control else (True,))
                for seed in dict.fromkeys(tuning.seeds)
            ]
    return out


def _check(run: Run, card: Card, store: Store, protocols: Sequence[Tuned], tuning: Tuning) -> None:
    if card.kind != "pretrained":
        raise SettingsError(
            f"{run.folder}: is a recogniser, but {', '.join(protocols)} start from a pre-training. Name the pre-training's "
            "folder, or use --protocol classes linear knn retrieval."
        )
    same = len(seen(card.data, store)) > 0
    if "transfer" in protocols and same:
        raise SettingsError(
            f"{run.folder}: learned from {store.path.name} itself, transfer goes to other data. Use --protocol finetune."
        )
    if "finetune" in protocols and not same:
        raise SettingsError(
            f"{run.folder}: learned from {card.data['store']}, which is not what {store.path.name} holds. "
            "Use --protocol transfer, or name the store that it learned from."
        )
    if not tuning.seeds or min(tuning.seeds) < 0:
        raise SettingsError(f"seeds {list(tuning.seeds)}, expected one or more, from 0. Name them with --seeds 0 1 2.")
    if "semi" in protocols and not tuning.shares:
        raise SettingsError("semi learns from shares of the labels, and none is given. Name some with --shares 1% 10%.")


def _settings(store: Store, card: Card, split: Split, preset: str, config: Path | None) -> RecogniseSettings:
    """The preset's settings for this pre-training, which the control keeps: it differs by its weights alone."""
    if preset not in RECOGNISE:
        raise SettingsError(f"'{preset}' is no preset of ossein recognise. {did_you_mean(preset, RECOGNISE)}")
    default = RECOGNISE[preset](Facts.of(store, split.train), card)
    if config is None:
        settings = default
    else:
        told = read_yaml(config)
        if isinstance(told, dict) and isinstance(told.get("settings"), dict):
            told = told["settings"]
        if not isinstance(told, dict):
            raise SettingsError(
                f"{config}: holds no settings by name. Write such as 'train:', below it '  epochs: 30'."
            )
        settings = RecogniseSettings.read(_over(default.plain(), told), where=str(config))
    return settings.change(train=settings.train.change(seed=0))


def _over(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Nested settings with some replaced; those of another kind of part replace the part as a whole."""
    if change.get("kind", base.get("kind")) != base.get("kind"):
        return change
    both = {key: _over(base[key], change[key]) for key in base.keys() & change if _nested(base[key], change[key])}
    return {**base, **change, **both}


def _nested(base: Any, change: Any) -> bool:
    return isinstance(base, dict) and isinstance(change, dict)


def _mark(data: dict[str, Any]) -> str:
    """A few letters that differ where anything does that makes one training another."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:8]
