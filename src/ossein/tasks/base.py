"""The contract of recognisers: from a batch to class scores, by way of one feature vector for each clip."""

from abc import ABC, abstractmethod
from typing import Annotated, Any

from jaxtyping import Float
from pydantic import AfterValidator, Field
from torch import Tensor, nn

from ossein.clip import Batch
from ossein.encoders import Encoder
from ossein.errors import BundleError, DataError
from ossein.settings import Family
from ossein.skeleton import Skeleton


def _odd(kernel: int) -> int:
    if kernel % 2 == 0:
        raise ValueError("must be odd, so that a frame has as many before it as after")
    return kernel


Kernel = Annotated[int, Field(ge=1, le=15), AfterValidator(_odd)]
"""Frames of a temporal convolution; odd."""


class Recogniser(nn.Module, ABC):
    """Clips in, scores of the classes out.

    Absent persons and frames change no score, and in eval mode a clip's scores depend on no other clip;
    `tests/tasks/test_recogniser_conformance.py` checks this of every recogniser.

    Subclasses give `features` and `head`.

    Args:
        skeleton: The V joints.
        dims: C.
        frames: T.
        persons: M.
        num_classes: K.
        settings: The model's settings.
    """

    shape: tuple[int, int, int, int]
    """The (M, T, V, C) of the batches that it takes."""
    head: nn.Module
    """From features to scores."""

    @abstractmethod
    def __init__(
        self, skeleton: Skeleton, dims: int, frames: int, persons: int, num_classes: int, settings: Any
    ) -> None:
        super().__init__()
        self.shape = (persons, frames, len(skeleton), dims)

    def forward(self, batch: Batch) -> Float[Tensor, "N K"]:
        """Scores of the classes before softmax."""
        return self.head(self.features(batch))

    def answers(self, batch: Batch) -> Float[Tensor, "S N K"]:
        """The scores of each of those whose mean `forward` is: what a training asks for, so that each learns by itself.

        The model's own scores, S = 1, where nobody answers beside it.
        """
        return self(batch).unsqueeze(0)

    @abstractmethod
    def features(self, batch: Batch) -> Float[Tensor, "N D"]:
        """What the head reads. Starts with `check`.

        Raises:
            DataError: The batch does not have the persons, frames, joints and coordinates the model was made for.
        """

    def load_encoder(self, encoder: Encoder) -> None:
        """Start from a pre-trained encoder.

        Raises:
            BundleError: It does not fit this model, or the model has no place for one.
        """
        raise BundleError(
            f"{type(self).__name__} has no place for a pre-trained encoder ({type(encoder).__name__}). "
            "Leave out --from, or choose another preset."
        )

    def check(self, batch: Batch) -> None:
        """Refuse batches of another shape.

        Raises:
            DataError: The batch does not have the persons, frames, joints and coordinates the model was made for.
        """
        if tuple(batch.x.shape[1:]) != self.shape:
            raise DataError(
                f"batch of [M T V C] {list(batch.x.shape[1:])}, the model takes {list(self.shape)}. "
                "Sample the clips to its persons and frames."
            )


RECOGNISERS: Family[Recogniser] = Family("recogniser")
"""Every recogniser, by the kind of its settings; `RECOGNISERS.add` makes one of your own known."""
