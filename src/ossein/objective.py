"""The contract between a method and the training loop: Batch -> Step, and nothing else.

The loop knows no method and no method knows the loop.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from torch import Tensor, nn

from ossein.clip import Batch
from ossein.draw import Draw


@dataclass(frozen=True)
class Step:
    """What one pass over a batch gives back.

    Args:
        loss: The mean loss of the batch, a scalar with a gradient.
        weight: How many equal terms (clips, graphs) the mean runs over: processes that share a batch are averaged
            by it, so that the sum is the mean over the whole batch.
        log: Numbers to show and record beside the loss, already detached.
        counts: For numbers of the log that are means over other terms than the loss, how many those are.
    """

    loss: Tensor
    weight: Tensor
    log: dict[str, Tensor] = field(default_factory=dict)
    counts: dict[str, Tensor] = field(default_factory=dict)


class Objective(nn.Module, ABC):
    """A method that can be trained: a module from a batch to a `Step`."""

    @abstractmethod
    def forward(self, batch: Batch, draw: Draw) -> Step:
        """The loss of a batch. Whatever is random comes from `draw`."""

    def after_step(self, progress: float) -> None:
        """Called after each optimiser step, for teachers and queues.

        Args:
            progress: The share of training that is done, in [0, 1].
        """
