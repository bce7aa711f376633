"""Recognition: folds and seeds, few labels, where weights come from, and that test clips decide nothing."""

import json

import numpy as np
import pytest
import torch
from runs import Watched, equal, losses, remade, weights, with_label

from ossein.clip import UNKNOWN, Clip
from ossein.deploy import load_pretrained, load_recogniser, read_card
from ossein.errors import BundleError, DataError, SettingsError, SkeletonError
from ossein.evaluate.model import class_scores
from ossein.recipes.pretrain import pretrain
from ossein.recipes.recognise import recognise
from ossein.store import draw_labels, resolve
from ossein.train import Run

NUMBERS = ("top1", "top5", "mean_class")


def test_the_curve_of_ssl(recogniser_run):
    """Numbers of the version in which the method was checked: a change of code that is none of method keeps them."""
    known = [1.37175345, 1.43001556, 1.37163606, 1.42584503, 1.45271504]
    assert losses(recogniser_run) == pytest.approx(known, rel=1e-4)


def test_numbers_are_those_of_the_model(fixed_store, recogniser_run):
    model, card = load_recogniser(recogniser_run)
    test = resolve(fixed_store, "half").test
    scores = class_scores(model, fixed_store, test, card.input)
    top1 = np.mean(scores.argmax(1) == fixed_store.labels[test])
    results = json.loads((recogniser_run / "results.json").read_text())
    assert results["runs"][0]["top1"] == results["top1"]["mean"] == card.metrics["top1"] == pytest.approx(top1)
    assert results["runs"][0]["num_clips"] == 8


def test_weights_come_from_pre_training(fixed_store, pretrained_run, recogniser_run, tiny_recognise, tmp_path):
    """With a rate of nearly nothing the encoder stays what pre-training made it."""
    s = tiny_recognise(fixed_store, epochs=0.3)
    s = s.change(optim=s.optim.change(lr=1e-9))
    recognise("ssl", fixed_store, tmp_path / "a", splits=["half"], pretrained=pretrained_run, settings=s)
    recognise("ssl", fixed_store, tmp_path / "b", splits=["half"], settings=s)
    encoder = load_pretrained(pretrained_run)[0].encoder.state_dict()
    near, far = (weights(tmp_path / name)["embed.weight"] for name in "ab")
    torch.testing.assert_close(near, encoder["embed.weight"], rtol=0, atol=1e-6)
    assert (far - encoder["embed.weight"]).abs().max() > 1e-4
    assert read_card(tmp_path / "a")[1].data["pretrained"] == read_card(recogniser_run)[1].data["pretrained"]
    assert read_card(tmp_path / "b")[1].data["pretrained"] is None


def test_folds_and_seeds(fixed_store, tiny_recognise, tmp_path):
    settings = tiny_recognise(fixed_store, epochs=0.5)
    call = {"splits": ["a?"], "seeds": (3, 5, 3), "settings": settings}
    results = recognise("ssl", fixed_store, tmp_path, **call)
    names = ["a1-seed3", "a1-seed5", "a2-seed3", "a2-seed5"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".turns", *names, "results.json"]
    assert [run["run"] for run in results["runs"]] == names
    assert [(run["split"], run["seed"]) for run in results["runs"]] == [("a1", 3), ("a1", 5), ("a2", 3), ("a2", 5)]
    assert [Run(tmp_path / name).read()["settings"]["train"]["seed"] for name in names] == [3, 5, 3, 5]
    by_run = {name: json.loads((tmp_path / name / "results.json").read_text()) for name in names}
    for key in NUMBERS:
        each = [np.mean([by_run[f"{fold}-seed{seed}"][key] for fold in ("a1", "a2")]) for seed in (3, 5)]
        assert results[key]["mean"] == pytest.approx(np.mean(each))
        assert results[key]["std"] == pytest.approx(np.std(each, ddof=1))
        assert (results[key]["n"], results[key]["over"]) == (2, "seeds")
    assert json.loads((tmp_path / "results.json").read_text()) == results
    assert not equal(weights(tmp_path / "a1-seed3"), weights(tmp_path / "a1-seed5"))


def test_one_seed_is_never_ignored(fixed_store, tiny_recognise, tmp_path):
    settings = tiny_recognise(fixed_store, epochs=0.3, seed=2)
    for seeds, used in (((), 2), ((7,), 7)):
        out = tmp_path / str(used)
        results = recognise("ssl", fixed_store, out, splits=["half"], seeds=seeds, settings=settings)
        assert results["runs"][0]["seed"] == Run(out).read()["settings"]["train"]["seed"] == used


def test_folds_alone_are_averaged_over_folds(fixed_store, tiny_recognise, tmp_path):
    settings = tiny_recognise(fixed_store, epochs=0.3)
    results = recognise("ssl", fixed_store, tmp_path, splits=["a1", "a2"], settings=settings)
    each = [run["top1"] for run in results["runs"]]
    assert results["top1"]["mean"] == pytest.approx(np.mean(each))
    assert results["top1"]["over"] == "folds"


def test_going_on_redoes_nothing_that_is_done(fixed_store, tiny_recognise, tmp_path, monkeypatch):
    call = {"splits": ["a?"], "seeds": (0, 1), "settings": tiny_recognise(fixed_store, epochs=1)}
    whole = recognise("ssl", fixed_store, tmp_path / "whole", **call)
    cut, rest = Watched(stop_at=8), Watched()  # in the third of four runs of three steps
    with pytest.raises(KeyboardInterrupt):
        recognise("ssl", fixed_store, tmp_path / "cut", screen=cut, **call)
    assert not (tmp_path / "cut" / "results.json").exists()
    done = [tmp_path / "cut" / "a1-seed0", tmp_path / "cut" / "a1-seed1"]
    before = {path: path.stat().st_mtime_ns for folder in done for path in folder.rglob("*")}
    assert recognise("ssl", fixed_store, tmp_path / "cut", screen=rest, resume=True, **call) == whole
    assert {path: path.stat().st_mtime_ns for folder in done for path in folder.rglob("*")} == before
    assert (cut.steps, rest.steps) == (8, 3 + 3)
    for name in ("a1-seed0", "a2-seed0", "a2-seed1"):
        assert equal(weights(tmp_path / "cut" / name), weights(tmp_path / "whole" / name))


def test_killed_between_training_and_model(fixed_store, tiny_recognise, tmp_path):
    """The state is there, the model is not: going on tests and writes it, without another step."""
    call = {"splits": ["half"], "settings": tiny_recognise(fixed_store, epochs=1)}
    results = recognise("ssl", fixed_store, tmp_path, **call)
    before = weights(tmp_path)
    (tmp_path / "bundle" / "bundle.json").unlink()
    assert recognise("ssl", fixed_store, tmp_path, resume=True, **call) == results
    assert equal(weights(tmp_path), before)
    assert len(losses(tmp_path)) == 3


def test_going_on_from_other_weights(
    fixed_store, pretrained_run, recogniser_run, tiny_recognise, tiny_pretrain, tmp_path
):
    other = tmp_path / "other"
    pretrain("skeletonmae", fixed_store, other, splits=["half"], settings=tiny_pretrain(fixed_store, seed=4))
    call = {"splits": ["half"], "settings": tiny_recognise(fixed_store), "resume": True}
    for start in (other, None):
        with pytest.raises(SettingsError, match=r"cannot go on, 'data.pretrained' was"):
            recognise("ssl", fixed_store, recogniser_run, pretrained=start, **call)


@pytest.mark.parametrize(
    ("labels", "num"), [("all", 12), ("1-per-class", 4), ("2-per-class", 8), ("9-per-class", 12), ("40%", 4)]
)
def test_few_labels(fixed_store, tiny_recognise, tmp_path, labels, num):
    settings = tiny_recognise(fixed_store, epochs=0.3, seed=6)
    recognise("ssl", fixed_store, tmp_path, splits=["half"], labels=labels, settings=settings)
    data = Run(tmp_path).read()["data"]
    assert (data["labels"], data["clips"]) == (labels, num)
    drawn = draw_labels(fixed_store.labels, np.arange(12), labels, 6)
    told = [range(int(part.split("-")[0]), int(part.split("-")[-1]) + 1) for part in data["seen"].split(",")]
    assert sorted(number for part in told for number in part) == drawn.tolist()


@pytest.mark.parametrize("labels", ["-1", "10", "0-per-class", "101%"])
def test_no_amount_of_labels(fixed_store, tiny_recognise, tmp_path, labels):
    with pytest.raises(SettingsError, match=f"'{labels}' is no"):
        recognise("ssl", fixed_store, tmp_path / "run", splits=["half"], labels=labels)
    assert not (tmp_path / "run").exists()


def test_clips_without_a_label(fixed_store, tiny_recognise, tmp_path):
    """They are left out of both halves, and it is said; a half needs some that have one."""
    train = remade(
        fixed_store, tmp_path / "train.clips", lambda i, c: with_label(c, UNKNOWN if i in (0, 5) else c.label)
    )
    settings = tiny_recognise(fixed_store, epochs=0.3)
    recognise("ssl", train, tmp_path / "all", splits=["half"], settings=settings, screen=(screen := Watched()))
    assert Run(tmp_path / "all").read()["data"]["seen"] == "1-4,6-11"
    assert screen.lines[1:] == ["2 of the 12 train clips of 'half' left out, since they have no label"]
    recognise("ssl", train, tmp_path / "few", splits=["half"], labels="9-per-class", settings=settings)
    assert Run(tmp_path / "few").read()["data"]["seen"] == "1-4,6-11"
    test = remade(fixed_store, tmp_path / "test.clips", lambda i, c: with_label(c, UNKNOWN if i == 15 else c.label))
    call = {"splits": ["half"], "labels": "1-per-class", "settings": settings}
    results = recognise("ssl", test, tmp_path / "test", **call, screen=(screen := Watched()))
    assert screen.lines[1:] == ["1 of the 8 test clips of 'half' left out, since they have no label"]
    assert results["runs"][0]["num_clips"] == 7
    for name, half in (("train", range(12)), ("test", range(12, 20))):
        none = remade(
            fixed_store,
            tmp_path / f"no-{name}.clips",
            lambda i, c, half=half: with_label(c, UNKNOWN if i in half else c.label),
        )
        with pytest.raises(DataError, match=f"no {name} clip of 'half' has a label"):
            recognise("ssl", none, tmp_path / "run", **call)
    assert not (tmp_path / "run").exists()


def test_the_test_half_decides_nothing(fixed_store, tiny_recognise, tiny_pretrain, tmp_path):
    """Other labels and other coordinates in the test half: the same weights, from pre-training on."""

    def other(i, clip):
        if i < 12:
            return clip
        return Clip(clip.x[..., ::-1] * 0.5 + 3, clip.score, clip.name, (clip.label + 1) % 4, size=clip.size)

    stores = {"a": fixed_store, "b": remade(fixed_store, tmp_path / "b.clips", other)}
    for name, store in stores.items():
        encoder, out = tmp_path / f"pre-{name}", tmp_path / name
        pretrain("skeletonmae", store, encoder, splits=["half"], settings=tiny_pretrain(store, epochs=0.5))
        settings = tiny_recognise(store, epochs=1)
        recognise("ssl", store, out, splits=["half"], pretrained=encoder, labels="2-per-class", settings=settings)
    assert equal(weights(tmp_path / "a"), weights(tmp_path / "b"))
    assert losses(tmp_path / "a") == losses(tmp_path / "b")


def test_pre_training_that_has_seen_test_clips(fixed_store, pretrained_run, tiny_recognise, tmp_path):
    call = {"splits": ["a2"], "pretrained": pretrained_run, "settings": tiny_recognise(fixed_store)}
    with pytest.raises(DataError, match=r"has seen 8 of the 8 test clips, such as 'clip 0'.*--split half"):
        recognise("ssl", fixed_store, tmp_path / "run", **call)
    assert not (tmp_path / "run").exists()


def test_what_pre_training_saw_is_remembered(fixed_store, pretrained_run, tiny_recognise, tmp_path):
    """A recogniser that learned from few labels has seen all that its encoder has seen."""
    settings = tiny_recognise(fixed_store, epochs=0.3)
    recognise(
        "ssl",
        fixed_store,
        tmp_path,
        splits=["half"],
        pretrained=pretrained_run,
        labels="1-per-class",
        settings=settings,
    )
    data = read_card(tmp_path)[1].data
    assert (data["clips"], data["seen"]) == (4, "0-11")


def test_folds_of_pre_training(fixed_store, tiny_pretrain, tiny_recognise, pretrained_run, tmp_path):
    encoders = tmp_path / "pre"
    pretrain("skeletonmae", fixed_store, encoders, splits=["a?"], settings=tiny_pretrain(fixed_store, epochs=0.5))
    settings = tiny_recognise(fixed_store, epochs=0.3)
    recognise("ssl", fixed_store, tmp_path / "run", splits=["a?"], pretrained=encoders, settings=settings)
    recognise("ssl", fixed_store, tmp_path / "one", splits=["a2"], pretrained=encoders, settings=settings)
    used = {name: read_card(tmp_path / name)[1].data["pretrained"] for name in ("run/a1-seed0", "run/a2-seed0", "one")}
    assert used["run/a1-seed0"] != used["run/a2-seed0"] == used["one"]
    with pytest.raises(BundleError, match=r"holds no run for 'a1'. Pre-train with the same --split"):
        recognise("ssl", fixed_store, tmp_path / "x", splits=["a?"], pretrained=tmp_path, settings=settings)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"input": {"normalise": "centre"}}, "input.normalise is centre, the pre-training had image"),
        ({"input": {"stream": "bone"}}, "input.stream is bone, the pre-training had joint"),
    ],
)
def test_settings_that_contradict_pre_training(fixed_store, pretrained_run, tiny_recognise, tmp_path, fields, told):
    s = tiny_recognise(fixed_store)
    s = s.change(**{key: getattr(s, key).change(**value) for key, value in fields.items()})
    call = {"splits": ["half"], "pretrained": pretrained_run, "settings": s}
    with pytest.raises(SettingsError, match=told):
        recognise("ssl", fixed_store, tmp_path / "run", **call)
    assert not (tmp_path / "run").exists()


def test_an_encoder_that_does_not_fit(fixed_store, pretrained_run, tiny_recognise, tmp_path):
    s = tiny_recognise(fixed_store)
    s = s.change(model=s.model.change(encoder=s.model.encoder.change(depth=2)))
    with pytest.raises(BundleError, match=r"differs from the model's in kind, width, depth or coordinates"):
        recognise("ssl", fixed_store, tmp_path / "run", splits=["half"], pretrained=pretrained_run, settings=s)
    assert not (tmp_path / "run").exists()


def test_pre_training_on_another_skeleton(pretrained_run, tiny_recognise, synthetic_store, tmp_path):
    other = synthetic_store(dims=3, clips=18)
    with pytest.raises(SkeletonError, match=r"knows coco-17 in 2-D, tiny.clips holds coco-17 in 3-D"):
        recognise("ssl", other, tmp_path / "run", pretrained=pretrained_run)
    assert not (tmp_path / "run").exists()


def test_a_recogniser_is_no_start(fixed_store, recogniser_run, tiny_recognise, tmp_path):
    call = {"splits": ["half"], "settings": tiny_recognise(fixed_store)}
    with pytest.raises(BundleError, match=r"expected a pre-trained encoder"):
        recognise("ssl", fixed_store, tmp_path, pretrained=recogniser_run, **call)
    with pytest.raises(BundleError, match=r"holds no bundle"):
        recognise("ssl", fixed_store, tmp_path, pretrained=tmp_path / "nowhere", **call)


def test_the_preset_is_used_where_no_settings_are_given(fixed_store, tiny_recognise, tmp_path, monkeypatch):
    from ossein.recipes import recognise as module

    monkeypatch.setitem(module.RECOGNISE, "ssl", lambda facts, card: tiny_recognise(fixed_store, batch=facts.num_train))
    recognise("ssl", fixed_store, tmp_path, splits=["a2"], seeds=(1,))
    assert (
        Run(tmp_path).read()["settings"]["train"] | {"batch": 12, "seed": 1}
        == Run(tmp_path).read()["settings"]["train"]
    )
