"""What recipes share: which clips a run has seen, and checks before anything is written."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossein.clip import Clip
from ossein.errors import BundleError, DataError, SettingsError
from ossein.readers.base import Source
from ossein.recipes.base import Silent, check_input, data_record, leaves, pooled, refuse_seen, seen
from ossein.skeleton import Skeleton
from ossein.store import write_store


@given(st.sets(st.integers(0, 19), min_size=1), st.sets(st.integers(0, 19), min_size=1))
@settings(max_examples=50, deadline=None)
def test_a_record_gives_back_the_clips_that_were_seen(fixed_store, train, before):
    record = data_record(fixed_store, "half", np.array(sorted(train)), np.array(sorted(train | before)))
    assert record["clips"] == len(train)
    assert seen(record, fixed_store).tolist() == sorted(train | before)


def test_neighbours_are_drawn_together(fixed_store):
    assert data_record(fixed_store, "a", np.array([7, 0, 1, 2, 3, 9, 10]))["seen"] == "0-3,7,9-10"


def test_test_clips_that_were_seen(fixed_store, synthetic_store):
    record = data_record(fixed_store, "half", np.arange(12))
    refuse_seen(record, fixed_store, np.arange(12, 20), "the run")
    with pytest.raises(DataError, match=r"the run has seen 2 of the 4 test clips, such as 'clip 10'.*--split half"):
        refuse_seen(record, fixed_store, np.arange(10, 14), "the run")
    refuse_seen(record, synthetic_store(), np.arange(4), "a run on other data")


def test_what_any_run_has_seen_of_any_store(fixed_store, synthetic_store):
    other = synthetic_store()
    records = [
        {
            **data_record(fixed_store, "half", np.array(mine)),
            "labels": labels,
            "also": [data_record(other, "x", np.array(theirs))],
        }
        for mine, theirs, labels in (([0, 1, 2], [4], "all"), ([2, 5], [3, 9], "10%"))
    ]
    told = pooled(records, fixed_store)
    assert seen(told, fixed_store).tolist() == [0, 1, 2, 5]
    assert seen(told, other).tolist() == [3, 4, 9]
    assert (told["clips"], told["labels"], len(told["also"])) == (3, "all, 10%", 1)


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Stores of one clip by number of dimensions: no image size, a skeleton without axes."""
    skeleton = Skeleton.make("bare", ["a", "b"], [(0, 1)])

    def make(dims):
        clip = Clip(np.ones((1, 3, 2, dims)), np.ones((1, 3, 2)), "one")
        source = Source(clips=iter([clip]), skeleton=skeleton)
        return write_store(source, tmp_path_factory.mktemp("bare") / f"bare{dims}.clips")

    return {dims: make(dims) for dims in (2, 3)}


@pytest.mark.parametrize(
    ("normalise", "dims", "told"),
    [
        ("image", 2, "not every clip says the size of its image"),
        ("image", 3, "3-D clips, --input.normalise image is for 2-D"),
        ("facing", 2, "2-D clips, --input.normalise facing is for 3-D"),
        ("facing", 3, "does not say 'up' and 'across'"),
    ],
)
def test_what_cannot_be_normalised_is_told_at_once(bare, normalise, dims, told):
    with pytest.raises(SettingsError, match=told) as error:
        check_input(normalise, bare[dims])
    assert "Use --input.normalise centre" in str(error.value)
    check_input("centre", bare[dims])
    check_input("none", bare[dims])


def test_leaves(tmp_path):
    with pytest.raises(BundleError, match=r"holds no run"):
        leaves(tmp_path)
    for name in ("b", "a", "c/d"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "run.yaml").touch()
    assert [run.folder.name for run in leaves(tmp_path)] == ["a", "b"]
    (tmp_path / "run.yaml").touch()
    assert [run.folder for run in leaves(tmp_path)] == [tmp_path]


def test_a_silent_screen(capsys):
    with Silent().training("title") as report:
        report(None)
    Silent().say("text")
    assert capsys.readouterr() == ("", "")
