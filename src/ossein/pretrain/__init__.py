"""Learning without labels: methods, each built from its settings by their `kind`, and the parts they share."""

from typing import Annotated

from ossein.pretrain.base import MaskedPretrainer, Pretrainer
from ossein.pretrain.contrast import Contrast, ContrastSettings
from ossein.pretrain.decoders import GraphDecoder
from ossein.pretrain.losses import cosine_error
from ossein.pretrain.masked import SkeletonMAE, SkeletonMAESettings
from ossein.pretrain.masks import Mask, MaskSettings
from ossein.pretrain.sequence import TubeMAE, TubeMAESettings
from ossein.settings import Family, Settings
from ossein.skeleton import Skeleton

METHODS: Family[Pretrainer] = Family("method")
"""Every method, by the kind of its settings; `METHODS.add` makes one of your own known."""
METHODS.add(SkeletonMAE, SkeletonMAESettings)
METHODS.add(TubeMAE, TubeMAESettings)

PretrainerSettings = Annotated[Settings, METHODS]
"""The settings of any method; their `kind` says of which."""


def build_method(skeleton: Skeleton, dims: int, frames: int, persons: int, settings: PretrainerSettings) -> Pretrainer:
    """The method that the settings describe, with fresh weights.

    Args:
        skeleton: The V joints.
        dims: C.
        frames: T.
        persons: M.
        settings: Of any method.
    """
    return METHODS.of(settings)(skeleton, dims, frames, persons, settings)


__all__ = [
    "METHODS",
    "Contrast",
    "ContrastSettings",
    "GraphDecoder",
    "Mask",
    "MaskSettings",
    "MaskedPretrainer",
    "Pretrainer",
    "PretrainerSettings",
    "SkeletonMAE",
    "SkeletonMAESettings",
    "TubeMAE",
    "TubeMAESettings",
    "build_method",
    "cosine_error",
]
