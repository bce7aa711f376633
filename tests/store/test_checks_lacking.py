"""Checks of data that lack something: graphs that are no body, noise, no labels, no splits; and of several persons."""

from dataclasses import replace

import numpy as np
import pytest
from faults import COCO, Set, beside, frames_for_persons, in_turn, set_x

from ossein.clip import Clip
from ossein.readers.base import Source
from ossein.skeleton import Skeleton
from ossein.store import check_store, write_store
from ossein.store.checks import halves, labels, near, presence, shape, sides, space


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
    def stray(data: Set) -> None:
        beside(data, 3, data.clips[3].x + 1)
        set_x(data, 3, np.s_[1, 5, 10], 90)

    assert [e.clip for e in examine(stray)[0][shape.STRAY].examples] == ["clip 3"]


def test_a_third_person_who_is_hardly_there_is_no_crowd(examine):
    def passer(data: Set) -> None:
        x, score = data.clips[3].x, data.clips[3].score
        brief = np.zeros_like(score)
        brief[:, :2] = 1
        data.change(3, x=np.concatenate([x, x + 1, x + 2]), score=np.concatenate([score, score, brief]))

    assert presence.BEYOND not in examine(passer)[0]


@pytest.mark.parametrize("dims", [2, 3])
def test_two_people_who_keep_their_slots(synthetic_store, dims):
    health = check_store(synthetic_store(people=2, dims=dims, frames=(30, 80)))
    assert {presence.TRADES, presence.BEYOND, presence.AXES}.isdisjoint(one.kind for one in health.findings)


@pytest.mark.parametrize("frames", [slice(4, None), slice(4, 9)])
def test_one_slip_or_two_of_a_tracker_are_no_finding(examine, frames):
    assert presence.TRADES not in examine(lambda s: in_turn(s, frames=frames))[0]


@pytest.mark.parametrize("frames", [6, 8, 30])
def test_people_who_pass_each_other_keep_their_places(examine, frames):
    """Two who run 4 m to and fro, four times; of six frames a round none shows them meeting."""

    def pass_by(data: Set) -> None:
        way = np.array([4, 0, 0]) * np.abs(np.arange(4 * frames + 1) / frames % 1 * 2 - 1)[:, None, None]
        still = np.repeat(data.clips[3].x[:, :1], len(way), 1)
        x = np.concatenate([still + way, still - way + np.array([4, 0, 0.3])])
        data.change(3, x=x, score=np.ones(x.shape[:3]))

    assert presence.TRADES not in examine(pass_by)[0]


def test_examples_of_crowds_and_mixed_tracks_say_what_is_seen(examine):
    found = examine(lambda s: (in_turn(s, 5), frames_for_persons(s)))[0]
    [mixed], [turned] = found[presence.TRADES].examples, found[presence.AXES].examples
    assert (mixed.clip, mixed.frame, mixed.says.partition(", ")[2]) == ("clip 5", 1, "first in frame 1")
    assert turned.clip == "clip 3"
    assert turned.says.endswith(" persons, 1 frame")
    assert presence.BEYOND not in found  # one cause, one finding
