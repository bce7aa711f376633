"""The page of `ossein data check`: one card for each finding, with small pictures of clips that show it."""

import numpy as np

from ossein.clip import Clip
from ossein.skeleton import Skeleton
from ossein.store import Finding, Health, Store
from ossein.store.checks import Level
from ossein.view import Html, Section, page
from ossein.view.base import BLUE, GREY, ORANGE, Place, front, pick, sides
from ossein.view.page import join, table, tag, tiles
from ossein.words import noun

FRAMES = 6
"""How many frames of a clip are drawn."""

_CELL, _TALL, _FOOT = 92, 116, 18
_PICTURES = 3
_COLOURS = {BLUE: "var(--blue)", ORANGE: "var(--orange)", GREY: "var(--grey)"}
_LEVELS: dict[Level, tuple[str, str, str]] = {
    "error": ("Errors", "var(--orange)", "Numbers made with this data are wrong, or cannot be made."),
    "warning": ("Warnings", "var(--blue)", "Some clips are worth a look before anyone trains on them."),
    "note": ("Notes", "var(--grey)", "Good to know; most of it is as it should be."),
}


def health_page(name: str, store: Store | None, health: Health) -> str:
    """A whole page about the health of a data set.

    Args:
        name: What was checked.
        store: Its clips, to draw examples of; None where they could not be read.
        health: What was found.
    """
    facts = [_counted(health.count(level), level) for level in _LEVELS]
    if store is not None:
        facts += [
            _counted(len(store), "clip"),
            _counted(len(store.classes), "class"),
            (store.skeleton.name, "skeleton"),
        ]
    sections: list[Section] = []
    for level, (title, _, note) in _LEVELS.items():
        cards = [_card(one, store) for one in health.findings if one.level == level]
        if cards:
            sections.append(Section(title, join(cards), note))
    if health.skipped:
        rows = [(one.kind, one.why) for one in health.skipped]
        note = "What these checks look for cannot be told from this data."
        sections.append(Section("Not checked", table(("check", "why"), rows), note))
    lead = "What was found, the worst first." if health.findings else "Nothing was found."
    return page(f"Health of {name}", sections, lead=join([tag("p", lead), tiles(facts)]))


def strip(clip: Clip, skeleton: Skeleton, frame: int | None = None) -> Html:
    """A clip as a row of bodies, seen from the front: the person who is seen most, left blue and right orange.

    Args:
        clip: The clip.
        skeleton: Its joints.
        frame: Show the frames around this one; spread over the clip where not given.
    """
    person = int((clip.score > 0).sum((1, 2)).argmax())
    x, seen = clip.x[person], clip.score[person] > 0
    shown = _frames(clip.num_frames, frame)
    flat = (x @ front(x, seen, skeleton))[shown]
    place = Place.of(flat, seen[shown], _CELL - 8, _TALL - 8)
    cells = [
        part
        for i, t in enumerate(shown)
        for part in _body(place.put(flat[i], i, ((i + 0.5) * _CELL, _TALL / 2)), seen[t], skeleton, (i, int(t)))
    ]
    width, height = _CELL * len(shown), _TALL + _FOOT
    return tag("svg", *cells, viewBox=f"0 0 {width} {height}", width=width, role="img", aria_label=clip.name)


def _frames(num_frames: int, frame: int | None) -> np.ndarray:
    if frame is None:
        return pick(num_frames, FRAMES)
    first = max(0, min(frame - FRAMES // 2, num_frames - FRAMES))
    return np.arange(first, min(first + FRAMES, num_frames))


def _body(xy: np.ndarray, seen: np.ndarray, skeleton: Skeleton, at: tuple[int, int]) -> list[Html]:
    """One frame: bones and joints by their side, and the number of the frame below."""
    joints, bones = sides(skeleton)
    parts = []
    for colour, shade in _COLOURS.items():
        lines = [(a, b) for (a, b), c in zip(skeleton.bones, bones) if c == colour and seen[a] and seen[b]]
        path = "".join(f"M{xy[a, 0]:.1f} {xy[a, 1]:.1f}L{xy[b, 0]:.1f} {xy[b, 1]:.1f}" for a, b in lines)
        if path:
            parts.append(tag("path", d=path, style=f"stroke:{shade};stroke-width:1.8;fill:none;stroke-linecap:round"))
        dots = [v for v, c in enumerate(joints) if c == colour and seen[v]]
        parts += [tag("circle", cx=f"{xy[v, 0]:.1f}", cy=f"{xy[v, 1]:.1f}", r=2, style=f"fill:{shade}") for v in dots]
    column, number = at
    below = str(number) if seen.any() else f"{number}: nobody"
    return [*parts, tag("text", below, x=(column + 0.5) * _CELL, y=_TALL + 13, text_anchor="middle")]


def _counted(number: int, one: str) -> tuple[str, str]:
    """A number and its word, for a tile."""
    return str(number), noun(number, one)


def _card(finding: Finding, store: Store | None) -> Html:
    colour = _LEVELS[finding.level][1]
    share = 100 * min(1, finding.count / max(1, finding.of))
    parts = [
        tag("h3", finding.kind, style="margin-top:0"),
        tag(
            "div",
            tag("i", style=f"width:{share:.1f}%;background:{colour}"),
            class_="bar",
            style="max-width:20rem;background:var(--line)",
        ),
        tag(
            "p",
            tag("b", f"{finding.count} of {finding.of}"),
            f" {noun(finding.of, finding.unit)}",
            style="margin:.3rem 0",
        ),
        tag("p", finding.means, style="margin:.3rem 0"),
        tag("p", finding.help, class_="note"),
    ]
    if len(finding.places) > 1:
        rows = [(place, str(count), str(of)) for place, count, of in finding.places]
        parts.append(table(("where", "found", "of"), rows))
    drawn = _PICTURES if finding.drawn and store is not None else 0
    for one in finding.examples[:drawn]:
        if store is not None and one.number is not None:
            picture = strip(store.clip(one.number), store.skeleton, one.frame)
            parts.append(tag("figure", tag("figcaption", *_words(one.clip, one.says)), picture, style="margin:.6rem 0"))
    rest = finding.examples[drawn:]
    if rest:
        parts.append(tag("ul", *(tag("li", *_words(one.clip, one.says)) for one in rest), style="margin:.4rem 0"))
    style = (
        f"border-left:.3rem solid {colour};background:var(--card);border-radius:.4rem;padding:.8rem 1rem;margin:.8rem 0"
    )
    return tag("article", *parts, style=style)


def _words(clip: str, says: str) -> tuple[str, ...]:
    return (tag("code", clip), f" {says}") if says else (tag("code", clip),)
