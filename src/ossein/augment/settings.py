"""Settings of augmentation: how much of each, and the augmentation that they describe."""

from math import pi

from pydantic import Field

from ossein.augment.base import Augment, Compose
from ossein.augment.corrupt import DropFrames, DropJoints, Jitter, Reshape
from ossein.augment.occlude import Occlude
from ossein.augment.space import Mirror, Move, Rotate, Scale, Shear
from ossein.augment.time import Crop
from ossein.settings import Settings


class AugmentSettings(Settings):
    """How much of each augmentation, in the order in which they are applied; 0 leaves one out."""

    crop: float = Field(default=0.0, ge=0, lt=1)
    """The largest share of a clip to cut off in time; 0.5 keeps 50 to 100 % and draws it out to the full length."""
    mirror: float = Field(default=0.0, ge=0, le=1)
    """The share of clips to mirror, left and right joints exchanged."""
    rotate: float = Field(default=0.0, ge=0, le=pi)
    """The largest angle of rotation, in radians, either way; in 3-D about each axis."""
    scale: float = Field(default=0.0, ge=0, lt=1)
    """The largest enlargement or reduction; 0.1 draws a factor from 0.9 to 1.1."""
    shear: float = Field(default=0.0, ge=0, le=1)
    """The largest number beside the diagonal of a random shear."""
    move: float = Field(default=0.0, ge=0, le=1e6)
    """The largest shift along each axis, in the unit of the normalised coordinates."""
    reshape: float = Field(default=0.0, ge=0, le=1)
    """The standard deviation of a shift of each joint, the same in all frames, as a share of the size of the body."""
    jitter: float = Field(default=0.01, ge=0, le=1)
    """The standard deviation of noise on the joints, as a share of the size of the body."""
    drop_joints: float = Field(default=0.0, ge=0, le=1)
    """The share of joints to lose in all frames of a clip."""
    drop_frames: float = Field(default=0.0, ge=0, le=1)
    """The share of frames to lose."""
    occlude: float = Field(default=0.0, ge=0, le=1)
    """The share of body parts to lose, each over a stretch of time of its own."""


def build(settings: AugmentSettings) -> Compose:
    """The augmentation that the settings describe: time, then space, then the body, then noise, then loss.

    >>> build(AugmentSettings(rotate=0.3)).steps
    (Rotate(angle=0.3), Jitter(sigma=0.01))
    """
    s = settings
    steps: list[tuple[float, Augment]] = [
        (s.crop, Crop(1 - s.crop, 1)),
        (s.mirror, Mirror(s.mirror)),
        (s.rotate, Rotate(s.rotate)),
        (s.scale, Scale(1 - s.scale, 1 + s.scale)),
        (s.shear, Shear(s.shear)),
        (s.move, Move(s.move)),
        (s.reshape, Reshape(s.reshape)),
        (s.jitter, Jitter(s.jitter)),
        (s.drop_joints, DropJoints(s.drop_joints)),
        (s.drop_frames, DropFrames(s.drop_frames)),
        (s.occlude, Occlude(s.occlude)),
    ]
    return Compose(tuple(step for amount, step in steps if amount > 0))
