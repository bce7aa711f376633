"""The GIN encoder: How Powerful are Graph Neural Networks? (Xu et al. 2019)."""

from ossein.encoders.base import GraphEncoder
from ossein.nn import GINConv


class GIN(GraphEncoder):
    """A `GraphEncoder` whose joints exchange messages by `GINConv`."""

    conv = GINConv
