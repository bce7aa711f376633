"""Clip: one sample in numpy. Batch: many of them in torch. The shapes are the same.

Letters: N clips, M persons, T frames, V joints, C coordinates. `score` says how sure a joint is: 0 is absent, 1 is
sure. A zero *coordinate* never means missing, only a zero score does.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ossein.errors import DataError, SkeletonError
from ossein.skeleton import Skeleton
from ossein.words import count

if TYPE_CHECKING:
    import torch
    from torch import Tensor

UNKNOWN = -1
"""The label, subject, camera or setup of a clip that does not say."""
PERSONS = 2
"""Of a clip, presets read so many at the most: the first ones."""


@dataclass(frozen=True, eq=False)
class Clip:
    """One recording of one action: persons x frames x joints, checked when made.

    Args:
        x: Coordinates, float [M T V C], C = 2 (pixels, or as the source has them) or 3 (metres); y points down in
            2-D images. Where `score` is 0 the value is ignored; it is kept as 0.
        score: Confidence, float [M T V] in [0, 1]; 0 is absent.
        name: What the source calls it; unique within a data set.
        label: The class from 0, or `UNKNOWN`.
        subject: The number of the performer, or `UNKNOWN`; likewise camera and setup.
        camera: The number of the camera.
        setup: The number of the recording set-up.
        size: Width and height of the image in the unit of `x`, where the source knows it.
        rate: Frames per second, where the source knows it.

    Raises:
        DataError: A shape is wrong, there is no frame, a coordinate of a present joint is not finite, or a score is
            outside [0, 1].

    >>> clip = Clip(np.ones((1, 2, 17, 2)), np.ones((1, 2, 17)), name="wave-01")
    >>> clip.num_frames
    2
    """

    x: np.ndarray
    score: np.ndarray
    name: str = ""
    label: int = UNKNOWN
    subject: int = UNKNOWN
    camera: int = UNKNOWN
    setup: int = UNKNOWN
    size: tuple[float, float] | None = None
    rate: float | None = None

    def __post_init__(self) -> None:
        x, score = np.asarray(self.x, np.float32), np.asarray(self.score, np.float32)
        if x.ndim != 4 or x.shape[3] not in (2, 3) or score.shape != x.shape[:3]:
            raise DataError(
                f"clip '{self.name}': x {list(x.shape)} and score {list(score.shape)}, expected [M T V C] with C = 2 or 3, "
                "and [M T V]. Reorder the axes."
            )
        if 0 in x.shape:
            raise DataError(f"clip '{self.name}': x {list(x.shape)} is empty. Drop the clip.")
        if not (np.isfinite(score).all() and score.min() >= 0 and score.max() <= 1):
            m, t, v = _first(~(np.isfinite(score) & (score >= 0) & (score <= 1)))
            raise DataError(
                f"clip '{self.name}': score {score[m, t, v]} of person {m}, frame {t}, joint {v}, expected 0 (absent) to 1 "
                "(sure). Rescale the scores."
            )
        wild = ~np.isfinite(x).all(3) & (score > 0)
        if wild.any():
            m, t, v = _first(wild)
            raise DataError(
                f"clip '{self.name}': coordinate {x[m, t, v].tolist()} of person {m}, frame {t}, joint {v} is not finite. "
                "Mend it, or give the joint score 0 if it was not seen."
            )
        object.__setattr__(self, "x", np.where(score[..., None] > 0, x, np.float32(0)))
        object.__setattr__(self, "score", score.copy())

    @property
    def num_persons(self) -> int:
        """M, the number of persons."""
        return self.x.shape[0]

    @property
    def num_frames(self) -> int:
        """T, the number of frames."""
        return self.x.shape[1]

    def fit(self, skeleton: Skeleton) -> "Clip":
        """The clip itself, if it has the joints of the skeleton.

        Raises:
            SkeletonError: The number of joints differs.
        """
        if self.x.shape[2] != len(skeleton):
            raise SkeletonError(
                f"clip '{self.name}': {count(self.x.shape[2], 'joint')}, expected {len(skeleton)} ({skeleton.name}). "
                "Name the skeleton of the data with --skeleton."
            )
        return self


@dataclass(frozen=True, eq=False)
class Batch:
    """N clips of T frames in torch, on one device. Operations return new batches and leave their input as it was.

    Args:
        x: Coordinates, float32 [N M T V C]; 0 where `score` is 0.
        score: Confidence, float32 [N M T V]; 0 is absent: a missing joint, frame or person.
        skeleton: The V joints.
        label: int64 [N], `UNKNOWN` where there is none.
        index: int64 [N], which clips of the store these are.
        size: float32 [N 2], width and height of the image; NaN where not known.
    """

    x: "Tensor"
    score: "Tensor"
    skeleton: Skeleton
    label: "Tensor"
    index: "Tensor"
    size: "Tensor"

    def __len__(self) -> int:
        return self.x.shape[0]

    @property
    def present(self) -> "Tensor":
        """bool [N M T]: the frames in which a person has at least one joint."""
        return (self.score > 0).any(-1)

    @property
    def complete(self) -> bool:
        """Whether it is known that nothing is absent; only a CPU is asked, an accelerator would have to be waited for."""
        import torch

        if self.score.device.type != "cpu" or torch.compiler.is_compiling() or not self.score.numel():
            return False
        return bool(self.score.amin() > 0)

    def to(self, device: "torch.device | str") -> "Batch":
        """The same batch on another device."""
        moved = {key: getattr(self, key).to(device, non_blocking=True) for key in _TENSORS}
        return replace(self, **moved)

    def take(self, clips: "Tensor | slice") -> "Batch":
        """Some of the clips: their numbers, whether each is wanted, or a slice."""
        return replace(self, **{key: getattr(self, key)[clips] for key in _TENSORS})

    def change(self, **fields: Any) -> "Batch":
        """A copy with some fields replaced; joints with score 0 are set to 0 again."""
        # Not `replace`, which takes as long as three passes over a batch of training.
        new = type(self)(**{**self.__dict__, **fields})
        if not {"x", "score"} & set(fields) or new.complete:
            return new
        return replace(new, x=new.x.masked_fill((new.score <= 0).unsqueeze(-1), 0))

    @classmethod
    def of(cls, clips: list[Clip], skeleton: Skeleton) -> "Batch":
        """Clips of equal length as a batch; missing persons get score 0.

        Raises:
            DataError: No clip is given, or lengths or coordinates differ (sample a store to bring them to one length).
            SkeletonError: A clip does not have the skeleton's joints.
        """
        import torch

        if not clips:
            raise DataError("no clip is given, expected one or more. Check what was selected.")
        shapes = {clip.fit(skeleton).x.shape[1:] for clip in clips}
        if len(shapes) != 1:
            raise DataError(f"clips of shapes {sorted(shapes)} cannot be stacked. Resample them to one length first.")
        frames, joints, dims = shapes.pop()
        persons = max(clip.num_persons for clip in clips)
        x = torch.zeros(len(clips), persons, frames, joints, dims)
        score = torch.zeros(len(clips), persons, frames, joints)
        for n, clip in enumerate(clips):
            x[n, : clip.num_persons] = torch.from_numpy(clip.x)
            score[n, : clip.num_persons] = torch.from_numpy(clip.score)
        size = torch.tensor([clip.size or (float("nan"), float("nan")) for clip in clips], dtype=torch.float32)
        label = torch.tensor([clip.label for clip in clips])
        return cls(x, score, skeleton, label, torch.arange(len(clips)), size)


_TENSORS = ("x", "score", "label", "index", "size")
"""The fields of a batch with an entry for each clip."""


def _first(where: np.ndarray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(where)[0])
