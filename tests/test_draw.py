"""Draws: named by their seed, and the same however many processes share a batch."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ossein.draw import Draw, Draws, mix


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


@pytest.mark.parametrize("shape", [(1,), (5, 3), (7, 2, 17, 3)])  # torch draws fewer than 16 normal numbers otherwise
def test_numbers_are_those_of_the_generator(shape: tuple[int, ...]):
    draw, generator = Draw.of(1, 2), torch.Generator().manual_seed(mix(1, 2))
    assert torch.equal(draw.normal(shape), torch.randn(shape, generator=generator))
    assert torch.equal(draw.uniform(shape), torch.rand(shape, generator=generator))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 3), st.integers(0, 2)), min_size=1, max_size=4))
def test_draws_of_several_batches_are_theirs_side_by_side(batches: list[tuple[int, int, int]]):
    def draws() -> list[Draw]:
        worlds = ((world, min(rank, world - 1)) for _, world, rank in batches)
        return [Draw.of(3, k, rank=rank, world=world) for k, (world, rank) in enumerate(worlds)]

    sizes = tuple(size for size, _, _ in batches)
    alone, together = draws(), Draws(tuple(draws()), sizes)
    for name in ("normal", "uniform", "normal"):  # they go on, too
        own = [getattr(draw, name)((size, 17)) for draw, size in zip(alone, sizes, strict=True)]
        assert torch.equal(getattr(together, name)((sum(sizes), 17)), torch.cat(own))
