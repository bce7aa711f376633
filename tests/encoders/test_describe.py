"""Descriptions: what is told of a joint, against loops; what stays the same when the camera moves; joints brought over."""

import numpy as np
import pytest
import torch
from torch import Tensor

from ossein.encoders.describe import _SPEED, DESCRIPTIONS, Coordinates, Description, Distances, Relations, spread_out
from ossein.skeleton import Skeleton

TRIO = Skeleton.make("trio", ["left_hip", "right_hip", "head", "fin"], [(0, 1), (1, 2), (2, 3)])
N, M, T, V, C = 2, 3, 7, 4, 2
CHAIN = Skeleton.make("chain", [f"j{number:02}" for number in range(60)], [(i, i + 1) for i in range(59)], centre=[30])


def coordinates(num_joints: int = V, dims: int = C) -> Tensor:
    return torch.randn(N, M, T, num_joints, dims, generator=torch.Generator().manual_seed(1))


def some_seen(num_joints: int = V) -> Tensor:
    return torch.rand(N, M, T, num_joints, generator=torch.Generator().manual_seed(2)) < 0.6


def test_coordinates_of_a_joint():
    """Position, velocity since the frame before, bone from the parent, each 0 unless both its ends are seen; and a flag."""
    describe, x, seen = Coordinates(TRIO, C), coordinates(), some_seen()
    out, parents = describe(x, seen), TRIO.parents()
    expected = torch.zeros(N, M, T, V, describe.num)
    for (*b, t, v), there in np.ndenumerate(seen.numpy()):
        if not there:
            continue
        own, before, whose = expected[*b, t, v], x[*b, t - 1, v], x[*b, t, parents[v]]
        own[:C], own[-1] = x[*b, t, v], 1
        if t > 0 and seen[*b, t - 1, v]:
            own[C : 2 * C] = _SPEED * (x[*b, t, v] - before)
        if seen[*b, t, parents[v]]:
            own[2 * C : 3 * C] = x[*b, t, v] - whose
    torch.testing.assert_close(out, expected)
    assert out[..., -1].any()
    assert not out[..., -1].all()


@pytest.mark.parametrize("skeleton", [TRIO, CHAIN], ids=lambda one: one.name)
def test_distances_of_a_joint(skeleton: Skeleton):
    """How far from each other joint, how that changes, how fast it moves, each 0 unless all that it needs are seen; a flag."""
    num = len(skeleton)
    describe, x, seen = Distances(skeleton, C), coordinates(num), some_seen(num)
    out, others = describe(x, seen), spread_out(skeleton, 25)
    expected = torch.zeros(N, M, T, num, 2 * len(others) + 2)
    for (*b, t, v), there in np.ndenumerate(seen.numpy()):
        if not there:
            continue
        own = expected[*b, t, v]
        own[-1] = 1
        before = t > 0 and seen[*b, t - 1, v]
        if before:
            own[-2] = _SPEED * (x[*b, t, v] - x[*b, t - 1, v]).norm()
        for at, other in enumerate(others):
            if seen[*b, t, other]:
                own[at] = (x[*b, t, v] - x[*b, t, other]).norm()
                if before and seen[*b, t - 1, other]:
                    own[len(others) + at] = _SPEED * (own[at] - (x[*b, t - 1, v] - x[*b, t - 1, other]).norm())
    torch.testing.assert_close(out, expected, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("skeleton", [TRIO, CHAIN], ids=lambda one: one.name)
def test_relations_to_the_nearest_other_person(skeleton: Skeleton):
    """Distances within the body; to each joint of whoever has it nearest, how that changes, and whether any is seen."""
    num = len(skeleton)
    describe, x, seen = Relations(skeleton, C), coordinates(num), some_seen(num)
    out, others, own = describe(x, seen), spread_out(skeleton, 25), Distances(skeleton, C)
    A = len(others)
    assert describe.num == own.num + 2 * A + 1
    assert torch.equal(out[..., : own.num], own(x, seen))
    far = torch.full((N, M, T, num, A), torch.nan)
    for (n, m, t, v), there in np.ndenumerate(seen.numpy()):
        for at, other in enumerate(others):
            each = [(x[n, m, t, v] - x[n, k, t, other]).norm() for k in range(M) if k != m and seen[n, k, t, other]]
            if there and each:
                far[n, m, t, v, at] = min(each)
    change = torch.zeros_like(far)
    change[:, :, 1:] = _SPEED * (far[:, :, 1:] - far[:, :, :-1])
    there = (~far.isnan()).any(-1, keepdim=True)
    expected = torch.cat([far, change, there], -1).nan_to_num(0)
    torch.testing.assert_close(out[..., own.num :], expected, rtol=1e-4, atol=2e-5)
    assert 0 < there.float().mean() < 1


def test_alone_relations_are_distances():
    x, seen = coordinates()[:, :1], some_seen()[:, :1]
    out, own = Relations(TRIO, C)(x, seen), Distances(TRIO, C)(x, seen)
    assert torch.equal(out[..., : own.shape[-1]], own)
    assert not out[..., own.shape[-1] :].any()


def test_distances_are_the_same_from_everywhere():
    x, seen = coordinates(dims=3), some_seen()
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(3)))[0]
    moved = x @ turn + torch.tensor([3.0, -1.0, 2.0])
    for kind in (Distances, Relations):
        torch.testing.assert_close(kind(TRIO, 3)(moved, seen), kind(TRIO, 3)(x, seen), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(Coordinates(TRIO, 3)(moved, seen), Coordinates(TRIO, 3)(x, seen), atol=0.1)


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_slopes_are_finite_where_joints_lie_on_each_other(name: str):
    x = torch.zeros(N, M, T, V, C, requires_grad=True)
    DESCRIPTIONS[name](TRIO, C)(x, torch.ones(N, M, T, V, dtype=torch.bool)).sum().backward()
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
    before, after = here(x, seen) @ weight.T, there(x[..., order, :], seen[..., order]) @ here.brought(weight, there).T
    torch.testing.assert_close(after, before[..., order, :])


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
