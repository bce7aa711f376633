"""Calibration of a bundle: on the right clips alone, and written down whole or not at all."""

import shutil

import numpy as np
import pytest

from ossein.clip import Clip
from ossein.deploy import load, read_card
from ossein.errors import DataError, SettingsError, SkeletonError
from ossein.evaluate.calibration import expected_calibration_error, probabilities
from ossein.evaluate.model import class_logits
from ossein.files import write_json
from ossein.readers.base import Source
from ossein.recipes.calibrate import calibrate
from ossein.skeleton import Skeleton
from ossein.store import Store, write_store
from ossein.store.memory import Memory

CLASSES = ("rest", "walk", "run", "jump")


@pytest.fixture
def bundle(recogniser_run, tmp_path):
    """A bundle to calibrate."""
    return shutil.copytree(recogniser_run / "bundle", tmp_path / "bundle")


@pytest.fixture(scope="module")
def other(recogniser_run, tmp_path_factory) -> Store:
    """Clips of other data, whose classes come as often as the model would say at temperature 0.4; some have no label."""
    rng = np.random.default_rng(0)
    model = load(recogniser_run)
    shape = (1, 8, 17)
    clips = [
        Clip(
            200 + 60 * rng.normal(size=(1, 1, 17, 2)) + 12 * rng.normal(size=(*shape, 2)).cumsum(1),
            np.ones(shape),
            f"c{n}",
            size=(640, 480),
        )
        for n in range(400)
    ]
    p = probabilities(
        class_logits(model.model, Memory.of(clips, model.skeleton), range(400), model.card.input), temperature=0.4
    )
    labels = (p.cumsum(1) < rng.random((400, 1))).sum(1)
    labels[:20] = -1
    named = [Clip(c.x, c.score, c.name, label=int(k), size=c.size) for c, k in zip(clips, labels)]
    lists = {"a_train": [f"c{n}" for n in range(200)], "a_test": [f"c{n}" for n in range(200, 400)]}
    splits = {name: tuple(members) for name, members in lists.items()}
    source = Source(iter(named), skeleton=Skeleton.of("coco-17"), classes=CLASSES, splits=splits)
    return write_store(source, tmp_path_factory.mktemp("calibrate") / "other.clips")


def test_a_temperature_that_is_known(bundle, other, recogniser_run):
    told = calibrate(bundle, other, accuracy=0.5)
    assert told["temperature"] == pytest.approx(0.4, rel=0.25)
    assert told["num_clips"] == 380
    assert (told["split"], told["test_clips"], told["store"], told["hash"]) == ("all", 0, "other.clips", other.hash)
    assert told["nll"][1] < told["nll"][0]
    assert told["ece"][1] < told["ece"][0]
    card, before = read_card(bundle)[1], read_card(recogniser_run)[1]
    assert (card.temperature, card.sure) == (told["temperature"], told["sure"])
    assert card.calibration == {k: v for k, v in told.items() if k not in ("temperature", "sure")}
    assert card.change(temperature=1.0, sure=0.0, calibration={}) == before
    # What is written is what the scores of the bundle then have.
    model, labelled = load(bundle), np.flatnonzero(other.labels >= 0)
    p = model.scores([other.clip(i) for i in labelled])
    assert expected_calibration_error(p, other.labels[labelled]) == pytest.approx(told["ece"][1], abs=0.01)
    sure = p.max(1) >= card.sure - 1e-6
    assert (p.argmax(1) == other.labels[labelled])[sure].mean() >= 0.5
    rows = {one["accuracy"]: one for one in card.calibration["thresholds"]}
    assert list(rows) == [0.5, 0.8, 0.9, 0.95, 0.99]
    assert rows[0.5]["clips"] == sure.sum()


def test_it_can_be_done_again(bundle, other):
    first = calibrate(bundle, other, split="a", accuracy=0.4)
    assert first["split"] == "a"
    assert first["num_clips"] == 200
    again = calibrate(bundle, other, split="a")
    assert again["temperature"] == first["temperature"]
    assert (again["sure"], read_card(bundle)[1].sure) == (0.0, 0.0)


def test_clips_that_the_model_has_seen(bundle, fixed_store):
    before = (bundle / "bundle.json").read_bytes()
    with pytest.raises(DataError, match=r"has seen 8 of the 8 test clips, such as 'clip 0'"):
        calibrate(bundle, fixed_store, split="a_train2:a_test2")
    with pytest.raises(DataError, match=r"has seen 12 of the 20 test clips"):
        calibrate(bundle, fixed_store, split="all")
    assert (bundle / "bundle.json").read_bytes() == before


def test_the_test_half_is_used_only_where_it_is_named(bundle, fixed_store, monkeypatch):
    with pytest.raises(DataError, match=r"learned from 'half' of fixed.clips.*Train on 'half.val'"):
        calibrate(bundle, fixed_store)
    rng = np.random.default_rng(0)
    monkeypatch.setattr("ossein.recipes.calibrate.class_logits", lambda *_: rng.normal(size=(8, 1, 4)))
    monkeypatch.setattr("ossein.recipes.calibrate.fit_temperature", lambda *_: 1.5)
    told = calibrate(bundle, fixed_store, split="half")
    assert (told["test_clips"], told["num_clips"], told["split"]) == (8, 8, "half")
    # Of a model that was trained on NAME.val, what that held out is there to calibrate on.
    card = read_card(bundle)[1]
    data = {**card.data, "split": "half.val", "seen": "0", "digests": ""}
    write_json(bundle / "bundle.json", card.change(data=data).plain())
    seen = []
    monkeypatch.setattr(
        "ossein.recipes.calibrate.class_logits",
        lambda model, store, clips, input: seen.extend(clips) or rng.normal(size=(len(clips), 1, 4)),
    )
    told = calibrate(bundle, fixed_store)
    assert (told["split"], told["test_clips"]) == ("half.val", 0)
    assert set(seen) <= set(range(1, 12))
    assert calibrate(bundle, fixed_store, split="half")["test_clips"] == 8


def test_what_does_not_fit(bundle, other, fixed_store, pretrained_run, tmp_path):
    before = (bundle / "bundle.json").read_bytes()
    with pytest.raises(DataError, match=r"no probability is enough to be right 100 % of the time"):
        calibrate(bundle, other, accuracy=1.0)
    with pytest.raises(SettingsError, match="accuracy is 95"):
        calibrate(bundle, other, accuracy=95)
    with pytest.raises(DataError, match="no split is called 'b'"):
        calibrate(bundle, other, split="b")

    def store(name, classes, skeleton, label=0, dims=2):
        shape = (1, 4, len(Skeleton.of(skeleton)))
        clips = [Clip(np.ones((*shape, dims)), np.ones(shape), str(n), label, size=(6, 4)) for n in range(3)]
        return write_store(Source(iter(clips), skeleton=Skeleton.of(skeleton), classes=classes), tmp_path / name)

    with pytest.raises(DataError, match=r"the model knows 4 classes, two.clips names other ones"):
        calibrate(bundle, store("two.clips", ("a", "b"), "coco-17"))
    with pytest.raises(DataError, match="no clip of 'all' has a label"):
        calibrate(bundle, store("none.clips", CLASSES, "coco-17", label=-1))
    with pytest.raises(SkeletonError, match=r"the model knows coco-17, bones.clips holds penn-13"):
        calibrate(bundle, store("bones.clips", CLASSES, "penn-13"))
    with pytest.raises(ValueError, match="holds a pre-trained encoder"):
        calibrate(pretrained_run, fixed_store)
    assert (bundle / "bundle.json").read_bytes() == before
