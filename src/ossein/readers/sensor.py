"""A camera and a pose detector with its faults, for synthetic clips.

Camera space is that of depth cameras: metres, x to the camera's left, y up, z away from it. Faults come in runs, as
those of detectors do: errors drift, a hidden joint stays hidden for a while, left and right change places for moments.
"""

from dataclasses import dataclass

import numpy as np

from ossein.readers.body import rotation

_MIRROR = np.array([0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15])
_LIMBS = (slice(5, 11), slice(11, 17))
_SMOOTH = np.array([1, 2, 3, 2, 1]) / 19**0.5
_REACH = 0.25


@dataclass(frozen=True)
class Camera:
    """Where a camera stands and how it maps metres to pixels.

    Args:
        turn: The rotation from the frame of the body to the axes of the camera, [3 3].
        pivot: The point of the body's frame that it turns about, [3].
        place: Where the camera sees that point, in camera space, [3].
        focal: The focal length in pixels.
        size: Width and height of the image in pixels.
    """

    turn: np.ndarray
    pivot: np.ndarray
    place: np.ndarray
    focal: float
    size: tuple[int, int]

    @classmethod
    def draw(cls, rng: np.random.Generator, facing: float) -> "Camera":
        """A camera that has the whole body in its image.

        Args:
            rng: Where the chance comes from.
            facing: How far the body is turned to its left from the camera on average, radians.
        """
        widest = np.deg2rad(60 if rng.random() < 0.8 else 110)
        yaw, pitch, roll = rng.uniform([-widest, -0.1, -0.05], [widest, 0.3, 0.05])
        size = (1280, 720) if rng.random() < 0.5 else (640, 480)
        away, share, right, up = rng.uniform([2.5, 0.3, -1, -1], [6, 0.65, 1, 1])
        tall = share * size[1]
        free = np.array([size[0] - 0.9 * tall, 0.7 * (size[1] - 1.35 * tall)]) / 2
        return cls(
            turn=rotation(*np.array([0.0, -pitch, roll])) @ rotation(*np.array([np.pi + facing + yaw, 0.0, 0.0])),
            pivot=np.array([0, 0.95, 0]),
            place=np.array([*(free * [right, up] * 1.75 / tall), away]),
            focal=tall * away / 1.75,
            size=size,
        )

    def space(self, joints: np.ndarray, offset: np.ndarray | float = 0.0) -> np.ndarray:
        """Points [T V 3] of the body's frame in camera space, moved by an offset in metres."""
        return (joints - self.pivot) @ self.turn.T + self.place + offset

    def image(self, space: np.ndarray) -> np.ndarray:
        """Points [T V 3] of camera space as pixels [T V 2], x to the right and y down."""
        return np.array(self.size) / 2 - self.focal * space[..., :2] / space[..., 2:]


@dataclass(frozen=True)
class Detector:
    """How well a detector sees; every value at 0 makes it perfect but for its confidence.

    Args:
        jitter: Standard deviation of a sure joint in metres.
        miss: Share of joints that it does not find.
        drop: Share of frames in which it finds nobody.
        swap: Share of frames in which it takes the left arms or legs for the right ones.
    """

    jitter: float
    miss: float
    drop: float
    swap: float

    def see(self, rng: np.random.Generator, space: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray]:
        """Joints in camera space as the detector puts them, [T V 3], and how sure it is of each, [T V].

        Args:
            rng: Where the chance comes from.
            space: True joints in camera space, [T V 3].
            rate: Frames per second.
        """
        frames, joints, _ = space.shape
        score = _confidence(rng, space, rate)
        drift, fast = _drift(rng, (frames, joints, 3)), rng.standard_normal((frames, joints, 3))
        unsure = (1 + 4 * (1 - score))[..., None] * [1, 1, 2]
        seen = space + self.jitter * unsure * (0.8 * drift + 0.6 * fast)
        miss, drop, arms, legs = _shares(rng, self.miss, self.drop, self.swap, self.swap)
        score[_worst(_drift(rng, (frames, joints)) - 4 * score, miss)] = 0
        score[_worst(_drift(rng, (frames,)), drop)] = 0
        for limbs, share in zip(_LIMBS, (arms, legs)):
            when = np.flatnonzero(_worst(_drift(rng, (frames,)), share))
            seen[when, limbs] = seen[when][:, _MIRROR[limbs]]
        return seen, score


def _shares(rng: np.random.Generator, *means: float) -> np.ndarray:
    """What share of a recording has a fault: some are far worse than others, with these means."""
    return np.minimum(rng.gamma(2, np.array(means) / 2), 0.75)


def _confidence(rng: np.random.Generator, space: np.ndarray, rate: float) -> np.ndarray:
    """Confidence [T V] in (0, 1]: less for joints that are fast, far, or behind the body."""
    middle = space[:, 11:13].mean(1, keepdims=True)
    speed = np.sqrt((np.gradient(space, axis=0) ** 2).sum(-1)) * rate
    behind = np.clip((space[..., 2] - middle[..., 2]) / _REACH, 0, 1)
    hidden = behind * np.exp(-(((space[..., 0] - middle[..., 0]) / _REACH) ** 2))
    doubt = 0.05 + 0.35 * hidden + 0.08 * speed + 0.02 * middle[..., 2] + 0.06 * np.abs(_drift(rng, speed.shape))
    return np.clip(1 - doubt, 0.05, 1)


def _drift(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Standard normal numbers that change slowly along the first axis; time reversed they are as likely."""
    white = rng.standard_normal((shape[0] + 4, *shape[1:]))
    return np.add.reduce([w * white[k : k + shape[0]] for k, w in enumerate(_SMOOTH)])


def _worst(risk: np.ndarray, share: float) -> np.ndarray:
    """Where risk is highest, for this share of all places."""
    num = round(share * risk.size)
    return risk > np.partition(risk.ravel(), risk.size - num - 1)[risk.size - num - 1]
