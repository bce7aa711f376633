"""The plan of an ablation: every training once, the paper's settings, and what cannot be run is refused at once."""

import json
from collections import Counter
from dataclasses import replace

import pytest
from runs import remade, with_label

from ossein.clip import UNKNOWN
from ossein.errors import DataError, SettingsError, SkeletonError
from ossein.recipes.ablation import Budget, Training
from ossein.recipes.reproduce import plan
from ossein.recipes.tables import Scope, Variant
from ossein.skeleton import Skeleton

COCO = Scope(Skeleton.of("coco-17"))


def test_trainings_that_are_the_same_are_done_once(fixed_store, synthetic_store, tmp_path):
    """Names of folders and settings stand for each other: no two trainings with one name, no training with two."""
    ready = plan(fixed_store, tmp_path, splits=["half"], target=synthetic_store(), target_splits=["xsub"], seeds=(0, 1))
    assert len({training.folder for training in ready.trainings}) == len(ready.trainings)
    told = {}
    for table in ready.tables.values():
        for cell in table.cells:
            own, start = ready.recognise_settings(cell.variant, 0), Training(cell.variant, 0, False)
            first = ready.pretrain_settings(cell.variant, 0).plain() if cell.variant.pretraining else None
            both = json.dumps([own.plain(), first, first and start.data, cell.variant.tuned_on])
            assert told.setdefault(cell.variant.name, both) == both
    assert len(set(told.values())) == len(told)
    per_seed = Counter((training.tunes, training.seed) for training in ready.trainings)
    assert per_seed == {(True, 0): 40, (True, 1): 40, (False, 0): 34, (False, 1): 34}
    order = [training.folder for training in ready.trainings]
    assert [training.seed for training in ready.trainings] == sorted(training.seed for training in ready.trainings)
    for training in ready.trainings:
        if training.before:
            assert order.index(training.before.folder) < order.index(training.folder)


def test_layers_share_one_pre_training_and_the_base_cell_is_one(fixed_store, tmp_path):
    ready = plan(fixed_store, tmp_path, tables=["layers", "backbone"], kinds=["gin"], splits=["half"], seeds=(5,))
    assert [training.folder for training in ready.trainings] == [
        "pretrain/gin3-parts3-beta2/seed5",
        *(f"recognise/gin3-parts3-beta2-strl{layers}/seed5" for layers in (1, 2, 3, 4)),
    ]


def test_settings_are_the_papers_with_what_a_cell_changes(fixed_store, tmp_path):
    ready = plan(fixed_store, tmp_path, splits=["half"])
    variant = replace(COCO.base, kind="gat", depth=2, layers=4, beta=3.0, detach=False)
    first, then = ready.pretrain_settings(variant, 7), ready.recognise_settings(variant, 7)
    model = first.model.plain()
    assert model["encoder"] == then.model.plain()["encoder"] == {"kind": "gat", "width": 64, "depth": 2}
    assert (model["mask"]["parts"], model["beta"], model["detach"], model["remask"]) == ([3], 3.0, False, False)
    assert (first.train.epochs, first.train.seed, first.optim.lr, first.input.frames) == (50, 7, 1.5e-4, 64)
    assert (then.train.epochs, then.train.seed, then.model.plain()["layers"]) == (110, 7, 4)
    assert ready.changes() == {}
    assert ready.pretrain_settings(Variant(0.5), 0).model.plain()["mask"]["kind"] == "random-joints"
    assert ready.pretrain_settings(Variant(0.5), 0).model.plain()["mask"]["share"] == 0.5


def test_the_budget_changes_what_it_says(fixed_store, tmp_path):
    budget = Budget(pretrain_epochs=2, epochs=3, frames=16, batch=4, normalise="centre", labels="2-per-class")
    ready = plan(fixed_store, tmp_path, splits=["half"], budget=budget)
    assert {key: now for key, (_, now) in ready.changes().items()} == {
        "pre-training input.frames": 16,
        "pre-training input.normalise": "centre",
        "pre-training train.batch": 4,
        "pre-training train.epochs": 2.0,
        "fine-tuning input.frames": 16,
        "fine-tuning input.normalise": "centre",
        "fine-tuning train.batch": 4,
        "fine-tuning train.epochs": 3.0,
        "labels": "2-per-class",
    }


@pytest.mark.parametrize(
    ("facts", "file", "metric"),
    [
        ({"metric": "mean_class"}, "a.clips", "mean_class"),
        ({"metric": "rank1"}, "a.clips", "top1"),
        ({"metric": "top1"}, "finegym.clips", "top1"),
        ({}, "gym-hrnet.clips", "mean_class"),
        ({}, "a.clips", "top1"),
    ],
)
def test_the_data_sets_own_metric(fixed_store, tmp_path, facts, file, metric):
    store = remade(fixed_store, tmp_path / file, facts=facts)
    assert plan(store, tmp_path / "out", splits=["half"]).sources["data"].metric == metric


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"tables": ["dephts"]}, "there is no table 'dephts'. Did you mean 'depth'"),
        ({"tables": ["transfer"]}, "Name them with --target"),
        ({"seeds": ()}, "expected at least one of each"),
        ({"seeds": (0, -1)}, "seeds from 0"),
        ({"kinds": ()}, "expected at least one of each"),
        ({"splits": ["halv"]}, "Did you mean 'half'"),
        ({"splits": []}, "has 3 splits"),
        ({"budget": Budget(labels="few")}, "no amount of labels"),
        ({"budget": Budget(normalise="facing")}, "Use --normalise centre"),
    ],
)
def test_what_cannot_be_run_is_refused_at_once(fixed_store, tmp_path, fields, told):
    with pytest.raises((SettingsError, DataError), match=told):
        plan(fixed_store, tmp_path / "out", **{"splits": ["half"], **fields})
    assert not (tmp_path / "out").exists()


def test_data_that_cannot_be_run_are_refused_at_once(fixed_store, synthetic_store, tmp_path):
    unlabelled = remade(fixed_store, tmp_path / "unlabelled.clips", lambda i, c: with_label(c, UNKNOWN))
    with pytest.raises(DataError, match=r"no train clip of 'half' has a label"):
        plan(unlabelled, tmp_path / "out", splits=["half"])
    plain = fixed_store.skeleton.plain()
    whole = Skeleton.from_plain({**plain, "parts": {"body": list(range(17))}})
    with pytest.raises(SkeletonError, match="is a single part"):
        plan(remade(fixed_store, tmp_path / "whole.clips", skeleton=whole), tmp_path / "out", splits=["half"])
    call = {"splits": ["half"], "target_splits": ["xsub"]}
    with pytest.raises(DataError, match="is the data set itself"):
        plan(fixed_store, tmp_path / "out", target=fixed_store, splits=["half"], target_splits=["half"])
    with pytest.raises(SkeletonError, match=r"in 3-D.*Move to data with the same joints"):
        plan(fixed_store, tmp_path / "out", target=synthetic_store(dims=3, clips=18), **call)
    with pytest.raises(SettingsError, match="2 folds to pre-train on"):
        plan(fixed_store, tmp_path / "out", target=synthetic_store(), **{**call, "splits": ["a?"]})
