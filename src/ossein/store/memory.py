"""Clips in memory in the arrangement of a store, so that what was not prepared is sampled by the same code."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ossein.clip import Clip
from ossein.errors import DataError
from ossein.skeleton import Skeleton
from ossein.store.rows import take


@dataclass(frozen=True, eq=False)
class Memory:
    """The arrays that `ossein.store.sample` gathers from; rows are laid out as in a `Store`.

    Args:
        skeleton: The V joints.
        names: Clip names, N of them.
        x: Coordinates, float32 [R V C].
        score: Confidence, float32 [R V].
        start: The first row of each clip [N].
        persons: Persons in each clip [N].
        frames: Frames of each clip [N].
        labels: Class of each clip [N].
        sizes: Width and height of the image [N 2]; NaN where not known.
    """

    skeleton: Skeleton
    names: tuple[str, ...]
    x: np.ndarray
    score: np.ndarray
    start: np.ndarray
    persons: np.ndarray
    frames: np.ndarray
    labels: np.ndarray
    sizes: np.ndarray

    @property
    def max_persons(self) -> int:
        """M, the most persons in any clip."""
        return int(self.persons.max())

    def take_rows(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates and confidence of some rows; see `ossein.store.rows.Rows`."""
        return take(self.x, self.score, rows)

    @classmethod
    def of(cls, clips: Iterable[Clip], skeleton: Skeleton) -> "Memory":
        """Clips of any lengths.

        Raises:
            DataError: There is no clip, or some are 2-D and some 3-D.
            SkeletonError: A clip does not have the skeleton's joints.

        >>> clip = Clip(np.ones((1, 3, 17, 2)), np.ones((1, 3, 17)))
        >>> Memory.of([clip, clip], Skeleton.of("coco-17")).start
        array([0, 3])
        """
        all_ = [clip.fit(skeleton) for clip in clips]
        dims = {clip.x.shape[3] for clip in all_}
        if len(dims) != 1:
            raise DataError(
                "there is no clip. Give one or more."
                if not dims
                else "some clips are 2-D and some 3-D. Keep to one kind."
            )
        persons = np.array([clip.num_persons for clip in all_])
        frames = np.array([clip.num_frames for clip in all_])
        return cls(
            skeleton=skeleton,
            names=tuple(clip.name for clip in all_),
            x=np.concatenate([clip.x.reshape(-1, *clip.x.shape[2:]) for clip in all_]),
            score=np.concatenate([clip.score.reshape(-1, clip.score.shape[2]) for clip in all_]),
            start=np.concatenate([[0], np.cumsum(persons * frames)[:-1]]),
            persons=persons,
            frames=frames,
            labels=np.array([clip.label for clip in all_]),
            sizes=np.array([clip.size or (np.nan, np.nan) for clip in all_], float),
        )
