"""The GAT encoder (Velickovic et al. 2018, Graph Attention Networks)."""

from ossein.encoders.base import EncoderSettings, GraphEncoder
from ossein.nn import GATConv
from ossein.skeleton import Skeleton


class GAT(GraphEncoder):
    """A `GraphEncoder` whose joints exchange messages as in a GAT.

    Args:
        skeleton: The V joints.
        dims: C, coordinates per joint.
        settings: Width and depth.
    """

    conv = GATConv

    def __init__(self, skeleton: Skeleton, dims: int, settings: EncoderSettings) -> None:
        super().__init__(self.conv, skeleton, dims, settings.width, settings.depth)
