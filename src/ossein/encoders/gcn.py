"""The GCN encoder: Semi-Supervised Classification with Graph Convolutional Networks (Kipf and Welling 2017)."""

from ossein.encoders.base import GraphEncoder
from ossein.nn import GCNConv


class GCN(GraphEncoder):
    """A `GraphEncoder` whose joints exchange messages by `GCNConv`."""

    conv = GCNConv
