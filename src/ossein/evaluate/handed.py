"""Whether the clips of a data set have a side: if everybody waves with the right hand, a mirrored clip is another one."""

from collections.abc import Sequence

import numpy as np

from ossein.augment import Mirror
from ossein.draw import Draw
from ossein.store.sample import Rows
from ossein.train import InputSettings, fixed_batches

_FRAMES = 16
"""T at which clips are compared; as many as the floor sees."""
_MOST = 1000
"""Clips that are compared; more would not tell more."""
_UNDECIDED = 5
"""Clips for either side that are counted in beforehand, so that a handful of clips decides nothing."""


def handedness(store: Rows, clips: Sequence[int] | np.ndarray, people: np.ndarray | None = None) -> float:
    """The share of clips that lie nearer to another one as they are than in the mirror; no label is looked at.

    It is about 0.5 where left and right are used alike, or mean nothing, and 1 where everybody moves the same side. In
    the latter case mirrored clips are not what the model will meet, and 'swipe left' mirrored is 'swipe right': measured
    on held-out people of MSR-Action3D (0.90) mirroring in training costs five points, see docs/log.md.

    Clips are compared by the joints and velocities of their first person at 16 frames, normalised as for training. The
    other clip is one of another person where people are known: somebody's own repetitions always lie nearest.

    Args:
        store: Where the clips lie.
        clips: Which clips, one or more; of many, a thousand are drawn (seed 0).
        people: The person of every clip of the store, below 0 where unknown; None where nobody is known.
    """
    some = np.unique(clips)
    some = some if len(some) <= _MOST else np.sort(np.random.default_rng(0).permutation(some)[:_MOST])
    plain, mirrored = _both(store, some)
    near, far = (_nearest(z, plain, _others(some, people)) for z in (plain, mirrored))
    known = np.isfinite(near) & np.isfinite(far) & (near != far)
    return float(((near < far)[known].sum() + _UNDECIDED) / (known.sum() + 2 * _UNDECIDED))


def _both(store: Rows, clips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features of the clips and of their mirror images, [N F] each."""
    spatial = store.skeleton.up is not None and store.skeleton.across is not None
    three = store.take_rows(store.start[clips[:1]])[0].shape[-1] == 3
    way = InputSettings(frames=_FRAMES, persons=1, normalise="facing" if three and spatial else "centre", share=1.0)
    plain, mirrored = [], []
    for batch in fixed_batches(store, clips, way):
        for found, seen in ((plain, batch), (mirrored, Mirror(1.0)(batch, Draw.of(0)))):
            x = (seen.x * (seen.score > 0).unsqueeze(-1)).numpy()[:, 0]
            found.append(np.concatenate([x.reshape(len(x), -1), 3 * np.diff(x, axis=1).reshape(len(x), -1)], 1))
    return np.concatenate(plain), np.concatenate(mirrored)


def _others(clips: np.ndarray, people: np.ndarray | None) -> np.ndarray:
    """Which clips [N] each clip [N] may be compared with."""
    apart = ~np.eye(len(clips), dtype=bool)
    if people is None:
        return apart
    who = np.asarray(people)[clips]
    return apart & ((who[:, None] != who) | (who < 0))


def _nearest(z: np.ndarray, among: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """The squared distance [N] from each row to the nearest allowed one; infinite where none is allowed."""
    squares = (z**2).sum(1)[:, None] + (among**2).sum(1) - 2 * z @ among.T
    return np.where(allowed, squares, np.inf).min(1, initial=np.inf)
