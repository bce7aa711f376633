"""Poses of pixels and confidences, (x, y, score) for each joint, that stand where a format wants coordinates alone."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ossein.errors import DataError
from ossein.readers.base import OVERSHOOT, near_zero

MANY = 100
"""How many clips of a data set are looked at: what its author took a third number for holds for all of them."""

_PIXELS = 30.0


def refuse_confidence(where: Path | str, poses: Iterable[np.ndarray], key: str) -> None:
    """Refuse 2-D poses with a confidence as their third number, as pose estimators print them, in the place of 3-D ones.

    They look like this: there are persons of tens of pixels along x and along y, while the third number never leaves
    [0, 1] (or 1.5, where detectors overshoot). A body in space is as deep as it is wide, whatever the unit; a depth of 0
    throughout is a flat body.

    Args:
        where: The file, named in errors.
        poses: Coordinates [M T V 3] of some clips.
        key: Where the format wants confidences.

    Raises:
        DataError: All of the poses together look like this.
    """
    span, low, high = np.zeros(3), np.inf, 0.0
    for x in poses:
        x = np.asarray(x, np.float64)
        there = (np.isfinite(x).all(-1) & ~near_zero(x))[..., None]
        least, most = np.where(there, x, np.inf).min(-2), np.where(there, x, -np.inf).max(-2)  # of each person-frame
        span = np.maximum(span, (most - least).reshape(-1, 3).max(0, initial=0))
        low, high = min(low, least[..., 2].min(initial=np.inf)), max(high, most[..., 2].max(initial=0))
    if min(span[:2]) > _PIXELS and low >= 0 and 0 < high <= OVERSHOOT:
        raise DataError(
            f"{where}: the third number of a joint looks like a confidence, not like a coordinate: it lies in {low:.3g} to "
            f"{high:.3g}, while bodies span up to {span[0]:.0f} along x and {span[1]:.0f} along y. Put it into '{key}' and "
            "leave two coordinates; if it is a depth, scale it to the unit of x and y."
        )
