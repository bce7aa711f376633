"""Encoders: coordinates and what is hidden in, features of every joint and frame out."""

from typing import Annotated

from pydantic import Field

from ossein.encoders.base import Encoder, EncoderSettings, GraphEncoder, read_clips, read_joints, thin, to_graphs
from ossein.encoders.gat import GAT
from ossein.encoders.gcn import GCN
from ossein.encoders.gin import GIN
from ossein.encoders.mixer import Mixer, MixerSettings
from ossein.skeleton import Skeleton

GRAPH_ENCODERS: dict[str, type[GraphEncoder]] = {"gin": GIN, "gcn": GCN, "gat": GAT}
"""Those that look at one frame at a time, on the graph of bones."""

ENCODERS: dict[str, type[Encoder]] = {**GRAPH_ENCODERS, "mixer": Mixer}

AnyEncoderSettings = Annotated[EncoderSettings | MixerSettings, Field(discriminator="kind")]
"""The settings of any encoder; their `kind` says of which."""


def build_encoder(skeleton: Skeleton, dims: int, settings: EncoderSettings) -> GraphEncoder:
    """The graph encoder that the settings describe, with fresh weights."""
    return GRAPH_ENCODERS[settings.kind](skeleton, dims, settings)


__all__ = [
    "ENCODERS",
    "GAT",
    "GCN",
    "GIN",
    "GRAPH_ENCODERS",
    "AnyEncoderSettings",
    "Encoder",
    "EncoderSettings",
    "GraphEncoder",
    "Mixer",
    "MixerSettings",
    "build_encoder",
    "read_clips",
    "read_joints",
    "thin",
    "to_graphs",
]
