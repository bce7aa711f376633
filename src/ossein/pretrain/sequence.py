"""Pre-training on sequences: rebuild hidden parts from what the rest of the body does, and tell clips apart."""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from ossein.augment import Occlude, build
from ossein.clip import Batch
from ossein.draw import Draw
from ossein.encoders import Mixer, MixerSettings, read_clips, thin
from ossein.objective import Step
from ossein.pretrain.base import MaskedPretrainer
from ossein.pretrain.contrast import Contrast, ContrastSettings
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
    contrast: ContrastSettings = ContrastSettings()
    """How clips are told apart as well."""


class TubeMAE(MaskedPretrainer[Mixer]):
    """Hide body parts over stretches of time, rebuild their coordinates, and know the clip by what is left of it.

    L = mean over clips of [mean over hidden present joints of |y - x|^2 / C] + weight * InfoNCE.

    Rebuilding: y is read off the features of the joint itself by a small MLP, the same for all joints. A part that is
    hidden throughout has to be told from the rest of the body; one that is hidden for a while, from its own past and
    future as well (MAE, He et al. 2022, and the skeleton autoencoders of Wu et al. 2022 and Mao et al. 2023, on a
    convolutional encoder). A linear probe reads what it leaves by itself worse than random features (`docs/log.md`).

    Contrast: the features of one view of the clip, mean and maximum over time of every joint, are to be like those of
    another one, and unlike other clips' (`Contrast`), for each branch of the encoder by itself. A view is a stretch of the clip, turned, on a body of another
    shape. Nothing is hidden from either: where one arm makes the gesture, a view without it is of no gesture.

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
            nn.Linear(self.encoder.width, settings.decoder),
            nn.ReLU(),
            nn.Linear(settings.decoder, settings.encoder.stride * dims),
        )
        self.mask = Occlude(**dict(settings.mask))
        self.weight, self.spoil = settings.contrast.weight, build(settings.contrast.spoil)
        features, num = 2 * len(skeleton) * settings.encoder.width, len(settings.encoder.reads)
        self.contrast = nn.ModuleList(Contrast(features, settings.contrast) for _ in range(num if self.weight else 0))

    def forward(self, batch: Batch, draw: Draw) -> Step:
        """The loss of a batch; `rebuild` and `contrast` of the log are its two terms."""
        hidden, exist = self.draw_hidden(batch, draw), batch.present.flatten(1).any(1)
        z, num = self.encode(batch, hidden), exist.sum().float()
        loss = self._wrong(batch, hidden, z).sum() / num.clamp(min=1)
        if not self.contrast:
            return Step(loss, num)
        views = [self.spoil(batch, draw) for _ in range(2)]
        both = zip(self.contrast, *(self.read(self.encode(view), view) for view in views), strict=True)
        apart = torch.stack([contrast(first, second, exist) for contrast, first, second in both]).mean()
        return Step(loss + self.weight * apart, num, {"rebuild": loss.detach(), "contrast": apart.detach()})

    def _wrong(self, batch: Batch, hidden: Bool[Tensor, "N M T V"], z: Tensor) -> Float[Tensor, " N"]:
        """The mean square error over the hidden joints of each clip that are there."""
        counted = (hidden & (batch.score > 0)).flatten(1)
        errors = (self._coordinates(z, batch.x.shape[2]) - batch.x).square().mean(-1).flatten(1)
        return (errors * counted).sum(1) / counted.sum(1).clamp(min=1)

    def draw_hidden(self, batch: Batch, draw: Draw) -> Bool[Tensor, "N M T V"]:
        """What is hidden: drawn for each clip, the same for all its persons."""
        return self.mask.hidden(batch, draw).unsqueeze(1).expand_as(batch.score)

    def encode(self, batch: Batch, hidden: Bool[Tensor, "N M T V"] | None = None) -> Float[Tensor, "N M t V D"]:
        """Features of every joint, from those that are there and not hidden."""
        absent = batch.score <= 0
        return self.encoder(batch.x, absent if hidden is None else absent | hidden, batch.present)

    def read(self, z: Float[Tensor, "N M t V D"], batch: Batch) -> list[Tensor]:
        """What clips are told apart by: each branch of the encoder does it by itself, [N F]."""
        present = thin(batch.present, self.encoder.stride)
        return [read_clips(one, present) for one in z.float().chunk(len(self.contrast), -1)]

    def signature(self, batch: Batch) -> Float[Tensor, "N F"]:
        """What clips were told apart by, where they were; see `Pretrainer.signature`."""
        if not self.contrast:
            return super().signature(batch)
        exist, read = batch.present.flatten(1).any(1), self.read(self.encode(batch), batch)
        each = [one for one in self.contrast if isinstance(one, Contrast)]
        return torch.cat([one.project(told, exist) for one, told in zip(each, read, strict=True)], 1)

    def decode(self, batch: Batch, hidden: Bool[Tensor, "N M T V"]) -> Float[Tensor, "N M T V C"]:
        """Coordinates of every joint, read off its features."""
        return self._coordinates(self.encode(batch, hidden), batch.x.shape[2])

    def _coordinates(self, z: Float[Tensor, "N M t V D"], num_frames: int) -> Float[Tensor, "N M T V C"]:
        y = self.decoder(z).unflatten(-1, (self.encoder.stride, -1))
        # [N M t V stride C]: each step of the encoder stands for `stride` frames.
        return y.transpose(3, 4).flatten(2, 3)[:, :, :num_frames].float()

    @torch.no_grad()
    def rebuild(self, batch: Batch, hidden: Bool[Tensor, "N M T V"]) -> Float[Tensor, "N M T V C"]:
        """The batch's coordinates with those of hidden joints rebuilt; call it in eval mode."""
        rebuilt = self.decode(batch, hidden) * batch.present[..., None, None]
        return torch.where(hidden.unsqueeze(-1), rebuilt, batch.x)
