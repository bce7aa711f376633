"""The whole story in some ten minutes: data, pre-training, few labels with and without it, the floor, a picture."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from ossein.errors import DataError, SettingsError
from ossein.evaluate import FLOOR_FRAMES, Spread, extra_trees, floor_features, spread, top_k
from ossein.files import write_json, write_text
from ossein.readers.synthetic import SyntheticSettings
from ossein.recipes.base import Screen, Silent
from ossein.recipes.prepare import generate, prepare
from ossein.recipes.presets import Facts, PretrainSettings, RecogniseSettings, ossein_pretrain, ossein_recognise
from ossein.recipes.pretrain import pretrain
from ossein.recipes.recognise import recognise
from ossein.recipes.view import rebuilt
from ossein.settings import Settings
from ossein.store import Split, Store, draw_labels, families, protocols, resolve_many
from ossein.view import draw_rebuilt


class QuickstartSettings(Settings):
    """How much of everything."""

    labels: int = Field(default=10, ge=1)
    """Labelled clips per class to fine-tune on."""
    seeds: tuple[int, ...] = Field(default=(0, 1, 2), min_length=1)
    """One fine-tuning from each kind of weights for each of these."""
    frames: int = Field(default=32, ge=8)
    """T, frames per clip."""
    pretrain_epochs: float = Field(default=20, gt=0)
    """How often pre-training sees each training clip."""
    epochs: float = Field(default=30, gt=0)
    """How often fine-tuning sees each labelled clip."""
    clips: int = Field(default=1200, ge=60)
    """Synthetic clips to generate, where no data is given."""

    @property
    def amount(self) -> str:
        """The labels to learn from, as a word for `draw_labels`."""
        return f"{self.labels}-per-class"


@dataclass(frozen=True)
class Told:
    """What came out.

    Args:
        scores: Top-1 on the test half by method.
        gain: Top-1 from pre-trained less that from random weights, seed by seed.
        num_test: Clips tested on.
        picture: Hidden joints rebuilt.
        model: The run of a model fine-tuned from pre-trained weights.
        sample: A file to try the model on.
    """

    scores: dict[str, Spread]
    gain: Spread
    num_test: int
    picture: Path
    model: Path
    sample: Path

    def rows(self) -> list[tuple[str, str]]:
        """The table as text."""
        sign = "+" if self.gain.mean >= 0 else ""
        return [
            *((name, str(value)) for name, value in self.scores.items()),
            ("gain of pre-training", f"{sign}{self.gain}"),
        ]


def quickstart(
    settings: QuickstartSettings,
    out: Path,
    *,
    data: Path | None = None,
    split: str | None = None,
    screen: Screen | None = None,
) -> Told:
    """Generate (or read) clips, pre-train on all of them, fine-tune on few labels, compare, draw.

    Args:
        settings: How much of everything.
        out: The folder to write to; an earlier quickstart there is replaced.
        data: One's own file or folder; synthetic clips without it.
        split: Which split of one's own data.
        screen: Where to tell of progress.

    Raises:
        DataError: The data cannot be read or have no split.
        SettingsError: `out` holds something else than a quickstart.
        Stopped: Ctrl-C.
    """
    screen = screen or Silent()
    if data is not None and not data.exists():
        raise DataError(f"{data}: does not exist. Check the path.")
    if data is not None and data.resolve().is_relative_to(out.resolve()):
        raise SettingsError(f"{data}: lies in {out}, whose content is to be replaced. Choose another --out.")
    store = _data(settings, _fresh(out), data, screen)
    if not protocols(store) and not split:
        made = " or ".join(members[0] for members in families(store).values())
        help = f"Use --split {made}, for which no list is needed; or add" if made else "Add"
        raise DataError(
            f"{data}: does not say which clips train and which test. {help} a column 'split' with 'train' and 'test', or such "
            "lists under 'split' in a meta.json beside it."
        )
    chosen = resolve_many(store, [split] if split else None)[0]
    facts = Facts.of(store, chosen.train)
    encoder = out / "pretrain"
    pretrain("ossein", store, encoder, splits=[chosen.name], settings=_short_pretrain(settings, facts), screen=screen)
    common: dict[str, Any] = {"splits": [chosen.name], "labels": settings.amount, "seeds": settings.seeds}
    short = _short_recognise(settings, facts)
    found = {
        name: recognise("ossein", store, out / folder, pretrained=origin, settings=short, screen=screen, **common)
        for name, folder, origin in (
            ("ossein from pre-trained weights", "pretrained", encoder),
            ("ossein from random weights", "random", None),
        )
    }
    screen.say("ExtraTrees on the same labels")
    scores = {name: spread([run["top1"] for run in results["runs"]]) for name, results in found.items()}
    scores["ExtraTrees on joints and velocities (the floor)"] = spread(_floor(store, chosen, settings))
    pairs = zip(*(results["runs"] for results in found.values()), strict=True)
    told = Told(
        scores=scores,
        gain=spread([pretrained["top1"] - random["top1"] for pretrained, random in pairs]),
        num_test=len(chosen.test),
        picture=_picture(store, chosen, encoder, out / "rebuilt.png"),
        model=_first_run(out / "pretrained"),
        sample=_sample(store, chosen, out / "sample.npz"),
    )
    numbers = {name: value.plain() for name, value in scores.items()}
    record = {"settings": settings.plain(), "store": store.hash, "top1": numbers, "gain": told.gain.plain()}
    write_json(out / "quickstart.json", record)
    return told


def _fresh(out: Path) -> Path:
    """The folder without what an earlier quickstart left there; anything else in it stays."""
    mark = out / "quickstart.mark"
    if out.exists() and not mark.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise SettingsError(f"{out}: holds something else than a quickstart. Choose another --out.")
    for name in ("pretrain", "pretrained", "random"):
        shutil.rmtree(out / name, ignore_errors=True)
    for name in ("synthetic.clips", "data.clips", "rebuilt.png", "sample.npz", "quickstart.json"):
        (out / name).unlink(missing_ok=True)
    write_text(mark, "")
    return out


def _data(settings: QuickstartSettings, out: Path, data: Path | None, screen: Screen) -> Store:
    if data is None:
        screen.say(f"generate {settings.clips} synthetic clips")
        return generate(SyntheticSettings(clips=settings.clips), out / "synthetic.clips")
    if data.suffix == ".clips":
        return Store.open(data)
    screen.say(f"read {data}")
    return prepare("auto", data, out / "data.clips")


def _short_pretrain(settings: QuickstartSettings, facts: Facts) -> PretrainSettings:
    preset = ossein_pretrain(facts)
    return preset.change(
        input=preset.input.change(frames=settings.frames),
        train=preset.train.change(epochs=settings.pretrain_epochs, steps=0),
    )


def _short_recognise(settings: QuickstartSettings, facts: Facts) -> RecogniseSettings:
    preset = ossein_recognise(facts)
    return preset.change(
        input=preset.input.change(frames=settings.frames),
        train=preset.train.change(epochs=settings.epochs, steps=0),
    )


def _floor(store: Store, split: Split, settings: QuickstartSettings) -> list[float]:
    test = floor_features(store.sample_views(split.test, FLOOR_FRAMES, share=1.0))
    out = []
    for seed in settings.seeds:
        train = draw_labels(store.labels, split.train, settings.amount, seed)
        trees = extra_trees(
            floor_features(store.sample_views(train, FLOOR_FRAMES, share=1.0)),
            store.labels[train],
            test,
            num_classes=len(store.classes),
            seed=seed,
        )
        out.append(top_k(trees, store.labels[split.test]))
    return out


def _picture(store: Store, split: Split, encoder: Path, path: Path) -> Path:
    """Two test clips with the pre-training's mask, what was rebuilt, and the truth; in the model's own coordinates."""
    title = "Hidden joints rebuilt from the others, before and after"
    draw_rebuilt(rebuilt(encoder, store, split.test[:2]), store.skeleton, path, title=title)
    return path


def _first_run(folder: Path) -> Path:
    return folder if (folder / "run.yaml").exists() else sorted(folder.glob("*/run.yaml"))[0].parent


def _sample(store: Store, split: Split, path: Path) -> Path:
    """A few test clips as a plain file, to try `ossein predict` on."""
    clips = [store.clip(i) for i in split.test[:3]]
    most = max(clip.num_frames for clip in clips)
    shape = (len(clips), store.max_persons, most, len(store.skeleton))
    x, score = np.zeros((*shape, store.dims), np.float32), np.zeros(shape, np.float32)
    for n, clip in enumerate(clips):
        x[n, : clip.num_persons, : clip.num_frames] = clip.x
        score[n, : clip.num_persons, : clip.num_frames] = clip.score
    arrays: dict[str, Any] = {"x": x, "score": score, "name": [clip.name for clip in clips]}
    arrays |= {"joint_names": store.skeleton.joints, "edges": np.array(store.skeleton.bones)}
    arrays["length"] = [clip.num_frames for clip in clips]
    if store.has_sizes:
        arrays["size"] = np.array([clip.size for clip in clips])
    np.savez(path, **arrays)
    return path
