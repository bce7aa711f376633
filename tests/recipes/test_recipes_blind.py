"""Nothing that is trained, fitted or chosen sees the test half.

A store is copied with every test clip poisoned: other coordinates, other scores, other labels. What is learned and
chosen on the copy must be the same to the last bit, for every preset and every protocol.
"""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import yaml

from ossein.readers.base import Source
from ossein.recipes.evaluate import evaluate
from ossein.recipes.finetune import TUNED, Tuning
from ossein.recipes.presets import PRETRAIN, RECOGNISE, Facts
from ossein.recipes.pretrain import pretrain
from ossein.recipes.probe import PROBES
from ossein.recipes.recognise import recognise
from ossein.store import resolve, write_store
from ossein.train import Run

MEASURED = {"top1", "top5", "mean_class", "interval", "confusion", "rank1", "rank5", "map", "folder"}
"""What may differ: the numbers of the test, and the folder that is named after the data."""


def poisoned(store, path, split):
    """The store with garbage in the test half of a split."""
    rng = np.random.default_rng(0)
    test = resolve(store, split).test

    def clip(i):
        good = store.clip(i)
        if i not in test:
            return good
        x, score = 1000 * rng.normal(size=good.x.shape), rng.uniform(size=good.score.shape)
        label = (good.label + 1 + good.label % 2) % len(
            store.classes
        )  # not one for one: else constant answers score alike
        return replace(good, x=x, score=score, label=label)

    lists = {name: tuple(store.names[i] for i in members) for name, members in store.splits.items()}
    clips = [clip(i) for i in range(len(store))]
    source = Source(iter(clips), skeleton=store.skeleton, classes=store.classes, splits=lists)
    return write_store(source, path)


@pytest.fixture(scope="module")
def stores(fixed_store, tmp_path_factory):
    """The clean store and the poisoned one, under one name."""
    return fixed_store, poisoned(fixed_store, tmp_path_factory.mktemp("poisoned") / "fixed.clips", "half")


def short(settings, seed=3):
    """Two steps of any method, with a small encoder where it has one."""
    encoder = getattr(settings.model, "encoder", None)
    small = {"encoder": encoder.change(width=8, depth=1)} if encoder else {}
    return settings.change(
        model=settings.model.change(**small),
        input=settings.input.change(frames=8),
        train=settings.train.change(epochs=0.7, steps=0, batch=5, precision="fp32", device="cpu", seed=seed),
    )


def learned(folder):
    """All that a run has learned and chosen: the weights to the last bit, and the settings."""
    return (folder / "bundle" / "model.safetensors").read_bytes(), Run(folder).read()["settings"]


def test_the_poison_is_in_the_test_half_alone(stores):
    clean, bad = stores
    split = resolve(clean, "half")
    assert resolve(bad, "half").test.tolist() == split.test.tolist()
    assert all((clean.clip(i).x == bad.clip(i).x).all() and clean.labels[i] == bad.labels[i] for i in split.train)
    assert not any((clean.clip(i).x == bad.clip(i).x).any() or clean.labels[i] == bad.labels[i] for i in split.test)


@pytest.fixture(scope="module", params=PRETRAIN)
def encoders(request, stores, synthetic_store, tmp_path_factory):
    """Pre-trained on the clean store, on the poisoned one, and on other data."""

    def make(store, split):
        out = tmp_path_factory.mktemp("encoder") / "run"
        preset = request.param
        pretrain(preset, store, out, splits=[split], settings=short(PRETRAIN[preset](Facts.of(store, np.arange(12)))))
        return out

    return make(stores[0], "half"), make(stores[1], "half"), make(synthetic_store(), "xsub")


def test_pre_training(encoders):
    assert learned(encoders[0]) == learned(encoders[1])


@pytest.mark.parametrize("split", ["half", "half.val"])
@pytest.mark.parametrize("labels", ["all", "1-per-class"])
@pytest.mark.parametrize("preset", RECOGNISE)
def test_recognition(stores, tmp_path, preset, labels, split):
    """Of `half.val` even the numbers are the same: it is cut from the training half of `half`."""
    found, results = [], []
    for name, store in zip(("clean", "bad"), stores):
        out = tmp_path / name
        settings = short(RECOGNISE[preset](Facts.of(store, np.arange(12)), None))
        results.append(recognise(preset, store, out, splits=[split], labels=labels, settings=settings)["runs"][0])
        found.append(learned(out))
    assert found[0] == found[1]
    same = results[0] | {"run": ""} == results[1] | {"run": ""}
    assert same == (split == "half.val")


@pytest.mark.parametrize("protocol", [*PROBES, *TUNED])
def test_protocols(stores, encoders, recogniser_run, tmp_path, protocol):
    """C of the probe, the neighbours that vote, the labels that are drawn, the weights that are trained."""
    config = tmp_path / "short.yaml"
    train = {"epochs": 0.7, "batch": 5, "precision": "fp32", "device": "cpu"}
    config.write_text(yaml.safe_dump({"input": {"frames": 8}, "train": train}))
    shares = ("2-per-class",) if protocol == "semi" else Tuning.shares
    tuning = Tuning(seeds=(0,), shares=shares, config=config) if protocol in TUNED else None
    runs = {"classes": (recogniser_run,) * 2, "transfer": encoders[2:] * 2}.get(protocol, encoders[:2])
    found = []
    for i, (origin, store) in enumerate(zip(runs, stores)):
        run = shutil.copytree(origin, tmp_path / str(i) / "run")
        results = evaluate(run, store, protocols=(protocol,), split="half", tuning=tuning)
        chosen = [{key: value for key, value in row.items() if key not in MEASURED} for row in results["rows"]]
        found.append((chosen, [learned(run / row["folder"]) for row in results["rows"] if "folder" in row]))
    assert found[0] == found[1]
    assert len(found[0][1]) == (protocol in TUNED)


def test_validation_cuts(stores, synthetic_store, tmp_path):
    """Which clips are held out, be it whole subjects or a share of each class, hangs on the training half alone."""
    people = synthetic_store()
    known = (people, poisoned(people, tmp_path / "people.clips", "xsub"))
    for name, (clean, bad) in (("half.val", stores), ("xsub.val", known)):
        one, other = resolve(clean, name), resolve(bad, name)
        assert one.train.tolist() == other.train.tolist()
        assert one.test.tolist() == other.test.tolist()
    assert not np.isin(people.subjects[one.train], people.subjects[one.test]).any()
