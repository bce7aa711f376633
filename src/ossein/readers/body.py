"""A body of fixed bone lengths and the pose that places its 17 COCO joints, for synthetic clips.

The body stands in its own frame, in metres: x to its left, y up, z where it faces, the origin on the ground. A pose
says what a choreographer would say (how far an arm is lifted and stretched, where the feet stand, how the trunk bends);
elbows and knees follow by two-bone inverse kinematics, so bones keep their length whatever the pose asks for.
"""

from dataclasses import dataclass

import numpy as np

ARM, FOOT, PELVIS, TRUNK, HEAD = slice(0, 6), slice(6, 12), slice(12, 16), slice(16, 19), slice(19, 21)
NUM_CHANNELS = 21
_SIDES = np.array([1.0, -1.0])
_FACE = np.array(
    [[0, 0.10, 0.11], [0.033, 0.135, 0.085], [-0.033, 0.135, 0.085], [0.075, 0.115, 0], [-0.075, 0.115, 0]]
)
_ANKLE = 0.08


@dataclass(frozen=True)
class Body:
    """Proportions of one person, in metres.

    Args:
        upper: Lengths of the left and right upper arm and the left and right thigh.
        lower: Lengths of the forearms and shanks, in the same order.
        trunk: From the middle of the hips to the middle of the shoulders.
        neck: From the middle of the shoulders to the pivot of the head.
        shoulders: Half the distance between the shoulders; likewise hips.
        hips: Half the distance between the hips.
        face: The size of the head in ordinary heads.
        elbows: Where the left elbow points when it bends, as (out, up, forward).
        knees: Likewise for the left knee.
    """

    upper: np.ndarray
    lower: np.ndarray
    trunk: float
    neck: float
    shoulders: float
    hips: float
    face: float
    elbows: np.ndarray
    knees: np.ndarray

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Body":
        """Someone of 1.45 to 1.95 m with proportions of their own."""
        tall = np.clip(rng.normal(1, 0.07), 0.85, 1.15)
        part = tall * np.clip(rng.normal(1, 0.06, 9), 0.85, 1.15)
        return cls(
            upper=np.array([0.29, 0.29, 0.42, 0.42]) * part[[0, 0, 1, 1]],
            lower=np.array([0.25, 0.25, 0.41, 0.41]) * part[[2, 2, 3, 3]],
            trunk=0.50 * part[4],
            neck=0.09 * part[5],
            shoulders=0.185 * part[6],
            hips=0.12 * part[7],
            face=part[8],
            elbows=np.array([0.6, -0.6, -0.5]) + rng.normal(0, 0.2, 3),
            knees=np.array([0.15, 0, 1]) + rng.normal(0, 0.1, 3),
        )

    @property
    def leg(self) -> float:
        """The length of a stretched leg, hip to ankle."""
        return float(self.upper[2] + self.lower[2])


class Pose:
    """Poses of T frames: 21 channels with views by body part; a side is 0 for left and 1 for right.

    Args:
        channels: float [T 21].

    Attributes:
        arm: [T 2 3] elevation (radians, 0 hangs, pi points up), azimuth (radians, 0 forward, pi/2 outward) and reach
            (distance of the wrist from the shoulder in lengths of the arm).
        foot: [T 2 3] displacement of the ankle from under its hip: to the left, up, forward, in lengths of the leg.
        pelvis: [T 4] displacement to the left, up, forward in lengths of the leg, and turn to the left in radians.
        trunk: [T 3] bend forward, bend to the right and twist to the left, in radians.
        head: [T 2] nod and turn to the left, in radians.
    """

    def __init__(self, channels: np.ndarray) -> None:
        self.channels = channels
        self.arm = channels[:, ARM].reshape(-1, 2, 3)
        self.foot = channels[:, FOOT].reshape(-1, 2, 3)
        self.pelvis, self.trunk, self.head = channels[:, PELVIS], channels[:, TRUNK], channels[:, HEAD]


def place(pose: Pose, body: Body) -> np.ndarray:
    """Where the 17 COCO joints are, float [T 17 3] in the frame of the body."""
    turn, (bend, side, twist) = pose.pelvis[:, 3], pose.trunk.T
    zero = np.zeros_like(turn)
    hips_turn, trunk_turn, nod = rotation(
        np.stack([turn, turn + twist, pose.head[:, 1]]),
        np.stack([zero, bend, pose.head[:, 0]]),
        np.stack([zero, side, zero]),
    )
    middle = pose.pelvis[:, :3] * body.leg
    middle[:, 1] += 0.985 * body.leg + _ANKLE
    chest = middle + trunk_turn[:, :, 1] * body.trunk
    shoulders = chest[:, None] + _SIDES[:, None] * body.shoulders * trunk_turn[:, None, :, 0]
    hips = middle[:, None] + _SIDES[:, None] * body.hips * hips_turn[:, None, :, 0]
    goals = np.concatenate([shoulders + _arms(pose, body) @ trunk_turn.transpose(0, 2, 1), _feet(pose, body)], 1)
    poles = np.stack([body.elbows, body.elbows, body.knees, body.knees])
    poles[1::2, 0] *= -1
    turned = np.concatenate([trunk_turn @ poles[:2].T, hips_turn @ poles[2:].T], 2).transpose(0, 2, 1)
    middles, ends = _two_bones(np.concatenate([shoulders, hips], 1), goals, turned, body)
    neck = chest + trunk_turn[:, :, 1] * body.neck
    face = neck[:, None] + (_FACE * body.face) @ (trunk_turn @ nod).transpose(0, 2, 1)
    return np.concatenate([face, shoulders, middles[:, :2], ends[:, :2], hips, middles[:, 2:], ends[:, 2:]], 1)


def _arms(pose: Pose, body: Body) -> np.ndarray:
    elevation, azimuth, reach = np.moveaxis(pose.arm, -1, 0)
    flat = np.sin(elevation)
    away = np.stack([_SIDES * flat * np.sin(azimuth), -np.cos(elevation), flat * np.cos(azimuth)], -1)
    return away * (reach * (body.upper[0] + body.lower[0]))[..., None]


def _feet(pose: Pose, body: Body) -> np.ndarray:
    feet = pose.foot * body.leg
    feet[..., 0] += _SIDES * body.hips
    feet[..., 1] = np.maximum(feet[..., 1], 0) + _ANKLE
    return feet


def _two_bones(roots: np.ndarray, goals: np.ndarray, poles: np.ndarray, body: Body) -> tuple[np.ndarray, np.ndarray]:
    """Middle and end joints, each [T 4 3], of limbs that reach for their goals as far as their bones allow."""
    upper, lower = body.upper, body.lower
    line = goals - roots
    far = np.sqrt((line**2).sum(-1))
    line = line / np.maximum(far, 1e-6)[..., None]
    reach = np.clip(far, np.abs(upper - lower) + 0.15 * upper, 0.998 * (upper + lower))
    along = (upper**2 - lower**2 + reach**2) / (2 * reach)
    off = poles - (poles * line).sum(-1, keepdims=True) * line
    off = off / np.sqrt((off**2).sum(-1, keepdims=True))
    middles = roots + line * along[..., None] + off * np.sqrt(upper**2 - along**2)[..., None]
    return middles, roots + line * reach[..., None]


def rotation(yaw: np.ndarray, pitch: np.ndarray, roll: np.ndarray) -> np.ndarray:
    """Ry(yaw) Rx(pitch) Rz(roll), [... 3 3]: roll to the right, then pitch forward, then turn to the left."""
    (a, b, c), (p, q, r) = np.cos([yaw, pitch, roll]), np.sin([yaw, pitch, roll])
    out = np.empty((*yaw.shape, 3, 3))
    out[..., 0, 0], out[..., 0, 1], out[..., 0, 2] = a * c + p * q * r, p * q * c - a * r, p * b
    out[..., 1, 0], out[..., 1, 1], out[..., 1, 2] = b * r, b * c, -q
    out[..., 2, 0], out[..., 2, 1], out[..., 2, 2] = a * q * r - p * c, p * r + a * q * c, a * b
    return out
