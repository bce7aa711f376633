"""Augmentation: a batch in, a batch out. Normalise first, then augment, then choose the stream."""

from ossein.augment.base import Augment, Compose, Identity, Transform, planes
from ossein.augment.corrupt import DropFrames, DropJoints, Jitter, Reshape
from ossein.augment.normalise import NORMALISE, CentreScale, Facing, ImageSize, NormaliseName, normaliser
from ossein.augment.occlude import Occlude
from ossein.augment.settings import AugmentSettings, build
from ossein.augment.space import Mirror, Move, Rotate, Scale, Shear
from ossein.augment.streams import STREAMS, Bone, BoneMotion, Motion, StreamName, stream
from ossein.augment.time import Crop

__all__ = [
    "NORMALISE",
    "STREAMS",
    "Augment",
    "AugmentSettings",
    "Bone",
    "BoneMotion",
    "CentreScale",
    "Compose",
    "Crop",
    "DropFrames",
    "DropJoints",
    "Facing",
    "Identity",
    "ImageSize",
    "Jitter",
    "Mirror",
    "Motion",
    "Move",
    "NormaliseName",
    "Occlude",
    "Reshape",
    "Rotate",
    "Scale",
    "Shear",
    "StreamName",
    "Transform",
    "build",
    "normaliser",
    "planes",
    "stream",
]
