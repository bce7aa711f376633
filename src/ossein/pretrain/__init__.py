"""Learning without labels."""

from ossein.pretrain.decoders import GraphDecoder
from ossein.pretrain.losses import cosine_error
from ossein.pretrain.masked import SkeletonMAE, SkeletonMAESettings
from ossein.pretrain.masks import Mask, MaskSettings

__all__ = ["GraphDecoder", "Mask", "MaskSettings", "SkeletonMAE", "SkeletonMAESettings", "cosine_error"]
