"""The loader that the field writes, for comparison: annotations in a list, a pipeline of small steps for each clip.

Its shape is that of PYSKL's data sets (a dictionary that goes through transforms, `DataLoader` around it); its arithmetic is
that of the preset `ossein`, so that both sides do the same: with the same random numbers both give the same batch.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from ossein.augment import AugmentSettings
from ossein.skeleton import Skeleton
from ossein.store import Store

# ruff: noqa: NPY002 - random numbers as the field draws them

Results = dict[str, Any]


def annotations(store: Store) -> list[Results]:
    """A store as the field keeps clips: a list of dictionaries in RAM."""
    clips = map(store.clip, range(len(store)))
    return [
        {
            "keypoint": clip.x.astype(store.x.dtype),
            "keypoint_score": clip.score.astype(store.score.dtype),
            "total_frames": clip.num_frames,
            "label": clip.label,
        }
        for clip in clips
    ]


def number(results: Results, name: str, otherwise: Callable[[], Any]) -> Any:
    """A random number of a clip: the given one where both sides are to see the same, else a new one."""
    given = results.get("numbers")
    return otherwise() if given is None else given[name]


class SampleWindow:
    """A random stretch of the clip and the places of T frames in it."""

    def __init__(self, frames: int, crop: tuple[float, float], *, transitions: bool) -> None:
        self.frames, self.crop, self.transitions = frames, crop, transitions

    def __call__(self, results: Results) -> Results:
        total = results["total_frames"]
        share = number(results, "share", lambda: np.random.uniform())
        width = max(1, (self.crop[0] + (self.crop[1] - self.crop[0]) * share) * total)
        start = number(results, "place", lambda: np.random.uniform()) * (total - width)
        places = start + np.linspace(0, 1, self.frames) * (width - 1)
        if self.transitions:
            places = self._whole_where_persons_change(results["keypoint"], places)
        results["frame_inds"] = places
        return results

    def _whole_where_persons_change(self, keypoint: np.ndarray, places: np.ndarray) -> np.ndarray:
        # PYSKL's UniformSampleFrames has such a loop: frames in which persons come or go are not interpolated. Where the
        # number of persons never changes, as here, it alters nothing.
        num_persons, num_frames = keypoint.shape[:2]
        counts = []
        for t in range(num_frames):
            last = num_persons - 1
            while last >= 0 and np.all(np.abs(keypoint[last, t]) < 1e-5):
                last -= 1
            counts.append(last + 1)
        changing = [False] * num_frames
        for t in range(1, num_frames - 1):
            if counts[t] != counts[t - 1] or counts[t] != counts[t + 1]:
                changing[t] = True
        whole = np.array([changing[int(place)] for place in places])
        return np.where(whole, np.floor(places), places)


class PoseDecode:
    """The keypoints at those places, between two frames by interpolation."""

    def __call__(self, results: Results) -> Results:
        places, last = results.pop("frame_inds"), results["total_frames"] - 1
        near = np.rint(places)
        places = np.where(np.abs(places - near) < 1e-6, near, places)
        low = np.clip(np.floor(places).astype(int), 0, last)
        high = np.minimum(low + 1, last)
        share = (places - low).astype(np.float32)[None, :, None]
        keypoint, score = results["keypoint"], results["keypoint_score"]
        one, two = keypoint[:, low].astype(np.float32), keypoint[:, high].astype(np.float32)
        sure, next_sure = score[:, low].astype(np.float32), score[:, high].astype(np.float32)
        weight = np.where(sure > 0, share, 1)
        weight = np.where((next_sure <= 0) | (share <= 0), 0, weight).astype(np.float32)
        results["keypoint"] = one + weight[..., None] * (two - one)
        results["keypoint_score"] = sure + weight * (next_sure - sure)
        return results


class Normalise:
    """Centre joints at the origin, size 1."""

    def __init__(self, centre: Sequence[int]) -> None:
        self.centre = list(centre)

    def __call__(self, results: Results) -> Results:
        keypoint, seen = results["keypoint"], results["keypoint_score"] > 0
        first = next((m for m in range(len(seen)) if seen[m].any()), 0)
        weight = seen[first][:, self.centre].astype(np.float32)
        count = weight.sum(1)
        if count.any():
            frames = (keypoint[first][:, self.centre] * weight[..., None]).sum(1) / np.maximum(count, 1)[:, None]
            origin = frames[count > 0].mean(0)
        else:
            origin = keypoint[first][seen[first]].mean(0) if seen[first].any() else 0
        keypoint = (keypoint - origin) * seen[..., None]
        size = body_size(keypoint, seen)
        results["keypoint"] = keypoint / (size or 1)
        return results


class Mirror:
    """Left for right in some of the clips."""

    def __init__(self, probability: float, other: Sequence[int]) -> None:
        self.probability, self.other = probability, list(other)

    def __call__(self, results: Results) -> Results:
        if number(results, "mirror", lambda: np.random.uniform()) < self.probability:
            keypoint = results["keypoint"][:, :, self.other].copy()
            keypoint[..., 0] *= -1
            results["keypoint"], results["keypoint_score"] = keypoint, results["keypoint_score"][:, :, self.other]
        return results


class RandomRot:
    """A rotation in the plane."""

    def __init__(self, theta: float) -> None:
        self.theta = theta

    def __call__(self, results: Results) -> Results:
        theta = number(results, "angle", lambda: np.random.uniform(-self.theta, self.theta))
        cos, sin = np.cos(theta), np.sin(theta)
        results["keypoint"] = np.einsum("ab,mtvb->mtva", np.array([[cos, -sin], [sin, cos]]), results["keypoint"])
        return results


class RandomScale:
    """An enlargement."""

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def __call__(self, results: Results) -> Results:
        factor = number(results, "factor", lambda: np.random.uniform(1 - self.scale, 1 + self.scale))
        results["keypoint"] = results["keypoint"] * factor
        return results


class RandomShear:
    """A slant."""

    def __init__(self, amount: float) -> None:
        self.amount = amount

    def __call__(self, results: Results) -> Results:
        slant = np.array(number(results, "slant", lambda: np.random.uniform(-self.amount, self.amount, (2, 2))))
        np.fill_diagonal(slant, 1)
        results["keypoint"] = np.einsum("ab,mtvb->mtva", slant, results["keypoint"])
        return results


class GaussianNoise:
    """Noise as a share of the size of the body."""

    def __init__(self, sigma: float) -> None:
        self.sigma = sigma

    def __call__(self, results: Results) -> Results:
        keypoint, seen = results["keypoint"], results["keypoint_score"] > 0
        noise = number(results, "noise", lambda: np.random.standard_normal(keypoint.shape))
        results["keypoint"] = (keypoint + self.sigma * body_size(keypoint, seen) * noise) * seen[..., None]
        return results


class GenSkeFeat:
    """The features that the model is shown: here the joints themselves, with their scores."""

    def __call__(self, results: Results) -> Results:
        score = results.pop("keypoint_score")
        results["keypoint"] = np.concatenate([results["keypoint"], score[..., None]], -1)
        return results


class FormatGCNInput:
    """As many persons in every clip, in one piece."""

    def __init__(self, persons: int) -> None:
        self.persons = persons

    def __call__(self, results: Results) -> Results:
        keypoint = results["keypoint"][: self.persons]
        missing = self.persons - len(keypoint)
        if missing:
            keypoint = np.concatenate([keypoint, np.zeros((missing, *keypoint.shape[1:]), keypoint.dtype)])
        results["keypoint"] = np.ascontiguousarray(keypoint, np.float32)
        return results


class PoseDataset(Dataset):
    """Clips that go through a pipeline one by one."""

    def __init__(self, infos: list[Results], pipeline: Sequence[Callable[[Results], Results]]) -> None:
        self.infos, self.pipeline = infos, pipeline

    def __len__(self) -> int:
        return len(self.infos)

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        results = copy.deepcopy(self.infos[index])
        for step in self.pipeline:
            results = step(results)
        return results["keypoint"], results["label"]


def pipeline(
    skeleton: Skeleton,
    frames: int,
    crop: tuple[float, float],
    persons: int,
    augment: AugmentSettings,
    *,
    transitions: bool,
) -> list[Callable[[Results], Results]]:
    """The steps that do to a 2-D clip what the settings say.

    Args:
        skeleton: The joints.
        frames: T.
        crop: Least and most share of a clip that is sampled.
        persons: M.
        augment: How clips are varied, as in the preset `ossein`.
        transitions: With the loop over frames that PYSKL's sampling has.
    """
    return [
        SampleWindow(frames, crop, transitions=transitions),
        PoseDecode(),
        Normalise(skeleton.centre),
        Mirror(augment.mirror, skeleton.mirror()),
        RandomRot(augment.rotate),
        RandomScale(augment.scale),
        RandomShear(augment.shear),
        GaussianNoise(augment.jitter),
        GenSkeFeat(),
        FormatGCNInput(persons),
    ]


def batches(
    dataset: PoseDataset, batch: int, workers: int, indices: Sequence[int]
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Batches [N M T V C+1] of some of the clips, made by so many worker processes."""
    return iter(DataLoader(dataset, batch, sampler=indices, num_workers=workers))


def body_size(keypoint: np.ndarray, seen: np.ndarray) -> float:
    """The spread of the joints of a clip about their middle, as `ossein.augment.base.body_size` defines it."""
    count = seen.sum(-1)
    each = np.maximum(count, 1)
    middle = (keypoint * seen[..., None]).sum(2) / each[..., None]
    square = ((keypoint - middle[:, :, None]) ** 2).sum(-1) * seen
    spread = np.sqrt(square.sum(-1) / each)[count > 1]
    return float(spread.mean()) if len(spread) else 0.0
