"""Figures of pages: curves, who is taken for whom, class by class, and a map of features. SVG and HTML, no programs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ossein.errors import DataError
from ossein.evaluate.metrics import wilson
from ossein.view.base import short
from ossein.view.page import Html, tag
from ossein.words import count

_POINTS = 240
"""Places along a curve; more would not be told apart."""

_LETTERS = 24

_WORDS = 80
"""What the name of an axis takes, in the units of a drawing."""


def curves(logs: Mapping[str, Sequence[Mapping[str, Any]]]) -> Html:
    """Every number that runs logged, over their steps: of one run raw values and a moving mean, of several the means.

    Args:
        logs: Records with `step` by the name of the run.
    """
    keys = dict.fromkeys(key for log in logs.values() for line in log for key in line if key not in ("step", "epoch"))
    return tag("div", *(_curve(key, logs) for key in keys), class_="curves")


def confusion(counts: np.ndarray, names: Sequence[str]) -> Html:
    """Who is taken for whom: rows are true classes, opacity is the share of the row; what is off the diagonal is orange.

    Args:
        counts: How often, [K K]; a row without clips is empty.
        names: Of the K classes.

    Raises:
        DataError: The matrix is not square, or names are missing.
    """
    K = len(names)
    if counts.shape != (K, K) or not K:
        raise DataError(f"confusion {list(counts.shape)} for {count(K, 'class name')}, expected [K K] and K names.")
    cell = 26 if K <= 12 else 18 if K <= 30 else 9
    shown = [short(name, _LETTERS) for name in names] if cell > 9 else []
    left = 8 + max((6.4 * len(name) for name in shown), default=16)
    size = cell * K
    share = counts / np.maximum(1, counts.sum(1, keepdims=True))
    cells = [_cell(i, j, cell, left, counts, share, names) for i, j in np.argwhere(counts).tolist()]
    rows = [tag("text", name, x=left - 6, y=cell * (i + 0.5) + 4, text_anchor="end") for i, name in enumerate(shown)]
    columns = [
        tag(
            "text",
            name,
            transform=f"translate({left + cell * (j + 0.5) + 4} {size + 8}) rotate(-90)",
            text_anchor="end",
        )
        for j, name in enumerate(shown)
    ]
    frame = tag("rect", x=left, y=0, width=size, height=size, fill="none", class_="axis")
    below = size + (left + 14 if shown else 14)
    words = tag("text", "recognised as", x=left, y=below)
    width, height = left + max(size, _WORDS) + 4, below + 6
    drawing = tag(
        "svg",
        frame,
        *cells,
        *rows,
        *columns,
        words,
        viewBox=f"0 0 {width:g} {height:g}",
        width=f"{width:g}",
        role="img",
        aria_label="confusion matrix",
    )
    return tag("div", drawing, class_="wide confusion")


@dataclass(frozen=True)
class Bar:
    """One class of `bars`.

    Args:
        name: Of the class.
        right: Clips recognised, a mean over runs.
        of: Clips tested, a mean over runs.
    """

    name: str
    right: float
    of: float


def bars(classes: Sequence[Bar]) -> Html:
    """The recall of each class with its Wilson interval, the lowest first; a class without clips is left out."""
    lines: list[Html] = []
    for one in sorted((one for one in classes if one.of > 0), key=lambda one: (one.right / one.of, one.name)):
        share, (low, high) = one.right / one.of, wilson(one.right, one.of)
        clips = count(f"{one.of:g}", "clip")
        tip = f"{one.name}: {one.right:g} of {clips}, 95 % interval {100 * low:.0f} to {100 * high:.0f} %"
        bar = tag(
            "div",
            tag("i", style=f"width:{100 * share:.1f}%"),
            tag("u", style=f"left:{100 * low:.1f}%;width:{100 * (high - low):.1f}%"),
            class_="bar",
            data_tip=tip,
        )
        value = tag("span", f"{100 * share:.1f} %", class_="value")
        lines += [tag("span", one.name, class_="name", title=one.name), bar, value]
    return tag("div", *lines, class_="bars")


def scatter(
    places: np.ndarray, labels: np.ndarray, names: Sequence[str], tips: Sequence[str], missed: np.ndarray
) -> Html:
    """A map of clips: dots in the colour of their class, ringed where they were taken for another one.

    Args:
        places: Where, [N 2].
        labels: The class of each, -1 where it is not known.
        names: Of the classes.
        tips: What to say of each clip.
        missed: Whether it was taken for another class.
    """
    low, span = places.min(0), np.maximum(np.ptp(places, axis=0), 1e-9)
    at = 12 + (places - low) / span * (776, 476)
    dots = [
        tag(
            "circle",
            cx=f"{x:.0f}",
            cy=f"{500 - y:.0f}",
            r=5,
            fill=_hue(label),
            class_="missed" if miss else None,
            data_k=label,
            data_tip=tip,
        )
        for (x, y), label, tip, miss in zip(at, labels.tolist(), tips, missed, strict=True)
    ]
    there = [k for k in range(len(names)) if (labels == k).any()]
    options = [tag("option", "all classes", value=""), *(tag("option", names[k], value=k) for k in there)]
    choice = tag("label", "show ", tag("select", *options))
    drawing = tag("svg", *dots, viewBox="0 0 800 500", role="img", aria_label="map of features")
    return tag("div", choice if there else "", drawing, class_="map")


def heat(level: np.ndarray, names: Sequence[str], title: str = "") -> Html:
    """Rows of numbers over time: orange above 0, blue below it.

    Args:
        level: In [-1, 1], [V T].
        names: Of the V rows.
        title: What to write above.
    """
    wide, tall, left = 700 / level.shape[1], 13, 128
    cells = [
        tag(
            "rect",
            x=f"{left + wide * t:.1f}",
            y=tall * v,
            width=f"{wide:.1f}",
            height=tall,
            fill="var(--orange)" if value > 0 else "var(--blue)",
            fill_opacity=f"{abs(value):.2f}",
        )
        for (v, t), value in np.ndenumerate(level)
        if abs(value) >= 0.01
    ]
    rows = [
        tag("text", short(name, 20), x=left - 6, y=tall * v + 10, text_anchor="end") for v, name in enumerate(names)
    ]
    frame = tag("rect", x=left, y=0, width=700, height=tall * len(names), fill="none", class_="axis")
    size = f"0 0 {left + 702} {tall * len(names) + 2}"
    drawing = tag("svg", *cells, *rows, frame, viewBox=size, role="img", aria_label=f"{title} joints over time".strip())
    return tag("figure", tag("figcaption", title) if title else "", drawing, class_="heat")


def _hue(label: int) -> str:
    # Neighbouring classes lie a golden angle apart, and three tones keep those of near hue apart.
    return f"hsl({label * 137.508 % 360:.0f} 60% {(45, 58, 68)[label % 3]}%)" if label >= 0 else "var(--grey)"


def _cell(i: int, j: int, cell: int, left: float, counts: np.ndarray, share: np.ndarray, names: Sequence[str]) -> Html:
    what = "recognised" if i == j else f"taken for {names[j]}"
    return tag(
        "rect",
        x=f"{left + cell * j:g}",
        y=cell * i,
        width=cell,
        height=cell,
        class_="right" if i == j else "wrong",
        fill_opacity=f"{0.12 + 0.88 * share[i, j]:.2f}",
        data_tip=f"{names[i]} {what}: {counts[i, j]:g} of {counts[i].sum():g}",
    )


def _curve(key: str, logs: Mapping[str, Sequence[Mapping[str, Any]]]) -> Html:
    lines = {name: _points(key, log) for name, log in logs.items()}
    lines = {name: points for name, points in lines.items() if len(points)}
    whole = np.concatenate(list(lines.values())) if lines else np.zeros((0, 2))
    if not len(whole):
        return tag("figure", tag("figcaption", f"{key}: no finite value"))
    low, high = whole.min(0), whole.max(0)
    span = np.maximum(high - low, 1e-12)

    def path(points: np.ndarray) -> str:
        at = (points - low) / span * (300, -110) + (6, 120)
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in at)

    several = len(lines) > 1
    drawn = [
        tag(
            "polyline",
            points=path(_smooth(points)),
            class_="of" if several else "line",
            style=f"stroke:{_hue(number)}" if several else None,
            data_tip=name if several else None,
        )
        for number, (name, points) in enumerate(lines.items())
    ]
    raw = "" if several else tag("polyline", points=path(next(iter(lines.values()))), class_="raw")
    ground = tag("line", x1=6, x2=306, y1=121, y2=121, class_="axis")
    steps = tag("text", f"step {high[0]:.0f}", x=306, y=136, text_anchor="end")
    drawing = tag("svg", ground, raw, *drawn, steps, viewBox="0 0 312 140", role="img", aria_label=f"{key} over steps")
    last = [points[-1, 1] for points in lines.values()]
    end = f"{last[0]:.4g}" if not several else f"{np.mean(last):.4g} in the mean"
    return tag("figure", tag("figcaption", tag("b", key), f" {low[1]:.4g} to {high[1]:.4g}, {end} at the end"), drawing)


def _points(key: str, log: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """(step, value) [n 2]: means over stretches of the log where it is long."""
    found = [(line["step"], line[key]) for line in log if isinstance(line.get(key), int | float)]
    points = np.array([pair for pair in found if math.isfinite(pair[1])], np.float64).reshape(-1, 2)
    if len(points) <= _POINTS:
        return points
    return np.stack([part.mean(0) for part in np.array_split(points, _POINTS)])


def _smooth(points: np.ndarray) -> np.ndarray:
    reach = len(points) // 40
    value = [points[max(0, i - reach) : i + reach + 1, 1].mean() for i in range(len(points))]
    return np.stack([points[:, 0], value], 1)
