"""The space that bodies are in: whether bones join the joints that they should, which unit, which way up, which image."""

from collections.abc import Iterator

import numpy as np

from ossein.mapping import places
from ossein.skeleton import Skeleton
from ossein.store.checks.base import Body, Example, Finding, Look, Result, Skipped, median, norm, worst

LONG = "bones that are too long: joints in another order?"
UNIT = "coordinates that are not in metres"
SCALE = "clips of another scale"
UPSIDE = "images that are upside down"
OUTSIDE = "joints outside of the image"

_LOOK = 4096
"""How many frames of persons, spread evenly over a store, are looked at."""

_LONG, _NEARER = 1.12, 2.2
"""A bone is too long if it is this much longer than the median distance of two joints, and this many times as long as the
distance of its ends from the joints that are nearest to them: the palm of a hand is far from all."""

_UNITS = {"metres": (0.2, 1.0), "centimetres": (20, 100), "millimetres": (200, 1000)}
"""How long a trunk is, from hips to shoulders."""

_SCALE = {2: 50, 3: 5}
"""How many times as large or small as in most clips bodies may be, by number of coordinates."""


def trunk(body: Body) -> np.ndarray:
    """The median length of the body's upwards arrow, and how far it points along y, as a mean cosine [2]."""
    if not body.skeleton.up:
        return np.zeros(2)
    tail, head = (list(group) for group in body.skeleton.up)
    seen = body.seen[:, :, tail + head].all(2)
    arrow = (body.x[:, :, head].mean(2) - body.x[:, :, tail].mean(2))[seen]
    length = norm(arrow)
    if not length.any():
        return np.zeros(2)
    return np.array([np.median(length), (arrow[:, 1] / np.maximum(length, 1e-9)).mean()])


def edges(body: Body) -> np.ndarray:
    """The least and the greatest of each coordinate, [2 C]; inf and -inf where nobody is seen."""
    return np.stack([body.ranges[0].min((0, 1)), body.ranges[1].max((0, 1))])


def size(body: Body) -> float:
    """The size of the body."""
    return body.size


def order(look: Look) -> Iterator[Result]:
    """Bones that are longer than two joints are apart anywhere: a skeleton of other joints, or in another order."""
    skeleton = look.store.skeleton
    far, known = _distances(look)
    apart = ~np.eye(len(skeleton), dtype=bool) & known
    if not apart.any():
        yield Skipped(LONG, "no two joints are ever seen together")
        return
    near = np.where(apart, far, np.inf).min(1)
    usual = np.median(far[apart])
    bones = [(a, b) for a, b in skeleton.bones if apart[a, b]]
    bad = [(a, b) for a, b in bones if far[a, b] > max(_LONG * usual, _NEARER * max(near[a], near[b]))]
    if bad:
        shown = tuple(
            Example(
                f"{skeleton.joints[a]}-{skeleton.joints[b]}",
                f"{far[a, b] / usual:.1f} times as far as two joints usually",
            )
            for a, b in sorted(bad, key=lambda bone: -far[bone])
        )
        means = f"They join joints that are further apart than two of '{skeleton.name}' are on average, though others are near."
        help = "See which joints the data has, in which order, and name the skeleton with --skeleton when preparing it."
        level = "error" if len(bad) > 1 else "warning"
        yield Finding(LONG, level, len(bad), len(bones), "bone", means, help, shown)


def unit(look: Look) -> Iterator[Result]:
    """3-D bodies whose trunk is not as long as one in metres is."""
    lengths = look["trunk"][:, 0]
    if look.store.dims == 2 or not _has_trunk(look.store.skeleton):
        why = "2-D clips have no unit of length" if look.store.dims == 2 else "the skeleton has no hips and shoulders"
        yield Skipped(UNIT, why)
    elif lengths.any():
        long = float(np.median(lengths[lengths > 0]))
        named = next((name for name, (low, high) in _UNITS.items() if low <= long < high), "no unit that is known")
        if named != "metres":
            means = f"A trunk is {long:.3g} long from hips to shoulders, which is {named}; bodies not of people in metres are brought to one size."
            help = "Turn them into metres where the data comes from, if how tall people are is to count."
            num = int((lengths > 0).sum())
            yield Finding(UNIT, "note", num, len(lengths), "clip", means, help)


def scale(look: Look) -> Iterator[Result]:
    """Clips whose bodies are many times as large or as small as in most."""
    sizes = look["size"]
    if not sizes.any():
        return
    usual = float(np.median(sizes[sizes > 0]))
    times = np.where(sizes > 0, np.maximum(sizes / usual, usual / np.maximum(sizes, 1e-12)), 1)
    clips = np.flatnonzero(times > _SCALE[look.store.dims])
    if len(clips):
        means = f"Bodies are more than {_SCALE[look.store.dims]} times as large or as small as in most clips."
        help = "See whether some clips are in another unit, such as millimetres among metres, or shares among pixels."
        shown = look.examples(worst(times, clips), lambda n: f"{sizes[n] / usual:.3g} times as large")
        yield Finding(SCALE, "warning", len(clips), len(sizes), "clip", means, help, shown)


def upright(look: Look) -> Iterator[Result]:
    """2-D clips with y pointing up, in which most people stand on their heads."""
    if look.store.dims == 3 or not _has_trunk(look.store.skeleton):
        why = "3-D sets have their own way up" if look.store.dims == 3 else "the skeleton has no hips and shoulders"
        yield Skipped(UPSIDE, why)
        return
    down = look["trunk"][:, 1]
    known = down != 0
    clips = np.flatnonzero(down > 0)
    if known.any() and np.median(down[known]) > 0:
        means = "Shoulders are below hips in most clips: y points up, and in images it points down."
        help = "Negate y where the data comes from; a model that was trained on images expects it so."
        shown = look.examples(worst(down, clips))
        yield Finding(UPSIDE, "warning", len(clips), int(known.sum()), "clip", means, help, shown, drawn=True)


def outside(look: Look) -> Iterator[Result]:
    """2-D clips whose joints do not lie in their images: another unit, or the wrong size."""
    sizes = look.store.sizes
    if look.store.dims == 3 or np.isnan(sizes).all():
        yield Skipped(OUTSIDE, "3-D clips lie in no image" if look.store.dims == 3 else "no image size is known")
        return
    low, high = look["edges"][:, 0], look["edges"][:, 1]
    known = np.isfinite(sizes).all(1) & np.isfinite(low).all(1)
    beyond = known & ((low < -0.5 * sizes) | (high > 1.5 * sizes)).any(1)
    shares = known & (high <= 2).all(1) & (low >= -1).all(1) & (sizes > 16).all(1)
    clips = np.flatnonzero(beyond | shares)
    if len(clips):
        means = "Joints are half an image and more outside of it, or are shares of an image whose size is in pixels."
        help = "Mend width and height (their order, perhaps), or give the size in the unit of the coordinates."
        shown = look.examples(
            clips, lambda n: f"x to {high[n, 0]:.4g}, y to {high[n, 1]:.4g} in {sizes[n, 0]:g} x {sizes[n, 1]:g}"
        )
        yield Finding(OUTSIDE, "warning", len(clips), int(known.sum()), "clip", means, help, shown)


GAUGES = {"trunk": trunk, "edges": edges, "size": size}
CHECKS = {LONG: order, UNIT: unit, SCALE: scale, UPSIDE: upright, OUTSIDE: outside}


def _distances(look: Look) -> tuple[np.ndarray, np.ndarray]:
    """How far each two joints are apart in the median body, in the median distance of its joints, and whether any tells."""
    store = look.store
    x, score = store.take_rows(np.linspace(0, len(store.x) - 1, min(_LOOK, len(store.x))).astype(np.int64))
    seen = score > 0
    far = norm(x[:, :, None] - x[:, None])
    both = seen[:, :, None] & seen[:, None] & ~np.eye(seen.shape[1], dtype=bool)
    usual = median(far.reshape(len(far), -1), both.reshape(len(far), -1), 1)
    some = usual > 0
    return median(far[some] / usual[some, None, None], both[some], 0), np.asarray(both[some].any(0))


def _has_trunk(skeleton: Skeleton) -> bool:
    named = places(skeleton)
    return skeleton.up is not None and all(
        all(named[j].endswith(ends) for j in group)
        for group, ends in zip(skeleton.up, (("hip",), ("shoulder", "collar")))
    )
