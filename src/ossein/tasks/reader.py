"""The reader: a recogniser that reads every joint's own features, in place of their average over the body."""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor, nn

from ossein.clip import Batch
from ossein.encoders import Encoder, Mixer, MixerSettings, read_joints, thin
from ossein.errors import BundleError
from ossein.nn import BatchNorm, present_rows
from ossein.settings import Settings
from ossein.skeleton import Skeleton
from ossein.tasks.answers import Mean
from ossein.tasks.base import Recogniser


class ReaderSettings(Settings):
    """The recogniser of the preset `ossein`."""

    kind: Literal["reader"] = "reader"
    """Which recogniser."""
    encoder: MixerSettings = MixerSettings()
    dropout: float = Field(default=0.3, ge=0, lt=1)
    """Share of what the head reads that is left out in training."""


class Reader(Recogniser):
    """Mixer -> mean and maximum over time of every joint -> BN, dropout, one linear layer for each branch of the mixer.

    Each branch answers for itself and learns by its own answer; the model's is their mean.
    An average over joints forgets which of them did what, which with few labels cannot be learned anew. Of several
    persons the head reads the mean and the maximum.

    Args:
        skeleton: The V joints.
        dims: C.
        frames: T.
        persons: M.
        num_classes: K.
        settings: The model's settings.
    """

    def __init__(
        self, skeleton: Skeleton, dims: int, frames: int, persons: int, num_classes: int, settings: ReaderSettings
    ) -> None:
        super().__init__(skeleton, dims, frames, persons, num_classes, settings)
        self.encoder = Mixer(skeleton, dims, settings.encoder)
        num, width = len(settings.encoder.reads), (2 if persons > 1 else 1) * 2 * len(skeleton) * settings.encoder.width
        self.norm = BatchNorm(num * width)
        self.num, self.head = num, Heads(num, width, num_classes, settings.dropout)

    def load_encoder(self, encoder: Encoder) -> None:
        """Start from a pre-trained mixer.

        Raises:
            BundleError: It is another encoder, or of another size or for other coordinates.
        """
        own = self.encoder
        if not isinstance(encoder, Mixer) or (encoder.settings, encoder.dims) != (own.settings, own.dims):
            raise BundleError(
                "the pre-trained encoder differs from the model's in kind, size or coordinates. "
                "Give the model the encoder settings of the pre-training."
            )
        own.load_state_dict(encoder.state_dict())

    def features(self, batch: Batch) -> Float[Tensor, "N D"]:
        """What the head reads: mean and maximum of every joint's features, normalised, one branch after the other.

        Raises:
            DataError: The batch does not have the persons, frames, joints and coordinates the model was made for.
        """
        self.check(batch)
        present = batch.present
        z = self.encoder(batch.x, batch.score <= 0, present).float()
        thinned, anyone = thin(present, self.encoder.stride), present.any(-1)
        read = [self._persons(read_joints(one, thinned), anyone) for one in z.chunk(self.num, -1)]
        return self.norm(torch.cat(read, 1), present_rows(anyone.any(1)))

    def answers(self, batch: Batch) -> Float[Tensor, "S N K"]:
        """Of each branch; see `Recogniser.answers`."""
        assert isinstance(self.head, Heads)
        return self.head.answers(self.features(batch))

    def _persons(self, each: Float[Tensor, "N M F"], anyone: Bool[Tensor, "N M"]) -> Float[Tensor, "N F2"]:
        """The mean over persons and, where there can be several, the maximum."""
        read = each.sum(1) / anyone.sum(1, keepdim=True).clamp(min=1)
        if each.shape[1] > 1:
            most = each.masked_fill(~anyone.unsqueeze(-1), float("-inf")).amax(1)
            read = torch.cat([read, most.masked_fill(~anyone.any(1, keepdim=True), 0)], 1)
        return read


class Heads(nn.Module):
    """Dropout and a linear layer for each of several groups of features, and the mean of what they say.

    Args:
        num: S, how many.
        width: F, features of each.
        num_classes: K.
        dropout: Share of the features that is left out in training.
    """

    def __init__(self, num: int, width: int, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.each = nn.ModuleList(nn.Sequential(nn.Dropout(dropout), nn.Linear(width, num_classes)) for _ in range(num))
        self.mean = Mean(num)

    def answers(self, features: Float[Tensor, "N D"]) -> Float[Tensor, "S N K"]:
        """The scores of each, D = S F."""
        parts = features.chunk(len(self.each), 1)
        return torch.stack([head(part) for head, part in zip(self.each, parts, strict=True)])

    def forward(self, features: Float[Tensor, "N D"]) -> Float[Tensor, "N K"]:
        """The logarithm of the mean of their probabilities."""
        return self.mean(self.answers(features).log_softmax(2).transpose(0, 1).flatten(1))
