"""What an answer rests on: joints are put out of sight for a while, and the answer's probability is watched."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ossein.clip import Batch
from ossein.errors import SettingsError
from ossein.files import write_text
from ossein.skeleton import Skeleton
from ossein.view import base
from ossein.view.page import Section, join, page
from ossein.view.player import Film, Panel, Reel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from torch import Tensor

WINDOWS = 6
"""Into how many stretches of time a clip is divided; they overlap by half."""


@dataclass(frozen=True, eq=False)
class Saliency:
    """How much an answer rests on each joint of a clip, frame by frame.

    Args:
        x: Where the joints are, [M T V C], as they are to be drawn.
        seen: Which are there, bool [M T V].
        drop: How far the probability of the answer falls without the joint, in [-1, 1], [M T V].
        probability: Of the answer, with everything in sight.
        answer: What is answered.
        name: Of the clip.
        at: The frame of the clip that each of the T is, or lies nearest to.
        rate: Of the T frames, per second.
    """

    x: np.ndarray
    seen: np.ndarray
    drop: np.ndarray
    probability: float
    answer: str
    name: str
    at: tuple[int, ...]
    rate: float = 25.0

    @property
    def level(self) -> np.ndarray:
        """The drops as shares of the largest, [M T V]."""
        most = np.abs(self.drop).max()
        return self.drop / most if most > 0 else self.drop

    @property
    def caption(self) -> str:
        """What the picture says, in words."""
        most = 100 * np.abs(self.drop).max()
        return f"{self.answer}, {100 * self.probability:.0f} %; the strongest colour is a change of {most:.1f} points"


def occlude(
    scores: "Callable[[Batch], Tensor]", batch: Batch, groups: Sequence[Sequence[int]], label: int | None = None
) -> tuple[int, float, np.ndarray]:
    """How far the probability of a class falls where joints are out of sight: occlusion of tubes in joints and time.

    drop(g, t) = mean over the stretches w around t of p(all) - p(without the joints g during w), person by person.
    Occlusion (Zeiler and Fergus 2014) with score 0, the model's own word for what it does not see, and so without the
    gradients that look much the same for a model that has learned nothing (Adebayo et al. 2018). What several joints tell
    alike, none of them is missed for: take whole parts as groups then.

    Args:
        scores: From a batch to class probabilities, [N K].
        batch: One clip, as the model is shown it.
        groups: Joints that go out of sight together; together all of them.
        label: The class to watch; the most probable one where not given.

    Returns:
        The class, its probability with everything in sight, and the drops, [M T V].

    Raises:
        SettingsError: `label` is no class.
    """
    import torch

    with torch.inference_mode():
        whole = scores(batch)[0]
        label = int(whole.argmax()) if label is None else label
        if not 0 <= label < len(whole):
            raise SettingsError(f"class {label} of a model that knows {len(whole)}. Name one from 0.")
        tubes = _tubes(batch.score[0].numpy() > 0, groups)
        drops = [
            whole[label] - p
            for first in range(0, len(tubes), 64)
            for p in scores(_without(batch, tubes[first : first + 64]))[:, label]
        ]
    total, count = (np.zeros(batch.score.shape[1:]) for _ in range(2))
    for tube, drop in zip(tubes, drops, strict=True):
        total[tube] += float(drop)
        count[tube] += 1
    return label, float(whole[label]), total / np.maximum(1, count)


def _tubes(seen: np.ndarray, groups: Sequence[Sequence[int]]) -> "list[tuple[np.ndarray, ...]]":
    """(person, frames, joints) of everything that is to go out of sight once; what nobody sees is left out."""
    M, T, _ = seen.shape
    length = max(1, round(T / WINDOWS))
    starts = np.unique(np.linspace(0, T - length, min(2 * WINDOWS - 1, T - length + 1)).round().astype(int))
    tubes = [
        np.ix_([m], np.arange(start, start + length), list(group))
        for m in range(M)
        for group in groups
        for start in starts
    ]
    return [tube for tube in tubes if seen[tube].any()]


def _without(batch: Batch, tubes: "Sequence[tuple[np.ndarray, ...]]") -> Batch:
    """A copy of the one clip for each tube, each without it."""
    import torch

    copies = batch.take(torch.zeros(len(tubes), dtype=torch.long))
    score = copies.score.clone()
    for n, tube in enumerate(tubes):
        score[n][tuple(map(torch.from_numpy, tube))] = 0
    return copies.change(score=score)


def write_saliency(saliency: Saliency, skeleton: Skeleton, path: Path | str, *, note: str = "") -> None:
    """Write a page: the clip in motion with what the answer rests on, and every joint over time.

    Raises:
        DataError: The file cannot be written.
    """
    from ossein.view.figures import heat

    reel, s = Reel(skeleton), saliency
    panel = Panel(s.x, s.seen, look="heat", level=s.level)
    place = reel.add(Film((panel,), skeleton, caption=s.caption, rate=s.rate, at=s.at, whole=s.at[-1] + 1))
    persons = [f"person {m + 1}" if len(s.x) > 1 else "" for m in range(len(s.x))]
    grids = [heat(level.T, skeleton.joints, person) for level, person in zip(s.level, persons, strict=True)]
    sections = [Section("", join([place, reel.data()])), Section("Joint by joint over time", join(grids))]
    title = f"What the answer for {s.name} rests on"
    write_text(path, page(title, sections, lead=note, scripts=["player.js", "tip.js"]))


def draw_saliency(saliency: Saliency, skeleton: Skeleton, path: Path | str, *, frames: int = 8, note: str = "") -> None:
    """Write a PNG: a strip of bodies with what the answer rests on, and below it every joint over time.

    Args:
        saliency: What to draw.
        skeleton: The V joints.
        path: Where to write.
        frames: How many bodies to show, evenly spread.
        note: What to write below the title.

    Raises:
        DataError: The file cannot be written.
        SettingsError: No frame is to be shown.
    """
    s, V = saliency, len(skeleton)
    M, T = s.x.shape[:2]
    shown = base.pick(T, frames)
    xy = (s.x @ base.front(s.x, s.seen, skeleton))[:, shown].swapaxes(0, 1).reshape(len(shown), M * V, 2)
    seen = s.seen[:, shown].swapaxes(0, 1).reshape(len(shown), M * V)
    level = s.level[:, shown].swapaxes(0, 1).reshape(len(shown), M * V)
    left, row = 1.5, 0.14
    cell = (base.WIDTH - left - base.MARGIN) / len(shown)
    place = base.Place.of(xy, seen, cell, 2.6)
    top = 0.9 + place.height + 0.5
    figure, axes = base.canvas(top + M * (V * row + 0.25) + 0.4)
    base.write(axes, base.MARGIN, 0.3, base.short(f"{s.name}: {s.caption}", 110), 11, weight="bold", va="center")
    base.write(axes, base.MARGIN, 0.56, note, 7.5, base.GREY, va="center")
    bones = [(a + m * V, b + m * V) for m in range(M) for a, b in skeleton.bones]
    for i, frame in enumerate(shown):
        at = (left + cell * (i + 0.5), 0.9 + place.height / 2)
        body = place.put(xy[i], i, at)
        base.sticks(axes, body, seen[i], bones, ([base.PALE] * M * V, [base.PALE] * len(bones)), dot=6)
        _heat(axes, body[seen[i]], level[i][seen[i]])
        base.write(axes, at[0], top - 0.22, f"frame {s.at[frame]}", 7.5, base.GREY, ha="center", va="center")
    for m in range(M):
        _grid(axes, s.level[m].T, skeleton, (left, top + m * (V * row + 0.25)), row)
    base.save(figure, path)


def _heat(axes: "Axes", xy: np.ndarray, level: np.ndarray) -> None:
    from matplotlib.colors import to_rgb

    size = np.abs(level)
    colours = [(*to_rgb(base.ORANGE if one > 0 else base.BLUE), 0.15 + 0.75 * abs(one)) for one in level]
    if len(xy):
        axes.scatter(*xy.T, s=8 + 130 * size, c=colours, linewidths=0, zorder=3)


def _grid(axes: "Axes", level: np.ndarray, skeleton: Skeleton, at: tuple[float, float], row: float) -> None:
    """Joints [V T] over time, below each other."""
    from matplotlib.colors import LinearSegmentedColormap

    left, top = at
    right, bottom = base.WIDTH - base.MARGIN, top + row * len(level)
    map_ = LinearSegmentedColormap.from_list("drop", [base.BLUE, "white", base.ORANGE])
    box = (left, right, bottom, top)
    limits = axes.get_xlim(), axes.get_ylim()
    axes.imshow(level, cmap=map_, vmin=-1, vmax=1, extent=box, aspect="auto", interpolation="nearest")
    axes.set(xlim=limits[0], ylim=limits[1])
    axes.plot([left, right, right, left, left], [top, top, bottom, bottom, top], color=base.PALE, linewidth=0.6)
    for v, joint in enumerate(skeleton.joints):
        base.write(
            axes, left - 0.08, top + row * (v + 0.5), base.short(joint, 20), 6.5, base.GREY, ha="right", va="center"
        )
