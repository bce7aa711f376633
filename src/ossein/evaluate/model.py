"""A model's answers on the clips of a store: class scores, and frozen features for probes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ossein.clip import Batch
from ossein.encoders import Encoder, read_clips, thin
from ossein.pretrain import Pretrainer
from ossein.store.sample import Rows
from ossein.tasks import Recogniser
from ossein.train import InputSettings, fixed_batches


def class_scores(
    model: nn.Module,
    store: Rows,
    indices: Sequence[int] | np.ndarray,
    input: InputSettings,
    size: int = 64,
    temperature: float = 1.0,
) -> np.ndarray:
    """Class probabilities of clips, averaged over their test windows: float32 [N K].

    Args:
        model: From a batch to scores before softmax.
        store: Where the clips lie.
        indices: Which clips, N of them.
        input: How the model wants them.
        size: Windows per batch.
        temperature: What scores are divided by before the softmax, see `ossein.evaluate.calibration`.
    """
    return _mean(model, lambda batch: (model(batch).float() / temperature).softmax(1), store, indices, input, size)


def class_logits(
    model: nn.Module, store: Rows, indices: Sequence[int] | np.ndarray, input: InputSettings, size: int = 64
) -> np.ndarray:
    """Scores before softmax of every test window of clips: float32 [N W K]."""
    return _collect(model, lambda batch: model(batch).float(), store, indices, input, size).numpy()


def model_features(
    model: Recogniser, store: Rows, indices: Sequence[int] | np.ndarray, input: InputSettings, size: int = 64
) -> np.ndarray:
    """What a recogniser's head reads, averaged over test windows: float32 [N D]."""
    return _mean(model, lambda batch: model.features(batch).float(), store, indices, input, size)


def encoder_features(
    encoder: Encoder, store: Rows, indices: Sequence[int] | np.ndarray, input: InputSettings, size: int = 64
) -> np.ndarray:
    """A frozen encoder's features of clips: mean and maximum over time of every joint, mean over persons: [N 2*V*D].

    Absent joints are hidden from the encoder. The paper does not evaluate frozen features.
    """

    def pooled(batch: Batch) -> Tensor:
        z = encoder(batch.x, batch.score <= 0, batch.present).float()
        return read_clips(z, thin(batch.present, encoder.stride))

    return _mean(encoder, pooled, store, indices, input, size)


def signatures(
    method: Pretrainer[Any], store: Rows, indices: Sequence[int] | np.ndarray, input: InputSettings, size: int = 64
) -> np.ndarray:
    """What a pre-training knows clips by, averaged over test windows: float32 [N F], see `Pretrainer.signature`."""
    return _mean(method, lambda batch: method.signature(batch).float(), store, indices, input, size)


def _mean(model: nn.Module, answer: Callable[[Batch], Tensor], *how: Any) -> np.ndarray:
    """A model's answer for each clip, the mean over its windows."""
    return _collect(model, answer, *how).mean(1).numpy()


def _collect(
    model: nn.Module,
    answer: Callable[[Batch], Tensor],
    store: Rows,
    indices: Sequence[int] | np.ndarray,
    input: InputSettings,
    size: int,
) -> Tensor:
    """A model's answer for each window of each clip, [N W ...]."""
    device = next(model.parameters()).device
    with _frozen(model):
        parts = [answer(batch.to(device)).cpu() for batch in fixed_batches(store, indices, input, size)]
    return torch.cat(parts).unflatten(0, (-1, input.views))


@contextmanager
def _frozen(model: nn.Module) -> Iterator[None]:
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(training)
