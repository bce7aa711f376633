"""Encoders: coordinates and what is hidden in, features of every joint and frame out."""

from ossein.encoders.base import Encoder, EncoderSettings, GraphEncoder, to_graphs
from ossein.encoders.gat import GAT
from ossein.encoders.gcn import GCN
from ossein.encoders.gin import GIN
from ossein.skeleton import Skeleton

ENCODERS: dict[str, type[GraphEncoder]] = {"gin": GIN, "gcn": GCN, "gat": GAT}


def build_encoder(skeleton: Skeleton, dims: int, settings: EncoderSettings) -> GraphEncoder:
    """The encoder that the settings describe, with fresh weights."""
    return ENCODERS[settings.kind](skeleton, dims, settings)


__all__ = ["ENCODERS", "GAT", "GCN", "GIN", "Encoder", "EncoderSettings", "GraphEncoder", "build_encoder", "to_graphs"]
