"""Bodies that no body is: stray joints, fill values, bones that change their length, joints and clips that never move."""

from collections.abc import Iterator

import numpy as np

from ossein.store.checks.base import Body, Example, Finding, Look, Result, median, norm, worst
from ossein.words import count

STRAY = "joints far from their body"
FILLED = "fill values that count as seen"
STRETCHED = "bones that change their length"
FIXED = "joints that never move"
FROZEN = "clips in which nothing moves"

FAR = 6.0
"""How many sizes of the body a joint may be away from its middle, whatever the others do."""

_DEVIATIONS = 15.0
"""How many median deviations it may be further away than the median joint."""

_LONE = 3.0
"""How many sizes of the body a single joint must be away to be a fill value by its place in a corner."""

_CORNERS = (-1, 0, 1, 2)
"""(1, 1) and the like, which tools write for what they have not found."""

_STRETCH = {2: 0.5, 3: 0.2}
"""By how much the median bone may differ from its own median length in the median frame, by number of coordinates."""

_GROSS = 0.35
_STILL = 1e-3
_SOME = 0.01
"""The share of clips from which a few clips are a matter of the whole set."""


def stray(body: Body) -> np.ndarray:
    """In how many frames each joint is far from its body [V], and behind them the frame in which one is furthest [V + 1]."""
    far = body.away / (body.size or 1)
    usual = np.median(far[body.seen]) if body.seen.any() else 0
    spread = np.median(np.abs(far[body.seen] - usual)) if body.seen.any() else 0
    out = far > max(FAR, usual + _DEVIATIONS * spread)
    return np.append(out.sum((0, 1)), far.max((0, 2)).argmax()) if body.size else np.zeros(out.shape[2] + 1)


def filled(body: Body) -> np.ndarray:
    """In how many frames each joint is at a fill value [V], and behind them the first such frame [V + 1].

    Joints are where two or more are in one corner (or one is, far from the body), or a fifth of all at one point exactly.
    """
    corner = body.seen & (body.x == body.x[..., :1]).all(-1) & np.isin(body.x[..., 0], _CORNERS)
    many = max(3, -(-body.seen.shape[2] // 5))
    # Equal points have equal keys, and unequal ones do in no practical case.
    key = np.where(body.seen, body.x.astype(np.float64) @ np.array([1, np.pi, np.e])[: body.x.shape[3]], np.nan)
    ordered = np.sort(key, -1)
    heap = np.zeros_like(corner)
    if (crowded := (ordered[..., many - 1 :] == ordered[..., : ordered.shape[-1] - many + 1]).any(-1)).any():
        equal = key[crowded][:, :, None] == key[crowded][:, None]
        heap[crowded] = equal.sum(-1) >= many
    if corner.any():
        together = (key[..., None] == key[..., None, :]).sum(-1) > 1
        heap |= corner & (together | (body.away > _LONE * body.size))
    return np.append(heap.sum((0, 1)), heap.any((0, 2)).argmax())


def stretch(body: Body) -> float:
    """How far the median bone is from its own median length in the median frame, as a share of that length."""
    a, b = np.array(body.skeleton.bones).T
    both = body.seen[:, :, a] & body.seen[:, :, b]
    length = norm(body.x[:, :, a] - body.x[:, :, b])
    usual = median(length, both, 1)[:, None]
    off = np.abs(length - usual) / np.where(usual > 0, usual, 1)
    each, there = median(off, both, 1), both.any(1)
    return float(median(each.ravel(), there.ravel(), 0))


def moved(body: Body) -> float:
    """The longest way of a joint along an axis, in sizes of the body; infinite where nobody is seen in two frames."""
    low, high = body.ranges
    some = np.isfinite(low)
    twice = body.present.sum(1).max() > 1
    return float((high[some] - low[some]).max() / (body.size or 1)) if twice and some.any() else np.inf


def fixed(body: Body) -> np.ndarray:
    """Where each joint is throughout the clip [V C]; NaN where it moves, or is not seen."""
    low, high = body.ranges[0].min(0), body.ranges[1].max(0)
    return np.where(low == high, low, np.nan)


def strays(look: Look) -> Iterator[Result]:
    """Clips with joints that are far from their body, by the median and the median deviation."""
    counts, names = look["stray"][:, :-1], look.store.skeleton.joints
    total = counts.sum(1)
    clips = np.flatnonzero(total)
    if len(clips):
        often = ", ".join(names[v] for v in np.argsort(-counts.sum(0), kind="stable")[:3] if counts[:, v].any())
        means = f"They are more than {FAR:g} sizes of the body away from it, most often {often}: detector errors, or no joints of it."
        help = "Give them score 0; one such joint spoils the scale and the middle of its whole clip."
        shown = look.most_often(total, look["stray"][:, -1])
        level = "warning" if len(clips) > _SOME * len(total) else "note"
        yield Finding(STRAY, level, len(clips), len(total), "clip", means, help, shown, drawn=True)


def fills(look: Look) -> Iterator[Result]:
    """Clips in which joints are where tools put what they have not found, with a score that says that they were."""
    total = look["filled"][:, :-1][:, ~_fixed(look)].sum(1)
    clips = np.flatnonzero(total)
    if len(clips):
        means = "Several joints are at one point exactly, such as (0, 0) or (1, 1), with a score above 0: they were not seen."
        help = "Give joints at that point score 0; a model would take it for a place where people put their hands."
        shown = look.most_often(total, look["filled"][:, -1])
        yield Finding(FILLED, "warning", len(clips), len(total), "clip", means, help, shown, drawn=True)


def bones(look: Look) -> Iterator[Result]:
    """Clips in which bones change their length, as those of a body do in a picture alone."""
    off, dims = look["stretch"], look.store.dims
    clips = np.flatnonzero(off > _STRETCH[dims])
    if len(clips):
        gross = dims == 3 and (off > _GROSS).mean() > 0.1
        means = f"The median bone is more than {100 * _STRETCH[dims]:.0f} % off its usual length half of the time."
        help = (
            "See whether coordinates are in the wrong order or unit, or persons change places within a clip."
            if dims == 3
            else "Nothing, if people turn or come nearer; otherwise see whether persons change places within a clip."
        )
        shown = look.examples(worst(off, clips), lambda n: f"{100 * off[n]:.0f} %")
        level = "note" if dims == 2 else "error" if gross else "warning"
        yield Finding(STRETCHED, level, len(clips), len(off), "clip", means, help, shown, drawn=True)


def still(look: Look) -> Iterator[Result]:
    """Joints that are at one place in all of the data, and clips in which nothing moves."""
    never = np.flatnonzero(_fixed(look))
    names = look.store.skeleton.joints
    if len(never):
        means = "They are at one and the same point in every frame of every clip."
        help = "Nothing, if clips are centred on them; otherwise they are fill values, and score 0 would say so."
        shown = tuple(Example(names[v], f"at {_point(look['fixed'][:, v])}") for v in never)
        yield Finding(FIXED, "note", len(never), len(names), "joint", means, help, shown)
    frozen = np.flatnonzero(look["moved"] < _STILL)
    if len(frozen):
        means = "Every joint stays where it is from the first frame to the last: one picture, repeated."
        help = "See whether the recording failed, and leave them out."
        shown = look.examples(frozen, lambda n: count(look.store.frames[n], "frame"))
        yield Finding(FROZEN, "warning", len(frozen), len(look["moved"]), "clip", means, help, shown)


GAUGES = {"stray": stray, "filled": filled, "stretch": stretch, "moved": moved, "fixed": fixed}
CHECKS = {STRAY: strays, FILLED: fills, STRETCHED: bones, FROZEN: still}


def _fixed(look: Look) -> np.ndarray:
    """The joints that are at one point in all of the data, though others move, bool [V]."""
    places = look["fixed"]
    ever = look["seen"][:, :-1] > 0
    same = np.array([_is_one(places[ever[:, v], v]) for v in range(places.shape[1])])
    return same & bool((look["moved"] >= _STILL).sum() > 1)


def _is_one(places: np.ndarray) -> bool:
    return len(places) > 1 and bool((places == places[0]).all())


def _point(places: np.ndarray) -> str:
    first = places[np.isfinite(places).all(1)][0]
    return f"({', '.join(f'{c:g}' for c in first)})"
