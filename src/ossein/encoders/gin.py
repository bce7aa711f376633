"""The GIN encoder (Xu et al. 2019, How Powerful are Graph Neural Networks?)."""

from ossein.encoders.base import EncoderSettings, GraphEncoder
from ossein.nn import GINConv
from ossein.skeleton import Skeleton


class GIN(GraphEncoder):
    """A `GraphEncoder` whose joints exchange messages as in a GIN.

    Args:
        skeleton: The V joints.
        dims: C, coordinates per joint.
        settings: Width and depth.
    """

    conv = GINConv

    def __init__(self, skeleton: Skeleton, dims: int, settings: EncoderSettings) -> None:
        super().__init__(self.conv, skeleton, dims, settings.width, settings.depth)
