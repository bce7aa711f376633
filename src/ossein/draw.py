"""Random draws that do not depend on how many processes share a batch.

Every random number of a training step comes from one `Draw`, seeded by (seed, epoch, step). Each process draws the
numbers of the *whole* batch and keeps the rows of its own clips, so two processes see what one would have seen, and a
resumed run needs no stored generator: the seed of a step is known from the step.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class Draw:
    """A generator of per-clip random numbers for one batch.

    Args:
        generator: Where the numbers come from (on the CPU, so that every device sees the same ones).
        rank: Which share of the batch this process holds, from 0.
        world: How many processes share the batch; each holds the same number of clips.

    >>> one = Draw.of(7).uniform((4,))
    >>> two = torch.cat([Draw.of(7, rank=r, world=2).uniform((2,)) for r in range(2)])
    >>> bool((one == two).all())
    True
    """

    generator: torch.Generator = field(repr=False)
    rank: int = 0
    world: int = 1

    @classmethod
    def of(cls, *seed: int, rank: int = 0, world: int = 1) -> "Draw":
        """A draw whose stream is named by one or several whole numbers (seed, epoch, step ...)."""
        return cls(torch.Generator().manual_seed(mix(*seed)), rank, world)

    def uniform(self, shape: tuple[int, ...], low: float = 0.0, high: float = 1.0) -> Tensor:
        """Numbers drawn evenly from [low, high); `shape` starts with the clips of this process."""
        return self._rows(torch.rand(self._whole(shape), generator=self.generator)) * (high - low) + low

    def normal(self, shape: tuple[int, ...]) -> Tensor:
        """Standard normal numbers; `shape` starts with the clips of this process."""
        return self._rows(torch.randn(self._whole(shape), generator=self.generator))

    def _whole(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (shape[0] * self.world, *shape[1:])

    def _rows(self, x: Tensor) -> Tensor:
        own = len(x) // self.world
        return x[self.rank * own : (self.rank + 1) * own]


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
