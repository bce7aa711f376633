"""Which clips a run has seen, in its own store and in others that hold the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runs import remade, with_label

from ossein.clip import Clip
from ossein.errors import DataError
from ossein.recipes.seen import data_record, learned_of, pooled, readable, refuse_seen, seen


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
def anew(fixed_store, tmp_path_factory):
    """The same clips in a store of another content: labels have changed, and with them the hash."""
    path = tmp_path_factory.mktemp("anew") / "anew.clips"
    return remade(fixed_store, path, lambda i, clip: with_label(clip, (i + 1) % 4))


def test_clips_are_known_in_a_store_that_was_made_anew(fixed_store, anew):
    record = data_record(fixed_store, "half", np.arange(12))
    assert anew.hash != fixed_store.hash
    assert learned_of(record, anew) is None
    assert seen(record, anew).tolist() == list(range(12))
    refuse_seen(record, anew, np.arange(12, 20), "the run")
    with pytest.raises(DataError, match=r"seen 2 of the 4 test clips, such as 'clip 10'. They are in fixed.clips too"):
        refuse_seen(record, anew, np.arange(10, 14), "the run")
    also = {**data_record(anew, "x", np.arange(3)), "also": [record]}
    assert seen(also, anew).tolist() == list(range(12))
    assert seen({key: value for key, value in record.items() if key != "digests"}, anew).tolist() == []


def test_a_twin_that_the_store_keeps_for_its_test_is_none_of_what_was_seen(fixed_store, anew, tmp_path):
    """A split that has the same clip on both sides, as that of NW-UCLA, can be used however often it is prepared."""

    def twins(i, clip):
        twin = fixed_store.clip(11)
        return Clip(twin.x, twin.score, clip.name, clip.label, size=twin.size) if i == 12 else clip

    doubled = remade(fixed_store, tmp_path / "doubled.clips", twins)
    record = data_record(doubled, "half", np.arange(12))
    assert seen(record, doubled).tolist() == list(range(12))
    assert seen(record, anew).tolist() == list(range(11))


def test_runs_together_know_the_clips_of_each(fixed_store, anew):
    records = [{**data_record(fixed_store, "half", np.array(mine)), "labels": "all"} for mine in ([0, 1], [5])]
    assert seen(pooled(records, fixed_store), anew).tolist() == [0, 1, 5]


def test_people_read_it_without_digests(fixed_store, anew):
    record = {**data_record(fixed_store, "half", np.arange(3)), "also": [data_record(anew, "x", np.arange(2))]}
    told = readable(record)
    assert set(record) - set(told) == {"digests"}
    assert set(record["also"][0]) - set(told["also"][0]) == {"digests"}
    assert readable(told) == told
