"""Whole batches out of a store by index arithmetic: windows of clips, resampled to one length.

A window of a clip of L frames has a width w in [1, L] and a start s in [0, L - w], both fractions of frames; T positions
lie evenly from s to s + w - 1. Between two frames joints are interpolated linearly; where one of the two is absent the
other is taken, and where both are, the joint is absent. No clip is visited by Python on its own.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ossein.clip import Batch
from ossein.draw import Draw
from ossein.errors import DataError, SettingsError
from ossein.store.resident import Resident
from ossein.store.rows import Rows

_SNAP = 1e-6
"""A position this near to a frame is that frame, so that rounding never mixes in a neighbour."""


def sample_train(
    store: Rows | Resident,
    indices: Sequence[int] | np.ndarray,
    frames: int,
    draw: Draw | None = None,
    crop: tuple[float, float] = (0.5, 1.0),
    persons: int | None = None,
) -> Batch:
    """A batch of one random window per clip: its width is a share u ~ U(crop) of the clip, its start is drawn evenly.

    Args:
        store: Where the clips lie.
        indices: Clip numbers, N of them; with a `draw` of several processes, those of this process.
        frames: T, the frames of every clip in the batch.
        draw: Where random numbers come from; without it each number is the middle of its range.
        crop: The least and the most share of a clip that a window covers, in (0, 1].
        persons: M, the persons of every clip in the batch: the first ones are kept, missing ones get score 0. As many
            as the store's clips have at most, where not given.

    Raises:
        SettingsError: A setting is out of range.
        DataError: There is no such clip.
    """
    low, high = crop
    if not 0 < low <= high <= 1:
        raise SettingsError(f"crop {low} to {high}: expected two shares, 0 < least <= most <= 1.")
    index = _index(store, indices)
    middle = torch.full((len(index),), 0.5)
    share, place = ((draw.uniform((len(index),)) if draw else middle).double() for _ in range(2))
    length = torch.from_numpy(store.frames[index].astype(np.float64))
    width = ((low + (high - low) * share) * length).clamp(min=1)
    return _gather(store, index, place * (length - width), width, frames, persons)


def sample_test(
    store: Rows | Resident,
    indices: Sequence[int] | np.ndarray,
    frames: int,
    share: float = 0.95,
    views: int = 1,
    persons: int | None = None,
) -> Batch:
    """A batch of fixed windows: one in the middle of each clip, or several spread evenly from its start to its end.

    Args:
        store: Where the clips lie.
        indices: Clip numbers, N of them.
        frames: T, the frames of every clip in the batch.
        share: The share of a clip that a window covers, in (0, 1].
        views: Windows per clip; the batch holds N * views clips, those of one clip beside each other.
        persons: As in `sample_train`.

    Raises:
        SettingsError: A setting is out of range.
        DataError: There is no such clip.
    """
    if not 0 < share <= 1:
        raise SettingsError(f"share {share}: expected a share of a clip, 0 < share <= 1.")
    if views < 1:
        raise SettingsError(f"views {views}: expected 1 or more windows per clip.")
    index = np.repeat(_index(store, indices), views)
    place = torch.from_numpy(np.tile(np.linspace(0, 1, views) if views > 1 else np.array([0.5]), len(index) // views))
    length = torch.from_numpy(store.frames[index].astype(np.float64))
    width = (share * length).clamp(min=1)
    return _gather(store, index, place * (length - width), width, frames, persons)


def _index(store: Rows | Resident, indices: Sequence[int] | np.ndarray) -> np.ndarray:
    index = np.asarray(indices, np.int64)
    if len(index) and not (index.min() >= 0 and index.max() < len(store.frames)):
        raise DataError(
            f"clip {index.min()} to {index.max()} of a store of {len(store.frames)} clips. Check the indices."
        )
    return index


def _gather(
    store: Rows | Resident, index: np.ndarray, start: Tensor, width: Tensor, frames: int, persons: int | None
) -> Batch:
    M = store.max_persons if persons is None else persons
    if frames < 1 or M < 1:
        raise SettingsError(f"{frames} frames of {M} persons: expected 1 or more of each.")
    # Only the persons that are there are gathered: most clips have one, and most stores some with two.
    clip, person = np.nonzero(np.arange(M) < store.persons[index, None])
    first = store.start[index[clip]] + person * store.frames[index[clip]]

    device = store.device if isinstance(store, Resident) else torch.device("cpu")
    last, clip, person, first, steps = (
        torch.from_numpy(a).to(device) for a in (store.frames[index] - 1, clip, person, first, _steps(frames))
    )
    place = start.to(device)[:, None] + steps * (width.to(device)[:, None] - 1)
    near = place.round()
    place = torch.where((place - near).abs() < _SNAP, near, place)
    low = place.long().clamp(min=0).minimum(last[:, None])
    share = (place - low).float()[clip]
    x, score = _rows(store, first[:, None], low[clip], last[clip, None], share)
    x, score = (_spread(a, clip, person, (len(index), M)) for a in (x, score))
    return Batch(
        x=x,
        score=score,
        skeleton=store.skeleton,
        label=torch.from_numpy(store.labels[index]).to(device),
        index=torch.from_numpy(index).to(device),
        size=torch.from_numpy(store.sizes[index].astype(np.float32)).to(device),
    )


def _rows(
    store: Rows | Resident,
    first: Int[Tensor, "K 1"],
    low: Int[Tensor, "K T"],
    last: Int[Tensor, "K 1"],
    share: Float[Tensor, "K T"],
) -> tuple[Float[Tensor, "K T V C"], Float[Tensor, "K T V"]]:
    """What lies between the frames `low` and those after them, of persons whose rows begin at `first`."""
    following = (low + 1).minimum(last)
    if isinstance(store, Resident):
        x, score = store.take_rows(first + torch.stack([low, following]))
        return _between(x, score, share)
    # Both neighbours at once, which halves the calls; one suffices where every position is a frame.
    near = first + (torch.stack([low, following]) if share.any() else low[None])
    x, score = map(torch.from_numpy, store.take_rows(near.numpy()))
    return _between(x, score, share) if len(near) > 1 else (x[0], score[0])


@cache
def _steps(frames: int) -> np.ndarray:
    """The positions of the frames of a batch in their window, 0 to 1."""
    return np.linspace(0, 1, frames) if frames > 1 else np.array([0.5])


def _spread(a: Tensor, clip: Tensor, person: Tensor, shape: tuple[int, int]) -> Tensor:
    if len(a) == shape[0] * shape[1]:
        return a.view(*shape, *a.shape[1:])
    out = a.new_zeros(*shape, *a.shape[1:])
    out[clip, person] = a
    return out


def _between(
    x: Float[Tensor, "2 K T V C"], score: Float[Tensor, "2 K T V"], share: Float[Tensor, "K T"]
) -> tuple[Float[Tensor, "K T V C"], Float[Tensor, "K T V"]]:
    # What lies at w between a and b is a + w (b - a), to the last bit a at 0, b at 1, and a where nothing moves. Here w is
    # the share where both neighbours are there, 1 where only the next one is, 0 otherwise; absent ones are stored as 0.
    (this, following), (sure, next_sure) = x.flatten(1, 2).flatten(2), score.flatten(1, 2)
    each = joint = share.reshape(-1, 1)
    # Only a CPU is asked, an accelerator would have to be waited for; where nothing is absent both come to the same.
    if len(sure) and (score.device.type != "cpu" or not score.amin() > 0):
        joint = torch.lerp(each.sign(), each, sure.sign()).mul_(next_sure.sign())
        # Once for each coordinate: torch is many times as slow where it has to go through both shapes.
        each = joint.index_select(1, torch.arange(x.shape[3], device=x.device).repeat_interleave(x.shape[4]))
    return this.lerp_(following, each).view(x.shape[1:]), sure.lerp_(next_sure, joint).view(score.shape[1:])
