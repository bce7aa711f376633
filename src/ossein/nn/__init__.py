"""Layers: message passing on the graph of joints, temporal convolution, normalisation."""

from ossein.nn.graph import Conv, GATConv, GCNConv, GINConv, GraphStack, gather
from ossein.nn.norm import BatchNorm, PReLU
from ossein.nn.temporal import MultiScaleTemporal

__all__ = ["BatchNorm", "Conv", "GATConv", "GCNConv", "GINConv", "GraphStack", "MultiScaleTemporal", "PReLU", "gather"]
