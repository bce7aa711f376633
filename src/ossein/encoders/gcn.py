"""The GCN encoder (Kipf and Welling 2017, Semi-Supervised Classification with Graph Convolutional Networks)."""

from ossein.encoders.base import EncoderSettings, GraphEncoder
from ossein.nn import GCNConv
from ossein.skeleton import Skeleton


class GCN(GraphEncoder):
    """A `GraphEncoder` whose joints exchange messages as in a GCN.

    Args:
        skeleton: The V joints.
        dims: C, coordinates per joint.
        settings: Width and depth.
    """

    conv = GCNConv

    def __init__(self, skeleton: Skeleton, dims: int, settings: EncoderSettings) -> None:
        super().__init__(self.conv, skeleton, dims, settings.width, settings.depth)
