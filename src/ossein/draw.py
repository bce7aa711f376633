"""Random draws that do not depend on how many processes share a batch.

Every random number of a training step comes from one `Draw`, seeded by (seed, epoch, step). Each process draws the
numbers of the *whole* batch and keeps the rows of its own clips, so two processes see what one would have seen, and a
resumed run needs no stored generator: the seed of a step is known from the step.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class Draw:
    """A generator of per-clip random numbers for one batch.

    Args:
        generator: Where the numbers come from (on the CPU, so that every device sees the same ones).
        rank: Which share of the batch this process holds, from 0.
        world: How many processes share the batch.
        extra: How many of the first processes hold one clip more than the others.

    >>> one = Draw.of(7).uniform((4,))
    >>> two = torch.cat([Draw.of(7, rank=r, world=2).uniform((2,)) for r in range(2)])
    >>> bool((one == two).all())
    True
    """

    generator: torch.Generator = field(repr=False)
    rank: int = 0
    world: int = 1
    extra: int = 0

    @classmethod
    def of(cls, *seed: int, rank: int = 0, world: int = 1, extra: int = 0) -> "Draw":
        """A draw whose stream is named by one or several whole numbers (seed, epoch, step ...)."""
        return cls(torch.Generator().manual_seed(mix(*seed)), rank, world, extra)

    def uniform(self, shape: tuple[int, ...], low: float = 0.0, high: float = 1.0) -> Tensor:
        """Numbers drawn evenly from [low, high); `shape` starts with the clips of this process."""
        return self._own(Tensor.uniform_, shape) * (high - low) + low

    def normal(self, shape: tuple[int, ...]) -> Tensor:
        """Standard normal numbers; `shape` starts with the clips of this process."""
        return self._own(Tensor.normal_, shape)

    def _own(self, draw: Callable[..., Tensor], shape: tuple[int, ...]) -> Tensor:
        out = torch.empty(shape)
        self._fill(out, draw)
        return out

    def _fill(self, out: Tensor, draw: Callable[..., Tensor]) -> None:
        """Put numbers into the memory that is meant for them, which spares noise a copy."""
        if self.world == 1:
            draw(out, generator=self.generator)
            return
        each = len(out) - (self.rank < self.extra)
        first = self.rank * each + min(self.rank, self.extra)
        whole = draw(out.new_empty(each * self.world + self.extra, *out.shape[1:]), generator=self.generator)
        out.copy_(whole[first : first + len(out)])


class Draws(Draw):
    """The draws of several batches as one for all of their clips: each clip gets the numbers that its own batch would give.

    Args:
        draws: One for each batch.
        sizes: Clips of each that this process holds.

    >>> both = Draws((Draw.of(7), Draw.of(8)), (2, 3)).uniform((5,))
    >>> bool((both[2:] == Draw.of(8).uniform((3,))).all())
    True
    """

    draws: tuple[Draw, ...]
    sizes: tuple[int, ...]

    def __init__(self, draws: tuple[Draw, ...], sizes: tuple[int, ...]) -> None:
        super().__init__(draws[0].generator)
        object.__setattr__(self, "draws", draws)
        object.__setattr__(self, "sizes", sizes)

    def _fill(self, out: Tensor, draw: Callable[..., Tensor]) -> None:
        for one, part in zip(self.draws, out.split(self.sizes), strict=True):
            one._fill(part, draw)


def mix(*seed: int) -> int:
    """One well-spread 63-bit number out of several small ones (splitmix64, Steele et al. 2014).

    >>> mix(0, 1) != mix(1, 0)
    True
    """
    state = 0
    for number in seed:
        state = (state + number + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
        state ^= state >> 31
    return state >> 1
