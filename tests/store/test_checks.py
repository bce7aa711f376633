"""Checks of a data set: each finds the one fault that was made, and nothing in a set that has none."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossein.clip import Clip
from ossein.readers import reader_for
from ossein.readers.base import Source
from ossein.readers.synthetic import SyntheticSettings, synthetic
from ossein.skeleton import Skeleton
from ossein.store import check_store, write_store
from ossein.store.checks import CHECKS, Finding, halves, labels, near, presence, shape, sides, space
from ossein.store.checks.base import Look, body_of, median

COCO = Skeleton.of("coco-17")
LEFT, RIGHT = (list(side) for side in zip(*COCO.pairs))
ARMS = [5, 6, 7, 8, 9, 10]


@pytest.fixture(scope="module")
def people() -> dict[int, list[Clip]]:
    """Sound clips of six subjects and three classes, 2-D and 3-D: from 3 subjects on in the test half."""
    out = {}
    for dims in (2, 3):
        made = synthetic(
            SyntheticSettings(clips=36, persons=6, frames=(12, 16), dims=dims, swap=0, drop=0, miss=0)  # type: ignore[arg-type]
        )
        out[dims] = [
            replace(clip, name=f"clip {n}", label=n % 3, subject=n // 6, camera=n // 12, setup=0)
            for n, clip in enumerate(made.clips)
        ]
    return out


@dataclass
class Set:
    """A data set on its way to a store: what a fault changes."""

    clips: list[Clip]
    skeleton: Skeleton = COCO
    classes: tuple[str, ...] = ("walk", "wave", "bow")
    splits: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: {
            "xsub_train": tuple(f"clip {n}" for n in range(18)),
            "xsub_val": tuple(f"clip {n}" for n in range(18, 36)),
        }
    )

    def change(self, n: int, **fields) -> None:
        """Replace fields of one clip."""
        self.clips[n] = replace(self.clips[n], **fields)

    def each(self, change: Callable[[np.ndarray], np.ndarray]) -> None:
        """Change the coordinates of every clip."""
        for n, clip in enumerate(self.clips):
            self.change(n, x=change(clip.x))

    def like(self, n: int, other: int) -> None:
        """Let one clip have the body of another."""
        self.change(n, x=self.clips[other].x, score=self.clips[other].score)


@pytest.fixture
def examine(people, tmp_path):
    """Findings and skipped kinds of a sound set with a fault made in it."""

    def run(fault: Callable[[Set], None] = lambda s: None, dims: int = 3):
        data = Set(list(people[dims]))
        fault(data)
        source = Source(clips=iter(data.clips), skeleton=data.skeleton, classes=data.classes, splits=data.splits)
        health = check_store(write_store(source, tmp_path / "s.clips"))
        return {one.kind: one for one in health.findings}, {one.kind: one.why for one in health.skipped}

    return run


def set_x(data: Set, n: int, where: object, value: object) -> None:
    """Put joints of one clip somewhere."""
    x = data.clips[n].x.copy()
    x[where] = value
    data.change(n, x=x)


def hide(data: Set, n: int, where: object) -> None:
    """Let joints of one clip be absent."""
    score = data.clips[n].score.copy()
    score[where] = 0
    data.change(n, score=score)


def hide_each(data: Set, joint: int, every: int) -> None:
    """Let a joint be absent in all clips but for one in so many."""
    for n in range(len(data.clips)):
        if every == 0 or n % every:
            hide(data, n, np.s_[:, :, joint])


def swap_sides(data: Set, n: int, where: object) -> None:
    """Take left joints for right ones in some frames of one clip."""
    x = data.clips[n].x.copy()
    both = x[:, where].copy()
    both[:, :, LEFT + RIGHT] = both[:, :, RIGHT + LEFT]
    x[:, where] = both
    data.change(n, x=x)


def copy_jittered(data: Set) -> None:
    """A test clip that is a training clip at another rate, elsewhere, twice as large, and with jitter."""
    x = data.clips[0].x
    place = np.linspace(0, x.shape[1] - 1, 2 * x.shape[1] + 3)
    low = np.minimum(place.astype(int), x.shape[1] - 2)
    share = (place - low)[:, None, None]
    slow = x[:, low] * (1 - share) + x[:, low + 1] * share
    slow = 2 * slow + 3 + np.random.default_rng(0).normal(0, 0.004, slow.shape)
    data.change(20, x=slow, score=np.ones(slow.shape[:3]))


def in_two_rates(data: Set) -> None:
    for n in range(4):
        data.change(n, rate=25.0)


def wrong_order(data: Set) -> None:
    """The joints of the trunk one further, as where another data set's order is taken."""
    order = [11, 1, 2, 3, 4, 0, 6, 7, 8, 9, 10, 5, 12, 13, 14, 15, 16]
    data.each(lambda x: x[:, :, order])


def crossed_legs(data: Set) -> None:
    """Sides of knees and ankles swapped in all clips: another skeleton's order of legs."""
    order = [*range(13), 14, 13, 16, 15]
    data.each(lambda x: x[:, :, order])


def twisted(data: Set) -> None:
    order = [0, 1, 2, 3, 4, 6, 5, 8, 7, 10, 9, *range(11, 17)]
    data.change(7, x=data.clips[7].x[:, :, order])


def stretching(data: Set) -> None:
    """In one clip the body grows to three times its size."""
    x = data.clips[5].x
    grow = np.linspace(1, 3, x.shape[1])
    data.change(5, x=x * grow[None, :, None, None])


def frozen(data: Set) -> None:
    data.change(4, x=np.repeat(data.clips[4].x[:, :1], 12, 1), score=np.ones((1, 12, 17)))


def ghost(data: Set) -> None:
    clip = data.clips[3]
    x, score = np.repeat(clip.x, 2, 0), np.repeat(clip.score, 2, 0)
    score[1] = 0
    data.change(3, x=x, score=score)


def cut(data: Set, n: int, frames: int) -> None:
    data.change(n, x=data.clips[n].x[:, :frames], score=data.clips[n].score[:, :frames])


def nobody(data: Set) -> None:
    data.change(2, score=np.zeros_like(data.clips[2].score))


def both_halves(data: Set) -> None:
    data.change(0, subject=5)


def overlap(data: Set) -> None:
    data.splits["xsub_val"] = (*data.splits["xsub_val"], "clip 0")


def mute(data: Set) -> None:
    for n in range(18):
        data.change(n, label=n % 2)


def lopsided(data: Set) -> None:
    for n in range(36):
        data.change(n, label=n % 2)
    data.change(0, label=2)


def mirror_one(data: Set) -> None:
    data.change(9, x=data.clips[9].x * np.array([-1, 1, 1], np.float32))


def missing(data: Set) -> None:
    data.splits["xsub_val"] = (*data.splits["xsub_val"], "lost", "lost too")


def contrary(data: Set) -> None:
    data.like(1, 0)


def untested(data: Set) -> None:
    for n in range(18, 36):
        data.change(n, label=n % 2)


FAULTS = [
    # kind, level, how many, of how many, dimensions, fault
    (halves.IDENTICAL, "error", 2, 18, 3, lambda s: (s.like(20, 2), s.like(23, 5))),
    (halves.BROKEN, "error", 1, 1, 3, overlap),
    (halves.CROSSED, "error", 1, 3, 3, both_halves),
    (halves.UNTAUGHT, "error", 1, 3, 3, mute),
    (halves.UNTESTED, "note", 1, 3, 3, untested),
    (halves.MISSING, "warning", 2, 20, 3, missing),
    (near.KIND, "error", 1, 18, 3, copy_jittered),
    (near.KIND, "error", 1, 18, 2, copy_jittered),
    (labels.EMPTY, "warning", 1, 4, 3, lambda s: setattr(s, "classes", (*s.classes, "jump"))),
    (labels.UNEVEN, "note", 1, 3, 3, lopsided),
    (labels.UNLABELLED, "note", 2, 36, 3, lambda s: (s.change(1, label=-1), s.change(2, label=-1))),
    (labels.TWICE, "note", 1, 36, 3, lambda s: s.like(3, 0)),
    (labels.CONTRARY, "error", 1, 36, 3, contrary),
    (labels.RATES, "note", 4, 36, 3, in_two_rates),
    (space.LONG, "error", 3, 19, 3, wrong_order),
    (space.LONG, "error", 4, 19, 2, wrong_order),
    (space.UNIT, "note", 36, 36, 3, lambda s: s.each(lambda x: 1000 * x)),
    (space.SCALE, "warning", 1, 36, 3, lambda s: s.change(3, x=1000 * s.clips[3].x)),
    (space.SCALE, "warning", 1, 36, 2, lambda s: s.change(3, x=s.clips[3].x / 640)),
    (space.UPSIDE, "warning", 36, 36, 2, lambda s: s.each(lambda x: x * np.array([1, -1], np.float32))),
    (space.OUTSIDE, "warning", 1, 36, 2, lambda s: s.change(3, size=(10.0, 10.0))),
    (space.OUTSIDE, "warning", 36, 36, 2, lambda s: s.each(lambda x: x / 1000)),
    (sides.FLIPPED, "note", 1, 36, 3, lambda s: swap_sides(s, 8, np.s_[4:5])),
    (sides.FLIPPED, "note", 1, 36, 2, lambda s: swap_sides(s, 8, np.s_[4:5])),
    (sides.SWAPPED, "error", 1, 6, 3, crossed_legs),
    (sides.TWISTED, "warning", 1, 36, 3, twisted),
    (sides.MIRRORED, "warning", 1, 36, 3, mirror_one),
    (sides.LEFT_HANDED, "note", 36, 36, 3, lambda s: s.each(lambda x: x * np.array([-1, 1, 1], np.float32))),
    (shape.STRAY, "warning", 1, 36, 3, lambda s: set_x(s, 6, np.s_[0, 3, 9], 40)),
    (shape.STRAY, "warning", 1, 36, 2, lambda s: set_x(s, 6, np.s_[0, 3, 9], -9000)),
    (shape.FILLED, "warning", 1, 36, 3, lambda s: set_x(s, 6, np.s_[0, 3, ARMS], 0)),
    (shape.FILLED, "warning", 1, 36, 2, lambda s: set_x(s, 6, np.s_[0, 3, [9, 10]], 1)),
    (shape.FILLED, "warning", 1, 36, 2, lambda s: set_x(s, 6, np.s_[0, 3, ARMS], 77.5)),
    (shape.STRETCHED, "warning", 1, 36, 3, stretching),
    (shape.FIXED, "note", 1, 17, 3, lambda s: s.each(lambda x: x - x[:, :, :1])),
    (shape.FROZEN, "warning", 1, 36, 3, frozen),
    (presence.ONE_FRAME, "warning", 1, 36, 3, lambda s: cut(s, 3, 1)),
    (presence.SHORT, "note", 1, 36, 3, lambda s: cut(s, 3, 3)),
    (presence.NOBODY, "warning", 1, 36, 3, nobody),
    (presence.GAPS, "note", 3, None, 3, lambda s: hide(s, 3, np.s_[:, 4:7])),
    (presence.ABSENT, "note", 1, 37, 3, ghost),
    (presence.NEVER, "note", 1, 17, 2, lambda s: hide_each(s, 3, 0)),
    (presence.RARELY, "warning", 1, 17, 2, lambda s: hide_each(s, 3, 12)),
]


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


# Near-identical clips


def test_copies_are_not_called_near_when_they_are_identical(examine):
    assert near.KIND not in examine(lambda s: s.like(20, 2))[0]


def test_people_who_stand_still_alike_are_no_copies(examine):
    def still(data: Set) -> None:
        for n, seed in ((0, 1), (20, 2)):
            jitter = np.random.default_rng(seed).normal(0, 0.003, (1, 14, 17, 3))
            data.change(n, x=data.clips[0].x[:, :1] + jitter, score=np.ones((1, 14, 17)))

    assert near.KIND not in examine(still)[0]


def test_a_part_of_the_test_half_makes_it_an_error(examine):
    """One near copy in 18 is an error; among many it is a warning."""

    def among_many(data: Set) -> None:
        copy_jittered(data)
        rng = np.random.default_rng(3)
        for n in range(36, 60):
            x = rng.normal(size=(1, 10, 17, 3)).cumsum(1)
            data.clips.append(Clip(x, np.ones(x.shape[:3]), f"clip {n}", label=n % 3, subject=5))
        data.splits["xsub_val"] += tuple(f"clip {n}" for n in range(36, 60))

    assert examine(among_many)[0][near.KIND].level == "warning"


def test_sketches_are_never_further_apart_than_outlines(people, tmp_path):
    store = write_store(Source(clips=iter(people[3][:8]), skeleton=COCO), tmp_path / "s.clips")
    bodies = [body_of(store, n) for n in range(8)]
    for a in bodies:
        for b in bodies:
            full = np.linalg.norm(near.outline(a) - near.outline(b))
            assert np.linalg.norm(near.sketch(a) - near.sketch(b)) <= full + 1e-4


def test_an_outline_knows_no_place_size_or_rate(people, tmp_path):
    clip = people[3][0]
    twice = np.repeat(clip.x, 2, 1)
    other = replace(clip, name="other", x=5 * twice + 7, score=np.ones(twice.shape[:3]))
    store = write_store(Source(clips=iter([clip, other]), skeleton=COCO), tmp_path / "s.clips")
    a, b = (near.outline(body_of(store, n)) for n in range(2))
    assert np.abs(a - b).max() < 0.05 * np.abs(a).max()


# Skeletons that lack something, several persons, stores that hold little


def test_a_graph_that_is_no_body_is_checked_as_far_as_it_goes(tmp_path):
    hand = Skeleton.of("hand-21")
    rng = np.random.default_rng(0)
    rest = np.array([[0, 0, 0], *([[0.02 * f, 0.06 + 0.02 * k, 0] for f in range(5) for k in range(4)])])
    clips = [
        Clip(rest + rng.normal(0, 0.003, (1, 9, 1, 3)).cumsum(1), np.ones((1, 9, 21)), f"clip {n}", label=n % 2)
        for n in range(8)
    ]
    health = check_store(write_store(Source(clips=iter(clips), skeleton=hand), tmp_path / "s.clips"))
    assert health.findings == ()
    assert {sides.FLIPPED, sides.SWAPPED, sides.MIRRORED, space.UNIT} <= {one.kind for one in health.skipped}


@pytest.mark.parametrize(
    "name", ["coco-17", "openpose-25", "ntu-25", "kinect-20", "mediapipe-33", "hand-21", "jhmdb-15"]
)
@pytest.mark.parametrize("dims", [2, 3])
def test_noise_and_emptiness_break_no_check(name, dims, tmp_path):
    """Whatever numbers come, there is an answer, and no warning of numpy (which tests take for an error)."""
    skeleton, rng = Skeleton.of(name), np.random.default_rng(0)
    clips = []
    for n in range(10):
        shape = (1 + n % 3, 1 + n, len(skeleton))
        score = rng.random(shape) * (rng.random(shape) > n / 9)
        x = rng.integers(0, 3, (*shape, dims)) if n % 2 else rng.normal(size=(*shape, dims))
        clips.append(Clip(x, score, f"clip {n}", label=n % 3 - 1, subject=n % 2))
    splits = {"xsub_train": tuple(f"clip {n}" for n in range(6)), "xsub_val": ("clip 6", "clip 8", "clip 9")}
    health = check_store(write_store(Source(iter(clips), skeleton=skeleton, splits=splits), tmp_path / "s.clips"))
    assert {presence.ONE_FRAME, presence.NOBODY} <= {one.kind for one in health.findings}
    assert all(0 < one.count <= one.of for one in health.findings)


def test_a_store_without_labels_or_splits_says_what_it_does_not_know(people, tmp_path):
    clips = [replace(clip, label=-1, rate=None, size=None) for clip in people[2]]
    health = check_store(write_store(Source(clips=iter(clips), skeleton=COCO), tmp_path / "s.clips"))
    assert [one.kind for one in health.findings] == [labels.UNLABELLED]
    assert {halves.IDENTICAL, near.KIND, labels.EMPTY, labels.RATES, space.OUTSIDE} <= {
        one.kind for one in health.skipped
    }


def test_a_second_person_is_looked_at_too(examine):
    def beside(data: Set) -> None:
        x = np.concatenate([data.clips[3].x, data.clips[3].x + 1])
        x[1, 5, 10] = 90
        data.change(3, x=x, score=np.ones(x.shape[:3]))

    assert [e.clip for e in examine(beside)[0][shape.STRAY].examples] == ["clip 3"]


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


# Real data


def test_nw_ucla_leaks(real_data, tmp_path):
    path = real_data("nw_ucla") / "nw_ucla.pkl"
    store = write_store(reader_for(path).read(path), tmp_path / "s.clips")
    [found] = halves.identical(Look(store, {}))
    assert isinstance(found, Finding)
    assert found.places == (("xview", 95, 464), ("xview2", 95, 504))
    assert (found.level, found.count, found.of) == ("error", 95, 464)


def test_another_order_of_the_same_joints_is_told(real_data, tmp_path):
    """UTD-MHAD's joints are those of Kinect v1 in another order: read as `kinect-20` they are told, read as they are not."""
    path = real_data("utd_mhad") / "utd_mhad.pkl"
    for skeleton, wrong in ((None, False), (Skeleton.of("kinect-20"), True)):
        source = reader_for(path).read(path, skeleton=skeleton)
        some = [clip for _, clip in zip(range(60), source.clips)]
        store = write_store(
            Source(clips=iter(some), skeleton=source.skeleton, classes=source.classes), tmp_path / f"{wrong}.clips"
        )
        levels = {one.kind: one.level for one in check_store(store).findings}
        assert levels.get(space.LONG) == ("error" if wrong else None)
