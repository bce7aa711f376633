"""A pre-training method of your own in one file: its settings, the method, a preset, and the two lines that make them known.

    ossein --use examples/03_method.py pretrain arrow gestures.clips --out runs/arrow --model.hidden 32
    ossein --use examples/03_method.py recognise ossein gestures.clips --from runs/arrow

Its settings are flags, its runs resume, its bundles load, and protocols and reports work as for ossein's own methods. A
program imports the file, or calls `ossein.own.use("examples/03_method.py")`.

The method tells clips that run backwards from those that do not (Wei et al. 2018, "Learning and Using the Arrow of Time").
"""

from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import nn

import ossein
from ossein.draw import Draw
from ossein.encoders import Mixer, MixerSettings, read_joints, thin
from ossein.objective import Step
from ossein.pretrain import METHODS, Pretrainer
from ossein.recipes.presets import PRETRAIN, Facts, PretrainSettings
from ossein.settings import Settings


class ArrowSettings(Settings):
    """The direction of time."""

    kind: Literal["arrow"] = "arrow"
    """Which method."""
    encoder: MixerSettings = MixerSettings()
    hidden: int = Field(default=64, ge=1)
    """Width of the layer that reads the direction off the features."""


class Arrow(Pretrainer[Mixer]):
    """Cross-entropy of the direction of time, from what the encoder says of every joint."""

    def __init__(
        self, skeleton: ossein.Skeleton, dims: int, frames: int, persons: int, settings: ArrowSettings
    ) -> None:
        super().__init__(skeleton, dims, frames, persons, settings)
        self.encoder = Mixer(skeleton, dims, settings.encoder)
        width = 2 * len(skeleton) * self.encoder.width
        self.head = nn.Sequential(nn.Linear(width, settings.hidden), nn.ReLU(), nn.Linear(settings.hidden, 1))

    def forward(self, batch: ossein.Batch, draw: Draw) -> Step:
        """Whatever is random comes from the draw, so that a run that was stopped goes on exactly."""
        back = (draw.uniform((len(batch),)) < 0.5).to(batch.x.device)
        turn = back[:, None, None, None]
        x = torch.where(turn[..., None], batch.x.flip(2), batch.x)
        batch = batch.change(x=x, score=torch.where(turn, batch.score.flip(2), batch.score))
        z = self.encoder(batch.x, batch.score <= 0, batch.present)
        told = self.head(read_joints(z, thin(batch.present, self.encoder.stride)).mean(1)).squeeze(1)
        errors = F.binary_cross_entropy_with_logits(told.float(), back.float(), reduction="none")
        there = batch.present.flatten(1).any(1)  # a clip without anyone counts for nothing
        num = there.sum().float()
        right = (((told.detach() > 0) == back) & there).sum() / num.clamp(min=1)
        return Step((errors * there).sum() / num.clamp(min=1), num, {"accuracy": right})


def arrow(facts: Facts) -> PretrainSettings:
    """The direction of time, trained as the preset `ossein` is."""
    return PRETRAIN["ossein"](facts).change(model=ArrowSettings())


METHODS.add(Arrow, ArrowSettings)
PRETRAIN["arrow"] = arrow
