"""What all pictures share: a canvas measured in inches, colours, the front view of a body, and saving.

Matplotlib is used through its objects only: no pyplot, no global state, nothing that a program around this one would
notice. It is imported when a picture is drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ossein.errors import SettingsError
from ossein.files import atomic
from ossein.skeleton import Skeleton

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 150
WIDTH = 10.6
"""The width of a picture in inches: 1590 pixels."""
MARGIN = 0.3
BLUE, ORANGE, GREY, PALE, INK = "#0072B2", "#D55E00", "#5B6673", "#C3CAD2", "#24292F"
"""Okabe and Ito's blue and vermilion, which every kind of colour vision tells apart, and greys."""


def canvas(height: float, width: float = WIDTH) -> "tuple[Figure, Axes]":
    """A white figure with one axes over all of it, measured in inches from the top left, y pointing down."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    return figure, axes


def save(figure: "Figure", path: Path | str) -> None:
    """Write a figure as PNG, whole or not at all.

    Raises:
        DataError: The folder cannot be written to.
    """
    with atomic(path) as file:
        figure.savefig(file, format="png", dpi=DPI)


def write(axes: "Axes", x: float, y: float, text: str, size: float = 8, color: str = INK, **style: object) -> None:
    """Put text on a canvas; a dollar sign in it is a dollar sign."""
    axes.text(x, y, text, fontsize=size, color=color, parse_math=False, **style)  # pyright: ignore[reportArgumentType]


def short(text: str, most: int) -> str:
    """The text, cut with an ellipsis where it is longer than `most` letters.

    >>> short("clean and jerk", 8)
    'clean a…'
    """
    return text if len(text) <= most else text[: most - 1] + "…"


def pick(num_frames: int, frames: int) -> np.ndarray:
    """Frame numbers evenly spread from the first to the last, each once.

    Args:
        num_frames: T, how many there are.
        frames: How many to show; all of them if there are fewer.

    Raises:
        SettingsError: Fewer than one is to be shown.

    >>> pick(10, 4)
    array([0, 3, 6, 9])
    """
    if frames < 1:
        raise SettingsError(f"{frames} frames to show, expected 1 or more.")
    return np.linspace(0, num_frames - 1, min(frames, num_frames)).round().astype(int)


def front(x: np.ndarray, seen: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """The projection [C 2] that shows a body from its front, y pointing down: `x @ front(...)` is flat.

    Images stay as they are. In space, the vertical is the axis of the data nearest to the body's mean upwards, so that
    who bends or lies down is drawn so; the horizontal is the direction in which the shoulders and hips are widest over
    the clip, the body's left on the viewer's right.

    Args:
        x: Coordinates, [... V C].
        seen: Which joints to go by, bool [... V].
        skeleton: The V joints.
    """
    if x.shape[-1] == 2:
        return np.eye(2)
    x, seen = x.reshape(-1, *x.shape[-2:]).astype(np.float64), seen.reshape(-1, seen.shape[-1])
    up = _between(x, seen, skeleton.up).mean(0) if skeleton.up else np.array([0.0, 1.0, 0.0])
    axis = int(np.abs(up).argmax())
    vertical = np.eye(3)[axis] * (np.sign(up[axis]) or 1)
    wide = _between(x, seen, skeleton.across) if skeleton.across else _outwards(x, seen)
    wide = wide - np.outer(wide @ vertical, vertical)
    _, vectors = np.linalg.eigh(wide.T @ wide - np.outer(vertical, vertical))
    leftwards = vectors[:, -1] * (np.sign(wide.sum(0) @ vectors[:, -1]) or 1)
    return np.stack([-leftwards, -vertical], 1)


def room(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least and most of points [n D] along each axis; one far from all others, a detector's error, may be outside.

    >>> low, high = room(np.array([[0.0, 0.0], [1.0, 2.0]]))
    >>> low.tolist(), high.tolist()
    ([0.0, 0.0], [1.0, 2.0])
    """
    low, high = np.quantile(points, (0.01, 0.99), axis=0)
    slack = 0.15 * (high - low)
    return np.maximum(low - slack, points.min(0)), np.minimum(high + slack, points.max(0))


def sides(skeleton: Skeleton) -> tuple[list[str], list[str]]:
    """The colour of each joint and of each bone: blue on the body's left, orange on its right, grey between.

    >>> sides(Skeleton.make("tiny", ["hip", "left_knee", "left_foot"], [(0, 1), (1, 2)], pairs=[]))[1]
    ['#5B6673', '#5B6673']
    """
    joints = [GREY] * len(skeleton)
    for left, right in skeleton.pairs:
        joints[left], joints[right] = BLUE, ORANGE
    return joints, [joints[a] if joints[a] == joints[b] else GREY for a, b in skeleton.bones]


@dataclass(frozen=True, eq=False)
class Place:
    """How bodies are put on a canvas: one scale and one vertical middle for all frames, a horizontal middle for each.

    Where a person goes to in the room is left out, where they go up or down is kept.
    """

    scale: float
    across: np.ndarray
    down: float
    height: float

    @classmethod
    def of(cls, xy: np.ndarray, seen: np.ndarray, width: float, tallest: float) -> "Place":
        """A place in which the seen joints [T J 2] of every frame fit into `width` and `tallest` inches."""
        frames = seen.any(1)
        if not frames.any():
            return cls(1.0, np.zeros(len(xy)), 0.0, tallest / 2)
        low = np.where(seen[..., None], xy, np.inf).min(1)
        high = np.where(seen[..., None], xy, -np.inf).max(1)
        wide = (high[frames, 0] - low[frames, 0]).max()
        top, bottom = low[frames, 1].min(), high[frames, 1].max()
        scale = min(0.98 * width / max(wide, 1e-9), tallest / max(bottom - top, 1e-9))
        across = np.zeros(len(xy))
        across[frames] = (low[frames, 0] + high[frames, 0]) / 2
        return cls(scale, across, (top + bottom) / 2, max(0.4, scale * (bottom - top)))

    def put(self, xy: np.ndarray, frame: int, at: tuple[float, float]) -> np.ndarray:
        """Joints [J 2] of one frame in inches, its middle `at` a point of the canvas."""
        return (xy - (self.across[frame], self.down)) * self.scale + at


def sticks(
    axes: "Axes",
    xy: np.ndarray,
    seen: np.ndarray,
    bones: Sequence[tuple[int, int]],
    colours: tuple[Sequence[str], Sequence[str]],
    *,
    width: float = 2.0,
    dot: float = 9.0,
) -> None:
    """Draw one body on a canvas: the bones whose two ends are seen, and the seen joints.

    Args:
        axes: The canvas.
        xy: Where the joints are, inches [V 2].
        seen: Which joints exist, bool [V].
        bones: Pairs of joints.
        colours: Of the joints, and of the bones.
        width: Of the bones, in points.
        dot: The area of a joint, in square points.
    """
    from matplotlib.collections import LineCollection

    # What is pale goes first, so that it never hides the rest.
    kept = sorted(((c, xy[[a, b]]) for c, (a, b) in zip(colours[1], bones) if seen[a] and seen[b]), key=_is_strong)
    lines = LineCollection([ends for _, ends in kept], colors=[c for c, _ in kept], linewidths=width)
    lines.set_capstyle("round")
    axes.add_collection(lines, autolim=False)
    dots = sorted(((c, at) for c, at, there in zip(colours[0], xy, seen) if there), key=_is_strong)
    if dots:
        axes.scatter(*np.stack([at for _, at in dots]).T, s=dot, c=[c for c, _ in dots], linewidths=0, zorder=2)


def _is_strong(drawn: tuple[str, np.ndarray]) -> bool:
    return drawn[0] != PALE


def legend(axes: "Axes", entries: Sequence[tuple[str, str, str]], y: float) -> None:
    """Name the colours in one line at the right edge of a canvas.

    Args:
        axes: The canvas.
        entries: (name, colour, `full` or `none` for an empty ring) from left to right.
        y: The height of the line, inches from the top.
    """
    from matplotlib.lines import Line2D

    marks = [Line2D([], [], color=c, marker="o", markersize=5, fillstyle=kind, linestyle="") for _, c, kind in entries]  # type: ignore[arg-type]
    axes.legend(
        marks,
        [name for name, _, _ in entries],
        ncols=len(entries),
        loc="center right",
        bbox_to_anchor=(axes.get_xlim()[1] - MARGIN, y),
        bbox_transform=axes.transData,
        frameon=False,
        fontsize=8.5,
        labelcolor=GREY,
        handletextpad=0.1,
        columnspacing=1.2,
        borderaxespad=0,
        borderpad=0,
    )


def _between(x: np.ndarray, seen: np.ndarray, ends: tuple[tuple[int, ...], tuple[int, ...]]) -> np.ndarray:
    """From the mean of the first joints to that of the second in every frame that has them all, [n 3]; or all zero."""
    start, end = (list(group) for group in ends)
    whole = seen[:, start + end].all(1)
    return x[whole][:, end].mean(1) - x[whole][:, start].mean(1) if whole.any() else np.zeros((1, 3))


def _outwards(x: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """From the middle of every frame to each of its seen joints, [n 3]."""
    count = np.maximum(1, seen.sum(1))[:, None, None]
    return (x - np.where(seen[..., None], x, 0).sum(1, keepdims=True) / count)[seen]
