"""Normalisation: bring the coordinates of differently recorded clips to one origin, size and direction."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ossein.augment.base import Identity, Transform, body_size, first_person, linear, mean, surely, with_own
from ossein.clip import Batch
from ossein.errors import DataError, SettingsError, SkeletonError, did_you_mean
from ossein.skeleton import Group, Skeleton

_METRES = (0.1, 3.0)
"""Between these lies the `body_size` of people, infants included, if their unit is the metre; hands are smaller."""

_GROWN_UP = 0.5
"""The `body_size` of grown-ups in metres, as a Kinect sees them."""


@dataclass(frozen=True)
class ImageSize(Transform):
    """Pixels to [-1, 1] by the size of the image: x -> (x - w/2) / (w/2), y -> (y - h/2) / (h/2).

    As in SkeletonMAE (Yan et al. 2023) and PYSKL's `PreNormalize2D`, the aspect ratio of the image is not kept: in a wide
    image bodies come out narrow.

    Raises:
        DataError: Clips do not say how large their image was, or are not 2-D.
    """

    def __call__(self, batch: Batch) -> Batch:
        """The batch in halves of its images."""
        if batch.x.shape[-1] != 2:
            raise DataError(f"image size cannot normalise {batch.x.shape[-1]}-D clips. Use 'centre' or 'facing'.")
        known = (batch.size > 0).all(-1)
        # A graph that is exported cannot stop; there an unknown size makes every score NaN.
        if not torch.compiler.is_exporting() and not known.all():
            raise DataError(
                f"{int((~known).sum())} of {len(batch)} clips do not say the size of their image, which normalisation by "
                "'image' needs. Use 'centre' (centre and scale)."
            )
        half = batch.size[:, None, None, None] / 2
        return batch.change(x=(batch.x - half) / half)


@dataclass(frozen=True)
class CentreScale(Transform):
    """The body at the origin and of size 1: x -> (x - origin) / size, with one origin and size for the whole clip.

    The origin is the mean, over the frames of the first person present, of the skeleton's centre joints (of all joints
    of that person, if no centre joint is ever seen). Moving through space and standing apart from each other are
    therefore kept. The size is `body_size`; a clip whose size cannot be told is only centred.

    >>> from ossein.clip import Clip
    >>> from ossein.skeleton import Skeleton
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(300, 50, (1, 8, 17, 2))
    >>> batch = Batch.of([Clip(x, np.ones((1, 8, 17)))], Skeleton.of("coco-17"))
    >>> round(body_size(CentreScale()(batch)).item(), 4)
    1.0
    """

    def __call__(self, batch: Batch) -> Batch:
        """The batch in body sizes about the body's centre."""
        return with_own(batch, (batch.x - _origin(batch)).div_(_divisor(batch)))


@dataclass(frozen=True)
class Facing(Transform):
    """3-D clips as seen from the body that acts: centred as in `CentreScale`, then rotated into the body's own axes.

    +z is the body's up, +x points from its left to its right, and +y, their right-handed completion (y = z x x), is where
    it faces. The axes are those of the first person, averaged over the first quarter of the frames that show
    them, and orthonormalised with up kept (Gram-Schmidt): one rotation per clip, so turning and falling are kept. PYSKL's
    `PreNormalize3D` takes them from the first frame alone, noise and all. A clip that never shows the axes, or
    in which they coincide, is not rotated.

    Metres stay metres: how tall somebody is tells who it is. A clip whose `body_size` is none of a person in metres is in
    another unit, or of a hand, and its bodies are brought to the size of a grown-up's in metres. So clips in millimetres, or of
    joints that were lifted from pixels, go with those of a Kinect.

    Raises:
        SkeletonError: The clips are not 3-D, or the skeleton does not say where up and across are.
    """

    def __call__(self, batch: Batch) -> Batch:
        """The batch in the axes of its bodies."""
        up, across = _axes(batch.skeleton, batch.x.shape[-1])
        size = body_size(batch)
        metres = (size > _METRES[0]) & (size < _METRES[1]) | (size == 0)
        x = linear(batch.x - _origin(batch), _own_axes(batch, up, across, size))
        return batch.change(x=x / torch.where(metres, 1.0, size / _GROWN_UP))


NormaliseName = Literal["image", "centre", "facing", "none"]
"""What settings call the normalisations."""

NORMALISE: dict[str, Callable[[], Transform]] = {
    "image": ImageSize,
    "centre": CentreScale,
    "facing": Facing,
    "none": Identity,
}
"""Every normalisation by the name that settings call it."""


def normaliser(name: str) -> Transform:
    """The normalisation that settings call `name`.

    Raises:
        SettingsError: None is called so.

    >>> normaliser("centre")
    CentreScale()
    """
    if name not in NORMALISE:
        raise SettingsError(f"no normalisation is called '{name}'. {did_you_mean(name, NORMALISE)}")
    return NORMALISE[name]()


def _origin(batch: Batch) -> Float[Tensor, "N 1 1 1 C"]:
    if batch.complete:
        # The first person is there, and all frames count alike. Slices cost less than taking joints by their numbers.
        joints = [batch.x[:, :1, :, v : v + 1] for v in batch.skeleton.centre]
        return reduce(torch.add, joints).mean(2, keepdim=True) / len(joints)
    first = first_person(batch)[:, :, None, None]
    centre = torch.tensor(batch.skeleton.centre, device=batch.x.device)
    here = (batch.score.index_select(3, centre) > 0) & first
    frames = mean(batch.x.index_select(3, centre), here, 3)
    seen = here.any(-1, keepdim=True)
    ever = seen.any(2, keepdim=True).any(1, keepdim=True).unsqueeze(-1)
    origin = mean(frames, seen, 1, 2)
    if surely(ever):
        return origin
    return torch.where(ever, origin, mean(batch.x, (batch.score > 0) & first, 1, 2, 3))


def _divisor(batch: Batch) -> Float[Tensor, "N 1 1 1 1"]:
    size = body_size(batch)
    return torch.where(size > 0, size, 1.0)


def _axes(skeleton: Skeleton, dims: int) -> tuple[tuple[Group, Group], tuple[Group, Group]]:
    if dims != 3:
        raise SkeletonError(f"'facing' rotates in space and needs 3-D clips, got {dims}-D. Use 'image' or 'centre'.")
    if skeleton.up is None or skeleton.across is None:
        missing = "up" if skeleton.up is None else "across"
        raise SkeletonError(
            f"skeleton '{skeleton.name}': does not say '{missing}', which normalisation by 'facing' needs. "
            "Add it to the skeleton, or use 'centre'."
        )
    return skeleton.up, skeleton.across


def _own_axes(
    batch: Batch, up: tuple[Group, Group], across: tuple[Group, Group], size: Float[Tensor, "N 1 1 1 1"]
) -> Float[Tensor, "N 3 3"]:
    """The rotation whose rows are right, forward and up of the first person; the identity where they are not known."""
    z, see_z = _arrow(batch, *up)
    x, see_x = _arrow(batch, *across)
    frames = _first_quarter(see_z & see_x & first_person(batch)[:, :, None, None])
    z, x = (mean(arrow, frames, 1, 2)[:, 0, 0, 0] for arrow in (z, x))
    up_unit, long = _unit(z, size[:, 0, 0, 0])
    right, wide = _unit(x - (x * up_unit).sum(-1, keepdim=True) * up_unit, x.norm(dim=-1, keepdim=True))
    own = torch.stack((right, torch.linalg.cross(up_unit, right), up_unit), 1)
    return torch.where((long & wide)[..., None], own, torch.eye(3, device=own.device, dtype=own.dtype))


def _arrow(batch: Batch, tail: Group, head: Group) -> tuple[Float[Tensor, "N M T 1 C"], Bool[Tensor, "N M T 1"]]:
    """From the mean of some joints to that of others in each frame, and whether both ends are seen."""
    here = batch.score > 0
    ends = [mean(batch.x[..., list(group), :], here[..., list(group)], 3) for group in (tail, head)]
    seen = here[..., list(tail)].any(-1, keepdim=True) & here[..., list(head)].any(-1, keepdim=True)
    return ends[1] - ends[0], seen


def _first_quarter(frames: Bool[Tensor, "N M T 1"]) -> Bool[Tensor, "N M T 1"]:
    """The first quarter of the true frames, at least one."""
    return frames & (4 * (frames.cumsum(2) - 1) < frames.sum(2, keepdim=True))


def _unit(arrow: Float[Tensor, "N 3"], against: Float[Tensor, "N 1"]) -> tuple[Tensor, Bool[Tensor, "N 1"]]:
    """The arrow at length 1, and whether it is long enough, against a length, for its direction to mean something."""
    length = arrow.norm(dim=-1, keepdim=True)
    good = length > 1e-3 * against
    return arrow / torch.where(good, length, 1.0), good
