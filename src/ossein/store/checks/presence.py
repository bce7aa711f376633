"""Who and what is missing: short clips, frames without anybody, persons and joints that are never seen."""

from collections.abc import Iterator

import numpy as np

from ossein.store.checks.base import Body, Example, Finding, Look, Result, worst
from ossein.words import count

ONE_FRAME = "clips of one frame"
SHORT = "very short clips"
NOBODY = "clips in which nobody is seen"
GAPS = "frames without anybody"
ABSENT = "persons who are never seen"
NEVER = "joints that are never seen"
RARELY = "joints that are rarely seen"

FEW = 5
"""Fewer frames than this are too few for a movement, whatever the other clips have."""

RARE = 0.2
"""The share of the frames of persons below which a joint is rarely seen."""

_MANY_GAPS = 0.1


def gaps(body: Body) -> float:
    """How many frames nobody is seen in."""
    return float((~body.present.any(0)).sum())


def strangers(body: Body) -> float:
    """How many persons are seen in no frame."""
    return float((~body.present.any(1)).sum())


def seen(body: Body) -> np.ndarray:
    """In how many frames of persons each joint is seen [V], and behind them in how many any is [V + 1]."""
    return np.append(body.seen.sum((0, 1)), body.present.sum())


def short(look: Look) -> Iterator[Result]:
    """Clips of one frame, and those of very few."""
    frames = look.store.frames
    one = np.flatnonzero(frames == 1)
    if len(one):
        means = "They are pictures: nothing moves, and differences between frames do not exist."
        help = "See whether they were cut short, and leave them out."
        yield Finding(ONE_FRAME, "warning", len(one), len(frames), "clip", means, help, look.examples(one))
    usual = float(np.median(frames))
    limit = max(FEW, usual / 10)
    few = np.flatnonzero((frames > 1) & (frames < limit))
    if len(few):
        means = f"They have fewer than {count(f'{limit:.0f}', 'frame')}, and the median clip has {usual:.0f}."
        help = "See whether they were cut short; a movement may not fit into them."
        shown = look.examples(worst(-frames, few), lambda n: count(frames[n], "frame"))
        yield Finding(SHORT, "note", len(few), len(frames), "clip", means, help, shown)


def nobody(look: Look) -> Iterator[Result]:
    """Clips and frames that are empty, and persons who are."""
    store, missed = look.store, look["gaps"]
    none = np.flatnonzero(missed == store.frames)
    if len(none):
        means = "Every score in them is 0, so that they hold a label and nothing else."
        help = "Leave them out, or see why nothing was detected; all-zero clips are common in published sets."
        yield Finding(NOBODY, "warning", len(none), len(store), "clip", means, help, look.examples(none))
    partly = np.flatnonzero((missed > 0) & (missed < store.frames))
    if len(partly):
        num, of = int(missed[partly].sum()), int(store.frames.sum())
        clips = count(len(partly), "clip")
        means = f"In {clips} nobody is seen some of the time; such frames count as absent, not as zeros."
        help = "Nothing if they are few; otherwise detect again, or cut the clips."
        shown = look.examples(
            worst(missed / store.frames, partly), lambda n: f"{missed[n]:.0f} of {count(store.frames[n], 'frame')}"
        )
        yield Finding(GAPS, "warning" if num > _MANY_GAPS * of else "note", num, of, "frame", means, help, shown)
    # The one person of an empty clip is told of above.
    ghosts = np.where(missed == store.frames, 0, look["strangers"])
    clips = np.flatnonzero(ghosts)
    if len(clips):
        num = int(ghosts.sum())
        means = "The clips make room for persons who are in no frame of them."
        help = "Leave these persons out where the data comes from; they only take memory and time."
        shown = look.examples(clips, lambda n: f"{ghosts[n]:.0f} of {count(store.persons[n], 'person')}")
        yield Finding(ABSENT, "note", num, int(store.persons.sum()), "person", means, help, shown)


def joints(look: Look) -> Iterator[Result]:
    """Joints that are never or rarely seen, in frames in which their person is."""
    total = look["seen"].sum(0)
    if not total[-1]:
        return
    share, names = total[:-1] / total[-1], look.store.skeleton.joints
    never, rarely = np.flatnonzero(share == 0), np.flatnonzero((share > 0) & (share < RARE))
    if len(never):
        means = "They are in no frame of any clip: the data does not have them, or their score is always 0."
        help = "Nothing, if the source has no such joints; a smaller skeleton would save time."
        shown = tuple(Example(names[v]) for v in never)
        yield Finding(NEVER, "note", len(never), len(names), "joint", means, help, shown)
    if len(rarely):
        means = f"They are seen in less than {100 * RARE:.0f} % of the frames in which their person is."
        help = "See whether the detector's scores are in [0, 1] and mean what they should."
        shown = tuple(Example(names[v], f"{100 * share[v]:.1f} % of frames") for v in rarely)
        yield Finding(RARELY, "warning", len(rarely), len(names), "joint", means, help, shown)


GAUGES = {"gaps": gaps, "strangers": strangers, "seen": seen}
CHECKS = {SHORT: short, NOBODY: nobody, NEVER: joints}
