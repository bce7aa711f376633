"""Checks of a data set: each finds the one fault that was made, and nothing in a set that has none."""

import numpy as np
import pytest
from faults import COCO, FAULTS, Set, cut, set_x
from hypothesis import given, settings
from hypothesis import strategies as st

from ossein.readers.base import Source
from ossein.store import check_store, write_store
from ossein.store.checks import CHECKS, halves, labels, near, presence, shape, sides, space
from ossein.store.checks.base import median


@pytest.mark.parametrize(("kind", "level", "count", "of", "dims", "fault"), FAULTS)
def test_a_fault_is_found(examine, kind, level, count, of, dims, fault):
    found, _ = examine(fault, dims)
    assert kind in found, list(found)
    one = found[kind]
    assert (one.level, one.count) == (level, count)
    assert one.of == of or of is None
    assert one.means.endswith(".")
    assert one.help.endswith(".")


@pytest.mark.parametrize("dims", [2, 3])
def test_a_sound_set_has_no_finding(examine, dims):
    found, skipped = examine(dims=dims)
    assert found == {}
    flat = {space.UNIT: "2-D clips have no unit of length", sides.MIRRORED: skipped.get(sides.MIRRORED)}
    deep = {space.UPSIDE: "3-D sets have their own way up", space.OUTSIDE: "3-D clips lie in no image"}
    assert skipped == (flat if dims == 2 else deep)


def test_every_kind_has_a_fault():
    kinds = {
        value
        for module in (halves, labels, near, presence, shape, sides, space)
        for name, value in vars(module).items()
        if name.isupper() and name[0] != "_" and isinstance(value, str)
    }
    assert kinds == {fault[0] for fault in FAULTS}
    assert set(CHECKS) <= kinds


def test_findings_tell_where(examine):
    found, _ = examine(lambda s: (s.like(20, 2), s.like(23, 5)))
    one = found[halves.IDENTICAL]
    assert one.places == (("xsub", 2, 18),)
    assert [(e.clip, e.says, e.number) for e in one.examples] == [
        ("clip 20", "the same as 'clip 2'", 20),
        ("clip 23", "the same as 'clip 5'", 23),
    ]
    stray = examine(lambda s: set_x(s, 6, np.s_[0, 3, 9], 40))[0][shape.STRAY]
    assert [(e.clip, e.says, e.frame) for e in stray.examples] == [("clip 6", "once, frame 3", 3)]
    assert "left_wrist" in stray.means
    assert "(0, 0, 0)" in examine(lambda s: s.each(lambda x: x - x[:, :, :1]))[0][shape.FIXED].examples[0].says
    assert "millimetres" in examine(lambda s: s.each(lambda x: 1000 * x))[0][space.UNIT].means


def test_the_worst_comes_first(examine):
    found, _ = examine(lambda s: (s.like(20, 2), cut(s, 3, 1), s.change(4, label=-1)))
    levels = [one.level for one in found.values()]
    assert levels == sorted(levels, key=["error", "warning", "note"].index)
    assert set(levels) == {"error", "warning", "note"}


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_median_is_that_of_what_is_wanted(data):
    shape = data.draw(st.tuples(*[st.integers(1, 4)] * 3))
    axis = data.draw(st.integers(0, 2))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    values, wanted = rng.normal(size=shape), rng.random(shape) > 0.4
    slow = np.apply_along_axis(
        lambda k: np.median(values.ravel()[k][wanted.ravel()[k]]) if wanted.ravel()[k].any() else 0.0,
        axis,
        np.arange(values.size).reshape(shape),
    )
    np.testing.assert_allclose(median(values, wanted, axis), slow)


def test_subjects_that_are_not_known_are_not_checked(examine):
    def strangers(data: Set) -> None:
        for n in range(36):
            data.change(n, subject=-1)

    assert examine(strangers)[1][halves.CROSSED] == "subjects of the clips of split 'xsub' are not known"


def test_cameras_of_a_split_across_views(examine):
    def views(data: Set) -> None:
        data.splits = {key.replace("xsub", "xview"): names for key, names in data.splits.items()}

    one = examine(views)[0][halves.CROSSED]
    assert one.places == (("xview (cameras 1)", 1, 2),)


def test_progress_is_told(people, tmp_path):
    store = write_store(Source(clips=iter(people[2][:3]), skeleton=COCO), tmp_path / "s.clips")
    told = []
    check_store(store, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]
