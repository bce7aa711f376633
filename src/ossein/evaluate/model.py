"""A model's answers on the clips of a store: class scores, and frozen features for probes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from ossein.clip import Batch
from ossein.encoders import Encoder
from ossein.store.sample import Rows
from ossein.tasks import Recogniser
from ossein.train import InputSettings, fixed_batches


def class_scores(
    model: nn.Module, store: Rows, indices: Sequence[int] | np.ndarray, input: InputSettings, size: int = 64
) -> np.ndarray:
    """Class probabilities of clips, averaged over their test windows: float32 [N K].

    Args:
        model: From a batch to scores before softmax.
        store: Where the clips lie.
        indices: Which clips, N of them.
        input: How the model wants them.
        size: Windows per batch.
    """
    return _collect(model, lambda batch: model(batch).float().softmax(1), store, indices, input, size)


def model_features(
    model: Recogniser, store: Rows, indices: Sequence[int] | np.ndarray, input: InputSettings, size: int = 64
) -> np.ndarray:
    """What a recogniser's head reads, averaged over test windows: float32 [N D]."""
    return _collect(model, lambda batch: model.features(batch).float(), store, indices, input, size)


def encoder_features(
    encoder: Encoder, store: Rows, indices: Sequence[int] | np.ndarray, input: InputSettings, size: int = 64
) -> np.ndarray:
    """A frozen encoder's features of clips: mean over persons and frames that are present, joints kept: [N V*D].

    The paper does not evaluate frozen features; keeping the joints apart follows the fine-tuning heads of later work.
    """

    def pooled(batch: Batch) -> Tensor:
        present = batch.present
        z = encoder(batch.x, None, present).float()
        return z.sum((1, 2)).flatten(1) / present.sum((1, 2)).clamp(min=1).unsqueeze(1)

    return _collect(encoder, pooled, store, indices, input, size)


def _collect(
    model: nn.Module,
    answer: Callable[[Batch], Tensor],
    store: Rows,
    indices: Sequence[int] | np.ndarray,
    input: InputSettings,
    size: int,
) -> np.ndarray:
    device = next(model.parameters()).device
    with _frozen(model):
        parts = [answer(batch.to(device)).cpu() for batch in fixed_batches(store, indices, input, size)]
    whole = torch.cat(parts)
    return whole.unflatten(0, (-1, input.views)).mean(1).numpy()


@contextmanager
def _frozen(model: nn.Module) -> Iterator[None]:
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(training)
