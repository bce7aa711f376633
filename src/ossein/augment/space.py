"""Augmentations in space: a body seen from elsewhere. All act about 0, so normalise first."""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from ossein.augment.base import Augment, Linear, check
from ossein.clip import Batch
from ossein.draw import Draw
from ossein.errors import SettingsError


@dataclass(frozen=True)
class Rotate(Linear):
    """Rotation about 0. In 2-D by one angle in the plane, in 3-D by one angle about each axis (x first, then y, then z).

    Args:
        angle: Every angle is drawn evenly from (-angle, angle), in radians, 0 to pi.

    Raises:
        SettingsError: The angle is out of range.
    """

    angle: float

    def __post_init__(self) -> None:
        check(self, "angle", 0, math.pi)

    def matrix(self, batch: Batch, draw: Draw) -> Float[Tensor, "N C C"]:
        """Rotations, each clip by its own angles."""
        dims = batch.x.shape[-1]
        angles = draw.uniform((len(batch), 1 if dims == 2 else 3), -self.angle, self.angle).double()
        return _turn2(angles[:, 0]) if dims == 2 else _turn3(angles)


@dataclass(frozen=True)
class Scale(Linear):
    """Enlargement about 0.

    Args:
        low: The smallest factor, above 0.
        high: The largest factor, at least `low`; factors are drawn evenly between them.
        per_axis: Draw a factor for each axis, so that bodies become stouter or leaner; otherwise one for all.

    Raises:
        SettingsError: The factors are out of range.
    """

    low: float
    high: float
    per_axis: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.high < math.inf:
            raise SettingsError(
                f"Scale: factors from {self.low} to {self.high}, expected 0 < low <= high. Give a range such as 0.9 to 1.1."
            )

    def matrix(self, batch: Batch, draw: Draw) -> Float[Tensor, "N C C"]:
        """Enlargements, each clip by its own factors."""
        dims = batch.x.shape[-1]
        factor = draw.uniform((len(batch), dims if self.per_axis else 1), self.low, self.high).double()
        return torch.diag_embed(factor.expand(-1, dims))


@dataclass(frozen=True)
class Shear(Linear):
    """Slanting about 0: x -> S x, with 1 on the diagonal of S (AS-CAL, Rao et al. 2021).

    Args:
        amount: Every number beside the diagonal is drawn evenly from (-amount, amount), 0 to 1.

    Raises:
        SettingsError: The amount is out of range.
    """

    amount: float

    def __post_init__(self) -> None:
        check(self, "amount", 0, 1)

    def matrix(self, batch: Batch, draw: Draw) -> Float[Tensor, "N C C"]:
        """Slants, each clip in its own way."""
        dims = batch.x.shape[-1]
        slant = draw.uniform((len(batch), dims, dims), -self.amount, self.amount).double()
        slant.diagonal(dim1=1, dim2=2).fill_(1)
        return slant


@dataclass(frozen=True)
class Mirror(Augment):
    """The mirror image: x is negated about 0, and left and right joints change places.

    Args:
        probability: The share of clips that are mirrored, 0 to 1.

    Raises:
        SettingsError: The probability is out of range.
    """

    probability: float = 0.5

    def __post_init__(self) -> None:
        check(self, "probability", 0, 1)

    def __call__(self, batch: Batch, draw: Draw) -> Batch:
        """The batch with some of the clips mirrored."""
        chosen = draw.uniform((len(batch), 1, 1, 1)) < self.probability
        joint = torch.where(chosen, torch.tensor(batch.skeleton.mirror()), torch.arange(len(batch.skeleton)))
        joint = joint.to(batch.x.device).expand_as(batch.score)
        parts = batch.x.movedim(-1, 0)
        x = parts.gather(4, joint.expand_as(parts)).movedim(0, -1)
        x[..., 0] *= torch.where(chosen, -1.0, 1.0).to(x)
        return replace(batch, x=x, score=batch.score.gather(3, joint))


@dataclass(frozen=True)
class Move(Augment):
    """A shift of the whole clip, the same for all persons and frames.

    Args:
        amount: The shift along each axis is drawn evenly from (-amount, amount), in the unit of `x`; 0 or more.

    Raises:
        SettingsError: The amount is negative or not finite.
    """

    amount: float

    def __post_init__(self) -> None:
        check(self, "amount", 0, 1e6)

    def __call__(self, batch: Batch, draw: Draw) -> Batch:
        """The batch with every clip shifted on its own."""
        shift = draw.uniform((len(batch), batch.x.shape[-1]), -self.amount, self.amount).to(batch.x)
        return batch.change(x=batch.x + shift[:, None, None, None])


def _turn2(angle: Float[Tensor, " N"]) -> Float[Tensor, "N 2 2"]:
    cos, sin = angle.cos(), angle.sin()
    return torch.stack((cos, -sin, sin, cos), -1).unflatten(-1, (2, 2))


def _turn3(angles: Float[Tensor, "N 3"]) -> Float[Tensor, "N 3 3"]:
    """R_z R_y R_x."""
    (a, b, c), (p, q, r) = angles.cos().unbind(-1), angles.sin().unbind(-1)
    rows = (c * b, c * q * p - r * a, c * q * a + r * p, r * b, r * q * p + c * a, r * q * a - c * p, -q, b * p, b * a)
    return torch.stack(rows, -1).unflatten(-1, (3, 3))
