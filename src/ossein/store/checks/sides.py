"""Left and right: sides that change places from frame to frame, limbs that hang on the wrong side, mirrored bodies."""

from collections.abc import Iterator
from functools import cache

import numpy as np

from ossein.mapping import places
from ossein.skeleton import Skeleton
from ossein.store.checks.base import Body, Example, Finding, Look, Result, Skipped, norm, worst

FLIPPED = "left and right change places"
SWAPPED = "left and right swapped between limbs"
TWISTED = "clips with left and right swapped in the trunk"
MIRRORED = "mirrored clips"
LEFT_HANDED = "left-handed space, or left and right swapped"

_MOST = 0.5
"""The share of frames in which bones would be shorter with sides swapped, from which they are."""

_USUAL, _SURE = 0.2, 0.5
"""How well toes and nose must agree with the body's sides, as a mean cosine, to tell of most clips, and of a single one."""

Links = tuple[tuple[tuple[int, int], tuple[int, int]], ...]


@cache
def links(skeleton: Skeleton) -> Links:
    """Left/right pairs that bones join, left to left and right to right: such as both shoulders and both elbows."""
    joined = {frozenset(bone) for bone in skeleton.bones}
    return tuple(
        (one, other)
        for i, one in enumerate(skeleton.pairs)
        for other in skeleton.pairs[i + 1 :]
        if all(frozenset(side) in joined for side in zip(one, other))
    )


def flips(body: Body) -> np.ndarray:
    """In how many frames joints of two pairs or more go where their mirror images were, and the first of them [2].

    A pair changes places where it moves more than half a size of the body, and less than a quarter of that with left and
    right swapped.
    """
    if not body.skeleton.pairs or not body.size:
        return np.zeros(2)
    left, right = (body.x[:, :, list(side)] for side in zip(*body.skeleton.pairs))
    both = np.logical_and(*(body.seen[:, :, list(side)] for side in zip(*body.skeleton.pairs)))
    keep = norm(left[:, 1:] - left[:, :-1]) + norm(right[:, 1:] - right[:, :-1])
    swap = norm(left[:, 1:] - right[:, :-1]) + norm(right[:, 1:] - left[:, :-1])
    change = both[:, 1:] & both[:, :-1] & (keep > 0.5 * body.size) & (swap < 0.25 * keep)
    frames = (change.sum(2) >= min(2, len(body.skeleton.pairs))).any(0)
    return np.array([frames.sum(), frames.argmax() + 1 if frames.any() else 0])


def crossing(body: Body) -> np.ndarray:
    """For each link the share of frames in which its bones would be clearly shorter with one pair's sides swapped [L]."""
    out = []
    for one, other in links(body.skeleton):
        ends = [body.x[:, :, j] for j in (*one, *other)]
        there = body.seen[:, :, [*one, *other]].all(2)
        keep = norm(ends[0] - ends[2]) + norm(ends[1] - ends[3])
        swap = norm(ends[0] - ends[3]) + norm(ends[1] - ends[2])
        out.append(((keep - swap > 0.2 * body.size) & there).sum() / max(1, there.sum()))
    return np.array(out)


def facing(body: Body) -> float:
    """How well toes and nose point forwards, where forwards is up x right: 1 in a right-handed space, -1 in a mirrored one."""
    skeleton = body.skeleton
    arrows = _forwards(skeleton)
    if body.x.shape[3] == 2 or not (skeleton.up and skeleton.across and arrows):
        return 0.0
    ahead = np.cross(_arrow(body, *skeleton.up), _arrow(body, *skeleton.across))
    told = [_cosine(_arrow(body, *ends), ahead) for ends in arrows]
    known = np.concatenate([cosine[cosine != 0] for cosine in told])
    return float(known.mean()) if known.size else 0.0


def flipped(look: Look) -> Iterator[Result]:
    """Clips in which left joints go where right ones were, and the other way round, from one frame to the next."""
    if not look.store.skeleton.pairs:
        yield Skipped(FLIPPED, _PAIRLESS)
        return
    means = "Limbs jump to the other side of the body between two frames, as detectors do that take left for right."
    help = "Nothing, if they are few; otherwise smooth over them, or track with a detector that knows sides better."
    yield from look.jumps(FLIPPED, look["flips"], means, help)


def swapped(look: Look) -> Iterator[Result]:
    """Limbs on the wrong side of the trunk: in all of the data, or in single clips."""
    found, joints = links(look.store.skeleton), look.store.skeleton.joints
    if not found:
        yield Skipped(
            SWAPPED, _PAIRLESS if not look.store.skeleton.pairs else "no bones join left/right pairs of joints"
        )
        return
    share = look["crossing"]
    usual = share.mean(0)
    bad = np.flatnonzero(usual > _MOST)
    if len(bad):
        shown = tuple(Example(_name(found[k], joints), f"in {100 * usual[k]:.0f} % of frames") for k in bad)
        means = "Their bones cross the body, and would be shorter with the sides of one end swapped."
        help = "Mend the order or the names of the joints: the sides of one limb are those of the other."
        yield Finding(SWAPPED, "error", len(bad), len(found), "pair of bones", means, help, shown)
    # Arms and legs do cross; shoulders and hips do not.
    across = {frozenset(side) for side in zip(*(look.store.skeleton.across or ()))}
    trunk = [k for k, link in enumerate(found) if k not in bad and {frozenset(pair) for pair in link} <= across]
    most = share[:, trunk].max(1, initial=0)
    clips = np.flatnonzero(most > _MOST)
    if len(clips):
        means = "In most of their frames the shoulders are on one side and the hips on the other."
        help = "Look at them, and swap back the joints of the arms or of the legs, or leave the clips out."
        shown = look.examples(worst(most, clips), lambda n: f"in {100 * most[n]:.0f} % of frames")
        yield Finding(TWISTED, "warning", len(clips), len(share), "clip", means, help, shown, drawn=True)


def mirrored(look: Look) -> Iterator[Result]:
    """3-D clips whose left and right are the other way round than in most, and whether that is so in all of them."""
    if look.store.dims == 2:
        yield Skipped(MIRRORED, "2-D clips do not tell whether somebody is seen from behind")
        return
    told = look["facing"]
    known = told[told != 0]
    usual = float(np.median(known)) if known.size else 0.0
    if abs(usual) < _USUAL:
        yield Skipped(MIRRORED, "toes and nose do not tell which way bodies face")
        return
    clips = np.flatnonzero(-np.sign(usual) * told > _SURE)
    if len(clips):
        means = "Their toes or noses point backwards, if left is left as in most clips: mirrored, or left and right swapped."
        help = "Swap their left and right joints, or mirror them back, unless they are meant to be so."
        shown = look.examples(worst(np.abs(told), clips))
        yield Finding(MIRRORED, "warning", len(clips), len(known), "clip", means, help, shown, drawn=True)
    if usual < 0:
        means = "Toes or noses point backwards in a right-handed space; some depth sensors have a left-handed one."
        help = "Nothing, if all of your data is so; otherwise negate one coordinate, or swap left and right joints."
        yield Finding(LEFT_HANDED, "note", int((known < 0).sum()), len(known), "clip", means, help)


GAUGES = {"flips": flips, "crossing": crossing, "facing": facing}
CHECKS = {FLIPPED: flipped, SWAPPED: swapped, MIRRORED: mirrored}

_PAIRLESS = "the skeleton has no left/right pairs"


@cache
def _forwards(skeleton: Skeleton) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
    """Arrows that point forwards on every body, as (from joints, to joints): ankle to toe, and ears to nose."""
    at = {place: j for j, place in enumerate(places(skeleton))}
    known = [((f"{side} ankle",), (f"{side} toe",)) for side in ("left", "right")]
    known += [(("left ear", "right ear"), ("face",))]
    return tuple(
        (tuple(at[one] for one in tail), tuple(at[one] for one in head))
        for tail, head in known
        if {*tail, *head} <= at.keys()
    )


def _arrow(body: Body, tail: tuple[int, ...], head: tuple[int, ...]) -> np.ndarray:
    """From the mean of some joints to that of others, [M T C]; 0 where one of them is not seen."""
    seen = np.asarray(body.seen[:, :, [*tail, *head]].all(2))
    return np.where(seen[..., None], body.x[:, :, list(head)].mean(2) - body.x[:, :, list(tail)].mean(2), 0)


def _cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The cosine of the angle between vectors; 0 where one of them is 0."""
    return np.einsum("...c,...c->...", a, b) / np.maximum(norm(a) * norm(b), 1e-9)


def _name(link: tuple[tuple[int, int], tuple[int, int]], joints: tuple[str, ...]) -> str:
    return " and ".join(f"{joints[a]}-{joints[b]}" for a, b in zip(*link))
