"""The reader: a recogniser that reads every joint's own features, in place of their average over the body."""

from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from ossein.clip import Batch
from ossein.encoders import Encoder, Mixer, MixerSettings, read_joints, thin
from ossein.errors import BundleError
from ossein.nn import BatchNorm, present_rows
from ossein.settings import Settings
from ossein.skeleton import Skeleton
from ossein.tasks.base import Recogniser


class ReaderSettings(Settings):
    """The recogniser of the preset `ossein`."""

    kind: Literal["reader"] = "reader"
    """Which recogniser."""
    encoder: MixerSettings = MixerSettings()
    dropout: float = Field(default=0.3, ge=0, lt=1)
    """Share of what the head reads that is left out in training."""


class Reader(Recogniser):
    """Mixer -> mean and maximum over time of every joint -> BN, dropout, one linear layer.

    An average over joints forgets which of them did what, which with few labels cannot be learned anew. Persons are
    encoded one by one; the head reads their mean and, where there can be several, the maximum over them.

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
        width = (2 if persons > 1 else 1) * 2 * len(skeleton) * settings.encoder.width
        self.norm = BatchNorm(width)
        self.head = nn.Sequential(nn.Dropout(settings.dropout), nn.Linear(width, num_classes))

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
        """What the head reads: mean and maximum of every joint's features, normalised.

        Raises:
            DataError: The batch does not have the persons, frames, joints and coordinates the model was made for.
        """
        self.check(batch)
        present = batch.present
        z = self.encoder(batch.x, batch.score <= 0, present).float()
        each = read_joints(z, thin(present, self.encoder.stride))
        anyone = present.any(-1)
        read = each.sum(1) / anyone.sum(1, keepdim=True).clamp(min=1)
        if each.shape[1] > 1:
            most = each.masked_fill(~anyone.unsqueeze(-1), float("-inf")).amax(1)
            read = torch.cat([read, most.masked_fill(~anyone.any(1, keepdim=True), 0)], 1)
        return self.norm(read, present_rows(anyone.any(1)))
