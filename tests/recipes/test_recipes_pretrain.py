"""Pre-training: the curve it has always had, folds, going on, and that no test clip and no label is ever read."""

import numpy as np
import pytest
import torch
from runs import Watched, equal, losses, remade, same_run, weights

from ossein.clip import Clip
from ossein.deploy import read_card
from ossein.errors import DataError, SettingsError
from ossein.readers.base import Source
from ossein.recipes.pretrain import folds, pretrain
from ossein.recipes.seen import readable
from ossein.store import write_store
from ossein.train import Run


def test_the_curve_of_skeletonmae(pretrained_run):
    """Numbers of the version in which the method was checked: a change of code that is none of method keeps them."""
    known = [0.15972030, 0.13121046, 0.12258865, 0.12996230, 0.12210141]
    assert losses(pretrained_run) == pytest.approx(known, rel=1e-4)


def test_what_a_run_leaves(fixed_store, pretrained_run, tiny_pretrain):
    names = sorted(path.name for path in pretrained_run.iterdir())
    assert names == ["bundle", "checkpoint.safetensors", "log.jsonl", "run.yaml"]
    record = Run(pretrained_run).read()
    assert record["settings"] == tiny_pretrain(fixed_store).plain()
    assert record["data"]["seen"] == "0-11"
    card = read_card(pretrained_run)[1]
    assert readable(card.data) == record["data"]
    assert card.metrics["loss"] == losses(pretrained_run)[-1]
    assert card.classes == ()


def test_folds_of_all_kinds_of_words(fixed_store, tmp_path):
    def names(words):
        return [
            (fold.split, fold.run.folder.relative_to(tmp_path).name) for fold in folds(fixed_store, words, tmp_path)
        ]

    assert names(["half"]) == [("half", "")]
    assert names(["a?"]) == [("a1", "a1"), ("a2", "a2")]
    assert names(["half_train:a_test1", "a2"]) == [("half_train:a_test1", "half_train-a_test1"), ("a2", "a2")]
    assert names(["all"]) == [("all", "")]
    assert len(folds(fixed_store, ["all"], tmp_path)[0].train) == 20
    with pytest.raises(DataError, match=r"has 3 splits, name one with --split"):
        folds(fixed_store, None, tmp_path)
    with pytest.raises(DataError, match=r"no split is called 'halv'. Did you mean 'half'"):
        folds(fixed_store, ["halv"], tmp_path)


def test_a_run_for_each_fold(fixed_store, tiny_pretrain, tmp_path):
    settings = tiny_pretrain(fixed_store, epochs=1)
    runs = pretrain("skeletonmae", fixed_store, tmp_path, splits=["a1", "a2"], settings=settings)
    assert [run.folder for run in runs] == [tmp_path / "a1", tmp_path / "a2"]
    assert [read_card(run.folder)[1].data["seen"] for run in runs] == ["0-11", "8-19"]
    assert losses(runs[0].folder) != losses(runs[1].folder)


def test_going_on_with_half_finished_folds_redoes_nothing(fixed_store, tiny_pretrain, tmp_path):
    call = {"splits": ["a?"], "settings": tiny_pretrain(fixed_store, epochs=2, save_every=1)}
    pretrain("skeletonmae", fixed_store, tmp_path / "whole", **call)
    with pytest.raises(KeyboardInterrupt):
        pretrain("skeletonmae", fixed_store, tmp_path / "cut", screen=Watched(stop_at=5 + 4), **call)
    first = tmp_path / "cut" / "a1"
    before = {path: path.stat().st_mtime_ns for path in first.rglob("*")}
    with pytest.raises(SettingsError, match=r"holds a run already"):
        pretrain("skeletonmae", fixed_store, tmp_path / "cut", **call)
    told = Watched()
    pretrain("skeletonmae", fixed_store, tmp_path / "cut", screen=told, resume=True, **call)
    assert {path: path.stat().st_mtime_ns for path in first.rglob("*")} == before
    assert told.lines[0] == f"{first}: done already"
    assert told.steps == 3  # of the second fold, after the two that were saved
    for fold in ("a1", "a2"):
        assert same_run(tmp_path / "cut" / fold, tmp_path / "whole" / fold)


def test_going_on_with_other_settings(fixed_store, tiny_pretrain, pretrained_run):
    settings = tiny_pretrain(fixed_store, epochs=3)
    with pytest.raises(SettingsError, match=r"'settings.train.epochs' was 2.0 and is now 3.0"):
        pretrain("skeletonmae", fixed_store, pretrained_run, splits=["half"], settings=settings, resume=True)


def changed(store, path, test_only):
    """The same clips with the coordinates of test clips turned over, and with all labels moved on by one."""

    def change(i, clip):
        x = clip.x[..., ::-1] + 5 if i in test_only else clip.x
        return Clip(x, clip.score, clip.name, (clip.label + 1) % 4, size=clip.size)

    return remade(store, path, change)


def test_neither_labels_nor_test_clips_are_read(fixed_store, pretrained_run, tiny_pretrain, tmp_path):
    other = changed(fixed_store, tmp_path / "other.clips", range(12, 20))
    pretrain("skeletonmae", other, tmp_path / "run", splits=["half"], settings=tiny_pretrain(other))
    assert equal(weights(tmp_path / "run"), weights(pretrained_run))
    third = changed(fixed_store, tmp_path / "third.clips", [0])
    pretrain("skeletonmae", third, tmp_path / "third", splits=["half"], settings=tiny_pretrain(third))
    assert not equal(weights(tmp_path / "third"), weights(pretrained_run))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"input": {"normalise": "facing"}}, "--input.normalise facing is for 3-D"),
        ({"model": {"mask": {"parts": (9,)}}}, "coco-17 has no part 9"),
        ({"train": {"device": "cuda"}}, "no GPU"),
    ],
)
def test_settings_that_cannot_work_leave_nothing_behind(fixed_store, tiny_pretrain, tmp_path, fields, told):
    if torch.cuda.is_available() and "device" in fields.get("train", {}):
        pytest.skip("there is a GPU here")
    s = tiny_pretrain(fixed_store)
    s = s.change(**{key: getattr(s, key).change(**value) for key, value in fields.items()})
    with pytest.raises(SettingsError, match=told):
        pretrain("skeletonmae", fixed_store, tmp_path / "run", splits=["half"], settings=s)
    assert not (tmp_path / "run").exists()


def test_clips_of_nobody(tmp_path, fixed_store, tiny_pretrain):
    """Where nobody is ever seen there is no graph to learn from: the loss is 0 and the weights stay as they are."""
    clips = [Clip(np.zeros((1, 4, 17, 2)), np.zeros((1, 4, 17)), str(n), size=(9, 9)) for n in range(4)]
    store = write_store(Source(iter(clips), skeleton=fixed_store.skeleton), tmp_path / "nobody.clips")
    pretrain("skeletonmae", store, tmp_path / "run", splits=["all"], settings=tiny_pretrain(store, epochs=1))
    assert losses(tmp_path / "run") == [0.0]
