"""Telling clips apart: two views of a clip are to be alike, and unlike those of every other clip."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor, nn

from ossein.augment import AugmentSettings
from ossein.nn import BatchNorm, Places, gather_rows, of_each_joint, present_rows, take_rows
from ossein.settings import Settings

_NOBODY = -100
"""The target of a clip without anybody, which does not count."""


class ContrastSettings(Settings):
    """Two views of a clip, and how they are set against other clips."""

    weight: float = Field(default=1.0, ge=0)
    """How much telling clips apart counts beside rebuilding; 0 to rebuild only."""
    width: int = Field(default=128, ge=2, le=4096)
    """Numbers by which a clip is told from others."""
    temperature: float = Field(default=0.2, gt=0, le=10)
    """How soft the comparison is; with a small one the most alike of the others count most."""
    spoil: AugmentSettings = AugmentSettings(crop=0.5, reshape=0.1)
    """What is done to a clip, beside all that training clips go through, for each of its two views."""


class Contrast(nn.Module):
    """InfoNCE between two views of each clip, over a projection that is thrown away (SimCLR, Chen et al. 2020, Eq 1).

    L = mean over clips i and both directions of -log exp(p_i q_i / t) / sum_j exp(p_i q_j / t), p and q the projections
    of the two views, of length 1. Unlike in the paper only clips of the other view are what a clip is told from. The
    clips of all processes are compared.

    Args:
        features: F, numbers that describe a clip.
        settings: Width and temperature.
    """

    def __init__(self, features: int, settings: ContrastSettings) -> None:
        super().__init__()
        self.temperature = settings.temperature
        self.enter = nn.Linear(features, 2 * settings.width, bias=False)
        self.norm = BatchNorm(2 * settings.width)
        self.leave = nn.Linear(2 * settings.width, settings.width)

    def forward(
        self, first: Float[Tensor, "N F"], second: Float[Tensor, "N F"], exist: Bool[Tensor, " N"]
    ) -> Float[Tensor, ""]:
        """The mean over one's own clips.

        Args:
            first: What the first view of each clip reads as.
            second: The second.
            exist: In which clips there is anybody; the others do not count.
        """
        rows = present_rows(exist)
        p, q = (take_rows(self.project(view, exist), rows) for view in (first, second))
        return (self._tell(p, q, rows) + self._tell(q, p, rows)) / (2 * exist.sum().clamp(min=1))

    def project(self, features: Float[Tensor, "N F"], exist: Bool[Tensor, " N"]) -> Float[Tensor, "N W"]:
        """Where a clip lies on the sphere."""
        h = F.relu(self.norm(self.enter(features), present_rows(exist)))
        return F.normalize(self.leave(h).float(), dim=1)

    def _tell(self, p: Float[Tensor, "R W"], q: Float[Tensor, "R W"], rows: Places) -> Float[Tensor, ""]:
        others, own = gather_rows(q)
        target, like = torch.arange(own, own + len(p), device=p.device), p @ others.T / self.temperature
        exist = of_each_joint(rows, 1)
        if exist is not None:
            # Clips without anybody were not taken out: nothing is told from them, and they from nothing.
            like = like.masked_fill(~gather_rows(exist.unsqueeze(1).to(q.dtype))[0].squeeze(1).bool(), float("-inf"))
            target = target.where(exist, _NOBODY)
        return F.cross_entropy(like, target, ignore_index=_NOBODY, reduction="sum")
