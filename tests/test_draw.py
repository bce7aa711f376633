"""Draws: named by their seed, and the same however many processes share a batch."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ossein.draw import Draw, mix


@settings(max_examples=20, deadline=None)
@given(clips=st.integers(1, 13), world=st.integers(1, 4), seed=st.integers(0, 2**40))
def test_processes_together_draw_what_one_would(clips: int, world: int, seed: int):
    each, extra = divmod(clips, world)

    def numbers(draw: Draw, num: int) -> list[torch.Tensor]:
        return [draw.uniform((num, 3), -2, 5), draw.normal((num,)), draw.uniform((num,))]

    one = numbers(Draw.of(seed), clips)
    shares = [numbers(Draw.of(seed, rank=r, world=world, extra=extra), each + (r < extra)) for r in range(world)]
    for i, whole in enumerate(one):
        assert torch.equal(torch.cat([share[i] for share in shares]), whole)


def test_uniform_fills_its_range_and_normal_is_standard():
    x = Draw.of(0).uniform((2000, 5), -1, 3)
    assert x.shape == (2000, 5)
    assert -1 <= x.min() < -0.99
    assert 2.99 < x.max() <= 3
    assert abs(x.mean() - 1) < 0.05
    z = Draw.of(0).normal((2000, 5))
    assert abs(z.mean()) < 0.05
    assert abs(z.std() - 1) < 0.05


def test_the_global_generator_is_neither_used_nor_moved():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    a = Draw.of(1, 2).uniform((4,))
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(1)
    assert torch.equal(a, Draw.of(1, 2).uniform((4,)))


def test_a_draw_goes_on():
    draw = Draw.of(3)
    assert not torch.equal(draw.uniform((4,)), draw.uniform((4,)))


def test_neighbouring_seeds_give_unrelated_numbers():
    seeds = [mix(a, b, c) for a in range(8) for b in range(8) for c in range(8)]
    assert len(set(seeds)) == 512
    assert all(0 <= seed < 2**63 for seed in seeds)
    ones = [sum((seed >> bit) & 1 for seed in seeds) / 512 for bit in range(63)]
    assert min(ones) > 0.35
    assert max(ones) < 0.65
    first = torch.stack([Draw.of(0, 0, step).uniform((1,)) for step in range(512)]).flatten()
    assert abs(first.mean() - 0.5) < 0.05


@pytest.mark.parametrize(("a", "b"), [((0,), (0, 0)), ((1, 2), (2, 1)), ((0, 1), (1, 0)), ((3,), (0, 3))])
def test_order_and_number_of_seeds_count(a: tuple[int, ...], b: tuple[int, ...]):
    assert mix(*a) != mix(*b)


def test_splitmix_is_the_published_one():
    # The first output of the generator of Steele et al. for state 0, as in java.util.SplittableRandom.
    assert mix(0) == 0xE220A8397B1DCDAF >> 1
