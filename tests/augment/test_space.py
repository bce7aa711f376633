import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from ossein.augment import Mirror, Move, Rotate, Scale, Shear
from ossein.draw import Draw
from ossein.errors import SettingsError


@pytest.mark.parametrize("name", ["coco-17", "ntu-25"])
def test_rotate_is_the_slow_one(name, bodies):
    batch = bodies(name)
    out = Rotate(0.7)(batch, Draw.of(1))
    angles = Draw.of(1).uniform((4, 1 if name == "coco-17" else 3), -0.7, 0.7).double().numpy()
    for n in range(4):
        a = angles[n]
        turn = (
            np.array([[np.cos(a[0]), -np.sin(a[0])], [np.sin(a[0]), np.cos(a[0])]])
            if name == "coco-17"
            else Rotation.from_euler("xyz", a).as_matrix()
        )
        np.testing.assert_allclose(out.x[n].numpy(), batch.x[n].numpy() @ turn.T, atol=1e-5)


@given(angle=st.floats(0, math.pi), seed=st.integers(0, 99), name=st.sampled_from(["coco-17", "ntu-25"]))
@settings(max_examples=20, deadline=None)
def test_rotate_keeps_distances_and_orientation(angle, seed, name, bodies):
    batch = bodies(name)
    out = Rotate(angle)(batch, Draw.of(seed))
    for n in range(4):
        a, b = batch.x[n, 1, 4], out.x[n, 1, 4]
        torch.testing.assert_close(torch.cdist(b, b), torch.cdist(a, a), atol=2e-3, rtol=1e-4)
        torch.testing.assert_close(b.norm(dim=-1), a.norm(dim=-1), atol=1e-4, rtol=1e-4)
    if name == "ntu-25":
        dets = [torch.linalg.det(clip.x[3, 1, 4:7, :3, :]) for clip in (batch, out)]
        torch.testing.assert_close(dets[0], dets[1], atol=0.5, rtol=1e-3)


def test_rotate_turns_both_ways_alike(bodies):
    """Not uniform(-a, 1), as a widely used pipeline draws."""
    batch = bodies("coco-17", num=4000, persons=1, frames=1)
    batch = batch.change(x=torch.ones_like(batch.x), score=torch.ones_like(batch.score))
    out = Rotate(0.3)(batch, Draw.of(0)).x[:, 0, 0, 0]
    angle = torch.atan2(out[:, 1], out[:, 0]) - math.pi / 4
    assert angle.abs().max() <= 0.3 + 1e-5
    assert abs(angle.mean()) < 0.01
    assert angle.min() < -0.29
    assert angle.max() > 0.29


@pytest.mark.parametrize("per_axis", [False, True])
def test_scale_is_the_slow_one(per_axis, bodies):
    batch = bodies("ntu-25")
    out = Scale(0.5, 2, per_axis)(batch, Draw.of(1))
    factor = Draw.of(1).uniform((4, 3 if per_axis else 1), 0.5, 2)
    for n in range(4):
        torch.testing.assert_close(out.x[n], batch.x[n] * factor[n])
    assert ((factor >= 0.5) & (factor <= 2)).all()


@pytest.mark.parametrize("name", ["coco-17", "ntu-25"])
def test_shear_is_the_slow_one(name, bodies):
    batch = bodies(name)
    dims = batch.x.shape[-1]
    out = Shear(0.5)(batch, Draw.of(1))
    slant = Draw.of(1).uniform((4, dims, dims), -0.5, 0.5).numpy()
    for n in range(4):
        np.fill_diagonal(slant[n], 1)
        np.testing.assert_allclose(out.x[n].numpy(), batch.x[n].numpy() @ slant[n].T, atol=1e-5)


def test_move_is_the_slow_one(bodies):
    batch = bodies("coco-17")
    out = Move(3.0)(batch, Draw.of(1))
    shift = Draw.of(1).uniform((4, 2), -3, 3)
    for n in range(4):
        here = batch.score[n] > 0
        torch.testing.assert_close(out.x[n][here], batch.x[n][here] + shift[n])


def test_mirror_names_the_other_hand(bodies):
    batch = bodies("coco-17")
    out = Mirror(1.0)(batch, Draw.of(0))
    joints = batch.skeleton.joints
    for v, joint in enumerate(joints):
        other = (
            joint.replace("left", "l").replace("right", "left").replace("l_", "right_", 1) if "_" in joint else joint
        )
        w = joints.index(other)
        assert torch.equal(out.score[..., v], batch.score[..., w])
        assert torch.equal(out.x[..., v, 0], -batch.x[..., w, 0])
        assert torch.equal(out.x[..., v, 1], batch.x[..., w, 1])


@pytest.mark.parametrize("name", ["coco-17", "ntu-25", "hand-21"])
def test_mirror_twice_is_nothing(name, bodies):
    batch = bodies(name)
    out = Mirror(1.0)(Mirror(1.0)(batch, Draw.of(0)), Draw.of(1))
    assert torch.equal(out.x, batch.x)
    assert torch.equal(out.score, batch.score)
    assert torch.equal(Mirror(0.0)(batch, Draw.of(0)).x, batch.x)


def test_mirror_takes_the_asked_share(bodies):
    batch = bodies("coco-17", num=400, frames=3)
    out = Mirror(0.25)(batch, Draw.of(0))
    flipped = (out.x != batch.x).flatten(1).any(1)
    assert 70 < flipped.sum() < 130
    mirrored = Mirror(1.0)(batch, Draw.of(0))
    assert torch.equal(out.x[flipped], mirrored.x[flipped])
    assert torch.equal(out.score[flipped], mirrored.score[flipped])
    assert torch.equal(out.score[~flipped], batch.score[~flipped])


@pytest.mark.parametrize(
    "make",
    [
        lambda: Rotate(-0.1),
        lambda: Rotate(3.2),
        lambda: Rotate(math.nan),
        lambda: Scale(0, 1),
        lambda: Scale(1.2, 1.1),
        lambda: Scale(1, math.inf),
        lambda: Shear(1.5),
        lambda: Mirror(1.1),
        lambda: Move(-1),
        lambda: Move(math.inf),
    ],
)
def test_settings_out_of_range(make):
    with pytest.raises(SettingsError, match="expected"):
        make()
