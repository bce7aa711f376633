"""Protocols that train: from which weights, on which labels, where to, and that a stopped evaluation goes on."""

import json
import shutil
from contextlib import contextmanager
from typing import Literal

import numpy as np
import pytest
import yaml
from runs import equal, weights

from ossein.deploy import preset_after, read_card
from ossein.errors import DataError, SettingsError
from ossein.pretrain import METHODS, SkeletonMAE
from ossein.recipes.base import Silent
from ossein.recipes.describe import evaluation_table
from ossein.recipes.evaluate import evaluate
from ossein.recipes.finetune import Tuning
from ossein.recipes.presets import PRETRAIN, RECOGNISE, Facts, RecogniseSettings
from ossein.recipes.pretrain import pretrain
from ossein.recipes.recognise import recognise
from ossein.settings import Settings
from ossein.skeleton import Skeleton
from ossein.store import draw_labels, resolve
from ossein.train import Run, Stopped

SHORT = {
    "input": {"frames": 8},
    "model": {"layers": 1},
    "train": {"epochs": 0.4, "batch": 5, "precision": "fp32", "device": "cpu"},
}


class Titles(Silent):
    """A screen that keeps what was trained, and stops before the given training."""

    def __init__(self, stop=None):
        self.told, self.stop = [], stop

    @contextmanager
    def training(self, title):
        if len(self.told) == self.stop:
            raise Stopped
        self.told.append(title)
        yield lambda progress: None


@pytest.fixture
def encoder(pretrained_run, tmp_path):
    """A copy of the pre-training, to write to."""
    return shutil.copytree(pretrained_run, tmp_path / "encoder")


@pytest.fixture
def short(tmp_path):
    """A file with settings that make trainings short."""
    file = tmp_path / "short.yaml"
    file.write_text(yaml.safe_dump(SHORT))
    return file


def test_every_pre_training_has_its_recogniser():
    facts = Facts(Skeleton.of("coco-17"), dims=2, persons=1, has_sizes=True, num_train=12)
    after = {name: preset_after(preset(facts).model) for name, preset in PRETRAIN.items()}
    assert after == {"skeletonmae": "ssl", "ossein": "ossein"}
    assert set(after.values()) <= set(RECOGNISE)


def test_finetune_is_recognise_with_each_seed(encoder, fixed_store, short, tmp_path):
    """The same numbers and weights as by hand; the control has the same settings and nothing of the pre-training."""
    results = evaluate(
        encoder, fixed_store, protocols=("finetune",), tuning=Tuning(seeds=(0, 3), control=True, config=short)
    )
    card = read_card(encoder)[1]
    preset = RECOGNISE["ssl"](Facts.of(fixed_store, np.arange(12)), card)
    settings = preset.change(
        input=preset.input.change(**SHORT["input"]),
        model=preset.model.change(**SHORT["model"]),
        train=preset.train.change(**SHORT["train"]),
    )
    assert settings.model.encoder == card.model.encoder
    named = [(row["weights"], row["seed"]) for row in results["rows"]]
    assert named == [("pre-trained", 0), ("pre-trained", 3), ("random", 0), ("random", 3)]
    for row in results["rows"]:
        origin = encoder if row["weights"] == "pre-trained" else None
        own = tmp_path / f"{row['weights']}-{row['seed']}"
        recognise("ssl", fixed_store, own, splits=["half"], pretrained=origin, seeds=(row["seed"],), settings=settings)
        assert row["top1"] == json.loads((own / "results.json").read_text())["top1"]["mean"]
        assert equal(weights(encoder / row["folder"]), weights(own))
    assert json.loads((encoder / "evaluation.json").read_text()) == results


def test_means_and_gains(encoder, fixed_store, short):
    tuning = Tuning(seeds=(0, 1), control=True, config=short)
    results = evaluate(encoder, fixed_store, protocols=("finetune", "linear"), tuning=tuning)
    top1 = {
        weights: np.array([row["top1"] for row in results["rows"] if row.get("weights") == weights])
        for weights in ("pre-trained", "random")
    }
    assert list(results["mean"]) == ["linear", "finetune", "finetune, random weights"]
    found = results["mean"]["finetune, random weights"]["top1"]
    assert (found["mean"], found["n"]) == (pytest.approx(top1["random"].mean()), 2)
    assert found["std"] == pytest.approx(top1["random"].std(ddof=1))
    gain = top1["pre-trained"] - top1["random"]
    assert results["gain"]["finetune"]["mean"] == pytest.approx(gain.mean())
    assert results["gain"]["finetune"]["std"] == pytest.approx(gain.std(ddof=1))
    rows = evaluation_table(results)[1]
    assert [row[:2] for row in rows] == [
        ("encoder", "linear"),
        *((f"encoder, seed {seed}", "finetune") for seed in (0, 1)),
        *((f"encoder, seed {seed}", "finetune, random weights") for seed in (0, 1)),
        ("mean", "finetune"),
        ("mean", "finetune, random weights"),
        ("gain of pre-training", "finetune"),
    ]


def test_folds_are_averaged_before_seeds_are(fixed_store, tiny_pretrain, short, tmp_path):
    """Each fold starts from its own pre-training; the spread is that of seeds, over means of folds."""
    pretrain("skeletonmae", fixed_store, tmp_path, splits=["a?"], settings=tiny_pretrain(fixed_store, epochs=0.3))
    results = evaluate(tmp_path, fixed_store, protocols=("finetune",), tuning=Tuning(seeds=(0, 1), config=short))
    rows = results["rows"]
    assert [(row["run"], row["split"], row["seed"]) for row in rows] == [
        ("a1", "a1", 0), ("a1", "a1", 1), ("a2", "a2", 0), ("a2", "a2", 1),
    ]  # fmt: skip
    for row in rows:
        data = read_card(tmp_path / row["run"] / row["folder"])[1].data
        assert data["split"] == row["split"]
        assert data["pretrained"]
    means = [np.mean([row["top1"] for row in rows if row["seed"] == seed]) for seed in (0, 1)]
    found = results["mean"]["finetune"]["top1"]
    assert (found["n"], found["mean"], found["std"]) == (
        2,
        *map(pytest.approx, (np.mean(means), np.std(means, ddof=1))),
    )


def test_semi_learns_from_shares(encoder, fixed_store, short):
    tuning = Tuning(seeds=(0, 5), shares=("34%", "2-per-class"), config=short)
    results = evaluate(encoder, fixed_store, protocols=("semi",), tuning=tuning)
    assert [(row["protocol"], row["seed"]) for row in results["rows"]] == [
        ("semi 34%", 0), ("semi 34%", 5), ("semi 2-per-class", 0), ("semi 2-per-class", 5),
    ]  # fmt: skip
    train = resolve(fixed_store, "half").train
    for row in results["rows"]:
        run = Run(encoder / row["folder"])
        drawn = draw_labels(fixed_store.labels, train, row["labels"], row["seed"])
        assert run.read()["data"]["clips"] == len(drawn) == (4 if row["labels"] == "34%" else 8)
    assert {row["folder"].split("/")[1].rsplit("-", 2)[0] for row in results["rows"]} == {
        "semi-34pct",
        "semi-2-per-class",
    }


def test_transfer_goes_to_other_data(encoder, fixed_store, synthetic_store, short):
    other = synthetic_store()
    tuning = Tuning(seeds=(0,), config=short)
    results = evaluate(
        encoder,
        other,
        protocols=("transfer", "semi"),
        split="xsub",
        tuning=Tuning(seeds=(0,), shares=("1-per-class",), config=short),
    )
    row = results["rows"][0]
    assert (row["protocol"], row["split"], row["labels"]) == ("semi 1-per-class", "xsub", "1-per-class")
    row = results["rows"][1]
    assert (row["protocol"], row["split"], row["labels"]) == ("transfer", "xsub", "all")
    card = read_card(encoder / row["folder"])[1]
    assert card.classes == other.classes
    assert card.data["hash"] == other.hash
    assert card.data["pretrained"]
    with pytest.raises(SettingsError, match=r"learned from fixed.clips, which is not what tiny.clips holds"):
        evaluate(encoder, other, protocols=("finetune",), split="xsub", tuning=tuning)
    with pytest.raises(SettingsError, match=r"learned from fixed.clips itself"):
        evaluate(encoder, fixed_store, protocols=("transfer",), tuning=tuning)


def test_what_was_stopped_goes_on(encoder, fixed_store, short, tmp_path):
    """Stopped before its second training; the same call does that alone, and all is as if it had not been stopped."""
    whole = shutil.copytree(encoder, tmp_path / "whole" / "encoder")
    tuning = Tuning(seeds=(0,), control=True, config=short)
    with pytest.raises(Stopped):
        evaluate(encoder, fixed_store, protocols=("finetune",), tuning=tuning, screen=Titles(stop=1))
    assert not (encoder / "evaluation.json").exists()
    screen = Titles()
    results = evaluate(encoder, fixed_store, protocols=("finetune",), tuning=tuning, screen=screen)
    assert len(screen.told) == 1
    assert "random weights" in screen.told[0]
    assert results == evaluate(whole, fixed_store, protocols=("finetune",), tuning=tuning)


def test_more_seeds_join_those_that_are_there(encoder, fixed_store, short):
    """And other settings leave them alone."""
    told = []
    for seeds, smoothing in (((0,), 0.1), ((0, 1), 0.1), ((0,), 0.2), ((1, 0), 0.1)):
        short.write_text(yaml.safe_dump({**SHORT, "smoothing": smoothing}))
        screen = Titles()
        tuning = Tuning(seeds=seeds, config=short)
        evaluate(encoder, fixed_store, protocols=("finetune",), tuning=tuning, screen=screen)
        told.append(len(screen.told))
    assert told == [1, 1, 1, 0]


def test_settings_from_a_file(encoder, fixed_store, short, tmp_path):
    """Some settings, a whole run.yaml, or another kind of model; the seed is that of --seeds."""
    row = evaluate(encoder, fixed_store, protocols=("finetune",), tuning=Tuning(seeds=(4,), config=short))["rows"][0]
    record = encoder / row["folder"] / "run.yaml"
    again = Titles()
    evaluate(encoder, fixed_store, protocols=("finetune",), tuning=Tuning(seeds=(4,), config=record), screen=again)
    assert again.told == []
    used = RecogniseSettings.read(Run(record.parent).read()["settings"])
    assert (used.train.seed, used.train.epochs, used.model.layers, used.optim.lr) == (4, 0.4, 1, 0.1)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("train: {epoch: 3}", SettingsError, r"short.yaml: unknown field 'train.epoch'. Did you mean 'epochs'"),
        ("train: {epochs: -3}", SettingsError, r"short.yaml: field 'train.epochs'"),
        ("train: 3", SettingsError, r"short.yaml: field 'train'"),
        ("- train", SettingsError, r"short.yaml: holds no settings by name"),
        ("settings: 3", SettingsError, r"short.yaml: unknown field 'settings'"),
        ("model: {kind: nothing}", SettingsError, r"short.yaml: field 'model"),
        ("a: [", DataError, r"short.yaml: is not valid YAML"),
    ],
)
def test_files_that_hold_no_settings(encoder, fixed_store, short, text, error, words):
    short.write_text(text)
    with pytest.raises(error, match=words):
        evaluate(encoder, fixed_store, protocols=("finetune",), tuning=Tuning(config=short))
    assert not (encoder / "evaluation").exists()


@pytest.mark.parametrize(
    ("protocols", "tuning", "words"),
    [
        (("linear",), Tuning(control=True), r"--control and --config are for the protocols finetune, semi, transfer"),
        ((), Tuning(seeds=(0,)), r"--seeds, .* are for the protocols"),
        (("finetune",), Tuning(shares=("5%",)), r"--shares is for the protocol semi"),
        (("semi",), Tuning(shares=("5%", "5")), r"'5' is no amount of labels. Did you mean '5%' or '5-per-class'"),
        (("semi",), Tuning(shares=()), r"Name some with --shares"),
        (("finetune",), Tuning(seeds=()), r"seeds \[\], expected one or more"),
        (("finetune",), Tuning(seeds=(0, -1)), r"seeds \[0, -1\], expected one or more, from 0"),
        (("finetune",), Tuning(preset="sll"), r"'sll' is no preset of ossein recognise. Did you mean 'ssl'"),
    ],
)
def test_options_that_do_not_fit(encoder, fixed_store, protocols, tuning, words):
    with pytest.raises(SettingsError, match=words):
        evaluate(encoder, fixed_store, protocols=protocols, tuning=tuning)
    assert not (encoder / "evaluation").exists()


class MineSettings(Settings):
    """Of a method that does not say which encoder it has."""

    kind: Literal["mine"] = "mine"


def test_runs_that_cannot_be_trained_on_from(recogniser_run, encoder, fixed_store, tmp_path):
    with pytest.raises(SettingsError, match=r"is a recogniser, but finetune, semi start from a pre-training"):
        evaluate(
            shutil.copytree(recogniser_run, tmp_path / "r"),
            fixed_store,
            protocols=("semi", "finetune"),
            tuning=Tuning(preset="ssl"),
        )
    card = json.loads((encoder / "bundle" / "bundle.json").read_text())
    METHODS.add(SkeletonMAE, MineSettings)
    card |= {"preset": "mine", "model": {"kind": "mine"}}
    (encoder / "bundle" / "bundle.json").write_text(json.dumps(card))
    with pytest.raises(SettingsError, match=r"no recogniser is known to go with 'mine'. Name a --preset"):
        evaluate(encoder, fixed_store, protocols=("finetune",))
