"""Clips and batches: good ones are kept as they are, absent joints become 0, bad ones say where they are bad."""

from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
import torch

from ossein.clip import UNKNOWN, Batch, Clip
from ossein.errors import DataError, SkeletonError
from ossein.skeleton import Skeleton

COCO = Skeleton.of("coco-17")
RNG = np.random.default_rng(0)


def clip(persons: int = 2, frames: int = 3, joints: int = 17, dims: int = 2, **more: Any) -> Clip:
    x = RNG.normal(size=(persons, frames, joints, dims)) + 5
    return Clip(x, np.full((persons, frames, joints), 0.5), **more)


def test_a_clip_knows_its_sizes_and_is_float32():
    c = Clip(np.ones((2, 3, 17, 3), np.float64), np.ones((2, 3, 17), np.float16), name="a")
    assert (c.num_persons, c.num_frames) == (2, 3)
    assert c.x.dtype == c.score.dtype == np.float32
    assert (c.label, c.subject, c.camera, c.setup, c.size, c.rate) == (UNKNOWN,) * 4 + (None, None)


def test_zero_is_a_coordinate_like_any_other():
    c = Clip(np.zeros((1, 1, 17, 2)), np.ones((1, 1, 17)))
    assert (c.score == 1).all()


def test_where_the_score_is_zero_the_coordinate_is_ignored_and_kept_as_zero():
    x, score = np.full((1, 2, 17, 2), 3.0), np.ones((1, 2, 17))
    score[0, 1, 4], x[0, 1, 4] = 0, np.nan
    score[0, 0, 2], x[0, 0, 2] = 0, np.inf
    score[0, 0, 3], x[0, 0, 3] = 0, 7
    c = Clip(x, score)
    assert (c.x[0, [1, 0, 0], [4, 2, 3]] == 0).all()
    assert (c.x[c.score > 0] == 3).all()


def test_a_clip_is_its_own_and_does_not_change():
    x, score = np.ones((1, 1, 17, 2), np.float32), np.ones((1, 1, 17), np.float32)
    c = Clip(x, score)
    x[:], score[:] = 2, 0
    assert (c.x == 1).all()
    assert (c.score == 1).all()
    with pytest.raises(FrozenInstanceError):
        c.label = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("x", "score"),
    [
        ((3, 17, 2), (3, 17)),
        ((1, 3, 17), (1, 3, 17)),
        ((1, 3, 17, 1), (1, 3, 17)),
        ((1, 3, 17, 4), (1, 3, 17)),
        ((1, 3, 17, 2), (1, 3, 16)),
        ((1, 3, 17, 2), (1, 3, 17, 1)),
        ((1, 2, 3, 17, 2), (1, 2, 3, 17)),
    ],
)
def test_wrong_axes_are_named(x: tuple[int, ...], score: tuple[int, ...]):
    with pytest.raises(DataError, match=r"expected \[M T V C\] with C = 2 or 3") as caught:
        Clip(np.ones(x), np.ones(score), name="walk-1")
    for part in ("clip 'walk-1'", str(list(x)), str(list(score))):
        assert part in str(caught.value)


@pytest.mark.parametrize("shape", [(0, 3, 17, 2), (1, 0, 17, 2), (1, 3, 0, 2)])
def test_an_empty_clip_is_refused(shape: tuple[int, ...]):
    with pytest.raises(DataError, match=r"clip 'a': x .* is empty"):
        Clip(np.ones(shape), np.ones(shape[:3]), name="a")


@pytest.mark.parametrize("bad", [-0.1, 1.5, 100, np.nan, np.inf, -np.inf])
def test_a_score_out_of_range_is_named_with_its_place(bad: float):
    score = np.ones((2, 3, 17))
    score[1, 2, 5] = bad
    with pytest.raises(DataError, match=rf"clip 'a': score {bad}.* of person 1, frame 2, joint 5, expected 0"):
        Clip(np.ones((2, 3, 17, 2)), score, name="a")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_coordinate_that_is_not_finite_is_named_with_its_place(bad: float):
    x = np.ones((2, 3, 17, 2))
    x[1, 2, 5, 1] = bad
    x[1, 2, 6, 0] = bad
    says = rf"clip 'a': coordinate \[1\.0, {bad}\] of person 1, frame 2, joint 5 is not finite"
    with pytest.raises(DataError, match=says):
        Clip(x, np.full((2, 3, 17), 0.01), name="a")


def test_fit_wants_the_joints_of_the_skeleton():
    c = clip(name="a")
    assert c.fit(COCO) is c
    with pytest.raises(SkeletonError, match=r"clip 'a': 17 joints, expected 25 \(ntu-25\)"):
        c.fit(Skeleton.of("ntu-25"))


# Batches


def test_clips_are_stacked_and_missing_persons_have_score_zero():
    clips = [clip(1, label=4, size=(640, 480)), clip(3), clip(2, label=0)]
    batch = Batch.of(clips, COCO)
    assert batch.x.shape == (3, 3, 3, 17, 2)
    assert batch.x.dtype == batch.score.dtype == batch.size.dtype == torch.float32
    assert batch.label.dtype == batch.index.dtype == torch.int64
    assert batch.label.tolist() == [4, UNKNOWN, 0]
    assert batch.index.tolist() == [0, 1, 2]
    assert batch.size[0].tolist() == [640, 480]
    assert batch.size[1:].isnan().all()
    assert len(batch) == 3
    for n, one in enumerate(clips):
        assert (batch.x[n, : one.num_persons].numpy() == one.x).all()
        assert (batch.score[n, : one.num_persons].numpy() == one.score).all()
        assert not batch.score[n, one.num_persons :].any()
        assert not batch.x[n, one.num_persons :].any()
    assert batch.present.sum((1, 2)).tolist() == [3, 9, 6]


def test_a_batch_does_not_share_memory_with_its_clips():
    one = clip()
    Batch.of([one], COCO).x.zero_()
    assert one.x.all()


def test_a_person_is_present_in_a_frame_with_at_least_one_joint():
    score = torch.zeros(1, 2, 3, 17)
    score[0, 0, 1, 16] = 1e-6
    batch = Batch.of([clip()], COCO).change(score=score)
    assert batch.present.tolist() == [[[False, True, False], [False, False, False]]]


@pytest.mark.parametrize("other", [clip(frames=4), clip(dims=3)])
def test_clips_of_different_shapes_are_refused(other: Clip):
    with pytest.raises(DataError, match=r"clips of shapes \[\(3, 17, 2\), .*cannot be stacked"):
        Batch.of([clip(), other], COCO)


def test_no_clips_are_refused():
    with pytest.raises(DataError, match="no clip is given"):
        Batch.of([], COCO)


def test_clips_of_another_skeleton_are_refused():
    with pytest.raises(SkeletonError, match="16 joints, expected 17"):
        Batch.of([clip(), clip(joints=16)], COCO)


def test_change_puts_absent_joints_back_to_zero_and_leaves_the_old_batch():
    batch = Batch.of([clip()], COCO)
    before = batch.x.clone()
    score = batch.score.clone()
    score[0, 1, 2, 3] = 0
    new = batch.change(score=score)
    assert not new.x[0, 1, 2, 3].any()
    assert torch.equal(batch.x, before)
    moved = new.change(x=new.x + float("nan"))
    assert not moved.x[0, 1, 2, 3].any()
    assert moved.x[0, 0].isnan().all()
    assert not new.x.isnan().any()


def test_change_of_other_fields_touches_no_coordinate():
    batch = Batch.of([clip()], COCO)
    new = batch.change(label=torch.tensor([7]))
    assert new.x is batch.x
    assert new.label.tolist() == [7]
    assert batch.label.tolist() == [UNKNOWN]


@pytest.mark.parametrize(
    "clips", [torch.tensor([2, 0, 2]), torch.tensor([True, False, True]), torch.tensor([], dtype=int)]
)
def test_take_picks_clips_by_number_or_by_whether_they_are_wanted(clips: torch.Tensor):
    batch = Batch.of([clip(label=n, size=(n + 1, 2)) for n in range(3)], COCO)
    taken = batch.take(clips)
    numbers = clips.nonzero().flatten().tolist() if clips.dtype == torch.bool else clips.tolist()
    assert len(taken) == len(numbers)
    assert taken.skeleton is COCO
    assert taken.label.tolist() == taken.index.tolist() == numbers
    for place, n in enumerate(numbers):
        for key in ("x", "score", "size"):
            assert torch.equal(getattr(taken, key)[place], getattr(batch, key)[n])
    taken.x.zero_()
    assert batch.x.any()


def test_to_moves_every_tensor():
    moved = Batch.of([clip()], COCO).to("meta")
    assert {getattr(moved, key).device.type for key in ("x", "score", "label", "index", "size")} == {"meta"}
    assert moved.skeleton is COCO
