"""A last recogniser, of every clip there is: nothing is left to test it on, and all that follows says so."""

import numpy as np
import pytest
from runs import Watched

from ossein.deploy import read_card
from ossein.deploy.modelcard import find_results, model_card
from ossein.errors import DataError
from ossein.recipes.calibrate import calibrate
from ossein.recipes.describe import fused_table, result_lines
from ossein.recipes.evaluate import evaluate
from ossein.recipes.fuse import fuse
from ossein.recipes.predict import predict
from ossein.recipes.pretrain import pretrain
from ossein.recipes.recognise import recognise
from ossein.recipes.report import report
from ossein.recipes.runs import run_rows
from ossein.recipes.seen import seen
from ossein.store import Split


@pytest.fixture(scope="module")
def every(fixed_store, tiny_recognise, tmp_path_factory):
    """Two seeds."""
    out, settings = tmp_path_factory.mktemp("every"), tiny_recognise(fixed_store, epochs=0.5)
    return out, recognise("ssl", fixed_store, out, splits=["all"], seeds=(0, 1), settings=settings, screen=Watched())


def test_it_learns_from_every_clip_and_has_no_numbers(fixed_store, every):
    out, results = every
    card = read_card(out / "all-seed0")[1]
    assert (card.data["split"], card.data["clips"], card.metrics) == ("all", len(fixed_store), {})
    assert np.array_equal(seen(card.data, fixed_store), np.arange(len(fixed_store)))
    assert results.keys() == {"runs"}
    assert result_lines(results) == [f"all, seed {seed}: no clip was left to test on" for seed in (0, 1)]


def test_pages_and_tables_take_it(fixed_store, every, tmp_path):
    out, _ = every
    for store in (None, fixed_store):
        assert "split all" in report(out / "all-seed0", store, tmp_path / "report.html").read_text()
    assert "all-seed1" in report(out, None, tmp_path / "both.html").read_text()
    assert [row[8] for row in run_rows(out)] == ["-", "-"]
    card = read_card(out / "all-seed0")[1]
    assert "left none to test it on" in model_card(card, find_results(out / "all-seed0", card))


def test_it_is_used_like_any_other(fixed_store, every, tmp_path):
    out, _ = every
    assert len(list(predict(out / "all-seed0", [fixed_store.path]))) == len(fixed_store)
    results = fuse(fixed_store, [out], tmp_path / "fused")
    assert [row[2] for row in fused_table(results)] == ["-", "-", "-"]
    assert read_card(tmp_path / "fused")[1].metrics == {}


def test_a_pre_training_on_every_clip_may_come_before_it(fixed_store, tiny_pretrain, tiny_recognise, tmp_path):
    pretrain("skeletonmae", fixed_store, tmp_path / "pre", splits=["all"], settings=tiny_pretrain(fixed_store))
    call = {"pretrained": tmp_path / "pre", "settings": tiny_recognise(fixed_store, epochs=0.3)}
    with pytest.raises(DataError, match="has seen 8 of the 8 test clips"):
        recognise("ssl", fixed_store, tmp_path / "half", splits=["half"], **call)
    results = recognise("ssl", fixed_store, tmp_path / "all", splits=["all"], **call)
    assert len(results["runs"]) == 1


def test_nothing_of_its_own_data_judges_it(fixed_store, every):
    out, _ = every
    with pytest.raises(DataError, match=r"learned from every clip of fixed\.clips, which leaves none to test on"):
        evaluate(out / "all-seed0", fixed_store)
    with pytest.raises(DataError, match="has seen 8 of the 8 test clips"):
        evaluate(out / "all-seed0", fixed_store, split="half")
    with pytest.raises(DataError, match=r"which leaves none to calibrate on\. Calibrate on other data"):
        calibrate(out / "all-seed0", fixed_store)


def test_only_the_word_for_all_may_leave_nothing():
    assert len(Split("all", np.arange(3), np.arange(0)).test) == 0
    with pytest.raises(DataError, match="the training half is an empty split"):
        Split("all", np.arange(0), np.arange(0))
