"""Stores as rows of text."""

import numpy as np

from ossein.clip import Clip
from ossein.readers.base import Source
from ossein.recipes.describe import class_rows, fact_rows, split_rows
from ossein.skeleton import Skeleton
from ossein.store import write_store


def clip(number, name, label, **more):
    rng = np.random.default_rng(number)
    return Clip(rng.normal(size=(1, 2 + number, 17, 2)), np.ones((1, 2 + number, 17)), name, label, **more)


def test_what_a_store_holds(tmp_path):
    clips = [clip(0, "a", 0, subject=4), clip(1, "b", 1, subject=5), clip(0, "a again", 0), clip(2, "c", -1)]
    splits = {"train": ("a", "b"), "test": ("a again", "c"), "x_train": ("b",), "x_val": ("c", "a")}
    source = Source(
        iter(clips), None, Skeleton.of("coco-17"), ("[walk]", "run"), splits, {"unit": "metres", "name": "mine"}
    )
    store = write_store(source, tmp_path / "s.clips")
    facts = dict(fact_rows(store))
    assert facts["clips"] == "4"
    assert facts["frames per clip"] == "2 to 4, median 2"
    assert facts["subjects"] == "2"
    assert facts["skeleton"] == "coco-17, 17 joints, 2-D"
    assert facts["image sizes"] == "not known"
    assert facts["unit"] == "metres"
    assert "name" not in facts
    # The twin of a training clip is told; a clip that is listed once is no twin.
    assert split_rows(store) == [("train", "2", "2", "1"), ("x", "1", "2", "-"), ("loso (2 folds)", "1", "1", "-")]
    assert class_rows(store) == [("0", "[walk]", "2"), ("1", "run", "1"), ("-", "no label", "1")]


def test_a_store_that_knows_little(tmp_path):
    source = Source(iter([clip(0, "a", -1, size=(4, 3))]), skeleton=Skeleton.of("coco-17"))
    store = write_store(source, tmp_path / "s.clips")
    facts = dict(fact_rows(store))
    assert facts["subjects"] == "not known"
    assert facts["image sizes"] == "known"
    assert split_rows(store) == []
    assert class_rows(store) == [("-", "no label", "1")]


def test_splits_that_follow_from_the_clips(tmp_path):
    clips = [clip(i, f"clip {i}", i % 2, subject=min(i, 2)) for i in range(7)]
    source = Source(iter(clips), skeleton=Skeleton.of("coco-17"), classes=("walk", "run"))
    store = write_store(source, tmp_path / "s.clips")
    assert split_rows(store) == [
        ("loso (3 folds)", "2 to 6", "1 to 5", "-"),
        ("kfold5 (5 folds)", "5 to 6", "1 to 2", "-"),
    ]
