"""A training step as one program: `torch.compile` with fixed shapes, so that nothing is compiled twice."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ossein.clip import Batch
from ossein.draw import Draw
from ossein.objective import Step


def compiled(model: nn.Module) -> Callable[[Batch, Draw], Step]:
    """What gives the same as the model, made into programs when it is first called.

    The model itself stays as it is, and so do the names of its weights. Batches must all be of one shape; what of them is
    absent may differ, see `ossein.nn.rows`. Random numbers are drawn between the programs, the same as without them.

    Args:
        model: An objective, or what wraps one for several processes.
    """
    # Programs of an earlier training of this process belong to its model, and only so many may lie beside each other.
    torch.compiler.reset()
    quick = torch.compile(model, dynamic=False)
    aside: Any = torch.compiler.disable

    class Apart(Draw):
        """A draw that is left out: a program for each shape drawn would soon be too many."""

        @aside
        def uniform(self, shape: tuple[int, ...], low: float = 0.0, high: float = 1.0) -> Tensor:
            return super().uniform(shape, low, high)

        @aside
        def normal(self, shape: tuple[int, ...]) -> Tensor:
            return super().normal(shape)

    return lambda batch, draw: quick(batch, Apart(**vars(draw)))
