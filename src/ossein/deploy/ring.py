"""What a stream remembers: the last frames in arrays that are made once, and who has which place in them."""

from collections.abc import Hashable, Sequence

import numpy as np

_NOBODY = object()


class Ring:
    """The last frames.

    Args:
        places: How many persons there is room for.
        frames: How many frames are kept.
        joints: V.
        dims: C.
    """

    def __init__(self, places: int, frames: int, joints: int, dims: int) -> None:
        self.x = np.zeros((places, frames, joints, dims), np.float32)
        self.score = np.zeros((places, frames, joints), np.float32)
        self.times = np.zeros(frames)
        self.num = self.head = 0

    def put(self, x: np.ndarray, score: np.ndarray, time: float) -> None:
        """Add a frame, in place of the oldest where there is no room."""
        self.x[:, self.head], self.score[:, self.head], self.times[self.head] = x, score, time
        self.num, self.head = min(self.num + 1, len(self.times)), (self.head + 1) % len(self.times)

    def after(self, time: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Coordinates, confidence and times of the frames after a time, the oldest first."""
        order = np.arange(self.head - self.num, self.head) % len(self.times)
        order = order[self.times[order] > time]
        return self.x[:, order], self.score[:, order], self.times[order]

    def forget(self, place: int) -> None:
        """Nobody was ever at a place."""
        self.score[place] = 0

    def clear(self) -> None:
        """Forget all frames."""
        self.num = self.head = 0


class Places:
    """Who has which place: a newcomer gets that of whoever was not seen for longest.

    Args:
        num: How many places there are.

    >>> places = Places(2)
    >>> places.take(["ann", "bob"], now=0), places.take(["bob"], now=1), places.take(["cid", "bob"], now=2)
    (([0, 1], [0, 1]), ([1], []), ([0, 1], [0]))
    """

    def __init__(self, num: int) -> None:
        self.who: list[object] = [_NOBODY] * num
        self.seen = [float("-inf")] * num

    def take(self, ids: Sequence[Hashable], now: float) -> tuple[list[int | None], list[int]]:
        """The place of each person in a frame, and the places that changed hands.

        Args:
            ids: Who is in the frame, each once.
            now: When it was taken, later than all frames before.

        Returns:
            None is the place of a newcomer where all places belong to others in the same frame.
        """
        for place, one in enumerate(self.who):
            self.seen[place] = now if one in ids else self.seen[place]
        found: list[int | None] = []
        changed = []
        for one in ids:
            place = self.who.index(one) if one in self.who else int(np.argmin(self.seen))
            if self.who[place] != one and self.seen[place] < now:
                self.who[place], self.seen[place] = one, now
                changed.append(place)
            found.append(place if self.who[place] == one else None)
        return found, changed

    def clear(self) -> None:
        """Forget everybody."""
        self.who, self.seen = [_NOBODY] * len(self.who), [float("-inf")] * len(self.who)
