"""Learning with labels: recognisers, each built from its settings by their `kind`, and how they are trained."""

from typing import Annotated

from ossein.settings import Settings
from ossein.skeleton import Skeleton
from ossein.tasks.base import RECOGNISERS, Recogniser
from ossein.tasks.fused import Fused, FusedSettings, MemberSettings
from ossein.tasks.reader import Reader, ReaderSettings
from ossein.tasks.recognise import Recognise
from ossein.tasks.stgcn import STGCN, STGCNSettings
from ossein.tasks.strl import STRL, STRLSettings
from ossein.tasks.teach import Teach, TeachSettings

RECOGNISERS.add(STRL, STRLSettings)
RECOGNISERS.add(STGCN, STGCNSettings)
RECOGNISERS.add(Reader, ReaderSettings)
RECOGNISERS.add(Fused, FusedSettings)

RecogniserSettings = Annotated[Settings, RECOGNISERS]
"""The settings of any recogniser; their `kind` says of which."""


def build_recogniser(
    skeleton: Skeleton, dims: int, frames: int, persons: int, num_classes: int, settings: RecogniserSettings
) -> Recogniser:
    """The recogniser that the settings describe, with fresh weights.

    Args:
        skeleton: The V joints.
        dims: C.
        frames: T.
        persons: M.
        num_classes: K.
        settings: Of any recogniser.
    """
    return RECOGNISERS.of(settings)(skeleton, dims, frames, persons, num_classes, settings)


__all__ = [
    "RECOGNISERS",
    "STGCN",
    "STRL",
    "Fused",
    "FusedSettings",
    "MemberSettings",
    "Reader",
    "ReaderSettings",
    "Recognise",
    "Recogniser",
    "RecogniserSettings",
    "STGCNSettings",
    "STRLSettings",
    "Teach",
    "TeachSettings",
    "build_recogniser",
]
