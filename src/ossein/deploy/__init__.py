"""Using a trained model."""

from ossein.deploy.bundle import Card, load_pretrained, load_recogniser, preset_after, read_card, write_bundle
from ossein.deploy.export import check_onnx, check_torch, to_onnx, to_torch, trace
from ossein.deploy.graph import Graph, metadata
from ossein.deploy.hub import fetch, push, save
from ossein.deploy.modelcard import model_card
from ossein.deploy.predict import Answer, Predictor, load
from ossein.deploy.runtime import find_runtime, unpack_runtime
from ossein.deploy.serve import page_files, recording, serve
from ossein.deploy.stream import Stream
from ossein.deploy.timeline import Segment, Timeline
from ossein.deploy.windows import Span

__all__ = [
    "Answer",
    "Card",
    "Graph",
    "Predictor",
    "Segment",
    "Span",
    "Stream",
    "Timeline",
    "check_onnx",
    "check_torch",
    "fetch",
    "find_runtime",
    "load",
    "load_pretrained",
    "load_recogniser",
    "metadata",
    "model_card",
    "page_files",
    "preset_after",
    "push",
    "read_card",
    "recording",
    "save",
    "serve",
    "to_onnx",
    "to_torch",
    "trace",
    "unpack_runtime",
    "write_bundle",
]
