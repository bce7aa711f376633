"""Label propagation: against the closed form over a dense graph, and the laws that it keeps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossein.errors import DataError, SettingsError
from ossein.evaluate import propagate

K = 3


def clips(seed: int = 0, num: int = 30, dims: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.full(num, -1)
    labels[:6] = [0, 1, 2, 0, 0, 1]
    return rng.normal(size=(num, dims)), labels


def slow(sets: list[np.ndarray], labels: np.ndarray, k: int, share: float) -> np.ndarray:
    """F = (1 - share S)^-1 Y, edge by edge."""
    num = len(labels)
    each = [[row / np.linalg.norm(row) for row in z - z.mean(0)] for z in sets]
    cosine = np.array([[np.mean([one[i] @ one[j] for one in each]) for j in range(num)] for i in range(num)])
    W = np.zeros((num, num))
    for i in range(num):
        near = sorted((j for j in range(num) if j != i), key=lambda j: -cosine[i, j])[:k]
        for j in near:
            W[i, j] += max(cosine[i, j], 0) ** 3
            W[j, i] += max(cosine[i, j], 0) ** 3
    S = np.array(
        [[W[i, j] / np.sqrt(W[i].sum() * W[j].sum()) if W[i, j] else 0 for j in range(num)] for i in range(num)]
    )
    Y = np.array([[(labels[i] == c) / (labels == c).sum() for c in range(K)] for i in range(num)])
    F = np.linalg.solve(np.eye(num) - share * S, Y)
    return F / F.sum(1, keepdims=True)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 100), k=st.integers(5, 20), share=st.sampled_from([0.0, 0.5, 0.9]))
def test_is_the_slow_one(seed: int, k: int, share: float):
    z, labels = clips(seed)
    other = np.random.default_rng(seed + 1000).normal(size=(30, 9))
    if share:
        found = propagate([z, other], labels, num_classes=K, neighbours=k, share=share, chunk=7)
        np.testing.assert_allclose(found, slow([z, other], labels, k, share), atol=1e-3)
    else:
        found = propagate(z, labels, num_classes=K, neighbours=k, share=share)
        assert (found[:6].argmax(1) == labels[:6]).all()
        assert (found[6:] == 0).all()


def test_labels_spread_along_a_curve_where_no_straight_line_parts_the_classes():
    turn = np.linspace(0, 2 * np.pi, 80, endpoint=False)
    height = np.repeat([0.3, -0.3], 80)
    z = np.stack([np.tile(np.cos(turn), 2), np.tile(np.sin(turn), 2), height], 1)
    labels, truth = np.full(160, -1), np.repeat([0, 1], 80)
    labels[[3, 80 + 40]] = [0, 1]
    assert (propagate(z, labels, num_classes=2, neighbours=4).argmax(1) == truth).mean() > 0.95


def test_the_order_of_clips_and_the_scale_of_features_change_nothing():
    z, labels = clips()
    order = np.random.default_rng(0).permutation(len(z))
    whole = propagate([z, z[:, :2]], labels, num_classes=K)
    moved = propagate([100 * z[order] + 3, z[order, :2]], labels[order], num_classes=K)
    np.testing.assert_allclose(moved, whole[order], atol=1e-5)


def test_clips_that_are_all_the_same_share_one_answer():
    labels = np.array([0, 1, -1, -1, -1, -1, -1])
    found = propagate(np.ones((7, 3)), labels, num_classes=2, neighbours=2)
    assert np.isfinite(found).all()
    assert (found[2:] == 0).all()  # about their mean they are nothing, and alike to nobody


def test_what_does_not_fit_together():
    z, labels = clips()
    for bad, wanted in (
        ((z[:5], labels), r"features \[5, 5\] of 30 labels"),
        ((z[:, 0], labels), r"features \[30\]"),
        ((np.where(np.arange(30)[:, None] == 4, np.nan, z), labels), "clip 4 has a feature that is not finite"),
        ((z, np.full(30, -1)), "nothing to spread"),
        (([], labels), "nothing to spread"),
        ((z, np.where(labels == 2, 9, labels)), "label 9, expected 0 to 2"),
    ):
        with pytest.raises(DataError, match=wanted):
            propagate(*bad, num_classes=K)
    for fields, wanted in (
        ({"neighbours": 0}, "0 neighbours of 30 clips. Ask for 1 to 29"),
        ({"neighbours": 30}, "30 neighbours"),
        ({"share": 1.0}, "share 1.0"),
    ):
        with pytest.raises(SettingsError, match=wanted):
            propagate(z, labels, num_classes=K, **fields)
