"""Augmentations in space: a body seen from elsewhere. All act about 0, so normalise first."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ossein.augment.base import Augment, check, linear
from ossein.clip import Batch
from ossein.draw import Draw
from ossein.errors import SettingsError


@dataclass(frozen=True)
class Rotate(Augment):
    """Rotation about 0. In 2-D by one angle in the plane, in 3-D by one angle about each axis (x first, then y, then z).

    Args:
        angle: Every angle is drawn evenly from (-angle, angle), in radians, 0 to pi.

    Raises:
        SettingsError: The angle is out of range.
    """

    angle: float

    def __post_init__(self) -> None:
        check(self, "angle", 0, math.pi)

    def __call__(self, batch: Batch, draw: Draw) -> Batch:
        """The batch with every clip rotated by its own angles."""
        dims = batch.x.shape[-1]
        angles = draw.uniform((len(batch), 1 if dims == 2 else 3), -self.angle, self.angle)
        turn = _turn2(angles[:, 0]) if dims == 2 else _turn3(angles)
        return batch.change(x=linear(batch.x, turn.to(batch.x)))


@dataclass(frozen=True)
class Scale(Augment):
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

    def __call__(self, batch: Batch, draw: Draw) -> Batch:
        """The batch with every clip enlarged by its own factors."""
        dims = batch.x.shape[-1] if self.per_axis else 1
        factor = draw.uniform((len(batch), dims), self.low, self.high).to(batch.x)
        return batch.change(x=batch.x * factor[:, None, None, None])


@dataclass(frozen=True)
class Shear(Augment):
    """Slanting about 0: x -> S x, with 1 on the diagonal of S (AS-CAL, Rao et al. 2021).

    Args:
        amount: Every number beside the diagonal is drawn evenly from (-amount, amount), 0 to 1.

    Raises:
        SettingsError: The amount is out of range.
    """

    amount: float

    def __post_init__(self) -> None:
        check(self, "amount", 0, 1)

    def __call__(self, batch: Batch, draw: Draw) -> Batch:
        """The batch with every clip slanted in its own way."""
        dims = batch.x.shape[-1]
        slant = draw.uniform((len(batch), dims, dims), -self.amount, self.amount)
        unit = torch.eye(dims)
        return batch.change(x=linear(batch.x, torch.where(unit > 0, unit, slant).to(batch.x)))


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
        chosen = (draw.uniform((len(batch), 1, 1, 1)) < self.probability).to(batch.x.device)
        other = list(batch.skeleton.mirror())
        sign = torch.ones(batch.x.shape[-1], device=batch.x.device)
        sign[0] = -1
        x = torch.where(chosen[..., None], batch.x[..., other, :] * sign, batch.x)
        return batch.change(x=x, score=torch.where(chosen, batch.score[..., other], batch.score))


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
    """R_z R_y R_x, multiplied out by hand for the reason given at `linear`."""
    (a, b, c), (p, q, r) = angles.cos().unbind(-1), angles.sin().unbind(-1)
    rows = (c * b, c * q * p - r * a, c * q * a + r * p, r * b, r * q * p + c * a, r * q * a - c * p, -q, b * p, b * a)
    return torch.stack(rows, -1).unflatten(-1, (3, 3))
