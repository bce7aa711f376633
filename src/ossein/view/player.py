"""Clips that play in a page: a canvas with play, scrub, speed and, in space, a drag to turn; nothing is fetched.

A reel is the data of all players of a page. Coordinates are whole steps of a 4095th of the clip's widest side, stored as
the difference from the frame before: zigzag numbers of one byte or two. Two persons of 25 joints in space over 300 frames
take some 60 KB.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from ossein.clip import Clip
from ossein.errors import DataError
from ossein.files import write_text
from ossein.skeleton import Skeleton
from ossein.view import base
from ossein.view.page import Html, Section, embed, join, page, tag

Look = Literal["sides", "heat", "given", "rebuilt", "true"]

STEPS = 4095
"""Into how many steps the widest side of a clip is divided."""

_RATE = 25.0
"""Frames per second, where the source does not say."""

_KEYS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "sides": (("left", "--blue", ""), ("right", "--orange", ""), ("middle", "--grey", "")),
    "heat": (("the answer rests on it", "--orange", ""), ("without it the answer is surer", "--blue", "")),
    "given": (("seen", "--grey", ""), ("hidden", "--pale", "none")),
    "rebuilt": (("rebuilt", "--orange", ""),),
    "true": (("what was hidden", "--blue", ""),),
}
"""What the colours of each look mean: name, colour, filled or not."""


@dataclass(frozen=True, eq=False)
class Panel:
    """One view of a player: bodies in motion.

    Args:
        x: Coordinates, [M T V C].
        seen: Which joints are there, bool [M T V]; the others are not drawn.
        title: What to write above.
        look: How to draw: `sides` tells left from right, `heat` shows how much rests on each joint, `given` leaves
            hidden joints empty, `rebuilt` and `true` have them stand out.
        level: Of each joint, [M T V]: in [-1, 1] for `heat`, 1 where hidden for the three after it.
    """

    x: np.ndarray
    seen: np.ndarray
    title: str = ""
    look: Look = "sides"
    level: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Film:
    """What a player shows: panels of equal shape that move together.

    Args:
        panels: One or more.
        skeleton: The V joints.
        name: What is shown.
        caption: What else there is to say.
        rate: Frames per second.
        at: The number of each frame in the clip, where not all frames are shown.
        whole: The frames of the clip, where not all are shown.

    Raises:
        DataError: Shapes differ, or a coordinate to be drawn is not finite.
    """

    panels: tuple[Panel, ...]
    skeleton: Skeleton
    name: str = ""
    caption: str = ""
    rate: float = _RATE
    at: tuple[int, ...] | None = None
    whole: int | None = None

    def __post_init__(self) -> None:
        shapes = {panel.x.shape for panel in self.panels}
        grids = {grid.shape for p in self.panels for grid in (p.seen, p.level) if grid is not None}
        fits = len(shapes) == len(grids) == 1 and next(iter(shapes))[:3] == next(iter(grids))
        if not fits or next(iter(shapes))[2] != len(self.skeleton):
            raise DataError(
                f"panels of {sorted(shapes)} with {sorted(grids)}, expected [M T V C] and [M T V] of one clip with "
                f"{len(self.skeleton)} joints ({self.skeleton.name})."
            )
        if not all(np.isfinite(panel.x[panel.seen]).all() for panel in self.panels):
            raise DataError(f"'{self.name}': a coordinate to be drawn is not finite. The model may have diverged.")

    @classmethod
    def of(cls, clip: Clip, skeleton: Skeleton, *, caption: str = "", most: int | None = None) -> Self:
        """A clip as it is.

        Args:
            clip: The clip; persons that are in no frame are left out.
            skeleton: Its joints.
            caption: What to say of it.
            most: Show so many frames at most, evenly spread, in the same time.

        Raises:
            SkeletonError: The clip does not have the skeleton's joints.
        """
        seen = clip.fit(skeleton).score > 0
        persons = np.flatnonzero(seen.any((1, 2))) if seen.any() else [0]
        film = cls((Panel(clip.x[persons], seen[persons]),), skeleton, clip.name, caption, clip.rate or _RATE)
        return film.thinned(most) if most else film

    def thinned(self, most: int) -> Self:
        """The same in fewer frames, evenly spread, over the same time."""
        whole = self.panels[0].x.shape[1]
        if whole <= most:
            return self
        kept = base.pick(whole, most)
        panels = tuple(
            replace(p, x=p.x[:, kept], seen=p.seen[:, kept], level=None if p.level is None else p.level[:, kept])
            for p in self.panels
        )
        return replace(self, panels=panels, rate=self.rate * most / whole, at=tuple(kept.tolist()), whole=whole)

    def plain(self) -> dict[str, Any]:
        """The film as plain data, for the program that plays it.

        The position of a coordinate is `low + step * q`; `axes` turn a body in space to its front, with the rows right,
        down and away; `half` is the room to draw in, from `middle`.
        """
        M, T, V, C = self.panels[0].x.shape
        x = np.stack([panel.x for panel in self.panels]).astype(np.float64)
        seen = np.stack([panel.seen for panel in self.panels])
        points = x[seen] if seen.any() else np.zeros((1, C))
        low, step = points.min(0), max(float(np.ptp(points, axis=0).max()), 1e-9) / STEPS
        return {
            "M": M,
            "T": T,
            "V": V,
            "C": C,
            "rate": round(self.rate, 3),
            "at": self.at,
            "whole": self.whole or T,
            "low": low.tolist(),
            "step": step,
            **_room(x, seen, points, self.skeleton),
            "panels": [
                {
                    "look": panel.look,
                    "seen": _base64(np.packbits(panel.seen)),
                    "x": _base64(_packed(_held(np.rint((panel.x - low) / step), panel.seen))),
                    "level": None if panel.level is None else _base64(_packed(np.rint(127 * panel.level))),
                }
                for panel in self.panels
            ],
        }


class Reel:
    """The films of a page.

    Args:
        skeleton: The joints of all of them.
    """

    def __init__(self, skeleton: Skeleton) -> None:
        self.skeleton, self.films = skeleton, list[Film]()

    def add(self, film: Film, *, small: bool = False) -> Html:
        """A place on the page for a film; a small one has no controls, a tap stops it."""
        self.films.append(film)
        number = str(len(self.films) - 1)
        panels = tag("div", *(_panel(panel, film.name) for panel in film.panels), class_="panels")
        if small:
            name = tag("div", tag("b", film.name), film.caption, class_="name")
            return tag("div", panels, name, class_="player small", data_film=number)
        heading = tag("h3", film.name) if film.name else ""
        caption = tag("p", film.caption, class_="note") if film.caption else ""
        return tag("div", heading, caption, panels, _controls(), _legend(film), class_="player", data_film=number)

    def data(self) -> Html:
        """The data of the players, to be put on the page once."""
        side = [0] * len(self.skeleton)
        for left, right in self.skeleton.pairs:
            side[left], side[right] = 1, 2
        skeleton = {"bones": self.skeleton.bones, "side": side}
        return embed({"skeleton": skeleton, "films": [film.plain() for film in self.films]}, "reel")


def write_player(films: Film | Sequence[Film], path: Path | str, *, title: str = "", note: str = "") -> None:
    """Write a page that plays films.

    Args:
        films: One or more, on one skeleton.
        path: Where to write.
        title: The heading; the name of the film where there is one.
        note: What to say below it.

    Raises:
        DataError: There is no film, or the file cannot be written.
    """
    films = [films] if isinstance(films, Film) else list(films)
    if not films:
        raise DataError("there is no film to show. Give one or more.")
    if len(films) == 1 and title in ("", films[0].name):
        title, films = films[0].name, [replace(films[0], name="")]
    reel = Reel(films[0].skeleton)
    players = [reel.add(film) for film in films]
    body = join([*players, reel.data()])
    write_text(path, page(title or "clips", [Section("", body)], lead=note, scripts=["player.js"]))


def _panel(panel: Panel, name: str) -> Html:
    title = tag("figcaption", panel.title) if panel.title else ""
    label = f"{name}: {panel.title}" if panel.title else name
    return tag("figure", title, tag("canvas", role="img", aria_label=label or "bodies in motion"))


def _controls() -> Html:
    speeds = [
        tag("option", f"{text} speed", value=value, selected="" if value == 1 else None) for text, value in _SPEEDS
    ]
    return tag(
        "div",
        tag("button", "\u25b6", type="button"),
        tag("input", type="range", min=0, max=0, value=0, aria_label="frame"),
        tag("span", class_="at"),
        tag("select", *speeds, aria_label="speed"),
        class_="controls",
    )


_SPEEDS = (("1/4", 0.25), ("1/2", 0.5), ("full", 1), ("double", 2))


def _legend(film: Film) -> Html:
    keys = [key for look in dict.fromkeys(p.look for p in film.panels) for key in _KEYS[look]]
    if not film.skeleton.pairs:
        keys = [key for key in keys if key not in _KEYS["sides"]]
    persons = film.panels[0].x.shape[0]
    if persons > 1:
        keys += [(f"person {m + 1}", f"--person-{m % 4 + 1}", "") for m in range(persons)]
    marks = [tag("span", tag("i", class_=kind or None, style=f"--c:var({c})"), name) for name, c, kind in keys]
    turn = [tag("span", "drag to turn, double-click to turn back")] if film.panels[0].x.shape[3] == 3 else []
    return tag("div", *marks, *turn, class_="legend")


def _room(x: np.ndarray, seen: np.ndarray, points: np.ndarray, skeleton: Skeleton) -> dict[str, Any]:
    """Where to look from, and the room to draw in."""
    flat = base.front(x, seen, skeleton)
    if len(flat) == 3:
        flat = np.concatenate([flat, np.cross(flat[:, 0], flat[:, 1])[:, None]], 1)
    low, high = base.room(points @ flat)
    half = np.maximum((high - low) / 2, 1e-6)
    # A body in space can be turned, so that its depth may come to lie across.
    across = float(np.hypot(half[0], half[2])) if len(flat) == 3 else float(half[0])
    least = 0.2 * max(across, float(half[1]))
    return {
        "axes": flat.T.tolist(),
        "middle": (flat @ ((low + high) / 2)).tolist(),
        "half": [max(across, least), max(float(half[1]), least)],
    }


def _held(q: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Absent joints stay where they were last seen, which costs least; before that they are at 0."""
    out = np.where(seen[..., None], q, 0)
    for t in range(1, q.shape[1]):
        out[:, t] = np.where(seen[:, t, :, None], out[:, t], out[:, t - 1])
    return out


def _packed(numbers: np.ndarray) -> np.ndarray:
    """Whole numbers [M T ...] as bytes; differences along T are below 8192 in size."""
    change = np.diff(numbers.astype(np.int64), axis=1, prepend=0).ravel()
    code = np.where(change < 0, -2 * change - 1, 2 * change)
    long = code > 127
    pairs = np.stack([np.where(long, code & 127 | 128, code), code >> 7], 1).astype(np.uint8)
    return pairs[np.stack([np.ones_like(long), long], 1)]


def _base64(data: np.ndarray) -> str:
    return b64encode(data.tobytes()).decode()
