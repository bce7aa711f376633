"""Mapped rows against loops over joints: taken, halved, absent, turned, pictured."""

import numpy as np
import pytest

from ossein.clip import Clip
from ossein.errors import SkeletonError
from ossein.mapping import joint_matrix
from ossein.skeleton import Skeleton
from ossein.store import Store
from ossein.store.mapped import Joints, mapped
from ossein.store.stance import Stance

COCO, KINECT, NTU = (Skeleton.of(name) for name in ("coco-17", "kinect-20", "ntu-25"))


def random_clips(skeleton: Skeleton, dims: int, num: int = 3) -> list[Clip]:
    rng = np.random.default_rng(0)
    clips = []
    for n in range(num):
        shape = (1 + n % 2, 3 + n, len(skeleton))
        score = rng.uniform(0.01, 1, shape) * (rng.random(shape) > 0.3)
        clips.append(Clip(rng.normal(size=(*shape, dims)), score, f"clip {n}", size=(64, 48)))
    return clips


def all_rows(store: Store) -> np.ndarray:
    return np.arange(len(store.x))


@pytest.mark.parametrize(("source", "target"), [(COCO, KINECT), (NTU, COCO), (KINECT, NTU), (NTU, NTU)])
def test_joints_are_taken_or_halfway_or_absent(source, target):
    rng = np.random.default_rng(0)
    score = rng.uniform(0.1, 1, (6, 2, len(source))).astype(np.float32) * (rng.random((6, 2, len(source))) > 0.3)
    x = rng.normal(size=(*score.shape, 3)).astype(np.float32) * (score > 0)[..., None]
    matrix = joint_matrix(source, target)
    new_x, new_score = Joints.of(matrix)(x, score)
    assert new_x.dtype == new_score.dtype == np.float32
    for place in np.ndindex(6, 2, len(target)):
        ends = np.flatnonzero(matrix[place[-1]])
        sure = score[place[:-1]][ends].min() if len(ends) else 0
        assert new_score[place] == sure
        np.testing.assert_allclose(new_x[place], x[place[:-1]][ends].mean(0) if sure > 0 else 0, rtol=1e-6)


def test_the_same_joints_are_not_touched(build):
    store = build(random_clips(COCO, 2), skeleton=COCO)
    (one,) = mapped(store, COCO, store, 3)
    assert (one.joints, one.turn, one.gaze) == (None, None, None)
    for a, b in zip(one.take_rows(all_rows(store)), (store.x, store.score), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(one.sizes, store.sizes)


def test_three_dims_are_turned_to_the_stance_of_the_store_to_join(build, monkeypatch):
    flat, tall = (build(random_clips(KINECT, 3, num), skeleton=KINECT) for num in (2, 3))
    stances = {flat: Stance(axis=1), tall: Stance(axis=2, down=True)}
    monkeypatch.setattr(Stance, "of", stances.__getitem__)
    (one,) = mapped(tall, NTU, flat, 3)
    x, score = one.take_rows(all_rows(tall))
    head, wrist = NTU.joints.index("head"), NTU.joints.index("left_wrist")
    for j in (head, wrist):
        i = KINECT.joints.index(NTU.joints[j])
        np.testing.assert_allclose(x[:, j, 1], -tall.x[:, i, 2])  # up is up
        np.testing.assert_allclose(np.linalg.norm(x[:, j], axis=1), np.linalg.norm(tall.x[:, i], axis=1), rtol=1e-6)
        np.testing.assert_array_equal(score[:, j], tall.score[:, i])
    turn = one.turn
    assert turn is not None
    assert np.linalg.det(turn) == pytest.approx(1)


def test_pictures_are_taken_from_level_cameras_around_each_clip(build, monkeypatch):
    monkeypatch.setattr(Stance, "of", lambda store: Stance(axis=2))  # z is up, x and y are level
    tall, flat = build(random_clips(KINECT, 3), skeleton=KINECT), build(random_clips(COCO, 2), skeleton=COCO)
    pictures = mapped(tall, KINECT, flat, 3)
    assert len(pictures) == 3
    for view, one in enumerate(pictures):
        assert np.isnan(one.sizes).all()
        assert one.sizes.shape == (3, 2)
        x, score = one.take_rows(all_rows(tall)[:, None])
        assert x.shape == (len(tall.x), 1, 20, 2)
        np.testing.assert_array_equal(score[:, 0], tall.score)
        for n in range(3):
            angle = 2 * np.pi * (n * (5**0.5 - 1) / 2 + view / 3)
            rows = slice(tall.start[n], tall.start[n] + tall.persons[n] * tall.frames[n])
            here = tall.x[rows].astype(np.float64)
            wide = np.cos(angle) * here[..., 0] + np.sin(angle) * here[..., 1]
            np.testing.assert_allclose(x[rows, 0], np.stack([wide, -here[..., 2]], -1), atol=1e-5)


def test_a_store_without_a_joint_in_common_is_refused(build, triangle, random_clip):
    store = build([random_clip(0)])
    with pytest.raises(SkeletonError, match=r"no joint of 'triangle' is one of 'coco-17'"):
        mapped(store, COCO, store, 3)
