"""Stance: which way is up in the space of a store, and whether that space is right-handed, read off the bodies in it.

Data sets disagree: sensors and motion capture have y up, some software z, an image y down; and some depth sensors have a
left-handed space, in which a person's toes point backwards if one takes it for a right-handed one.
"""

from dataclasses import dataclass

import numpy as np

from ossein.mapping import places
from ossein.skeleton import Group
from ossein.store.file import Store

_LOOK = 4096
"""How many rows, spread evenly over a store, are looked at."""


@dataclass(frozen=True)
class Stance:
    """How bodies stand in a 3-D space.

    Args:
        axis: The axis along which they stand: 0 x, 1 y, 2 z.
        down: Whether that axis points down.
        left_handed: Whether the space is left-handed; None where bodies without feet do not tell.
    """

    axis: int = 1
    down: bool = False
    left_handed: bool | None = None

    @classmethod
    def of(cls, store: Store) -> "Stance":
        """The stance of most bodies of a 3-D store; y up where they do not tell.

        Toes lie in front of ankles, and forward is up x right in a right-handed space.

        Args:
            store: 3-D clips.
        """
        rows = np.linspace(0, len(store.x) - 1, min(_LOOK, len(store.x))).astype(np.int64)
        x, score = store.take_rows(rows)
        up = _arrow(x, score, *(store.skeleton.up or ((0,), (0,))))
        if not up.any():
            return cls()
        mean = up.mean(0)
        axis = int(np.abs(mean).argmax())
        across = _arrow(x, score, *(store.skeleton.across or ((0,), (0,))))
        ahead = sum((toe * np.cross(up, across)).sum() for toe in _toes(store, x, score))
        return cls(axis, bool(mean[axis] < 0), bool(ahead < 0) if ahead else None)

    def frame(self) -> np.ndarray:
        """Two level axes and the way up, as rows [3 3]; right-handed in the way that the space itself is."""
        level = [(self.axis + 1) % 3, (self.axis + 2) % 3]
        out = np.eye(3, dtype=np.float32)[[*(reversed(level) if self.down else level), self.axis]]
        out[2] *= -1 if self.down else 1
        return out

    def turn_to(self, other: "Stance") -> np.ndarray:
        """What turns this space into another [3 3], applied as `x @ turn`: up to up, and left-handed to right-handed.

        >>> np.array([0, 0, 1]) @ Stance(axis=2).turn_to(Stance(axis=1))  # z of the one is y of the other
        array([0., 1., 0.])
        """
        own = self.frame()
        if None not in (self.left_handed, other.left_handed) and self.left_handed != other.left_handed:
            own[0] *= -1
        return own.T @ other.frame()


def _arrow(x: np.ndarray, score: np.ndarray, tail: Group, head: Group) -> np.ndarray:
    """From the mean of some joints to that of others, [R 3]; 0 where one of them is not seen."""
    seen = (score[:, [*tail, *head]] > 0).all(1, keepdims=True)
    return np.where(seen, x[:, list(head)].mean(1) - x[:, list(tail)].mean(1), 0).astype(np.float64)


def _toes(store: Store, x: np.ndarray, score: np.ndarray) -> list[np.ndarray]:
    number = {place: j for j, place in enumerate(places(store.skeleton))}
    ends = [(number.get(f"{side} ankle"), number.get(f"{side} toe")) for side in ("left", "right")]
    return [_arrow(x, score, (ankle,), (toe,)) for ankle, toe in ends if ankle is not None and toe is not None]
