"""Several recognisers as one: the mean of what they say, as the streams of two- and four-stream networks are fused."""

from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from ossein.augment import StreamName, stream
from ossein.clip import Batch
from ossein.settings import Settings
from ossein.skeleton import Skeleton
from ossein.tasks.answers import Mean
from ossein.tasks.base import RECOGNISERS, Recogniser


class MemberSettings(Settings):
    """One of the recognisers, and what of a clip it is shown."""

    model: Annotated[Settings, RECOGNISERS]
    """The recogniser."""
    stream: StreamName = "joint"
    """What it sees."""
    temperature: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    """What its scores are divided by before the softmax."""


class FusedSettings(Settings):
    """Several recognisers as one."""

    kind: Literal["fused"] = "fused"
    """Which recogniser."""
    members: tuple[MemberSettings, ...] = Field(min_length=1)
    """Its members, each with the same say."""


class Fused(Recogniser):
    """p(class) = mean over members of their p(class); its scores are the logarithms.

    Late fusion, as of the joint and the bone stream of 2s-AGCN (Shi et al. 2019) or of trainings that differ in their seed
    alone. It takes positions and makes of them what each member was trained on.

    Args:
        skeleton: The V joints.
        dims: C.
        frames: T.
        persons: M.
        num_classes: K.
        settings: Of the members.
    """

    def __init__(
        self, skeleton: Skeleton, dims: int, frames: int, persons: int, num_classes: int, settings: FusedSettings
    ) -> None:
        super().__init__(skeleton, dims, frames, persons, num_classes, settings)
        self.settings = settings
        shape = (skeleton, dims, frames, persons, num_classes)
        self.members = nn.ModuleList(RECOGNISERS.of(one.model)(*shape, one.model) for one in settings.members)
        self.head = Mean(len(settings.members))

    def features(self, batch: Batch) -> Float[Tensor, "N D"]:
        """What each member says, one after the other: logarithms of probabilities, D = members * K."""
        self.check(batch)
        told = [
            (member(stream(one.stream)(batch)).float() / one.temperature).log_softmax(1)
            for member, one in zip(self.members, self.settings.members, strict=True)
        ]
        return torch.cat(told, 1)
