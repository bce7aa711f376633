import inspect

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ossein.errors import DataError, SettingsError
from ossein.evaluate import choose_strength, cut, linear_probe, top_k


def blobs(num_clips, num_classes=4, dims=12, noise=2.0, seed=0):
    rng = np.random.default_rng(seed)
    means = np.random.default_rng(99).normal(size=(num_classes, dims)) * 2
    y = np.arange(num_clips) % num_classes
    return (means[y] + noise * rng.normal(size=(num_clips, dims))).astype(np.float32), y


def test_one_strength_is_plain_sklearn():
    z, y = blobs(80)
    test, _ = blobs(20, seed=1)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)).fit(z.astype(float), y)
    mine = linear_probe(z, y, test, num_classes=4, strengths=[0.1])
    np.testing.assert_allclose(mine, model.predict_log_proba(test.astype(float)), atol=1e-6)


def test_learns_and_repeats():
    z, y = blobs(120)
    test, truth = blobs(200, seed=1)
    scores = linear_probe(z, y, test, num_classes=4, seed=5)
    assert top_k(scores, truth) > 0.8
    assert (scores == linear_probe(z, y, test, num_classes=4, seed=5)).all()
    np.testing.assert_allclose(np.exp(scores).sum(1), 1)


def test_strength_is_chosen_on_training_clips_alone():
    """The signature has no test labels, and what the test clips are changes no choice."""
    assert "test_y" not in inspect.signature(linear_probe).parameters
    z, y = blobs(80)
    test, _ = blobs(10, seed=1)
    alone = linear_probe(z, y, test[:1], num_classes=4)
    np.testing.assert_allclose(alone, linear_probe(z, y, np.concatenate([test[:1], 100 * test]), num_classes=4)[:1])


def test_strength_follows_the_held_out_clips():
    """With noise in many dimensions a strong decay wins; the choice must be the best of the held-out clips."""
    z, y = blobs(60, dims=200, noise=9.0)
    held = cut(y, seed=0)
    scaled = (z - z.mean(0)) / z.std(0)
    right = [
        (LogisticRegression(C=c, max_iter=1000).fit(scaled[~held], y[~held]).predict(scaled[held]) == y[held]).mean()
        for c in (0.001, 0.1, 10)
    ]
    best = (0.001, 0.1, 10)[int(np.argmax(right))]
    wanted = linear_probe(z, y, z[:5], num_classes=4, strengths=[best])
    np.testing.assert_allclose(linear_probe(z, y, z[:5], num_classes=4, strengths=[10, 0.001, 0.1]), wanted)


def test_classes_without_training_clips_score_least():
    z, y = blobs(40)
    scores = linear_probe(z, np.where(y == 3, 5, y), z, num_classes=7)
    assert np.isneginf(scores[:, [3, 4, 6]]).all()
    assert np.isfinite(scores[:, [0, 1, 2, 5]]).all()


def test_one_clip_per_class_is_enough():
    z, y = blobs(4, noise=0.1)
    assert top_k(linear_probe(z, y, z, num_classes=4), y) == 1


def test_constant_features_say_nothing():
    z, y = blobs(40)
    dead = np.full((40, 1), 0.1, np.float32)
    test = np.concatenate([z, dead + 7], 1)
    np.testing.assert_allclose(
        linear_probe(np.concatenate([z, dead], 1), y, test, num_classes=4),
        linear_probe(z, y, z, num_classes=4),
        atol=1e-6,
    )


def test_cut_takes_the_same_share_of_every_class():
    y = np.repeat([0, 1, 2, 3], [50, 10, 2, 1])
    held = cut(y, share=0.2, seed=1)
    assert np.bincount(y[held], minlength=4).tolist() == [10, 2, 1, 0]
    assert (held == cut(y, share=0.2, seed=1)).all()
    assert (held != cut(y, share=0.2, seed=2)).any()


@pytest.mark.parametrize(
    ("train", "labels", "test", "words"),
    [
        (np.zeros((4, 2)), np.array([0, 1, 0, -1]), np.zeros((1, 2)), "label -1"),
        (np.zeros((4, 2)), np.array([0, 0, 0, 0]), np.zeros((1, 2)), "at least 2"),
        (np.zeros((4, 2)), np.array([0, 1, 0, 1]), np.zeros((1, 3)), r"\[1, 3\]"),
        (np.zeros((4, 2)), np.array([0, 1, 0]), np.zeros((1, 2)), r"\[3\]"),
        (np.array([[0, np.inf], [0, 1]]), np.array([0, 1]), np.zeros((1, 2)), "training clip 0"),
        (np.eye(2), np.array([0, 1]), np.array([[0, 0], [0, np.nan]]), "test clip 1"),
    ],
)
def test_bad_features_are_refused(train, labels, test, words):
    with pytest.raises(DataError, match=words):
        linear_probe(train, labels, test, num_classes=3)


@pytest.mark.parametrize("strengths", [[], [1.0, 0.0], [-1.0]])
def test_bad_strengths_are_refused(strengths):
    z, y = blobs(8)
    with pytest.raises(SettingsError, match="above 0"):
        linear_probe(z, y, z, num_classes=4, strengths=strengths)


def test_the_choice_can_be_had_by_itself():
    z, y = blobs(60, dims=200, noise=9.0)
    chosen = choose_strength(z, y, seed=3)
    wanted = linear_probe(z, y, z[:5], num_classes=4, strengths=[chosen])
    np.testing.assert_array_equal(linear_probe(z, y, z[:5], num_classes=4, seed=3), wanted)
    assert choose_strength(z[:4], y[:4]) == 0.1  # one clip per class leaves nothing to choose by
