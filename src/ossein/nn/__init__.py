"""Layers: message passing on the graph of joints, temporal convolution, normalisation."""

from ossein.nn.across import gather_rows, of_each_process, several_processes, sum_over_processes
from ossein.nn.graph import GATConv, GCNConv, GINConv, GraphConv, GraphStack, PartitionConv, after, gather, partitions
from ossein.nn.linear import Linear, weight_gradient, wide_product
from ossein.nn.mixing import JointMixing, MixBlock
from ossein.nn.norm import BatchNorm, PReLU
from ossein.nn.rows import Places, all_present, of_each_joint, present_rows, put_rows, take_rows
from ossein.nn.temporal import MultiScaleTemporal, TemporalConv, along_time

__all__ = [
    "BatchNorm",
    "GATConv",
    "GCNConv",
    "GINConv",
    "GraphConv",
    "GraphStack",
    "JointMixing",
    "Linear",
    "MixBlock",
    "MultiScaleTemporal",
    "PReLU",
    "PartitionConv",
    "Places",
    "TemporalConv",
    "after",
    "all_present",
    "along_time",
    "gather",
    "gather_rows",
    "of_each_joint",
    "of_each_process",
    "partitions",
    "present_rows",
    "put_rows",
    "several_processes",
    "sum_over_processes",
    "take_rows",
    "weight_gradient",
    "wide_product",
]
