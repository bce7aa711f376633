"""Charts of numbers: who is taken for whom, how the loss went, and how settings compare."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ossein.errors import DataError
from ossein.view.base import BLUE, DPI, GREY, INK, ORANGE, PALE, save, short
from ossein.words import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LETTERS = 28
_LOOKS = ((BLUE, "o"), (ORANGE, "s"), ("#009E73", "^"), ("#CC79A7", "D"))
"""Colours of Okabe and Ito, each with a mark of its own."""


@dataclass(frozen=True)
class Curve:
    """Numbers at named places, with their spread.

    Args:
        name: What to call it; curves of one name look the same in every panel.
        at: The places.
        mean: One number for each place; NaN where there is none.
        std: How far they spread; NaN where it is not known.
    """

    name: str
    at: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]


def draw_confusion(confusion: np.ndarray, class_names: Sequence[str], path: Path | str, *, title: str = "") -> None:
    """Write a PNG heat map of a confusion matrix: rows are true classes, darkness is the share of the row.

    The counts stand in the cells (for up to 60 classes); a class without clips has a blank row.

    Args:
        confusion: Counts, int [K K], rows are the true classes.
        class_names: One name per class.
        path: Where to write.
        title: What to write on top.

    Raises:
        DataError: The matrix is not square, names are missing, or the file cannot be written.
    """
    from matplotlib.figure import Figure

    K = len(class_names)
    if confusion.shape != (K, K) or not K:
        raise DataError(f"confusion {list(confusion.shape)} for {count(K, 'class name')}, expected [K K] and K names.")
    names = [short(name, _LETTERS) for name in class_names]
    cell = float(np.clip(7.5 / K, 0.19 if K <= 60 else 0.12, 0.6))
    size = float(np.clip(cell * 34, 4, 9))
    side, label = cell * K, 0.45 + 0.0085 * size * max(map(len, names))
    width, height = side + label + 0.4, side + label + 0.6
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    axes = figure.add_axes((label / width, label / height, side / width, side / height))
    share = confusion / np.maximum(1, confusion.sum(1, keepdims=True))
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="equal")
    axes.set_xticks(range(K), names, rotation=90, fontsize=size, parse_math=False)
    axes.set_yticks(range(K), names, fontsize=size, parse_math=False)
    axes.set_xlabel("recognised as", fontsize=9, color=GREY)
    axes.set_ylabel("true class", fontsize=9, color=GREY)
    axes.set_title(title, fontsize=11, fontweight="bold", color=INK, loc="left", parse_math=False)
    axes.tick_params(length=0, labelcolor=INK)
    axes.spines[:].set_color(PALE)
    if K <= 60:
        for i, j in np.argwhere(confusion):
            colour = "white" if share[i, j] > 0.5 else INK
            axes.text(j, i, str(confusion[i, j]), ha="center", va="center", fontsize=size * 0.95, color=colour)
    save(figure, path)


def draw_curves(log: Sequence[Mapping[str, Any]], path: Path | str, *, key: str = "loss", title: str = "") -> None:
    """Write a PNG of a logged number over the steps: every value pale, a moving mean over it.

    Args:
        log: One record per step with `step` and `key`; records without the key are passed over. Values that are not
            finite leave a gap.
        path: Where to write.
        key: Which number to draw.
        title: What to write on top.

    Raises:
        DataError: No record has the key, or the file cannot be written.
    """
    from matplotlib.figure import Figure

    points = [(record.get("step", i), record[key]) for i, record in enumerate(log) if record.get(key) is not None]
    if not points:
        raise DataError(f"the log has no '{key}' in {count(len(log), 'record')}. Log it, or name another key.")
    step, value = np.array(points, np.float64).T
    value[~np.isfinite(value)] = np.nan
    figure = Figure(figsize=(8, 3.6), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0.09, 0.15, 0.88, 0.72))
    axes.plot(step, value, color=PALE, linewidth=1, marker="." if len(step) < 40 else "", zorder=1)
    axes.plot(step, _smooth(value), color=BLUE, linewidth=1.8, zorder=2)
    axes.set_title(title, fontsize=11, fontweight="bold", color=INK, loc="left", parse_math=False)
    axes.set_xlabel("step", color=GREY)
    axes.set_ylabel(key, color=GREY, parse_math=False)
    axes.tick_params(colors=GREY, labelsize=8)
    axes.grid(axis="y", color=PALE, alpha=0.4, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(PALE)
    save(figure, path)


def draw_comparison(
    panels: Mapping[str, Sequence[Curve]],
    path: Path | str,
    *,
    axis: str,
    unit: str,
    title: str = "",
    joined: bool = True,
    from_zero: bool = False,
) -> None:
    """Write a PNG of settings side by side: numbers with error bars, one panel for each source of numbers.

    Each panel has an axis of its own, so that the shape of a curve can be compared where its level cannot. More than three
    go into several rows.

    Args:
        panels: Curves by what the panel is called; all curves have the same places.
        path: Where to write.
        axis: What the places are.
        unit: What the numbers are.
        title: What to write on top.
        joined: Draw lines between neighbours, where the places have an order.
        from_zero: Begin every axis of numbers at 0, so that small changes look small.

    Raises:
        DataError: There is no curve, there are more names than looks, or the file cannot be written.
    """
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(curve.name for curves in panels.values() for curve in curves))
    if not all(panels.values()) or not 0 < len(names) <= len(_LOOKS):
        raise DataError(f"{len(names)} curves to compare, expected 1 to {len(_LOOKS)} and some in every panel.")
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(5.2 * columns, 4.2 * rows), dpi=DPI, facecolor="white", layout="constrained")
    figure.suptitle(title, fontsize=11, fontweight="bold", color=INK, x=0.01, ha="left", parse_math=False)
    told: set[str] = set()
    for number, (name, curves) in enumerate(panels.items()):
        axes = figure.add_subplot(rows, columns, number + 1)
        axes.set_title(name, fontsize=9, color=GREY, loc="left", parse_math=False)
        for place, curve in enumerate(curves):
            _draw_curve(axes, curve, _LOOKS[names.index(curve.name)], 0.14 * (place - (len(curves) - 1) / 2), joined)
        _frame(axes, curves[0].at, axis, unit)
        if from_zero:
            axes.set_ylim(bottom=0)
        if len(names) > 1 and not {curve.name for curve in curves} <= told:
            axes.legend(frameon=False, fontsize=8, labelcolor=GREY)
        told |= {curve.name for curve in curves}
    save(figure, path)


def _draw_curve(axes: "Axes", curve: Curve, look: tuple[str, str], beside: float, joined: bool) -> None:
    """Draw a curve in its colour and mark, a little beside the others, so that none hides another's error bars."""
    colour, mark = look
    x = np.arange(len(curve.at)) + beside
    line = "-" if joined else ""
    axes.errorbar(
        x,
        curve.mean,
        yerr=curve.std,
        color=colour,
        marker=mark,
        markersize=5,
        linestyle=line,
        linewidth=1.4,
        capsize=3,
        label=curve.name,
    )


def _frame(axes: "Axes", places: Sequence[str], axis: str, unit: str) -> None:
    names = [short(place, _LETTERS) for place in places]
    slanted = max(map(len, names)) * len(names) > 48
    axes.set_xticks(range(len(names)), names, parse_math=False)
    axes.tick_params(axis="x", rotation=30 if slanted else 0)
    for label in axes.get_xticklabels():
        label.set_horizontalalignment("right" if slanted else "center")
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_xlabel(axis, color=GREY, parse_math=False)
    axes.set_ylabel(unit, color=GREY, parse_math=False)
    axes.tick_params(colors=GREY, labelsize=8)
    axes.grid(axis="y", color=PALE, alpha=0.4, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(PALE)


def _smooth(value: np.ndarray) -> np.ndarray:
    """A centred moving mean over a twentieth of the values, of the finite ones in reach."""
    window = np.ones(2 * (len(value) // 40) + 1)
    finite = np.isfinite(value)
    total = np.convolve(np.where(finite, value, 0), window, "full")
    num = np.convolve(finite.astype(float), window, "full")
    start = len(window) // 2
    mean = total / np.where(num > 0, num, np.nan)
    return mean[start : start + len(value)]
