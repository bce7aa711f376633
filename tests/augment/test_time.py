import math

import numpy as np
import pytest
import torch

from ossein.augment import Crop
from ossein.draw import Draw
from ossein.errors import SettingsError


def slow_crop(x, score, share, start):
    """One clip [M T V C], by plain loops."""
    out, sure = np.zeros_like(x), np.zeros_like(score)
    seen = np.flatnonzero((score > 0).any((0, 2)))
    if not len(seen):
        return out, sure
    first, last = seen[0], seen[-1]
    for t in range(first, last + 1):
        where = first + start * (1 - share) * (last - first) + share * (t - first)
        below, w = int(where), where - int(where)
        for m in range(x.shape[0]):
            for v in range(x.shape[2]):
                near = [(1 - w, below), (w, below + 1)]
                near = [(w, i) for w, i in near if w > 1e-5 and score[m, i, v] > 0]
                total = sum(w for w, _ in near)
                if near:
                    out[m, t, v] = sum(w * x[m, i, v] for w, i in near) / total
                    sure[m, t, v] = sum(w * score[m, i, v] for w, i in near) / total
    return out, sure


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_crop_is_the_slow_one(seed, bodies):
    batch = bodies("coco-17", frames=12, seed=seed)
    batch.score[3, :, :2], batch.score[3, :, 10:], batch.score[3, :, 5] = 0, 0, 0  # late, early gone, a gap
    batch = batch.change(score=batch.score)
    draw = Draw.of(seed)
    share, start = draw.uniform((4, 1), 0.3, 0.9).double().numpy(), draw.uniform((4, 1)).double().numpy()
    out = Crop(0.3, 0.9)(batch, Draw.of(seed))
    for n in range(4):
        x, score = slow_crop(batch.x[n].double().numpy(), batch.score[n].double().numpy(), share[n, 0], start[n, 0])
        np.testing.assert_allclose(out.x[n], x, atol=1e-3)
        np.testing.assert_allclose(out.score[n], score, atol=1e-4)


def test_the_whole_clip_is_itself(bodies):
    batch = bodies("ntu-25")
    out = Crop(1, 1)(batch, Draw.of(0))
    assert torch.equal(out.x, batch.x)
    assert torch.equal(out.score, batch.score)


def test_even_motion_stays_even_and_slows_down(bodies):
    batch = bodies("coco-17", num=64, frames=10)
    steps = torch.arange(10.0)[:, None, None].expand_as(batch.x)
    batch = batch.change(x=steps, score=torch.ones_like(batch.score))
    time = Crop(0.4, 0.8)(batch, Draw.of(3)).x[:, 0, :, 0, 0]
    speed = time.diff(dim=-1)
    torch.testing.assert_close(speed, speed[:, :1].expand_as(speed), atol=1e-5, rtol=0)
    assert ((speed > 0.4 - 1e-5) & (speed < 0.8 + 1e-5)).all()
    assert (time[:, 0] >= 0).all()
    assert (time[:, -1] <= 9).all()
    assert time[:, 0].min() < 0.5
    assert time[:, -1].max() > 8.5


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.6, 0.5), (0.5, 1.1), (math.nan, 1)])
def test_shares_out_of_range(low, high):
    with pytest.raises(SettingsError, match="expected 0 < low <= high <= 1"):
        Crop(low, high)
