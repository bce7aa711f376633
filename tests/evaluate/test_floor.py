import numpy as np
import pytest

from ossein.clip import Batch, Clip
from ossein.errors import DataError
from ossein.evaluate import extra_trees, floor_features, linear_svm, top_k
from ossein.readers import PYSKL
from ossein.skeleton import Skeleton

COCO = Skeleton.of("coco-17")


def batch(x, score=None):
    score = np.ones(x.shape[:4]) if score is None else score
    return Batch.of([Clip(one, seen) for one, seen in zip(x, score)], COCO)


def sample(N=3, M=2, T=5, C=2, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(N, M, T, 17, C)), (rng.random((N, M, T, 17)) > 0.3).astype(float)


def slow_features(x, score, centre):
    M, T, V, C = x.shape
    middles = [x[0, t, v] for t in range(T) for v in centre if score[0, t, v] > 0]
    middle = np.mean(middles, 0)
    present = [(m, t, v) for m in range(M) for t in range(T) for v in range(V) if score[m, t, v] > 0]
    size = np.mean([np.linalg.norm(x[i] - middle) for i in present])
    place, speed = np.zeros((M, T, V, C)), np.zeros((M, T - 1, V, C))
    for i in present:
        place[i] = (x[i] - middle) / size
    for m, t, v in present:
        if t and score[m, t - 1, v] > 0:
            speed[m, t - 1, v] = place[m, t, v] - place[m, t - 1, v]
    return np.concatenate([place.ravel(), speed.ravel()])


@pytest.mark.parametrize("C", [2, 3])
def test_features_are_the_slow_ones(C):
    x, score = sample(C=C)
    found = floor_features(batch(x, score))
    assert found.shape == (3, 2 * (2 * 5 - 1) * 17 * C)
    for row, one, seen in zip(found, x, score):
        np.testing.assert_allclose(row, slow_features(one, seen, COCO.centre), atol=1e-5)


def test_features_forget_place_and_size():
    x, score = sample()
    found = floor_features(batch(x, score))
    np.testing.assert_allclose(found, floor_features(batch(7 * x + 30, score)), atol=1e-4)


def test_without_a_centre_all_joints_make_one():
    x, score = sample(N=1)
    score[..., list(COCO.centre)] = 0
    found = floor_features(batch(x, score))[0]
    np.testing.assert_allclose(found, slow_features(x[0], score[0], range(17)), atol=1e-5)


def test_an_empty_clip_is_all_zero():
    x, score = sample(N=2)
    score[1] = 0
    assert (floor_features(batch(x, score))[1] == 0).all()


def test_one_frame_has_no_velocity():
    with pytest.raises(DataError, match="1 frame"):
        floor_features(batch(sample(T=1)[0]))


def blobs(num_clips, num_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(num_clips) % num_classes
    return np.eye(5)[y] * 2 + rng.normal(size=(num_clips, 5)), y


@pytest.mark.parametrize("classify", [extra_trees, linear_svm])
@pytest.mark.parametrize("num_classes", [2, 3])
def test_classifiers_learn(classify, num_classes):
    more = {"trees": 40} if classify is extra_trees else {}
    (z, y), (test, truth) = blobs(60, num_classes), blobs(90, num_classes, seed=1)
    # The last class is left out of training and its number moved up, so that a column in the middle stays empty.
    scores = classify(z, np.where(y == num_classes - 1, num_classes, y), test, num_classes=num_classes + 1, **more)
    assert scores.shape == (90, num_classes + 1)
    assert top_k(scores, np.where(truth == num_classes - 1, num_classes, truth)) > 0.7
    assert (scores[:, num_classes - 1] <= scores.min(1)).all()
    assert (
        scores == classify(z, np.where(y == num_classes - 1, num_classes, y), test, num_classes=num_classes + 1, **more)
    ).all()


def test_trees_follow_the_seed():
    z, y = blobs(60)
    one, same, other = (extra_trees(z, y, z + 0.3, num_classes=3, seed=s, trees=10) for s in (1, 1, 2))
    assert (one == same).all()
    assert (one != other).any()


def test_the_floor_of_hrnet16(real_data):
    """Near the known floor of this small set, 76.5 %; chance is 6 %."""
    source = PYSKL().read(real_data("hrnet16") / "hrnet16.pkl")
    clips = []
    for clip in source.clips:
        frames = np.linspace(0, clip.num_frames - 1, 16).round().astype(int)
        clips.append(Clip(clip.x[:, frames], clip.score[:, frames], name=clip.name, label=clip.label))
    z, y = floor_features(Batch.of(clips, COCO)), np.array([clip.label for clip in clips])
    train, test = (np.isin([clip.name for clip in clips], source.splits[f"mod3_{part}"]) for part in ("train", "val"))
    scores = extra_trees(z[train], y[train], z[test], num_classes=16, trees=100)
    assert top_k(scores, y[test]) > 0.68


@pytest.mark.parametrize("classify", [extra_trees, linear_svm])
def test_one_label_a_class_raises_no_warning(classify):
    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(30, 5)), np.arange(30)
    assert classify(features, labels, features, num_classes=30).shape == (30, 30)
