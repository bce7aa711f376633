"""Layers: message passing on the graph of joints, temporal convolution, normalisation."""

from ossein.nn.graph import GATConv, GCNConv, GINConv, GraphConv, GraphStack, PartitionConv, gather, partitions
from ossein.nn.mixing import JointMixing, MixBlock
from ossein.nn.norm import BatchNorm, PReLU
from ossein.nn.rows import Rows, all_present, present_rows, put_rows, take_rows
from ossein.nn.temporal import MultiScaleTemporal, TemporalConv

__all__ = [
    "BatchNorm",
    "GATConv",
    "GCNConv",
    "GINConv",
    "GraphConv",
    "GraphStack",
    "JointMixing",
    "MixBlock",
    "MultiScaleTemporal",
    "PReLU",
    "PartitionConv",
    "Rows",
    "TemporalConv",
    "all_present",
    "gather",
    "partitions",
    "present_rows",
    "put_rows",
    "take_rows",
]
