"""What synthetic people do: eighteen actions.

An action is a movement over a progress that runs from 0 to 1. Many are other actions played backwards or done
twice, so that their poses alone do not give them away: one has to look at the order of the frames.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from ossein.readers.body import ARM, Pose
from ossein.readers.habits import Habits, ease, fidget, sway, toward


@dataclass(frozen=True)
class Play:
    """One performance of an action.

    Args:
        progress: From 0 (not begun) to 1 (done), float [T]; it runs backwards for the reversed actions.
        side: The hand or leg that acts, 0 left or 1 right.
        both: Whether the other hand goes along where one would do.
        size: How large the movement is, about 1.
        plane: As in `Habits`; likewise height and lean.
        height: Radians of elevation.
        lean: Radians per unit of movement.
    """

    progress: np.ndarray
    side: int
    both: bool
    size: float
    plane: float
    height: float
    lean: float

    @classmethod
    def draw(cls, rng: np.random.Generator, habits: Habits, progress: np.ndarray) -> "Play":
        """A performance by someone with these habits."""
        return cls(
            progress=progress,
            side=int(rng.random() < habits.right),
            both=rng.random() < habits.both,
            size=habits.size * rng.uniform(0.7, 1.3),
            plane=habits.plane + rng.normal(0, 0.3),
            height=habits.height + rng.normal(0, 0.15),
            lean=habits.lean * rng.uniform(0, 1.5),
        )

    @property
    def hands(self) -> tuple[int, ...]:
        """The hands that act."""
        return (self.side, 1 - self.side) if self.both else (self.side,)


@dataclass(frozen=True)
class Action:
    """A movement, forwards or backwards.

    Args:
        move: Changes a pose by a performance.
        backwards: Whether time runs backwards.
    """

    move: Callable[[Pose, Play], None]
    backwards: bool = False


def behave(rng: np.random.Generator, habits: Habits, action: Action | None, frames: int, rate: float) -> Pose:
    """What someone does in one clip: the action at some time, something besides, and never quite still.

    Args:
        rng: Where the chance comes from.
        habits: Whose movement it is.
        action: What they do, or None to stand about.
        frames: The number of frames T.
        rate: Frames per second.
    """
    pose = Pose(np.repeat(habits.rest[None], frames, 0))
    fidget(rng, pose, habits.fidget)
    progress = _progress(rng, frames)
    if action:
        action.move(pose, Play.draw(rng, habits, 1 - progress if action.backwards else progress))
    pose.channels += habits.fidget * sway(rng, np.arange(frames) / rate)
    pose.arm[..., 2] = np.clip(pose.arm[..., 2], 0.3, 1)
    return pose


def _progress(rng: np.random.Generator, frames: int) -> np.ndarray:
    """Progress [T] of an action that waits, runs at a varying tempo and is over; its reverse is as likely."""
    idle, before = 0.3 * rng.random() ** 2, rng.random()
    u = np.clip((np.linspace(0, 1, frames) - idle * before) / (1 - idle), 0, 1)
    late, uneven = rng.uniform(-0.12, 0.12), rng.uniform(-0.06, 0.06)
    return u + late * np.sin(np.pi * u) + uneven * np.sin(2 * np.pi * u)


def _hold(u: np.ndarray, edge: float = 0.22) -> np.ndarray:
    return ease(u / edge) * ease((1 - u) / edge)


def _within(u: np.ndarray, edge: float = 0.15) -> np.ndarray:
    return np.clip((u - edge) / (1 - 2 * edge), 0, 1)


def _lift(pose: Pose, play: Play) -> None:
    w = ease(play.progress)
    for side in play.hands:
        toward(pose.arm[:, side], [0.2 + 1.7 * play.size, play.plane, 0.9], w)
    pose.trunk[:, 0] -= 0.3 * play.lean * w


def _circle(pose: Pose, play: Play) -> None:
    angle = 2 * np.pi * _within(play.progress)
    # Clockwise is what the performer sees: to the right is outward for the right hand and inward for the left.
    outward = 1 if play.side else -1
    radius = 0.7 * play.size
    hand = np.stack([np.cos(angle), outward * np.sin(angle)], 1) * radius + [play.height, 0.3]
    goal = np.concatenate([hand, np.full((len(hand), 1), 0.85)], 1)
    toward(pose.arm[:, play.side], goal, _hold(play.progress))


def _wave(pose: Pose, play: Play, *, times: int) -> None:
    swing = 0.6 * play.size * np.sin(2 * np.pi * times * _within(play.progress))
    goal = np.stack([0.9 + play.height * 0.9 - 0.3 * swing, 0.5 + swing, np.full_like(swing, 0.75)], 1)
    toward(pose.arm[:, play.side], goal, _hold(play.progress))
    pose.trunk[:, 1] += 0.2 * play.lean * swing


def _clap(pose: Pose, play: Play, *, times: int) -> None:
    apart = 0.5 * play.size * (1 + np.cos(2 * np.pi * times * _within(play.progress))) / 2
    goal = np.stack([np.full_like(apart, play.height - 0.2), 2.2 * apart - 0.4, np.full_like(apart, 0.7)], 1)
    for side in (0, 1):
        toward(pose.arm[:, side], goal, _hold(play.progress))


def _press(pose: Pose, play: Play) -> None:
    """From rest to the chest, out to the front, and back to rest; backwards it pulls."""
    w, out = _hold(play.progress, 0.3), ease((play.progress - 0.2) / 0.6)
    goal = np.stack([0.6 + (play.height - 0.6) * out, 0.4 - 0.4 * out, 0.35 + 0.6 * min(play.size, 1) * out], 1)
    for side in play.hands:
        toward(pose.arm[:, side], goal, w)
    pose.trunk[:, 0] += (0.1 + play.lean) * w * (2 * out - 1)


def _bow(pose: Pose, play: Play) -> None:
    w = ease(play.progress)
    pose.trunk[:, 0] += 0.65 * play.size * w
    pose.pelvis[:, 2] -= 0.12 * play.size * w
    pose.arm[:, :, 0] += (0.4 + play.lean) * w[:, None]


def _sink(pose: Pose, play: Play, down: np.ndarray) -> None:
    pose.pelvis[:, 1] -= (0.05 + 0.3 * play.size) * down
    pose.pelvis[:, 2] -= (0.1 + 0.15 * play.size) * down
    # The trunk leans forward most on the way, to keep the weight over the feet.
    pose.trunk[:, 0] += (0.15 + play.lean) * down + 0.4 * down * (1 - down)
    if play.both:
        toward(pose.channels[:, ARM], [play.height, 0.1, 0.8] * 2, 0.8 * down)


def _sit(pose: Pose, play: Play) -> None:
    _sink(pose, play, ease(play.progress))


def _squat(pose: Pose, play: Play) -> None:
    _sink(pose, play, np.sin(np.pi * play.progress) ** 2)


def _step(pose: Pose, play: Play) -> None:
    """One step to the left, the right foot following; backwards it is one to the right."""
    far = 0.18 + 0.24 * play.size
    for side, u in enumerate((play.progress / 0.55, (play.progress - 0.45) / 0.55)):
        u = np.clip(u, 0, 1)
        pose.foot[:, side, 0] += far * ease(u)
        pose.foot[:, side, 1] += 0.14 * play.size * np.sin(np.pi * u) ** 2
    # The weight goes over the standing foot before the other one lifts.
    pose.pelvis[:, 0] += far * (ease(play.progress) - 0.06 * np.sin(2 * np.pi * play.progress))
    pose.pelvis[:, 1] -= 0.05 * np.sin(np.pi * play.progress) ** 2
    pose.trunk[:, 1] += 0.1 * play.lean * np.sin(2 * np.pi * play.progress)
    pose.arm[:, :, 0] += (0.15 + play.lean) * np.sin(np.pi * play.progress)[:, None] ** 2


def _kick(pose: Pose, play: Play) -> None:
    u = play.progress
    forth, back = np.exp(-(((u - 0.6) / 0.17) ** 2)), np.exp(-(((u - 0.3) / 0.15) ** 2))
    foot = pose.foot[:, play.side]
    foot[:, 1] += (0.30 * forth + 0.15 * back) * play.size
    foot[:, 2] += (0.60 * forth - 0.35 * back) * play.size
    pose.pelvis[:, 0] += (0.06 if play.side else -0.06) * _hold(u)
    pose.trunk[:, 0] -= (0.1 + play.lean) * forth
    pose.arm[:, 1 - play.side, 0] += 0.6 * play.size * forth


ACTIONS: dict[str, Action] = {
    "raise arm": Action(_lift),
    "lower arm": Action(_lift, backwards=True),
    "circle clockwise": Action(_circle),
    "circle counter-clockwise": Action(_circle, backwards=True),
    "wave once": Action(partial(_wave, times=1)),
    "wave twice": Action(partial(_wave, times=2)),
    "clap once": Action(partial(_clap, times=1)),
    "clap twice": Action(partial(_clap, times=2)),
    "push": Action(_press),
    "pull": Action(_press, backwards=True),
    "bow": Action(_bow),
    "rise from a bow": Action(_bow, backwards=True),
    "sit down": Action(_sit),
    "stand up": Action(_sit, backwards=True),
    "squat": Action(_squat),
    "kick": Action(_kick),
    "step left": Action(_step),
    "step right": Action(_step, backwards=True),
}
"""The actions by name, in the order of labels."""
