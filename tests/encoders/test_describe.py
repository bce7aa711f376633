"""Descriptions: what is told of a joint, against loops; what stays the same when the camera moves; joints brought over."""

import numpy as np
import pytest
import torch
from torch import Tensor

from ossein.encoders.describe import _SPEED, DESCRIPTIONS, Coordinates, Description, Distances, spread_out
from ossein.skeleton import Skeleton

TRIO = Skeleton.make("trio", ["left_hip", "right_hip", "head", "fin"], [(0, 1), (1, 2), (2, 3)])
B, T, V, C = 4, 7, 4, 2
CHAIN = Skeleton.make("chain", [f"j{number:02}" for number in range(60)], [(i, i + 1) for i in range(59)], centre=[30])


def coordinates(num_joints: int = V, dims: int = C) -> Tensor:
    return torch.randn(B, T, num_joints, dims, generator=torch.Generator().manual_seed(1))


def some_seen(num_joints: int = V) -> Tensor:
    return torch.rand(B, T, num_joints, generator=torch.Generator().manual_seed(2)) < 0.6


def test_coordinates_of_a_joint():
    """Position, velocity since the frame before, bone from the parent, each 0 unless both its ends are seen; and a flag."""
    describe, x, seen = Coordinates(TRIO, C), coordinates(), some_seen()
    out, parents = describe(x, seen), TRIO.parents()
    expected = torch.zeros(B, T, V, describe.num)
    for b, t, v in [(b, t, v) for b in range(B) for t in range(T) for v in range(V)]:
        if not seen[b, t, v]:
            continue
        expected[b, t, v, :C], expected[b, t, v, -1] = x[b, t, v], 1
        if t > 0 and seen[b, t - 1, v]:
            expected[b, t, v, C : 2 * C] = _SPEED * (x[b, t, v] - x[b, t - 1, v])
        if seen[b, t, parents[v]]:
            expected[b, t, v, 2 * C : 3 * C] = x[b, t, v] - x[b, t, parents[v]]
    torch.testing.assert_close(out, expected)
    assert out[..., -1].any()
    assert not out[..., -1].all()


@pytest.mark.parametrize("skeleton", [TRIO, CHAIN], ids=lambda one: one.name)
def test_distances_of_a_joint(skeleton: Skeleton):
    """How far from each other joint, how that changes, how fast it moves, each 0 unless all that it needs are seen; a flag."""
    num = len(skeleton)
    describe, x, seen = Distances(skeleton, C), coordinates(num), some_seen(num)
    out, others = describe(x, seen), spread_out(skeleton, 25)
    expected = torch.zeros(B, T, num, 2 * len(others) + 2)
    for b, t, v in [(b, t, v) for b in range(B) for t in range(T) for v in range(num)]:
        if not seen[b, t, v]:
            continue
        expected[b, t, v, -1] = 1
        before = t > 0 and seen[b, t - 1, v]
        if before:
            expected[b, t, v, -2] = _SPEED * (x[b, t, v] - x[b, t - 1, v]).norm()
        for at, other in enumerate(others):
            if seen[b, t, other]:
                far = (x[b, t, v] - x[b, t, other]).norm()
                expected[b, t, v, at] = far
                if before and seen[b, t - 1, other]:
                    change = far - (x[b, t - 1, v] - x[b, t - 1, other]).norm()
                    expected[b, t, v, len(others) + at] = _SPEED * change
    torch.testing.assert_close(out, expected, rtol=1e-4, atol=2e-5)


def test_distances_are_the_same_from_everywhere():
    x, seen = coordinates(dims=3), some_seen()
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(3)))[0]
    moved = x @ turn + torch.tensor([3.0, -1.0, 2.0])
    torch.testing.assert_close(Distances(TRIO, 3)(moved, seen), Distances(TRIO, 3)(x, seen), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(Coordinates(TRIO, 3)(moved, seen), Coordinates(TRIO, 3)(x, seen), atol=0.1)


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_slopes_are_finite_where_joints_lie_on_each_other(name: str):
    x = torch.zeros(B, T, V, C, requires_grad=True)
    DESCRIPTIONS[name](TRIO, C)(x, torch.ones(B, T, V, dtype=torch.bool)).sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_hidden_joints_say_nothing(name: str):
    describe, x, seen = DESCRIPTIONS[name](TRIO, C), coordinates(), some_seen()
    other = torch.where(seen.unsqueeze(-1), x, torch.full_like(x, torch.nan))
    assert torch.equal(describe(other, seen), describe(x, seen))


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_a_map_brought_to_other_joints_reads_the_same(name: str):
    """Joints in another order: the map says of each what it said before."""
    order = [2, 0, 3, 1]
    here: Description = DESCRIPTIONS[name](TRIO, C)
    there: Description = DESCRIPTIONS[name](TRIO.permuted(order), C)
    weight = torch.randn(5, here.num, generator=torch.Generator().manual_seed(4))
    x, seen = coordinates(), some_seen()
    if name == "coordinates":
        assert TRIO.permuted(order).parents() == tuple(order.index(TRIO.parents()[j]) for j in order)
    before, after = here(x, seen) @ weight.T, there(x[:, :, order], seen[:, :, order]) @ here.brought(weight, there).T
    torch.testing.assert_close(after, before[:, :, order])


def test_a_joint_without_counterpart_is_read_like_any():
    other = Skeleton.make("other", ["head", "tail"], [(0, 1)])
    here, there = Distances(TRIO, C), Distances(other, C)
    weight = torch.arange(10.0).expand(2, 10)
    assert here.brought(weight, there)[0].tolist() == [2, 1.5, 6, 5.5, 8, 9]


def test_those_that_distances_are_measured_to_are_spread_out():
    few = spread_out(CHAIN, 5)
    assert few == (0, 15, 30, 44, 59)
    order = np.random.default_rng(0).permutation(60).tolist()
    assert sorted(order[j] for j in spread_out(CHAIN.permuted(order), 5)) == sorted(few)
    whole = Skeleton.of("coco-17")
    assert spread_out(whole, 25) == tuple(range(17))
