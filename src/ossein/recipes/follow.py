"""Who is who: persons followed through a video by their boxes, where the estimator finds people anew in every frame."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np

PATIENCE = 30
"""Frames for which a person who is not found is waited for."""

LEAST = 0.2
"""How much of the area of two boxes must be in both for them to be one person's (intersection over union)."""

_SEEN = 0.3
"""The score from which a joint counts for the box."""

_KEPT = 0.5
"""The share of the old speed in the new one: a box shakes as arms and legs move."""


@dataclass(frozen=True)
class _Track:
    """A person as last seen: the frame, the box [left, top, right, bottom], and its speed in pixels a frame [x, y]."""

    person: int
    frame: int
    box: np.ndarray
    speed: np.ndarray

    def at(self, frame: int) -> np.ndarray:
        """The box where it should be by now if the person has gone on as before."""
        return self.box + np.tile(self.speed * (frame - self.frame), 2)

    def moved(self, frame: int, box: np.ndarray) -> "_Track":
        speed = (_centre(box) - _centre(self.box)) / (frame - self.frame)
        return _Track(self.person, frame, box, _KEPT * self.speed + (1 - _KEPT) * speed)


def follow(frames: Iterable[tuple[np.ndarray, np.ndarray]]) -> Iterator[list[int]]:
    """For each frame the number of each of its persons, the same in every frame.

    Boxes around the joints are paired with where known persons should be by now, so that the sum of overlaps is greatest
    (Kuhn 1955). Who goes on as before keeps the number when two cross, and when hidden for up to `PATIENCE` frames.

    Args:
        frames: Keypoints [M V 2] in pixels and scores [M V], frame by frame, persons in any order; M may be 0.

    >>> boxes = np.array([[[0.0, 0.0], [10.0, 20.0]], [[50.0, 0.0], [60.0, 20.0]]])
    >>> list(follow([(boxes, np.ones((2, 2))), (boxes[::-1] + 1, np.ones((2, 2)))]))
    [[0, 1], [1, 0]]
    """
    from scipy.optimize import linear_sum_assignment

    new, known = count(), list[_Track]()
    for frame, (keypoints, scores) in enumerate(frames):
        known = [track for track in known if frame - track.frame <= PATIENCE]
        boxes = [_box(*person) for person in zip(keypoints, scores, strict=True)]
        overlap = np.array([[_overlap(track.at(frame), box) for box in boxes] for track in known])
        pairs = zip(*linear_sum_assignment(-overlap.reshape(len(known), len(boxes))))
        found = {j: known[i].moved(frame, boxes[j]) for i, j in pairs if overlap[i, j] >= LEAST}
        now = [found.get(j) or _Track(next(new), frame, box, np.zeros(2)) for j, box in enumerate(boxes)]
        yield [track.person for track in now]
        still = {track.person for track in now}
        known = [*(track for track in known if track.person not in still), *now]


def _box(keypoints: np.ndarray, scores: np.ndarray) -> np.ndarray:
    sure = keypoints[scores >= _SEEN]
    points = sure if len(sure) > 1 else keypoints
    low, high = points.min(0), points.max(0)
    margin = 0.1 * (high - low).max() + 1
    return np.concatenate([low - margin, high + margin])


def _centre(box: np.ndarray) -> np.ndarray:
    return (box[:2] + box[2:]) / 2


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    both = np.prod(np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0))
    return float(both / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - both))
