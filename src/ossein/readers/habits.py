"""The habits by which synthetic people differ, and what they do besides: they fidget, and are never quite still."""

from dataclasses import dataclass

import numpy as np

from ossein.readers.body import ARM, FOOT, HEAD, NUM_CHANNELS, PELVIS, TRUNK, Pose

_TREMOR = np.empty(NUM_CHANNELS)
_TREMOR[ARM] = [0.06, 0.10, 0.02] * 2
_TREMOR[FOOT] = 0.004
_TREMOR[PELVIS] = [0.020, 0.006, 0.012, 0.05]
_TREMOR[TRUNK] = [0.035, 0.03, 0.05]
_TREMOR[HEAD] = [0.08, 0.14]


@dataclass(frozen=True)
class Habits:
    """How one person carries and moves themselves.

    Args:
        rest: The 21 channels of the pose they stand in.
        right: The share of one-handed actions done with the right hand.
        both: The share of actions done with both hands where one would do.
        size: How large their movements are, about 1.
        plane: In which vertical plane they lift an arm: 0 forward, pi/2 sideways.
        height: How high they hold a hand in front of them, radians of elevation.
        lean: How far the trunk goes along with a movement of the limbs.
        fidget: How much they do besides, about 1.
        facing: How far they turn from the camera when asked to face it, in radians.
    """

    rest: np.ndarray
    right: float
    both: float
    size: float
    plane: float
    height: float
    lean: float
    fidget: float
    facing: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Habits":
        """Someone's habits."""
        pose = Pose(np.zeros((1, NUM_CHANNELS)))
        pose.arm[0] = [rng.uniform(0.05, 0.5), rng.uniform(-0.2, 1.6), rng.uniform(0.65, 0.99)]
        pose.foot[0, :, 0] = np.array([1, -1]) * rng.uniform(0, 0.14)
        pose.foot[0, :, 2] = np.array([1, -1]) * rng.normal(0, 0.05)
        pose.trunk[0] = rng.normal([0.04, 0, 0], [0.08, 0.03, 0.08])
        pose.head[0] = rng.normal(0, [0.15, 0.1])
        return cls(
            rest=pose.channels[0],
            right=rng.choice([0.9, 0.1], p=[0.6, 0.4]),
            both=rng.uniform(0.1, 0.9),
            size=rng.uniform(0.75, 1.15),
            plane=rng.uniform(0, 1.5),
            height=rng.uniform(1.1, 1.8),
            lean=rng.uniform(0, 0.35),
            fidget=rng.uniform(0.25, 0.95),
            facing=rng.normal(0, 0.35),
        )


def fidget(rng: np.random.Generator, pose: Pose, strength: float) -> None:
    """Passing movements that have nothing to do with the action: an arm, the head, the trunk, the weight."""
    t = np.linspace(0, 1, len(pose.channels))
    for side in (0, 1):
        if rng.random() < 0.25 * strength:
            goal = rng.uniform([0.2, -0.4, 0.4], [1.9, 1.3, 0.95])
            toward(pose.arm[:, side], goal, _passing(rng, t))
    centre, width = rng.uniform([[0], [0.08]], [[1], [0.3]], (2, 5))
    bumps = np.exp(-(((t[:, None] - centre) / width) ** 2)) * rng.normal(0, strength, 5)
    pose.head += bumps[:, :2] * [0.15, 0.4]
    pose.trunk += bumps[:, [2, 3, 2]] * [0.06, 0.06, 0.2]
    pose.pelvis += bumps[:, [4, 4, 3, 2]] * [0.05, 0, 0.02, 0.15]


def _passing(rng: np.random.Generator, t: np.ndarray) -> np.ndarray:
    centre, width = rng.uniform([0, 0.1], [1, 0.4])
    return ease(1.6 * np.exp(-(((t - centre) / width) ** 2)))


def sway(rng: np.random.Generator, seconds: np.ndarray) -> np.ndarray:
    """Slow and fast swaying of every channel of a pose, [T 21]; what is fast is small."""
    speed = rng.uniform(0.5, 8, (3, NUM_CHANNELS))
    phase = rng.uniform(0, 2 * np.pi, speed.shape)
    size = rng.random(speed.shape) / (1 + 0.25 * speed)
    return _TREMOR * (size * np.sin(speed * seconds[:, None, None] + phase)).sum(1)


def ease(u: np.ndarray) -> np.ndarray:
    """A smooth start and stop: 0 up to u = 0, 1 from u = 1."""
    u = np.clip(u, 0, 1)
    return u * u * (3 - 2 * u)


def toward(channels: np.ndarray, goal: np.ndarray | list, weight: np.ndarray) -> None:
    """Moves channels [T K] towards a goal [K] or [T K] by a weight [T] of 0 (not at all) to 1 (there), in place."""
    channels += weight[:, None] * (goal - channels)
