"""Augmentations that spoil: what a poor pose estimator would have made of the clip."""

from dataclasses import dataclass

import torch

from ossein.augment.base import Augment, body_size, check, with_own
from ossein.clip import Batch
from ossein.draw import Draw


@dataclass(frozen=True)
class Jitter(Augment):
    """Normal noise on every coordinate of every joint ("pixel noise on joints", SkeletonMAE, Yan et al. 2023).

    The paper does not say: how strong. Here a share of the skeleton's size, which is measured in the clip (`body_size`),
    so that the noise suits any unit and any normalisation.

    Args:
        sigma: Standard deviation as a share of the size of the bodies in the clip, 0 to 1.

    Raises:
        SettingsError: Sigma is out of range.
    """

    sigma: float = 0.01

    def __post_init__(self) -> None:
        check(self, "sigma", 0, 1)

    def __call__(self, batch: Batch, draw: Draw) -> Batch:
        """The batch with noise on its joints."""
        # In place, in the memory of the numbers drawn, and coordinate by coordinate, for which the batch may be laid out.
        x = draw.normal(tuple(batch.x.shape)).to(batch.x).mul_(self.sigma * body_size(batch))
        for noise, part in zip(x.unbind(-1), batch.x.unbind(-1), strict=True):
            noise.add_(part)
        return with_own(batch, x)


@dataclass(frozen=True)
class Reshape(Augment):
    """Another body in another posture: every joint is moved by its own amount, the same in all frames of the clip.

    What stays is how joints move. By where they are on average clips of one person are alike, whatever is done in
    them; a model that is to tell clips apart otherwise must not be able to rely on it (`docs/log.md`, sixth round).

    Args:
        sigma: Standard deviation of the shift along each axis, as a share of the size of the bodies in the clip, 0 to 1.

    Raises:
        SettingsError: Sigma is out of range.
    """

    sigma: float = 0.1

    def __post_init__(self) -> None:
        check(self, "sigma", 0, 1)

    def __call__(self, batch: Batch, draw: Draw) -> Batch:
        """The batch with other bodies, each person's own."""
        N, M, _, V, C = batch.x.shape
        shift = draw.normal((N, M, 1, V, C)).to(batch.x) * (self.sigma * body_size(batch))
        return batch.change(x=batch.x + shift)


@dataclass(frozen=True)
class DropJoints(Augment):
    """Some joints are never seen: in each clip others, for all its persons and frames, but in every clip as many.

    Args:
        share: The share of joints to drop, 0 to 1, rounded to whole joints; above 0 at least one is dropped, and one
            is always left.

    Raises:
        SettingsError: The share is out of range.
    """

    share: float

    def __post_init__(self) -> None:
        check(self, "share", 0, 1)

    def __call__(self, batch: Batch, draw: Draw) -> Batch:
        """The batch with score 0 at the dropped joints."""
        num_joints = len(batch.skeleton)
        count = min(max(round(self.share * num_joints), int(self.share > 0)), num_joints - 1)
        rank = draw.uniform((len(batch), 1, 1, num_joints)).argsort(-1).argsort(-1).to(batch.x.device)
        return batch.change(score=batch.score * (rank >= count))


@dataclass(frozen=True)
class DropFrames(Augment):
    """Some frames show nobody: the same share of the frames of every clip in which anybody is.

    Args:
        share: The share of frames to drop, 0 to 1, rounded to whole frames; above 0 at least one is dropped, and one
            is always left.

    Raises:
        SettingsError: The share is out of range.
    """

    share: float

    def __post_init__(self) -> None:
        check(self, "share", 0, 1)

    def __call__(self, batch: Batch, draw: Draw) -> Batch:
        """The batch with score 0 in the dropped frames."""
        seen = batch.present.any(1)
        num_seen = seen.sum(-1, keepdim=True)
        count = (self.share * num_seen).round().clamp(min=int(self.share > 0)).minimum(num_seen - 1)
        number = draw.uniform((len(batch), 1, seen.shape[1]))[:, 0].to(batch.x.device)
        # Frames without anybody rank last, behind every number that can be drawn.
        rank = torch.where(seen, number, 2.0).argsort(-1).argsort(-1)
        return batch.change(score=batch.score * (rank >= count)[:, None, :, None])
