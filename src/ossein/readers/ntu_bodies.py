"""Which of the bodies that a Kinect reports are people: ghosts are dropped, and a person tracked under two ids is one.

The rules and constants are those by which the field prepares NTU RGB+D (Zhang et al. 2017, CTR-GCN), so that results can
be compared; they were tuned on it and are not always right.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

GHOST_FRAMES = 11
"""A body seen in at most this many frames, beside another one, is a ghost."""

GHOST_SPREAD = 0.8
"""A body wider than this share of its height does not look like a person in that frame."""

GHOST_SHARE = 0.69754
"""A body that does not look like a person in this share of its frames, or more, is a ghost."""


@dataclass(frozen=True, eq=False)
class Body:
    """What was tracked under one id.

    Args:
        frames: The numbers of the L frames in which it was seen, increasing, int [L].
        x: Coordinates in metres, float32 [L V 3].
        score: Confidence, float32 [L V]; some joint is present in every frame.
    """

    frames: np.ndarray
    x: np.ndarray
    score: np.ndarray

    def __len__(self) -> int:
        return len(self.frames)

    def upright(self) -> np.ndarray:
        """bool [L]: the frames in which it looks like a person: its x-spread is at most 0.8 of its y-spread."""
        seen = self.score[..., None] > 0
        spread = np.where(seen, self.x, -np.inf).max(1) - np.where(seen, self.x, np.inf).min(1)
        return spread[:, 0] <= GHOST_SPREAD * spread[:, 1]

    def motion(self) -> float:
        """The variance of its joints' coordinates, summed over x, y, z; without frames in which it is no person."""
        upright = self.upright()
        least = self._variance(np.ones(len(self), bool))
        return min(least, self._variance(upright)) if upright.any() else least

    def joined(self, other: "Body") -> "Body":
        """The two as one, in the order of frames."""
        frames = np.concatenate([self.frames, other.frames])
        order = frames.argsort()
        x, score = np.concatenate([self.x, other.x]), np.concatenate([self.score, other.score])
        return Body(frames[order], x[order], score[order])

    def _variance(self, keep: np.ndarray) -> float:
        return float(self.x[keep][self.score[keep] > 0].var(0, dtype=np.float64).sum())


def people(bodies: Sequence[Body]) -> list[Body]:
    """The one or two people among the bodies, the one who moves more first.

    Of several bodies those seen in at most 11 frames go, then those that do not look like a person in 69.754 % of their
    frames or more; if none is left the longest stays. The rest, in the order of motion, are laid into two persons: a
    body that shares no frame with the first person is the same person tracked anew, likewise with the second; a body
    that overlaps both is left out. Unlike in the scripts of the field, overlap is asked of frames and not of intervals
    from first to last, so that a body may leave and come back.
    """
    if len(bodies) < 2:
        return list(bodies)
    lasting = [body for body in bodies if len(body) > GHOST_FRAMES] or [max(bodies, key=len)]
    upright = [body for body in lasting if 1 - body.upright().mean() < GHOST_SHARE] or [max(lasting, key=len)]
    persons: list[Body] = []
    for body in sorted(upright, key=Body.motion, reverse=True):
        for m, person in enumerate(persons):
            if not np.isin(body.frames, person.frames).any():
                persons[m] = person.joined(body)
                break
        else:
            if len(persons) < 2:
                persons.append(body)
    return persons
