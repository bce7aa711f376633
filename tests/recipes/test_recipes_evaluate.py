"""Evaluation of runs: the numbers are those of the protocols, and what was seen in training is refused."""

import json
import shutil

import numpy as np
import pytest
from runs import Watched, remade, with_label

from ossein.clip import UNKNOWN, Clip
from ossein.deploy import load_pretrained, load_recogniser
from ossein.errors import BundleError, DataError, SettingsError, SkeletonError
from ossein.evaluate import Ranks, choose_strength, linear_probe, retrieve
from ossein.evaluate.model import class_scores, encoder_features, model_features
from ossein.readers.base import Source
from ossein.recipes.describe import evaluation_table, result_lines
from ossein.recipes.evaluate import evaluate
from ossein.recipes.pretrain import pretrain
from ossein.recipes.recognise import recognise
from ossein.store import resolve, write_store


@pytest.fixture
def run(recogniser_run, tmp_path):
    """A copy of the recogniser's run, to write to."""
    return shutil.copytree(recogniser_run, tmp_path / "run")


@pytest.fixture
def encoder(pretrained_run, tmp_path):
    """A copy of the pre-training, to write to."""
    return shutil.copytree(pretrained_run, tmp_path / "encoder")


def accuracy(scores, store, split):
    return np.mean(scores.argmax(1) == store.labels[resolve(store, split).test])


def test_a_recogniser_answers_for_itself(run, fixed_store):
    results = evaluate(run, fixed_store)
    model, card = load_recogniser(run)
    scores = class_scores(model, fixed_store, resolve(fixed_store, "half").test, card.input)
    (row,) = results["rows"]
    assert (row["run"], row["protocol"], row["split"], row["num_clips"]) == ("run", "classes", "half", 8)
    assert row["top1"] == pytest.approx(accuracy(scores, fixed_store, "half"))
    assert row["top1"] == json.loads((run / "results.json").read_text())["top1"]["mean"]
    assert json.loads((run / "evaluation.json").read_text()) == results


def test_an_encoder_is_probed(encoder, fixed_store):
    results = evaluate(encoder, fixed_store)
    assert [row["protocol"] for row in results["rows"]] == ["linear", "knn (k=1)", "knn (k=5)"]  # 12 clips, not 20
    method, card = load_pretrained(encoder)
    split = resolve(fixed_store, "half")
    train, test = (
        encoder_features(method.encoder, fixed_store, part, card.input) for part in (split.train, split.test)
    )
    scores = linear_probe(train, fixed_store.labels[split.train], test, num_classes=4)
    assert results["rows"][0]["top1"] == pytest.approx(accuracy(scores, fixed_store, "half"))


def test_a_recogniser_is_probed(run, fixed_store):
    results = evaluate(run, fixed_store, protocols=("classes", "linear", "knn"))
    assert [row["protocol"] for row in results["rows"]] == ["classes", "linear", "knn (k=1)", "knn (k=5)"]
    model, card = load_recogniser(run)
    split = resolve(fixed_store, "half")
    train, test = (model_features(model, fixed_store, part, card.input) for part in (split.train, split.test))
    scores = linear_probe(train, fixed_store.labels[split.train], test, num_classes=4)
    assert results["rows"][1]["top1"] == pytest.approx(accuracy(scores, fixed_store, "half"))


def test_an_encoder_is_asked_for_clips(encoder, fixed_store):
    results = evaluate(encoder, fixed_store, protocols=("retrieval", "linear"))
    method, card = load_pretrained(encoder)
    split = resolve(fixed_store, "half")
    train, test = (
        encoder_features(method.encoder, fixed_store, part, card.input) for part in (split.train, split.test)
    )
    train_y, test_y = (fixed_store.labels[part] for part in (split.train, split.test))
    linear, row = results["rows"]
    assert linear["strength"] == choose_strength(train, train_y)
    assert row == {
        "run": "encoder",
        "split": "half",
        "protocol": "retrieval",
        **Ranks.of(*retrieve(train, train_y, test, test_y, num_classes=4)).plain(),
    }
    assert list(results["mean"]["retrieval"]) == ["rank1", "rank5", "map"]
    heads, rows = evaluation_table(results)
    assert heads[-1] == "mAP %"
    assert [cell for cell, head in zip(rows[1], heads) if head == "mAP %"] == [f"{100 * row['map']:.1f}"]


def test_test_labels_choose_nothing(encoder, fixed_store, tmp_path):
    """Other labels in the test half: the same answers of the probes, so that new numbers follow from the old ones."""
    before = np.array(evaluate(encoder, fixed_store)["rows"][0]["confusion"])
    clips = [fixed_store.clip(i) for i in range(20)]
    clips = [
        clip if i < 12 else Clip(clip.x, clip.score, clip.name, (clip.label + 1) % 4, size=clip.size)
        for i, clip in enumerate(clips)
    ]
    splits = {name: tuple(fixed_store.names[i] for i in members) for name, members in fixed_store.splits.items()}
    source = Source(iter(clips), skeleton=fixed_store.skeleton, classes=fixed_store.classes, splits=splits)
    other = write_store(source, tmp_path / "other.clips")
    after = np.array(evaluate(encoder, other)["rows"][0]["confusion"])
    np.testing.assert_array_equal(after, np.roll(before, 1, axis=0))


def test_many_runs_are_averaged(fixed_store, tiny_recognise, tmp_path):
    settings = tiny_recognise(fixed_store, epochs=0.3)
    recognise("ssl", fixed_store, tmp_path, splits=["a?"], seeds=(0, 1), settings=settings)
    results = evaluate(tmp_path, fixed_store)
    assert [row["run"] for row in results["rows"]] == ["a1-seed0", "a1-seed1", "a2-seed0", "a2-seed1"]
    assert [row["split"] for row in results["rows"]] == ["a1", "a1", "a2", "a2"]
    assert results["mean"]["classes"]["top1"]["mean"] == pytest.approx(
        np.mean([row["top1"] for row in results["rows"]])
    )
    heads, rows = evaluation_table(results)
    assert heads[:4] == ("run", "protocol", "split", "clips")
    assert len(rows) == 5
    assert rows[-1][:4] == ("mean", "classes", "", "")


def test_another_split(run, fixed_store):
    results = evaluate(run, fixed_store, split="half_train:a_test1")
    assert results["rows"][0]["split"] == "half_train:a_test1"
    with pytest.raises(DataError, match=r"the run in .* has seen 8 of the 8 test clips"):
        evaluate(run, fixed_store, split="a2")


def test_several_splits_of_one_run(fixed_store, encoder, synthetic_store):
    """A word for several splits gives each its rows; an encoder that learned from other data has seen none of them."""
    results = evaluate(encoder, synthetic_store(), protocols=("knn",), split="kfold2")
    assert [(row["protocol"], row["split"]) for row in results["rows"]] == [
        (f"knn (k={k})", f"kfold2-{i}") for i in (1, 2) for k in (1, 5)
    ]
    with pytest.raises(DataError, match=r"has seen"):
        evaluate(encoder, fixed_store, split="kfold2")


def test_the_split_of_other_data(encoder, fixed_store, tmp_path):
    """Other data have no split of that name: their only one is taken, and where there are several one must be named."""
    names = fixed_store.names
    splits = {"mine_train": names[:4], "mine_test": names[4:8], "yours_train": names[4:8], "yours_test": names[:4]}

    def other(*lists):
        known = [fixed_store.clip(i) for i in range(8)]
        clips = [Clip(one.x + 1, one.score, one.name, one.label, size=one.size) for one in known]
        source = Source(
            iter(clips),
            skeleton=fixed_store.skeleton,
            classes=fixed_store.classes,
            splits={name: splits[name] for name in lists},
        )
        return write_store(source, tmp_path / f"{len(lists)}.clips")

    results = evaluate(encoder, other("mine_train", "mine_test"))
    assert {row["split"] for row in results["rows"]} == {"mine"}
    with pytest.raises(DataError, match=r"has 2 splits, name one with --split"):
        evaluate(encoder, other(*splits))


def test_nothing_is_left_to_test_on(fixed_store, tiny_pretrain, tmp_path):
    pretrain("skeletonmae", fixed_store, tmp_path, splits=["all"], settings=tiny_pretrain(fixed_store, epochs=0.3))
    with pytest.raises(DataError, match=r"learned from every clip of fixed.clips"):
        evaluate(tmp_path, fixed_store)
    with pytest.raises(DataError, match=r"has seen 8 of the 8 test clips"):
        evaluate(tmp_path, fixed_store, split="half")


def test_a_split_that_only_pre_training_has_seen(fixed_store, pretrained_run, tiny_recognise, tmp_path):
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
    with pytest.raises(DataError, match=r"has seen 8 of the 8 test clips"):
        evaluate(tmp_path, fixed_store, split="a2")


def test_runs_that_are_not_done(run, fixed_store, tmp_path):
    (run / "bundle" / "bundle.json").unlink()
    with pytest.raises(BundleError, match=r"is not finished. Go on with it"):
        evaluate(run, fixed_store)
    with pytest.raises(BundleError, match=r"holds no run"):
        evaluate(tmp_path / "nowhere", fixed_store)
    assert not (run / "evaluation.json").exists()


def test_encoders_name_no_classes(encoder, fixed_store):
    with pytest.raises(SettingsError, match=r"names no classes. Use --protocol linear knn"):
        evaluate(encoder, fixed_store, protocols=("classes",))


def test_other_data(run, fixed_store, synthetic_store, tmp_path):
    with pytest.raises(SkeletonError, match=r"knows coco-17 in 2-D, tiny.clips holds coco-17 in 3-D"):
        evaluate(run, synthetic_store(dims=3, clips=18))
    with pytest.raises(DataError, match=r"knows 4 classes, tiny.clips names other ones"):
        evaluate(run, synthetic_store())


def test_clips_without_a_label(run, fixed_store, tmp_path):
    def unlabelled(path, which):
        clips = [fixed_store.clip(i) for i in range(20)]
        clips[which] = Clip(clips[which].x, clips[which].score, f"clip {which}", UNKNOWN, size=(640, 480))
        splits = {name: tuple(fixed_store.names[i] for i in members) for name, members in fixed_store.splits.items()}
        source = Source(iter(clips), skeleton=fixed_store.skeleton, classes=fixed_store.classes, splits=splits)
        return write_store(source, tmp_path / path)

    train, test = unlabelled("train.clips", 3), unlabelled("test.clips", 14)
    assert len(evaluate(run, train)["rows"]) == 1  # its own answers need no labels of training clips
    results = evaluate(run, train, protocols=("linear", "classes"), screen=(screen := Watched()))
    assert screen.lines == ["1 of the 12 train clips of 'half' left out, since they have no label"]
    assert [row["num_clips"] for row in results["rows"]] == [8, 8]
    results = evaluate(run, test, screen=(screen := Watched()))
    assert screen.lines == ["1 of the 8 test clips of 'half' left out, since they have no label"]
    assert results["rows"][0]["num_clips"] == 7
    nobody = remade(fixed_store, tmp_path / "no.clips", lambda i, c: with_label(c, UNKNOWN if i < 12 else c.label))
    assert len(evaluate(run, nobody)["rows"]) == 1
    with pytest.raises(DataError, match=r"no train clip of 'half' has a label"):
        evaluate(run, nobody, protocols=("knn",))


def test_lines_of_results(fixed_store, tiny_recognise, recogniser_run, tmp_path):
    alone = result_lines(json.loads((recogniser_run / "results.json").read_text()))
    assert len(alone) == 1
    assert alone[0].startswith("half, seed 0: top-1 ")
    settings = tiny_recognise(fixed_store, epochs=0.3)
    lines = result_lines(recognise("ssl", fixed_store, tmp_path, splits=["a?"], settings=settings))
    assert [line.partition(":")[0] for line in lines] == ["a1, seed 0", "a2, seed 0", "mean over folds"]


def test_probes_read_both_persons_whatever_the_pre_training_was_shown(
    fixed_store, synthetic_store, tiny_pretrain, tmp_path
):
    """Who learned from clips of one person is not blind to the second."""
    settings = tiny_pretrain(fixed_store, epochs=0.3)
    alone = settings.change(input=settings.input.change(persons=1, normalise="centre"))
    pretrain("skeletonmae", fixed_store, tmp_path / "run", splits=["half"], settings=alone)
    shown = []

    def wrapped(encoder, store, indices, input):
        shown.append(input.persons)
        return encoder_features(encoder, store, indices, input)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ossein.recipes.probe.encoder_features", wrapped)
        evaluate(tmp_path / "run", synthetic_store(people=2), split="xsub", protocols=("knn",))
        evaluate(tmp_path / "run", synthetic_store(people=1), split="xsub", protocols=("knn",))
    assert shown == [2, 2, 1, 1]
