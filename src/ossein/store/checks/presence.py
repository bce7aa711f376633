"""Who and what is missing, and who is one too many: short clips, empty frames, persons never seen, crowds, mixed tracks."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from ossein.clip import PERSONS
from ossein.store.checks.base import SOME, Body, Example, Finding, Look, Result, norm, worst
from ossein.words import count

ONE_FRAME = "clips of one frame"
SHORT = "very short clips"
NOBODY = "clips in which nobody is seen"
GAPS = "frames without anybody"
ABSENT = "persons who are never seen"
NEVER = "joints that are never seen"
RARELY = "joints that are rarely seen"
BEYOND = "persons beyond the second"
TRADES = "persons change places"
AXES = "more persons than frames"

FEW = 5
"""Fewer frames than this are too few for a movement, whatever the other clips have."""

RARE = 0.2
"""The share of the frames of persons below which a joint is rarely seen."""

_MANY_GAPS = 0.1

_LEFT_OUT = 0.1
"""The share of the seen joints of a clip that may belong to others."""

_OFTEN = 3
"""In how many frames two persons must change places: one or two are a slip of the tracker."""

_CROWD = 5
"""This many persons in a clip may outnumber its frames, and are looked at for changed places."""


def gaps(body: Body) -> float:
    """How many frames nobody is seen in."""
    return float((~body.present.any(0)).sum())


def strangers(body: Body) -> float:
    """How many persons are seen in no frame."""
    return float((~body.present.any(1)).sum())


def seen(body: Body) -> np.ndarray:
    """In how many frames of persons each joint is seen [V], and behind them in how many any is [V + 1]."""
    return np.append(body.seen.sum((0, 1)), body.present.sum())


def beyond(body: Body) -> float:
    """The share of the seen joints that belong to persons beyond the second."""
    return float(body.seen[PERSONS:].sum() / max(1, body.seen.sum()))


def trades(body: Body) -> np.ndarray:
    """In how many frames two persons are where the other was a frame before, and the first of them [2].

    Their middles are more than a size of the body apart before and after, and their way is more than halved with the two
    swapped: both the way from where they were, and that from where they were going, so that people who pass each other
    count as passing.
    """
    at, there = body.middle, body.present
    going = at[:, :-1].copy()
    going[:, 1:] += np.where((there[:, 1:-1] & there[:, :-2])[..., None], at[:, 1:-1] - at[:, :-2], 0)
    found = np.zeros(going.shape[1], bool)
    for i, j in combinations(range(min(len(at), _CROWD)), 2):
        both = there[i] & there[j]
        apart = both & (norm(at[i] - at[j]) > body.size)
        keep = np.minimum(*(_way(at[[i, j], 1:], old[[i, j]]) for old in (at[:, :-1], going)))
        found |= apart[1:] & apart[:-1] & (_way(at[[i, j], 1:], at[[j, i], :-1]) < 0.5 * keep)
    return np.array([found.sum(), found.argmax() + 1 if found.any() else 0])


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


def crowds(look: Look) -> Iterator[Result]:
    """Clips with many more persons than frames, and those of which much is seen in persons that presets leave out."""
    store, left_out = look.store, look["beyond"]
    turned = (store.persons > _CROWD) & (store.persons > 2 * store.frames)
    clips = np.flatnonzero(turned)
    if len(clips):
        means = "Frames were taken for persons, most likely: the data has its axes in another order."
        help = "Bring x into the order [N M T V C], clips, persons, frames, joints, coordinates: x.transpose(0, 2, 1, 3, 4)."
        shown = look.examples(
            clips, lambda n: f"{count(store.persons[n], 'person')}, {count(store.frames[n], 'frame')}"
        )
        yield Finding(AXES, "warning", len(clips), len(store), "clip", means, help, shown)
    clips = np.flatnonzero((left_out > _LEFT_OUT) & ~turned)
    if len(clips):
        means = f"More than {100 * _LEFT_OUT:.0f} % of their seen joints belong to others than the first two, whom presets take alone."
        help = "Keep the persons you mean where the data comes from, or train with a larger --input.persons."
        shown = look.examples(
            worst(left_out, clips),
            lambda n: f"{100 * left_out[n]:.0f} % of the seen joints, {count(store.persons[n], 'person')}",
        )
        level = "warning" if len(clips) > SOME * len(store) else "note"
        yield Finding(BEYOND, level, len(clips), len(store), "clip", means, help, shown)


def mixed(look: Look) -> Iterator[Result]:
    """Clips in which a slot is now one person and now another."""
    often = look["trades"][:, :1] >= _OFTEN
    means = (
        "From one frame to the next two persons stand where the other one stood: a slot is not one person throughout."
    )
    help = "Give each person the same slot, or id, in all frames of a clip; a tracker does so."
    yield from look.jumps(TRADES, np.where(often, look["trades"], 0), means, help)


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


GAUGES = {"gaps": gaps, "strangers": strangers, "seen": seen, "beyond": beyond, "trades": trades}
CHECKS = {SHORT: short, NOBODY: nobody, AXES: crowds, TRADES: mixed, NEVER: joints}


def _way(new: np.ndarray, old: np.ndarray) -> np.ndarray:
    """How far two persons go in each frame together, [T], from places [2 T C] to others."""
    return np.asarray(norm(new - old).sum(0))
