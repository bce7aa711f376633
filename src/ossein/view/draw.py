"""Pictures of bodies: a clip as a strip of frames, and what a model rebuilt of the joints it could not see."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ossein.clip import Clip
from ossein.errors import DataError
from ossein.skeleton import Skeleton
from ossein.view import base
from ossein.view.base import BLUE, GREY, INK, ORANGE, PALE, Place

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROWS = (
    ("given", "what the model saw"),
    ("rebuilt", "what it filled in"),
    ("true", "what was hidden"),
)


def draw_clip(clip: Clip, skeleton: Skeleton, path: Path | str, *, frames: int = 8) -> None:
    """Write a PNG strip of one clip: the body's left blue, its right orange; absent joints are not drawn.

    All frames have one scale. Each is centred from side to side, so that who walks stays large.

    Args:
        clip: The clip; all of its persons are drawn. 3-D clips are seen from the front.
        skeleton: Its joints.
        path: Where to write.
        frames: How many frames to show, evenly spread.

    Raises:
        SkeletonError: The clip does not have the skeleton's joints.
        DataError: The file cannot be written.
        SettingsError: No frame is to be shown.
    """
    seen = clip.fit(skeleton).score > 0
    shown, M, V = base.pick(clip.num_frames, frames), clip.num_persons, len(skeleton)
    # The persons of a frame are drawn as one body of M * V joints.
    xy = (clip.x @ base.front(clip.x, seen, skeleton))[:, shown].swapaxes(0, 1).reshape(len(shown), M * V, 2)
    seen = seen[:, shown].swapaxes(0, 1).reshape(len(shown), M * V)
    bones = [(a + m * V, b + m * V) for m in range(M) for a, b in skeleton.bones]
    joint_colours, bone_colours = base.sides(skeleton)
    cell = (base.WIDTH - 2 * base.MARGIN) / len(shown)
    place = Place.of(xy, seen, cell, 3.0)
    figure, axes = base.canvas(place.height + 1.2)
    base.write(axes, base.MARGIN, 0.32, base.short(clip.name, 80), 11, weight="bold", va="center")
    if skeleton.pairs:
        base.legend(axes, [("left", BLUE, "full"), ("right", ORANGE, "full"), ("middle", GREY, "full")], 0.32)
    for i, frame in enumerate(shown):
        at = (base.MARGIN + cell * (i + 0.5), 0.75 + place.height / 2)
        colours = (joint_colours * M, bone_colours * M)
        base.sticks(axes, place.put(xy[i], i, at), seen[i], bones, colours, width=2.2, dot=14)
        base.write(axes, at[0], place.height + 1.0, f"frame {frame}", 7.5, GREY, ha="center", va="center")
    base.save(figure, path)


@dataclass(frozen=True, eq=False)
class Rebuilt:
    """One example of a reconstruction: what was there, what was hidden, and what the model put in its place.

    Args:
        x: The true coordinates, [T V C].
        rebuilt: The model's coordinates, [T V C]; only those of hidden joints are drawn.
        hidden: True where the model could not see, bool [T V].
        score: Confidence, [T V]; 0 is absent and is not drawn. Without it all joints are present.
        caption: What to write above the example.

    Raises:
        DataError: Shapes do not fit, or a coordinate to be drawn is not finite.
    """

    x: np.ndarray
    rebuilt: np.ndarray
    hidden: np.ndarray
    score: np.ndarray | None = None
    caption: str = ""

    def __post_init__(self) -> None:
        grid = self.x.shape[:2]
        fits = self.x.ndim == 3 and self.rebuilt.shape == self.x.shape and self.hidden.shape == grid
        if not fits or self.seen.shape != grid or self.x.shape[2] not in (2, 3):
            raise DataError(
                f"x {list(self.x.shape)}, rebuilt {list(self.rebuilt.shape)}, hidden {list(self.hidden.shape)} and score "
                f"{list(self.seen.shape)}, expected [T V C] twice, with C = 2 or 3, and [T V] twice. Give one person."
            )
        if not np.isfinite(self.filled[self.seen]).all():
            raise DataError("a coordinate to be drawn is not finite. The model may have diverged.")

    @property
    def seen(self) -> np.ndarray:
        """bool [T V]: the joints that exist."""
        return np.ones(self.x.shape[:2], bool) if self.score is None else self.score > 0

    @property
    def filled(self) -> np.ndarray:
        """[T V C]: the truth with the model's joints in the places that were hidden."""
        return np.where(self.hidden[..., None], self.rebuilt, self.x)


def draw_rebuilt(
    examples: Rebuilt | Sequence[Rebuilt], skeleton: Skeleton, path: Path | str, *, frames: int = 6, title: str = ""
) -> None:
    """Write a PNG in three rows: what a model was given, what it rebuilt, and the truth.

    Joints that the model saw are grey. Of the hidden ones, the first row shows empty rings, the second what the model
    rebuilt in orange, the third the truth in blue.

    Args:
        examples: One example, or a few to set side by side.
        skeleton: The joints.
        path: Where to write.
        frames: How many frames of each example to show, evenly spread.
        title: What to write on top.

    Raises:
        DataError: There is no example, one does not have the skeleton's joints, or the file cannot be written.
        SettingsError: No frame is to be shown.
    """
    examples = [examples] if isinstance(examples, Rebuilt) else list(examples)
    if not examples or any(example.x.shape[1] != len(skeleton) for example in examples):
        joints = [example.x.shape[1] for example in examples]
        raise DataError(f"examples with {joints} joints, expected one or more with {len(skeleton)} ({skeleton.name}).")
    left, gap = 1.45, 0.35
    width = (base.WIDTH - left - base.MARGIN - gap * (len(examples) - 1)) / len(examples)
    blocks = [_Block.of(example, skeleton, frames, width) for example in examples]
    height = max(block.place.height for block in blocks)
    first, pitch = 1.15 if any(example.caption for example in examples) else 0.75, height + 0.35
    figure, axes = base.canvas(first + 3 * pitch + 0.4)
    base.write(axes, base.MARGIN, 0.42, base.short(title, 70), 13, weight="bold", va="center")
    for row, (name, line) in enumerate(_ROWS):
        middle = first + pitch * row + pitch / 2
        _label(axes, name, line, middle)
        for i, block in enumerate(blocks):
            block.draw(axes, row, left + i * (width + gap), middle)
    base.write(axes, base.MARGIN, first + 3 * pitch + 0.12, "frame", 7, GREY, va="center")
    for i, block in enumerate(blocks):
        block.words(axes, left + i * (width + gap), first - 0.12, first + 3 * pitch + 0.12)
    entries = [("seen", GREY, "full"), ("hidden", GREY, "none"), ("rebuilt", ORANGE, "full"), ("true", BLUE, "full")]
    base.legend(axes, entries, 0.42)
    base.save(figure, path)


@dataclass(frozen=True, eq=False)
class _Block:
    """One example of `draw_rebuilt`, flat and thinned out to the frames that are shown."""

    example: Rebuilt
    skeleton: Skeleton
    shown: np.ndarray
    true: np.ndarray
    filled: np.ndarray
    place: Place
    cell: float

    @classmethod
    def of(cls, example: Rebuilt, skeleton: Skeleton, frames: int, width: float) -> "_Block":
        shown = base.pick(len(example.x), frames)
        flat = base.front(example.x, example.seen, skeleton)
        true, filled, cell = (example.x @ flat)[shown], (example.filled @ flat)[shown], width / len(shown)
        return cls(example, skeleton, shown, true, filled, Place.of(true, example.seen[shown], cell, 1.75), cell)

    def draw(self, axes: "Axes", row: int, left: float, middle: float) -> None:
        """One row of bodies: given, rebuilt or true."""
        for i, frame in enumerate(self.shown):
            at = (left + self.cell * (i + 0.5), middle)
            seen, hidden = self.example.seen[frame], self.example.hidden[frame] & self.example.seen[frame]
            body = self.place.put((self.filled if row == 1 else self.true)[i], i, at)
            strong = [GREY, ORANGE, BLUE][row]
            faint = GREY if row == 0 else PALE
            joints = [strong if is_hidden else faint for is_hidden in hidden]
            bones = [strong if hidden[a] or hidden[b] else faint for a, b in self.skeleton.bones]
            there = seen & ~hidden if row == 0 else seen
            base.sticks(axes, body, there, self.skeleton.bones, (joints, bones), width=2.0, dot=11)
            if row == 0:
                axes.scatter(*body[hidden].T, s=11, facecolors="none", edgecolors=PALE, linewidths=0.9)

    def words(self, axes: "Axes", left: float, top: float, bottom: float) -> None:
        """The caption above and the frame numbers below."""
        base.write(axes, left + self.cell * len(self.shown) / 2, top, self.example.caption, 9.5, ha="center")
        for i, frame in enumerate(self.shown):
            at = left + self.cell * (i + 0.5)
            base.write(axes, at, bottom, str(frame), 7, GREY, ha="center", va="center")


def _label(axes: "Axes", name: str, line: str, middle: float) -> None:
    base.write(axes, base.MARGIN, middle - 0.1, name, 10.5, INK, weight="bold", va="center")
    base.write(axes, base.MARGIN, middle + 0.1, line, 7.5, GREY, va="center")
