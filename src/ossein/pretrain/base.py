"""The contract of pre-training methods: an objective with an encoder, which is what remains of it."""

from abc import abstractmethod
from typing import Any, Generic, TypeVar

from jaxtyping import Bool, Float
from torch import Tensor

from ossein.clip import Batch
from ossein.draw import Draw
from ossein.encoders import Encoder, read_clips, thin
from ossein.objective import Objective
from ossein.skeleton import Skeleton

E = TypeVar("E", bound=Encoder)


class Pretrainer(Objective, Generic[E]):
    """An objective on clips without labels that leaves an encoder.

    Absent persons and frames change neither loss nor statistics; `tests/pretrain/test_pretrain_conformance.py` checks
    this of every method.

    Subclasses make `encoder`.

    Args:
        skeleton: The V joints.
        dims: C.
        frames: T of the batches.
        persons: M of the batches.
        settings: The method's settings.
    """

    encoder: E
    """What is learned."""

    @abstractmethod
    def __init__(self, skeleton: Skeleton, dims: int, frames: int, persons: int, settings: Any) -> None:
        super().__init__()

    def signature(self, batch: Batch) -> Float[Tensor, "N F"]:
        """What a clip is known by among others: mean and maximum over time of every joint's features, where nothing better.

        Call it in eval mode.
        """
        z = self.encoder(batch.x, batch.score <= 0, batch.present).float()
        return read_clips(z, thin(batch.present, self.encoder.stride))


class MaskedPretrainer(Pretrainer[E]):
    """A method that hides joints and rebuilds them from those that it sees."""

    @abstractmethod
    def draw_hidden(self, batch: Batch, draw: Draw) -> Bool[Tensor, "N M T V"]:
        """What is hidden in training, on the device of the batch."""

    @abstractmethod
    def rebuild(self, batch: Batch, hidden: Bool[Tensor, "N M T V"]) -> Float[Tensor, "N M T V C"]:
        """The batch's coordinates with those of hidden joints rebuilt from the seen ones; without a gradient.

        Call it in eval mode; in train mode statistics would learn from this batch.
        """
