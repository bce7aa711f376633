from typing import get_args

import numpy as np
import pytest
import torch

from ossein.augment import (
    NORMALISE,
    STREAMS,
    Bone,
    BoneMotion,
    Identity,
    Mirror,
    Motion,
    NormaliseName,
    StreamName,
    stream,
)
from ossein.draw import Draw
from ossein.errors import SettingsError


def slow_bone(x, score, parents):
    out, sure = np.zeros_like(x), np.zeros_like(score)
    for m, t, v in np.ndindex(score.shape):
        p = parents[v]
        if score[m, t, v] > 0 and score[m, t, p] > 0:
            out[m, t, v], sure[m, t, v] = x[m, t, v] - x[m, t, p], min(score[m, t, v], score[m, t, p])
    return out, sure


def slow_motion(x, score):
    out, sure = np.zeros_like(x), np.zeros_like(score)
    seen = np.flatnonzero((score > 0).any((0, 2)))
    for m, t, v in np.ndindex(score.shape):
        if len(seen) and t == seen[-1]:
            sure[m, t, v] = score[m, t, v]
        elif t + 1 < x.shape[1] and score[m, t, v] > 0 and score[m, t + 1, v] > 0:
            out[m, t, v], sure[m, t, v] = x[m, t + 1, v] - x[m, t, v], min(score[m, t, v], score[m, t + 1, v])
    return out, sure


@pytest.mark.parametrize("name", ["coco-17", "ntu-25", "mediapipe-33"])
def test_streams_are_the_slow_ones(name, bodies):
    batch = bodies(name)
    batch.score[3, :, 6:] = 0  # a clip that ends early
    batch = batch.change(score=batch.score)
    for n in range(4):
        x, score = batch.x[n].numpy(), batch.score[n].numpy()
        bone = slow_bone(x, score, batch.skeleton.parents())
        for step, want in ((Bone(), bone), (Motion(), slow_motion(x, score)), (BoneMotion(), slow_motion(*bone))):
            out = step(batch)
            np.testing.assert_allclose(out.x[n], want[0], atol=1e-5)
            np.testing.assert_allclose(out.score[n], want[1])


def test_bones_and_motion_do_not_see_where_a_body_stands(bodies):
    batch = bodies("coco-17")
    moved = batch.change(x=batch.x + 5)
    for step in (Bone(), Motion(), BoneMotion()):
        torch.testing.assert_close(step(moved).x, step(batch).x, atol=1e-5, rtol=1e-5)


def test_centre_joints_have_bones_of_length_0(bodies):
    batch = bodies("coco-17")
    centre = list(batch.skeleton.centre)
    out = Bone()(batch)
    assert (out.x[..., centre, :] == 0).all()
    assert torch.equal(out.score[..., centre], batch.score[..., centre])


def test_joints_come_back_from_bones(bodies):
    """Summing bones from the centre outwards gives the joints, so nothing but the place of the centre is lost."""
    batch = bodies("ntu-25")
    batch = batch.change(score=torch.ones_like(batch.score), x=torch.randn(batch.x.shape))
    skeleton, bone = batch.skeleton, Bone()(batch).x
    x = batch.x.clone()
    for v in np.argsort(skeleton.hops()[skeleton.centre[0]]):
        if v not in skeleton.centre:
            x[..., v, :] = x[..., skeleton.parents()[v], :] + bone[..., v, :]
    torch.testing.assert_close(x, batch.x, atol=1e-5, rtol=1e-5)


def test_bones_of_a_mirrored_body_are_mirrored(bodies):
    batch, flip = bodies("ntu-25"), Mirror(1.0)
    torch.testing.assert_close(Bone()(flip(batch, Draw.of(0))).x, flip(Bone()(batch), Draw.of(0)).x)


def test_streams_have_names():
    assert {name: type(stream(name)) for name in STREAMS} == {
        "joint": Identity,
        "bone": Bone,
        "joint-motion": Motion,
        "bone-motion": BoneMotion,
    }
    with pytest.raises(SettingsError, match="Did you mean 'bone-motion'"):
        stream("bone_motion")


def test_settings_call_every_stream_and_normalisation_by_its_name():
    assert get_args(StreamName) == tuple(STREAMS)
    assert get_args(NormaliseName) == tuple(NORMALISE)
