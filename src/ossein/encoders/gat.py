"""The GAT encoder: Graph Attention Networks (Velickovic et al. 2018)."""

from ossein.encoders.base import GraphEncoder
from ossein.nn import GATConv


class GAT(GraphEncoder):
    """A `GraphEncoder` whose joints exchange messages by `GATConv`."""

    conv = GATConv
