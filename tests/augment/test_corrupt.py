import math

import numpy as np
import pytest
import torch

from ossein.augment import DropFrames, DropJoints, Jitter, Reshape
from ossein.augment.base import body_size
from ossein.draw import Draw
from ossein.errors import SettingsError


def test_jitter_is_as_strong_as_asked_in_any_unit(bodies):
    batch = bodies("coco-17", num=40)
    here = batch.score > 0
    for unit in (1.0, 500.0):
        metric = batch.change(x=batch.x * unit)
        noise = ((Jitter(0.05)(metric, Draw.of(0)).x - metric.x) / body_size(metric).clamp(min=1e-9))[here]
        assert abs(noise.std() / 0.05 - 1) < 0.05
        assert abs(noise.mean()) < 0.002


def test_jitter_is_the_slow_one(bodies):
    batch = bodies("ntu-25")
    out = Jitter(0.1)(batch, Draw.of(2))
    noise = Draw.of(2).normal(tuple(batch.x.shape))
    for n in range(4):
        want = batch.x[n] + 0.1 * body_size(batch)[n].item() * noise[n]
        torch.testing.assert_close(out.x[n], want * (batch.score[n] > 0)[..., None])
    assert torch.equal(out.score, batch.score)


def test_reshape_moves_every_joint_of_every_person_as_a_whole(bodies):
    batch = bodies("ntu-25")
    out = Reshape(0.3)(batch, Draw.of(2))
    shift = Draw.of(2).normal((4, 2, 1, 25, 3))
    for n in range(4):
        for m in range(2):
            want = batch.x[n, m] + 0.3 * body_size(batch)[n].item() * shift[n, m]
            torch.testing.assert_close(out.x[n, m], want * (batch.score[n, m] > 0)[..., None])
    both = (batch.score[:, :, 1:] > 0) & (batch.score[:, :, :-1] > 0)
    torch.testing.assert_close(out.x.diff(dim=2)[both], batch.x.diff(dim=2)[both], rtol=1e-4, atol=1e-4)
    assert torch.equal(out.score, batch.score)


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.01, 1), (0.3, 5), (1.0, 16)])
def test_drop_joints_loses_as_many_in_every_clip(share, count, bodies):
    batch = bodies("coco-17", num=30)
    batch = batch.change(score=torch.ones_like(batch.score))
    out = DropJoints(share)(batch, Draw.of(0))
    kept = out.score[:, 0, 0] > 0
    assert ((~kept).sum(-1) == count).all()
    assert torch.equal(out.score, batch.score * kept[:, None, None])
    assert (out.x[out.score == 0] == 0).all()
    if count == 5:
        assert len({tuple(row) for row in kept.tolist()}) > 20
        assert (~kept).any(0).all()


@pytest.mark.parametrize("share", [0.0, 0.01, 0.4, 1.0])
def test_drop_frames_is_the_slow_one(share, bodies):
    batch = bodies("coco-17", num=12, frames=11)
    batch.score[0, :, 3], batch.score[0, :, 9:], batch.score[1, :, 1:] = 0, 0, 0
    batch = batch.change(score=batch.score)
    out = DropFrames(share)(batch, Draw.of(0))
    numbers = Draw.of(0).uniform((12, 1, 11))[:, 0].numpy()
    for n in range(12):
        seen = np.flatnonzero(batch.present[n].any(0))
        count = min(max(round(share * len(seen)), int(share > 0)), max(len(seen) - 1, 0))
        lost = sorted(seen, key=lambda t: numbers[n, t])[:count]
        want = batch.score[n].clone()
        want[:, lost] = 0
        assert torch.equal(out.score[n], want)
    assert torch.equal(out.x, batch.x * (out.score > 0)[..., None])


@pytest.mark.parametrize("make", [Jitter, Reshape, DropJoints, DropFrames])
def test_shares_out_of_range(make):
    for value in (-0.1, 1.1, math.nan):
        with pytest.raises(SettingsError, match=f"{make.__name__}: .* expected 0 to 1"):
            make(value)
