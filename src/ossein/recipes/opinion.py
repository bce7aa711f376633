"""A second opinion beside the teacher's: what the labels say of clips without one, spread over clips that are alike."""

import numpy as np
import torch
from torch import Tensor

from ossein.clip import UNKNOWN
from ossein.evaluate import FLOOR_FRAMES, propagate
from ossein.evaluate.model import encoder_features, signatures
from ossein.recipes.start import Start
from ossein.store import Store
from ossein.train import InputSettings, fixed_batches

_MOST = 20_000
"""Clips without label that are compared, the first in a random order (seed 0): the cost grows with their square."""


def second_opinion(
    store: Store, labelled: np.ndarray, others: np.ndarray, start: Start, input: InputSettings
) -> Tensor:
    """How much every clip of a store is of each class by `ossein.evaluate.propagate`, [clips K]; zeros: nothing is said.

    Clips are alike by three things, each with the same say: where joints are, how they move, and, after a pre-training,
    by what it knows clips by.

    Args:
        store: The data.
        labelled: The clips whose labels may be used.
        others: The clips to say something of; no label of theirs is looked at.
        start: The pre-training, where there was one.
        input: How the model is given clips.
    """
    few = others if len(others) <= _MOST else np.random.default_rng(0).permutation(others)[:_MOST]
    clips = np.concatenate([labelled, few])
    known = np.concatenate([store.labels[labelled], np.full(len(few), UNKNOWN)])
    said = np.zeros((len(store.labels), len(store.classes)), np.float32)
    said[clips] = propagate(_descriptions(store, clips, start, input), known, num_classes=len(store.classes))
    return torch.from_numpy(said)


def _descriptions(store: Store, clips: np.ndarray, start: Start, input: InputSettings) -> list[np.ndarray]:
    found = list(_joints(store, clips, input))
    if start.method is not None:
        found.append(signatures(start.method, store, clips, input))
    elif start.encoder is not None:
        found.append(encoder_features(start.encoder, store, clips, input))
    return found


def _joints(store: Store, clips: np.ndarray, input: InputSettings) -> tuple[np.ndarray, np.ndarray]:
    """Positions and their differences from frame to frame, [N F] each; 0 where a joint is not seen."""
    way = InputSettings(frames=FLOOR_FRAMES, persons=input.persons, normalise=input.normalise, share=1.0)
    places, speeds = [], []
    for batch in fixed_batches(store, clips, way):
        here = (batch.score > 0).unsqueeze(-1)
        places.append((batch.x * here).flatten(1).numpy())
        speeds.append((batch.x.diff(dim=2) * (here[:, :, 1:] & here[:, :, :-1])).flatten(1).numpy())
    return np.concatenate(places), np.concatenate(speeds)
