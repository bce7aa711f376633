"""Sequence-level masked autoencoding: rebuild hidden parts from what the rest of the body does, before and after too."""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from ossein.augment import Occlude
from ossein.clip import Batch
from ossein.draw import Draw
from ossein.encoders import Mixer, MixerSettings
from ossein.objective import Step
from ossein.pretrain.base import MaskedPretrainer
from ossein.settings import Settings
from ossein.skeleton import Skeleton


class TubeSettings(Settings):
    """Which parts are hidden, and for how long: drawn for each clip, the same for all its persons (`augment.Occlude`)."""

    share: float = Field(default=0.5, gt=0, le=1)
    """Share of the parts that are hidden at some time; one is always left."""
    least: float = Field(default=0.3, ge=0, le=1)
    """The shortest time that a part is hidden, as a share of the clip."""
    most: float = Field(default=1.0, ge=0, le=1)
    """The longest."""

    @model_validator(mode="after")
    def _in_order(self) -> "TubeSettings":
        if self.least > self.most:
            raise ValueError("expected least <= most")
        return self


class TubeMAESettings(Settings):
    """The sequence-level masked autoencoder."""

    kind: Literal["tube-mae"] = "tube-mae"
    """Which method."""
    encoder: MixerSettings = MixerSettings()
    mask: TubeSettings = TubeSettings()
    decoder: int = Field(default=96, ge=4, le=4096)
    """Width of the hidden layer of the decoder."""


class TubeMAE(MaskedPretrainer[Mixer]):
    """Hide body parts over stretches of time, rebuild their coordinates: mean square error over what was hidden.

    L = mean over hidden present joints of |y - x|^2 / C, with y read off the features of the joint itself by a small MLP,
    the same for all joints. A part that is hidden throughout has to be told from the rest of the body; one that is hidden
    for a while, from its own past and future as well. (MAE, He et al. 2022, and the skeleton autoencoders of Wu et al.
    2022 and Mao et al. 2023, on a convolutional encoder.)

    Args:
        skeleton: The V joints.
        dims: C.
        frames: T.
        persons: M.
        settings: The method's settings.
    """

    def __init__(self, skeleton: Skeleton, dims: int, frames: int, persons: int, settings: TubeMAESettings) -> None:
        super().__init__(skeleton, dims, frames, persons, settings)
        self.encoder = Mixer(skeleton, dims, settings.encoder)
        self.decoder = nn.Sequential(
            nn.Linear(settings.encoder.width, settings.decoder),
            nn.ReLU(),
            nn.Linear(settings.decoder, settings.encoder.stride * dims),
        )
        self.mask = Occlude(**dict(settings.mask))

    def forward(self, batch: Batch, draw: Draw) -> Step:
        """The loss over all hidden joints that are there."""
        hidden = self.draw_hidden(batch, draw)
        counted = hidden & (batch.score > 0)
        wrong = (self.decode(batch, hidden) - batch.x).square().mean(-1)
        num = counted.sum().float()
        return Step((wrong * counted).sum() / num.clamp(min=1), num)

    def draw_hidden(self, batch: Batch, draw: Draw) -> Bool[Tensor, "N M T V"]:
        """What is hidden: drawn for each clip, the same for all its persons."""
        return self.mask.hidden(batch, draw).unsqueeze(1).expand_as(batch.score)

    def decode(self, batch: Batch, hidden: Bool[Tensor, "N M T V"]) -> Float[Tensor, "N M T V C"]:
        """Coordinates of every joint, read off its features."""
        z = self.encoder(batch.x, hidden | (batch.score <= 0), batch.present)
        y = self.decoder(z).unflatten(-1, (self.encoder.stride, -1))
        # [N M t V stride C]: each step of the encoder stands for `stride` frames.
        return y.transpose(3, 4).flatten(2, 3)[:, :, : batch.x.shape[2]].float()

    @torch.no_grad()
    def rebuild(self, batch: Batch, hidden: Bool[Tensor, "N M T V"]) -> Float[Tensor, "N M T V C"]:
        """The batch's coordinates with those of hidden joints rebuilt; call it in eval mode."""
        rebuilt = self.decode(batch, hidden) * batch.present[..., None, None]
        return torch.where(hidden.unsqueeze(-1), rebuilt, batch.x)
