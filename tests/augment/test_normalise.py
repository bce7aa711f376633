from itertools import islice

import numpy as np
import pytest
import torch

from ossein.augment import NORMALISE, CentreScale, Facing, Identity, ImageSize, normaliser
from ossein.augment.base import body_size
from ossein.clip import Batch, Clip
from ossein.errors import DataError, SettingsError, SkeletonError
from ossein.readers.pyskl import PYSKL
from ossein.skeleton import Skeleton


def slow_size(x, here):
    spreads = []
    for m in range(x.shape[0]):
        for t in range(x.shape[1]):
            seen = x[m, t][here[m, t]]
            if len(seen) > 1:
                spreads.append(np.sqrt(((seen - seen.mean(0)) ** 2).sum(1).mean()))
    return np.mean(spreads) if spreads else 0.0


def slow_origin(x, here, centre):
    persons = [m for m in range(len(x)) if here[m].any()]
    if not persons:
        return np.zeros(x.shape[-1])
    m, centre = persons[0], list(centre)
    frames = [x[m, t, centre][here[m, t, centre]].mean(0) for t in range(x.shape[1]) if here[m, t, centre].any()]
    return np.mean(frames, 0) if frames else x[m][here[m]].mean(0)


def slow_axes(x, here, skeleton):
    m = next(m for m in range(len(x)) if here[m].any())
    ups, acrosses = [], []
    for t in range(x.shape[1]):
        ends = [[x[m, t, list(g)][here[m, t, list(g)]] for g in axis] for axis in (skeleton.up, skeleton.across)]
        if all(len(end) for axis in ends for end in axis):
            ups.append(ends[0][1].mean(0) - ends[0][0].mean(0))
            acrosses.append(ends[1][1].mean(0) - ends[1][0].mean(0))
    if not ups:
        return np.eye(3)
    quarter = int(np.ceil(len(ups) / 4))
    z, right = np.mean(ups[:quarter], 0), np.mean(acrosses[:quarter], 0)
    z = z / np.linalg.norm(z)
    right = right - (right @ z) * z
    right = right / np.linalg.norm(right)
    return np.stack([right, np.cross(z, right), z])


def arrays(batch, n):
    return batch.x[n].double().numpy(), batch.score[n].numpy() > 0


def rezero(x, here):
    return np.where(here[..., None], x, 0)


@pytest.mark.parametrize("name", ["coco-17", "ntu-25"])
def test_centre_scale_is_the_slow_one(name, bodies):
    batch = bodies(name, num=5)
    batch.score[4][..., list(batch.skeleton.centre)] = 0  # a clip that never shows its centre
    batch = batch.change(score=batch.score)
    out = CentreScale()(batch)
    for n in range(5):
        x, here = arrays(batch, n)
        want = rezero((x - slow_origin(x, here, batch.skeleton.centre)) / (slow_size(x, here) or 1), here)
        np.testing.assert_allclose(out.x[n].numpy(), want, atol=1e-5)


def test_body_size_is_the_slow_one_and_knows_when_there_is_none(bodies):
    batch = bodies("coco-17")
    batch.score[0, 0, 3, 1:] = 0  # a frame of one joint, which has no size
    batch.score[0, 0, 3, 0] = 1
    batch = batch.change(score=batch.score)
    size = body_size(batch)[:, 0, 0, 0, 0]
    np.testing.assert_allclose(size, [slow_size(*arrays(batch, n)) for n in range(4)], rtol=1e-5)
    assert size[2] == 0
    point = batch.change(x=torch.full_like(batch.x, 1234.567))
    assert (body_size(point) == 0).all()


@pytest.mark.parametrize("name", ["coco-17", "ntu-25", "hand-21"])
@pytest.mark.parametrize("persons", [1, 2])
def test_what_lacks_nothing_is_measured_alike(name, persons, bodies, one_clip):
    """It is measured on a shorter way, which a clip beside it that lacks something rules out."""
    batch = bodies(name, persons=persons)
    batch = batch.change(x=torch.randn(batch.x.shape) * 30 + 200, score=torch.ones_like(batch.score))
    gaps = batch.change(
        score=torch.where(torch.arange(4)[:, None, None, None] < 3, 1.0, bodies(name, persons=persons).score)
    )
    assert batch.complete
    assert not gaps.complete
    for n in range(3):
        x, here = arrays(batch, n)
        size = slow_size(x, here)
        np.testing.assert_allclose(body_size(batch)[n].item(), size, rtol=1e-5)
        want = (x - slow_origin(x, here, batch.skeleton.centre)) / size
        np.testing.assert_allclose(CentreScale()(batch).x[n], want, atol=1e-5)
    torch.testing.assert_close(CentreScale()(gaps).x[:3], CentreScale()(batch).x[:3], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("place", [0.0, 1.0, 1234.567, -1e6])
@pytest.mark.parametrize("complete", [False, True])
def test_joints_in_one_point_have_no_size_wherever_it_is(place, complete, bodies):
    batch = bodies("coco-17")
    score = torch.ones_like(batch.score) if complete else batch.score
    moving = torch.arange(9.0)[:, None, None].expand_as(batch.x)
    assert (body_size(batch.change(x=moving + place, score=score)) == 0).all()
    near = batch.change(x=moving + place + abs(place) * 1e-4 * torch.randn(batch.x.shape), score=score)
    assert (body_size(near) > 0).flatten().tolist() == [place != 0 and clip.any().item() for clip in score > 0]


def test_centre_scale_leaves_a_clip_of_single_joints_finite(bodies):
    batch = bodies("coco-17")
    alone = batch.change(score=torch.where(torch.arange(17) == 3, batch.score, 0.0))
    out = CentreScale()(alone)
    here = alone.score > 0
    origin = alone.x[0, 0][here[0, 0]].mean(0)
    torch.testing.assert_close(out.x[0, 0][here[0, 0]], alone.x[0, 0][here[0, 0]] - origin, rtol=1e-5, atol=1e-5)


def test_centre_scale_undoes_a_move_and_an_enlargement(bodies):
    batch = bodies("coco-17")
    torch.testing.assert_close(
        CentreScale()(batch.change(x=batch.x * 7 + 300)).x, CentreScale()(batch).x, atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize("unit", [0.001, 0.3, 1000.0])
def test_facing_is_the_slow_one(unit, bodies):
    batch = bodies("ntu-25", frames=8)
    batch.score[3] = 1  # all eight frames show the axes, and two are their quarter
    batch = batch.change(
        score=batch.score, x=unit * (batch.x + torch.randn(batch.x.shape, generator=torch.Generator().manual_seed(1)))
    )
    out = Facing()(batch)
    for n in (0, 1, 3):
        x, here = arrays(batch, n)
        want = (x - slow_origin(x, here, batch.skeleton.centre)) @ slow_axes(x, here, batch.skeleton).T
        size = slow_size(x, here)
        assert (0.1 < size < 3) == (unit == 0.3)
        np.testing.assert_allclose(out.x[n], rezero(want if unit == 0.3 else 0.5 / size * want, here), atol=2e-5)


@pytest.mark.parametrize("unit", [100, 1000])
@pytest.mark.parametrize("data", ["nw_ucla", "utd_mhad", "msr_action3d"])
def test_facing_keeps_the_metres_of_real_people_and_undoes_other_units(data, unit, real_data):
    source = PYSKL().read(real_data(data) / f"{data}.pkl", skeleton=Skeleton.of("kinect-20"))
    clips = [clip for clip in islice(source.clips, 200) if clip.num_frames > 1]
    for clip in clips:
        one = Batch.of([clip], source.skeleton)
        size, kept = body_size(one), body_size(Facing()(one))
        torch.testing.assert_close(kept, size)
        torch.testing.assert_close(
            Facing()(one.change(x=unit * one.x)).x, Facing()(one).x * 0.5 / size, rtol=1e-3, atol=1e-3
        )


def test_facing_leaves_joints_in_one_point_where_their_centre_is(bodies):
    batch = bodies("ntu-25")
    point = batch.change(x=torch.full_like(batch.x, 1234.567))
    torch.testing.assert_close(Facing()(point).x, torch.zeros_like(batch.x), rtol=0, atol=1e-3)


def test_facing_looks_forward():
    skeleton = Skeleton.of("ntu-25")
    x = np.zeros((1, 1, 25, 3))
    # As a Kinect sees somebody who looks at it: x to the sensor's left, y up, z away from it.
    x[..., 4:8, :], x[..., 8:12, :] = (-1, 1, 0), (1, 1, 0)
    x[..., 12:16, :], x[..., 16:20, :] = (-1, -1, 0), (1, -1, 0)
    x[..., 3, :] = (0, 1.5, -1)  # the face
    out = Facing()(Batch.of([Clip(x, np.ones((1, 1, 25)))], skeleton)).x[0, 0, 0]
    torch.testing.assert_close(out[8], torch.tensor([1.0, 0, 1]))
    torch.testing.assert_close(out[3], torch.tensor([0, 1.0, 1.5]))


def test_facing_points_the_feet_of_real_people_forward(real_data):
    source = PYSKL().read(real_data("nw_ucla") / "nw_ucla.pkl", skeleton=Skeleton.of("kinect-20"))
    skeleton, forward = Skeleton.of("kinect-20"), []
    toes, ankles = ([skeleton.joints.index(f"{side}_{end}") for side in ("left", "right")] for end in ("foot", "ankle"))
    for clip in islice(source.clips, 100):
        x = Facing()(Batch.of([clip], skeleton)).x[0, 0, : max(1, clip.num_frames // 4)]
        forward.append((x[:, toes].mean((0, 1)) - x[:, ankles].mean((0, 1)))[1] > 0)
    assert sum(forward) >= 95


def test_facing_undoes_a_rotation(bodies):
    batch = bodies("ntu-25")
    turn, _ = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1)))
    turn = turn * torch.linalg.det(turn)
    torch.testing.assert_close(Facing()(batch.change(x=batch.x @ turn.T)).x, Facing()(batch).x, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("case", ["no shoulders", "flat", "parallel"])
def test_facing_without_axes_does_not_turn(case, bodies):
    batch = bodies("ntu-25")
    batch = batch.change(x=batch.x / 10)
    if case == "no shoulders":
        hidden = torch.zeros(25).index_fill(0, torch.tensor([4, 8]), 1) > 0
        batch = batch.change(score=batch.score.masked_fill(hidden, 0))
    else:
        x = batch.x.clone()
        x[..., [4, 8], :] = 1.0 if case == "flat" else torch.tensor([[1.0, 1, 1], [3, 3, 3]])
        x[..., [12, 16], :] = 1.0 if case == "flat" else torch.tensor([[0.0, 0, 0], [2, 2, 2]])
        batch = batch.change(x=x, score=torch.ones_like(batch.score))
    out = Facing()(batch)
    x, here = arrays(batch, 0)
    np.testing.assert_allclose(out.x[0], rezero(x - slow_origin(x, here, batch.skeleton.centre), here), atol=1e-5)


def test_image_size_maps_corners_to_corners(bodies):
    batch = bodies("coco-17")
    x = batch.x.clone()
    x[0, 0, 3, :3] = torch.tensor([[0.0, 0], [640, 480], [320, 240]])
    out = ImageSize()(batch.change(x=x, score=torch.ones_like(batch.score)))
    assert out.x[0, 0, 3, :3].tolist() == [[-1, -1], [1, 1], [0, 0]]


def test_image_size_says_how_many_clips_have_none(bodies):
    batch = bodies("coco-17")
    size = batch.size.clone()
    size[1], size[3] = float("nan"), 0
    with pytest.raises(DataError, match=r"2 of 4 clips .* Use 'centre'"):
        ImageSize()(batch.change(size=size))
    with pytest.raises(DataError, match="3-D"):
        ImageSize()(bodies("ntu-25"))


def test_facing_says_what_it_lacks(bodies):
    with pytest.raises(SkeletonError, match="2-D"):
        Facing()(bodies("coco-17"))
    joints, bones = [f"j{v}" for v in range(25)], [(v, v + 1) for v in range(24)]
    for more, missing in (({}, "up"), ({"up": ((0,), (1,))}, "across")):
        with pytest.raises(SkeletonError, match=f"does not say '{missing}'"):
            Facing()(bodies("ntu-25").change(skeleton=Skeleton.make("worm", joints, bones, **more)))


def test_normalisations_have_names():
    assert [type(normaliser(name)) for name in ("image", "centre", "facing", "none")] == [
        ImageSize,
        CentreScale,
        Facing,
        Identity,
    ]
    assert len(NORMALISE) == 4
    with pytest.raises(SettingsError, match="Did you mean 'centre'"):
        normaliser("center")
