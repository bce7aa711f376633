"""A skeleton as a small picture (SVG), drawn from its joints and bones alone: no clip is needed, and no library."""

from xml.sax.saxutils import escape

import numpy as np

from ossein.mapping import places
from ossein.skeleton import Skeleton

_BLUE, _ORANGE, _GREY = "#0072B2", "#D55E00", "#5B6673"
"""The body's left, its right, and what is on neither side; as in all pictures of ossein."""

_SIDE, _MARGIN = 300, 16
"""The longer side of the picture and the space around the body, in pixels."""

_MIDDLE = {
    "crown": (0, -4),
    "face": (0, 10),
    "neck": (0, 24),
    "neck base": (0, 32),
    "chest": (0, 48),
    "spine": (0, 62),
    "pelvis": (0, 90),
}
_LEFT = {
    "eye inner": (3, 5),
    "eye": (6, 5),
    "eye outer": (9, 5),
    "ear": (13, 9),
    "mouth": (4, 17),
    "collar": (10, 33),
    "shoulder": (20, 35),
    "elbow": (31, 63),
    "wrist": (38, 88),
    "hand": (41, 96),
    "hand tip": (44, 106),
    "thumb": (34, 100),
    "index": (39, 103),
    "pinky": (46, 100),
    "hip": (11, 92),
    "knee": (14, 132),
    "ankle": (16, 170),
    "heel": (13, 177),
    "toe": (22, 179),
    "small toe": (27, 176),
}
_STANDING = (
    _MIDDLE
    | {f"left {name}": at for name, at in _LEFT.items()}
    | {f"right {name}": (-x, y) for name, (x, y) in _LEFT.items()}
)
"""Where the places of a body are when it stands and faces us, in centimetres, y pointing down."""

_HOP = 25.0
"""How long a bone is whose ends are not known, in centimetres."""


def draw_skeleton(skeleton: Skeleton) -> str:
    """A picture of a skeleton as SVG: its left blue, its right orange; each joint tells its name when pointed at.

    A body stands and faces us. A graph that is none (a hand, a machine) is spread out so that joints that are n bones
    apart lie about n bones' lengths apart.

    Args:
        skeleton: The joints and bones.

    >>> draw_skeleton(Skeleton.of("coco-17")).count("<circle")
    17
    """
    at = _layout(skeleton)
    low, span = at.min(0), np.ptp(at, axis=0)
    scale = (_SIDE - 2 * _MARGIN) / max(float(span.max()), 1e-9)
    at = (at - low) * scale + _MARGIN
    width, height = (span * scale + 2 * _MARGIN).round().astype(int)
    colours = [_GREY] * len(skeleton)
    for left, right in skeleton.pairs:
        colours[left], colours[right] = _BLUE, _ORANGE
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
            f"<title>{escape(skeleton.name)}</title>",
            '<rect width="100%" height="100%" fill="white"/>',
            *(_bone(at[a], at[b], colours[a] if colours[a] == colours[b] else _GREY) for a, b in skeleton.bones),
            *(_joint(xy, name, colour) for xy, name, colour in zip(at, skeleton.joints, colours, strict=True)),
            "</svg>\n",
        ]
    )


def _bone(a: np.ndarray, b: np.ndarray, colour: str) -> str:
    ends = f'x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="3" stroke-linecap="round"/>'


def _joint(at: np.ndarray, name: str, colour: str) -> str:
    return f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="4" fill="{colour}"><title>{escape(name)}</title></circle>'


def _layout(skeleton: Skeleton) -> np.ndarray:
    """Where to draw the joints, [V 2]."""
    found = [_STANDING.get(place) for place in places(skeleton)]
    known = np.array([at is not None for at in found])
    hops = skeleton.hops()
    if 3 * known.sum() < 2 * len(skeleton):
        return _upright(_spread(_scaled(hops), hops, np.zeros(len(skeleton), bool)), skeleton)
    at = np.array([(0.0, 0.0) if one is None else one for one in found])
    for j in np.flatnonzero(~known):
        near = np.flatnonzero(known & (hops[j] == hops[j][known].min()))
        # A little off the middle, by the joint's number, so that two of them do not begin at one point.
        at[j] = at[near].mean(0) + _HOP / 2 * np.array([np.cos(j), np.sin(j)])
    return _spread(at, hops, known)


def _upright(at: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Points turned so that `up` points up and the left side is on our right, where the skeleton says what these are."""
    if skeleton.up:
        low, high = (at[list(group)].mean(0) for group in skeleton.up)
        x, y = (low - high) / max(float(np.linalg.norm(low - high)), 1e-9)
        at = at @ np.array([[y, x], [-x, y]])
    if skeleton.across:
        left, right = (at[list(group), 0].mean() for group in skeleton.across)
        at = at * ((-1, 1) if left < right else (1, 1))
    return at


def _scaled(hops: np.ndarray) -> np.ndarray:
    """Points [V 2] whose distances are about `hops`, the widest way from left to right (Torgerson 1952)."""
    middle = np.eye(len(hops)) - 1 / len(hops)
    values, vectors = np.linalg.eigh(-0.5 * middle @ (hops * _HOP) ** 2 @ middle)
    best = np.argsort(-values, kind="stable")[:2]
    vectors = vectors[:, best]
    vectors = vectors * np.where(vectors[np.abs(vectors).argmax(0), [0, 1]] < 0, -1, 1)
    return vectors * np.sqrt(np.maximum(values[best], 0))


def _spread(at: np.ndarray, hops: np.ndarray, fixed: np.ndarray, rounds: int = 200) -> np.ndarray:
    """Moves the points that are not fixed until distances fit hops better (stress majorisation, Gansner et al. 2004)."""
    wanted = hops * _HOP
    weight = np.divide(1.0, wanted**2, out=np.zeros_like(wanted), where=wanted > 0)
    for _ in range(0 if fixed.all() else rounds):
        apart = at[:, None] - at[None]
        far = np.maximum(np.linalg.norm(apart, axis=-1, keepdims=True), 1e-6)
        pull = at[None] + wanted[..., None] * apart / far
        moved = (weight[..., None] * pull).sum(1) / weight.sum(1, keepdims=True)
        at = np.where(fixed[:, None], at, moved)
    return at
