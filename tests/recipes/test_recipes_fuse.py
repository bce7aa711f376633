"""Fusing runs: one recogniser that says the mean of what the members say, and refuses members that do not go together."""

import shutil

import numpy as np
import pytest
import yaml

from ossein.deploy import load_recogniser, read_card
from ossein.errors import BundleError, DataError, SettingsError
from ossein.evaluate.model import class_scores
from ossein.recipes.calibrate import calibrate
from ossein.recipes.evaluate import evaluate
from ossein.recipes.fuse import fuse
from ossein.recipes.recognise import recognise
from ossein.recipes.report import report
from ossein.recipes.runs import run_rows
from ossein.recipes.seen import seen
from ossein.store import resolve


@pytest.fixture(scope="module")
def members(fixed_store, tiny_recognise, tmp_path_factory):
    """Two seeds on joints, one on bones."""
    out, settings = tmp_path_factory.mktemp("members"), tiny_recognise(fixed_store)
    bones = settings.change(input=settings.input.change(stream="bone"))
    recognise("ssl", fixed_store, out / "joints", splits=["half"], seeds=(0, 1), settings=settings)
    recognise("ssl", fixed_store, out / "bones", splits=["half"], settings=bones)
    return [out / "joints", out / "bones"]


@pytest.fixture(scope="module")
def fused(fixed_store, members, tmp_path_factory):
    out = tmp_path_factory.mktemp("fused") / "run"
    return out, fuse(fixed_store, members, out)


def test_it_says_the_mean_of_what_its_members_say(fixed_store, members, fused):
    out, results = fused
    test = resolve(fixed_store, "half").test
    told = []
    for folder in (members[0] / "half-seed0", members[0] / "half-seed1", members[1]):
        model, card = load_recogniser(folder)
        told.append(class_scores(model, fixed_store, test, card.input))
    model, card = load_recogniser(out)
    scores = class_scores(model, fixed_store, test, card.input)
    np.testing.assert_allclose(scores, np.mean(told, 0), rtol=1e-4, atol=1e-6)
    assert np.abs(told[0] - told[2]).max() > 1e-3
    (row,) = results["rows"]
    assert row["top1"] == card.metrics["top1"] == np.mean(scores.argmax(1) == fixed_store.labels[test])
    assert [one["top1"] for one in row["members"]] == [
        np.mean(one.argmax(1) == fixed_store.labels[test]) for one in told
    ]


def test_the_other_recipes_take_it_as_any_run(fixed_store, fused, tmp_path):
    out, results = fused
    (row,) = evaluate(out, fixed_store)["rows"]
    assert row["top1"] == results["rows"][0]["top1"]
    assert "fused" in report(out, fixed_store, tmp_path / "report.html").read_text()
    assert run_rows(out)[0][2:5] == ("fuse", "fused", "fixed.clips")


def test_a_members_temperature_stays(fixed_store, members, fused, tmp_path):
    card = read_card(fused[0])[1]
    assert [one.temperature for one in card.model.members] == [1, 1, 1]
    copy = shutil.copytree(members[1], tmp_path / "bones")
    calibrate(copy, fixed_store, split="half")
    warm = read_card(copy)[1].temperature
    assert warm != 1
    fuse(fixed_store, [members[0], copy], tmp_path / "out")
    card = read_card(tmp_path / "out")[1]
    assert [one.temperature for one in card.model.members] == [1, 1, warm]
    assert card.temperature == 1


def test_what_any_member_has_seen_counts_as_seen(fixed_store, tiny_recognise, members, tmp_path):
    settings = tiny_recognise(fixed_store)
    recognise("ssl", fixed_store, tmp_path / "few", splits=["half"], labels="2-per-class", settings=settings)
    fuse(fixed_store, [tmp_path / "few", members[1]], tmp_path / "out")
    data = read_card(tmp_path / "out")[1].data
    assert seen(data, fixed_store).tolist() == resolve(fixed_store, "half").train.tolist()
    assert data["labels"] == "2-per-class, all"


def test_every_split_becomes_one(fixed_store, tiny_recognise, tmp_path):
    settings = tiny_recognise(fixed_store)
    recognise("ssl", fixed_store, tmp_path / "folds", splits=["a*"], seeds=(0, 1), settings=settings)
    results = fuse(fixed_store, [tmp_path / "folds"], tmp_path / "out")
    assert [(row["split"], len(row["members"])) for row in results["rows"]] == [("a1", 2), ("a2", 2)]
    assert load_recogniser(tmp_path / "out" / "a2")[1].data["split"] == "a2"


def test_what_does_not_go_together(fixed_store, synthetic_store, tiny_recognise, pretrained_run, members, tmp_path):
    settings = tiny_recognise(fixed_store)
    with pytest.raises(BundleError, match="is the only run of 'half', and fusing takes two"):
        fuse(fixed_store, [members[1]], tmp_path / "out")
    with pytest.raises(BundleError, match="is the only run"):
        fuse(fixed_store, [members[1], members[1]], tmp_path / "out")
    with pytest.raises(BundleError, match="is a pre-training, which names no classes"):
        fuse(fixed_store, [members[1], pretrained_run], tmp_path / "out")
    with pytest.raises(DataError, match=r"learned from fixed.clips, which is not what"):
        fuse(synthetic_store(), members, tmp_path / "out")
    longer = settings.change(input=settings.input.change(frames=settings.input.frames + 1))
    recognise("ssl", fixed_store, tmp_path / "longer", splits=["half"], settings=longer)
    with pytest.raises(BundleError, match=r"has input.frames 9, .* has 8"):
        fuse(fixed_store, [members[1], tmp_path / "longer"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_a_run_is_left_alone(fixed_store, members, fused):
    before = yaml.safe_load((fused[0] / "run.yaml").read_text())
    with pytest.raises(SettingsError, match="holds a run already"):
        fuse(fixed_store, members, fused[0])
    assert yaml.safe_load((fused[0] / "run.yaml").read_text()) == before
