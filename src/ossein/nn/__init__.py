"""Layers: message passing on the graph of joints, temporal convolution, normalisation."""

from ossein.nn.graph import GATConv, GCNConv, GINConv, GraphConv, GraphStack, gather
from ossein.nn.norm import BatchNorm, PReLU
from ossein.nn.temporal import MultiScaleTemporal

__all__ = [
    "BatchNorm",
    "GATConv",
    "GCNConv",
    "GINConv",
    "GraphConv",
    "GraphStack",
    "MultiScaleTemporal",
    "PReLU",
    "gather",
]
