"""Models as files that other programs run: ONNX and torch.export, each compared with the model that it was made from."""

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import numpy as np
import torch
from torch import Tensor
from torch.export import Dim, ExportedProgram

from ossein.deploy.bundle import Card
from ossein.deploy.graph import OUTPUT, Graph, input_names, metadata, sample_inputs
from ossein.errors import BundleError, MissingExtra
from ossein.tasks import Recogniser

OPSET = 18
"""The version of ONNX's operators; every runtime since 2023 has it."""

TOLERANCE = 1e-4
"""The most that a probability may differ from the model's."""

KEY = "ossein"
"""Where ONNX files keep our metadata; a `.pt2` file has them in its extra file `ossein.json`."""

_TRACED, _CHECKED = 3, 5
"""Clips to trace with, and more to check with, so that a graph of one batch size is found out."""


def trace(model: Recogniser, card: Card) -> ExportedProgram:
    """The graph of a model for any number of clips N of its own persons M and frames T.

    Those two are part of every model: it refuses batches with others.

    Args:
        model: From a batch to scores.
        card: What the bundle says of it.

    Raises:
        BundleError: torch cannot make a graph of the model.
    """
    graph, clips = Graph(model, card).eval(), Dim("N", min=1)
    shapes = tuple({0: clips} for _ in input_names(card))
    try:
        with torch.no_grad(), _quiet():
            return torch.export.export(graph, sample_inputs(card, _TRACED), dynamic_shapes=shapes)
    except Exception as error:  # torch raises what it likes
        raise _failed(card, error) from error


def to_torch(program: ExportedProgram, card: Card) -> bytes:
    """A `.pt2` file for `torch.export.load` or AOTInductor, with our metadata in its extra file `ossein.json`.

    Args:
        program: What `trace` made.
        card: What the bundle says of the model.
    """
    file = io.BytesIO()
    with _quiet():
        torch.export.save(program, file, extra_files={f"{KEY}.json": json.dumps(metadata(card))})
    return file.getvalue()


def to_onnx(program: ExportedProgram, card: Card) -> bytes:
    """An `.onnx` file, with our metadata under the key `ossein`.

    Args:
        program: What `trace` made.
        card: What the bundle says of the model.

    Raises:
        MissingExtra: onnx, onnxscript or onnxruntime is not installed.
        BundleError: torch has no ONNX for an operation of the model.
    """
    _need_onnx()
    names = input_names(card)
    try:
        with torch.no_grad(), _quiet():
            made = torch.onnx.export(
                program,
                input_names=names,
                output_names=[OUTPUT],
                opset_version=OPSET,
                dynamic_shapes={name: {0: "N"} for name in names},
                verbose=False,
            )
    except Exception as error:
        raise _failed(card, error) from error
    assert made is not None
    made.model.producer_name = KEY
    made.model.metadata_props[KEY] = json.dumps(metadata(card))
    return made.model_proto.SerializeToString()


def check_torch(data: bytes, model: Recogniser, card: Card) -> float:
    """The largest difference of a probability between a `.pt2` file and the model.

    Raises:
        BundleError: It is above `TOLERANCE`.
    """
    with _quiet():
        module = torch.export.load(io.BytesIO(data)).module()
    return _compare(module, model, card)


def check_onnx(data: bytes, model: Recogniser, card: Card) -> float:
    """The largest difference of a probability between an `.onnx` file, as onnxruntime computes it, and the model.

    Raises:
        MissingExtra: onnxruntime is not installed.
        BundleError: The difference is above `TOLERANCE`.
    """
    _need_onnx()
    import onnxruntime

    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])

    def run(*inputs: Tensor) -> Tensor:
        named = {name: value.numpy() for name, value in zip(input_names(card), inputs, strict=True)}
        return torch.from_numpy(np.asarray(session.run([OUTPUT], named)[0]))

    return _compare(run, model, card)


def _compare(run: Callable[..., Tensor], model: Recogniser, card: Card) -> float:
    inputs, graph = sample_inputs(card, _CHECKED), Graph(model, card).eval()
    with torch.no_grad():
        batches = [inputs, tuple(one[:1] for one in inputs), tuple(one[1:2] for one in inputs)]
        difference = max((run(*some) - graph(*some)).abs().max().item() for some in batches)
    # Written so that NaN is refused too.
    if not difference <= TOLERANCE:
        raise BundleError(
            f"the graph and the model '{card.preset}' differ by {difference:.1e} in a probability, expected at most "
            f"{TOLERANCE:g}. Nothing was written; please report it with the versions of torch and onnxruntime."
        )
    return difference


def _failed(card: Card, error: Exception) -> BundleError:
    why = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return BundleError(
        f"model '{card.preset}': torch {torch.__version__} cannot make a graph of it ({why}). Try a newer torch."
    )


def _need_onnx() -> None:
    missing = [name for name in ("onnx", "onnxscript", "onnxruntime") if find_spec(name) is None]
    if missing:
        raise MissingExtra(f"export to ONNX needs {', '.join(missing)}. Install it: pip install 'ossein[export]'")


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporters' remarks on themselves are kept from the screen, and from logs that take all that is said."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.__trace")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
