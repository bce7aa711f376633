"""What everything in ossein.augment must do. A new class is tested here the day it is added: it needs an example."""

import inspect
import pkgutil
from dataclasses import FrozenInstanceError, fields, replace
from importlib import import_module

import pytest
import torch

import ossein.augment
from ossein.augment import (
    Augment,
    Bone,
    BoneMotion,
    CentreScale,
    Compose,
    Crop,
    DropFrames,
    DropJoints,
    Facing,
    Identity,
    ImageSize,
    Jitter,
    Mirror,
    Motion,
    Move,
    Occlude,
    Reshape,
    Rotate,
    Scale,
    Shear,
    Transform,
    planes,
)
from ossein.augment.base import with_own
from ossein.clip import Batch
from ossein.draw import Draw

EXAMPLES = [
    Bone(),
    BoneMotion(),
    CentreScale(),
    Compose((Rotate(0.3), Shear(0.2), Jitter(0.1), Scale(0.8, 1.2), DropJoints(0.1))),
    Crop(0.4, 0.9),
    Crop(1, 1),
    DropFrames(0.3),
    DropJoints(0.3),
    Facing(),
    Identity(),
    ImageSize(),
    Jitter(0.1),
    Mirror(0.5),
    Motion(),
    Move(1.0),
    Occlude(0.5, 0.2, 0.8),
    Reshape(0.2),
    Rotate(1.0),
    Scale(0.5, 1.5),
    Scale(0.5, 1.5, per_axis=True),
    Shear(0.5),
]
CASES = [
    pytest.param(step, name, id=f"{step}-{name}")
    for step in EXAMPLES
    for name in ("ntu-25", "openpose-25")
    if not (isinstance(step, ImageSize) and name == "ntu-25") and not (isinstance(step, Facing) and name != "ntu-25")
]
every = pytest.mark.parametrize(("step", "name"), CASES)


def apply(step: Transform | Augment, batch: Batch, draw: Draw) -> Batch:
    return step(batch, draw) if isinstance(step, Augment) else step(batch)


def same(a: Batch, b: Batch, exact: bool = False) -> None:
    tolerance = {"rtol": 0, "atol": 0} if exact else {"rtol": 1e-4, "atol": 1e-4}
    torch.testing.assert_close(a.x, b.x, **tolerance)
    torch.testing.assert_close(a.score, b.score, **tolerance)
    assert (a.skeleton, a.label.tolist(), a.index.tolist()) == (b.skeleton, b.label.tolist(), b.index.tolist())


def test_every_class_has_an_example():
    found = set()
    for module in pkgutil.walk_packages(ossein.augment.__path__, "ossein.augment."):
        for _, cls in inspect.getmembers(import_module(module.name), inspect.isclass):
            if issubclass(cls, Transform | Augment) and not inspect.isabstract(cls):
                found.add(cls)
    assert found == {type(step) for step in EXAMPLES}
    assert {cls.__name__ for cls in found} <= set(ossein.augment.__all__)


@every
def test_changes_something_but_not_its_input(step, name, bodies):
    batch = bodies(name)
    x, score = batch.x.clone(), batch.score.clone()
    out = apply(step, batch, Draw.of(1))
    assert torch.equal(batch.x, x)
    assert torch.equal(batch.score, score)
    still = torch.equal(out.x, x) and torch.equal(out.score, score)
    assert still == (isinstance(step, Identity) or step == Crop(1, 1))


@every
def test_keeps_shape_type_and_what_is_absent(step, name, bodies):
    batch = bodies(name)
    out = apply(step, batch, Draw.of(1))
    assert (out.x.shape, out.x.dtype, out.score.shape) == (batch.x.shape, torch.float32, batch.score.shape)
    assert torch.isfinite(out.x).all()
    assert ((out.score >= 0) & (out.score <= 1)).all()
    assert (out.x[out.score == 0] == 0).all()
    # Nobody comes from nowhere: what a person never shows stays unseen.
    if not isinstance(step, Mirror):
        assert not ((out.score > 0).any(2) & ~(batch.score > 0).any(2)).any()
    assert (out.score[2] == 0).all()


@every
def test_the_seed_decides(step, name, bodies):
    batch = bodies(name)
    one, again, other = (apply(step, batch, Draw.of(seed)) for seed in (3, 3, 4))
    same(one, again, exact=True)
    random = isinstance(step, Augment) and step != Crop(1, 1)
    assert random == (not torch.equal(one.x, other.x) or not torch.equal(one.score, other.score))


@every
def test_every_clip_gets_its_own_numbers(step, name, bodies, one_clip):
    clip = one_clip(bodies(name), 3)
    names = ("x", "score", "label", "index", "size")
    many = clip.change(**{key: torch.cat([getattr(clip, key)] * 6) for key in names})
    out = apply(step, many, Draw.of(1))
    alike = [torch.equal(out.x[0], out.x[n]) and torch.equal(out.score[0], out.score[n]) for n in range(6)]
    assert all(alike) == (isinstance(step, Transform) or step == Crop(1, 1))


@every
def test_two_processes_do_what_one_would(step, name, bodies, one_clip):
    batch = bodies(name)
    whole = apply(step, batch, Draw.of(5))
    parts = [
        batch.change(**{k: getattr(batch, k)[i : i + 2] for k in ("x", "score", "label", "index", "size")})
        for i in (0, 2)
    ]
    parts = [apply(step, part, Draw.of(5, rank=rank, world=2)) for rank, part in enumerate(parts)]
    # Not to the last bit: sums over fewer clips may be taken in another order.
    torch.testing.assert_close(torch.cat([part.x for part in parts]), whole.x, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(torch.cat([part.score for part in parts]), whole.score)


@every
def test_more_empty_persons_and_frames_change_nothing(step, name, bodies, table):
    batch = bodies(name)
    pad = torch.nn.functional.pad
    wide = batch.change(x=pad(batch.x, (0, 0, 0, 0, 0, 4, 0, 3)), score=pad(batch.score, (0, 0, 0, 4, 0, 3)))
    out, more = apply(step, batch, table(6)), apply(step, wide, table(6))
    assert not more.present[:, 2:].any()
    assert not more.present[:, :, 9:].any()
    same(out, more.change(x=more.x[:, :2, :9], score=more.score[:, :2, :9]))


@every
def test_joints_in_another_order_change_nothing(step, name, bodies, table):
    batch = bodies(name)
    order = torch.randperm(len(batch.skeleton), generator=torch.Generator().manual_seed(0)).tolist()
    other = batch.change(
        x=batch.x[..., order, :], score=batch.score[..., order], skeleton=batch.skeleton.permuted(order)
    )
    out, moved = apply(step, batch, table(7)), apply(step, other, table(7, order))
    same(out.change(x=out.x[..., order, :], score=out.score[..., order], skeleton=other.skeleton), moved)


@pytest.mark.parametrize(("step", "name"), [case for case in CASES if "ImageSize" not in str(case.id)])
def test_works_on_the_device_of_the_batch(step, name, bodies):
    # "meta" stands in for an accelerator; it has no values, which image sizes must look at.
    out = apply(step, bodies(name).to("meta"), Draw.of(1))
    assert {out.x.device.type, out.score.device.type} == {"meta"}


@every
def test_mixed_precision_does_not_round_coordinates(step, name, bodies):
    batch = bodies(name)
    exact = apply(step, batch, Draw.of(1))
    with torch.autocast("cpu", torch.bfloat16):
        mixed = apply(step, batch, Draw.of(1))
    same(exact, mixed, exact=True)


@every
def test_the_order_in_memory_changes_nothing(step, name, bodies):
    batch = bodies(name)
    plain, other = (apply(step, replace(batch, x=x), Draw.of(1)) for x in (batch.x, planes(batch.x)))
    same(plain, other)
    assert torch.equal(plain.score, other.score)


def test_planes_are_coordinates_in_one_piece(bodies):
    x = bodies("ntu-25").x
    assert torch.equal(planes(x), x)
    assert all(part.is_contiguous() for part in planes(x).unbind(-1))


@pytest.mark.parametrize("layout", [torch.clone, planes])
@pytest.mark.parametrize("complete", [False, True])
def test_a_batch_with_coordinates_of_its_own(layout, complete, bodies):
    batch = bodies("ntu-25")
    batch = batch.change(score=torch.ones_like(batch.score)) if complete else batch
    other = torch.randn(batch.x.shape)
    want, out = batch.change(x=other), with_own(batch, layout(other))
    assert torch.equal(out.x, want.x)
    assert out.score is batch.score
    assert ((out.x == 0).sum() == 0) == complete


@every
def test_frozen_and_equal_by_value(step, name):
    assert step == type(step)(**{field.name: getattr(step, field.name) for field in fields(step)})
    with pytest.raises(FrozenInstanceError):
        step.anything = 1


def test_a_clip_of_one_frame_stays_finite(bodies, one_clip):
    batch = one_clip(bodies("ntu-25", frames=1), 0)
    for step in EXAMPLES:
        if not isinstance(step, ImageSize):
            assert torch.isfinite(apply(step, batch, Draw.of(1)).x).all(), step
