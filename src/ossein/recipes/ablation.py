"""What an ablation trains: every training once, whatever tables it stands in, with the settings of the paper and a budget."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field

from ossein.augment import NormaliseName
from ossein.errors import DataError
from ossein.recipes.base import Screen
from ossein.recipes.presets import Facts, PretrainSettings, RecogniseSettings, skeletonmae, ssl
from ossein.recipes.pretrain import pretrain
from ossein.recipes.recognise import recognise
from ossein.recipes.tables import Data, Scope, Table, Variant
from ossein.settings import Settings, diff
from ossein.store import Split, Store, find_dataset
from ossein.train import Run

METRICS = {"top1": "top-1", "mean_class": "mean class accuracy"}


class Budget(Settings):
    """How much of everything; what is not said is as in the paper."""

    pretrain_epochs: float | None = Field(default=None, gt=0)
    """How often pre-training sees each clip (paper: 50)."""
    epochs: float | None = Field(default=None, gt=0)
    """How often fine-tuning sees each labelled clip (paper: 110)."""
    frames: int | None = Field(default=None, ge=1, le=4096)
    """T, frames per clip after resampling (paper: 64)."""
    batch: int | None = Field(default=None, ge=1)
    """Clips per step, in pre-training and in fine-tuning (paper: 1024 and 128)."""
    normalise: NormaliseName | None = None
    """How coordinates are normalised (paper: image)."""
    labels: str = "all"
    """Labels to fine-tune on: all, a share of each class such as 10%, or clips of each class such as 5-per-class."""


@dataclass(frozen=True)
class Source:
    """A data set, and the halves of it that train and test.

    Args:
        store: The data.
        splits: One split, or several as folds.
    """

    store: Store
    splits: tuple[Split, ...]

    @property
    def words(self) -> list[str]:
        """The splits by name."""
        return [split.name for split in self.splits]

    @property
    def facts(self) -> Facts:
        """What presets need to know."""
        return Facts.of(self.store, self.splits[0].train)

    @property
    def metric(self) -> str:
        """The data set's own measure: as the store says, or the catalogue of the store's name; else top-1."""
        named = self.store.facts.get("metric")
        if named is None:
            with suppress(DataError):
                named = find_dataset(self.store.path.stem).metric
        return named if named in METRICS else "top1"

    def plain(self) -> dict[str, Any]:
        """The data set as plain data."""
        clips = {split.name: [len(split.train), len(split.test)] for split in self.splits}
        return {"store": self.store.path.name, "hash": self.store.hash, "splits": clips, "metric": self.metric}


@dataclass(frozen=True)
class Training:
    """One training, which any number of cells may share.

    Args:
        variant: What to train; of a pre-training only what concerns it.
        seed: Of the pre-training and of the fine-tuning alike, so that a spread over seeds covers both.
        tunes: Whether it is a fine-tuning.
    """

    variant: Variant
    seed: int
    tunes: bool

    @property
    def folder(self) -> str:
        """Names it, and says where it lies below the folder of the whole."""
        first = f"recognise/{self.variant.name}" if self.tunes else f"pretrain/{self.variant.pretraining}"
        return f"{first}/seed{self.seed}"

    @property
    def before(self) -> "Training | None":
        """The pre-training that a fine-tuning starts from."""
        return Training(self.variant, self.seed, False) if self.tunes and self.variant.pretraining else None

    @property
    def data(self) -> Data:
        """What it learns from."""
        if self.tunes:
            return self.variant.tuned_on
        return "target" if self.variant.start == "target" else "data"


@dataclass(frozen=True)
class Plan:
    """What is to be run; make it with `plan`.

    Args:
        sources: The data set, and the target of the transfer where there is one.
        tables: The tables by name.
        seeds: One pre-training and fine-tuning of each cell for each of these.
        budget: How much of everything.
        out: The folder.
    """

    sources: dict[Data, Source]
    tables: dict[str, Table]
    seeds: tuple[int, ...]
    budget: Budget
    out: Path

    @cached_property
    def trainings(self) -> list[Training]:
        """Every training once, in the order in which they run: whole tables for one seed, then for the next."""
        variants = [cell.variant for table in self.tables.values() for cell in table.cells]
        each = [
            Training(variant, seed, tunes)
            for seed in self.seeds
            for variant in variants
            for tunes in (False, True)
            if tunes or variant.pretraining
        ]
        return list({training.folder: training for training in each}.values())

    def done(self, training: Training) -> bool:
        """Whether a training has left its model, for all folds."""
        folder, splits = self.out / training.folder, self.source(training).splits
        if len(splits) == 1:
            return Run(folder).done
        end = f"-seed{training.seed}" if training.tunes else ""
        return all(Run(folder / f"{split.name.replace(':', '-')}{end}").done for split in splits)

    def source(self, training: Training) -> Source:
        """The data that a training learns from."""
        return self.sources[training.data]

    def rows(self) -> list[tuple[str, ...]]:
        """Every cell as text: table, where it stands, what it trains, and how many of its seeds are done."""
        rows = []
        for key, table in self.tables.items():
            for cell in table.cells:
                done = sum(self.done(Training(cell.variant, seed, True)) for seed in self.seeds)
                rows.append((key, cell.at, cell.series, cell.variant.name, f"{done} of {len(self.seeds)}"))
        return rows

    def pretrain_settings(self, variant: Variant, seed: int, budget: Budget | None = None) -> PretrainSettings:
        """The paper's settings with what the variant and the budget change."""
        b = budget or self.budget
        preset = skeletonmae(self.source(Training(variant, seed, False)).facts)
        changed = {"encoder": variant.encoder, "mask": variant.mask, "beta": variant.beta, "detach": variant.detach}
        return preset.change(
            input=preset.input.change(**_given(frames=b.frames, normalise=self._normalise(b))),
            model=preset.model.change(**changed),
            train=preset.train.change(**_given(epochs=b.pretrain_epochs, batch=b.batch), seed=seed),
        )

    def recognise_settings(self, variant: Variant, seed: int, budget: Budget | None = None) -> RecogniseSettings:
        """The paper's settings with what the variant and the budget change."""
        b = budget or self.budget
        preset = ssl(self.sources[variant.tuned_on].facts)
        return preset.change(
            input=preset.input.change(**_given(frames=b.frames, normalise=self._normalise(b))),
            model=preset.model.change(encoder=variant.encoder, layers=variant.layers),
            train=preset.train.change(**_given(epochs=b.epochs, batch=b.batch), seed=seed),
        )

    def changes(self) -> dict[str, tuple[Any, Any]]:
        """What the budget changes in the paper's recipe: setting -> (paper, here)."""
        variant, seed = Scope(self.sources["data"].store.skeleton).base, self.seeds[0]
        first = diff(self.pretrain_settings(variant, seed, Budget()), self.pretrain_settings(variant, seed))
        then = diff(self.recognise_settings(variant, seed, Budget()), self.recognise_settings(variant, seed))
        named = {f"pre-training {key}": both for key, both in first.items()}
        named |= {f"fine-tuning {key}": both for key, both in then.items()}
        return named | ({} if self.budget.labels == "all" else {"labels": ("all", self.budget.labels)})

    def plain_settings(self) -> dict[str, Any]:
        """All settings of the base cell with the first seed, as plain data."""
        variant, seed = Scope(self.sources["data"].store.skeleton).base, self.seeds[0]
        first, then = self.pretrain_settings(variant, seed), self.recognise_settings(variant, seed)
        return {"pretrain": first.plain(), "recognise": then.plain()}

    def run(self, training: Training, screen: Screen) -> dict[str, Any] | None:
        """Do a training or go on with it: the results of a fine-tuning, None for a pre-training."""
        source, folder, before = self.source(training), self.out / training.folder, training.before
        common: dict[str, Any] = {"splits": source.words, "resume": True, "screen": screen}
        if not training.tunes:
            settings = self.pretrain_settings(training.variant, training.seed)
            pretrain("skeletonmae", source.store, folder, settings=settings, **common)
            return None
        return recognise(
            "ssl",
            source.store,
            folder,
            pretrained=self.out / before.folder if before else None,
            labels=self.budget.labels,
            seeds=(training.seed,),
            settings=self.recognise_settings(training.variant, training.seed),
            **common,
        )

    def _normalise(self, budget: Budget) -> str:
        # One for all: an encoder that moves to other data is shown them in the way that it knows.
        return budget.normalise or skeletonmae(self.sources["data"].facts).input.normalise


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
