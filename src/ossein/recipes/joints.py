"""From the joints of a pre-training to those of other data."""

from pathlib import Path
from typing import TypeVar

from ossein.deploy import Card
from ossein.encoders import Encoder
from ossein.errors import SkeletonError
from ossein.mapping import match_joints
from ossein.skeleton import Skeleton
from ossein.store import Store

E = TypeVar("E", bound=Encoder)

LEAST = 3
"""One in so many joints of the data must have a counterpart among those of the pre-training."""


def same_joints(card: Card, store: Store) -> bool:
    """Whether a model and a store have the same joints in the same order."""
    return Skeleton.from_plain(card.skeleton).joints == store.skeleton.joints


def counterparts(card: Card, store: Store, where: Path | str) -> str | None:
    """A line on how many joints of a store have a counterpart in a pre-training; None where they are the same joints.

    Args:
        card: What the pre-training says of itself.
        store: The data to go to.
        where: Where the pre-training lies.

    Raises:
        SkeletonError: The data have more or fewer dimensions, or fewer than one joint in `LEAST` has a counterpart.
    """
    source, target = Skeleton.from_plain(card.skeleton), store.skeleton
    if card.dims != store.dims:
        raise SkeletonError(
            f"{where}: the model knows {source.name} in {card.dims}-D, {store.path.name} holds {target.name} in "
            f"{store.dims}-D. Pre-train on {store.dims}-D data, or use {card.dims}-D ones."
        )
    if same_joints(card, store):
        return None
    missing = [joint for joint, found in zip(target.joints, match_joints(source, target), strict=True) if found < 0]
    told = f"{where}: {len(target) - len(missing)} of the {len(target)} joints of {store.path.name} ({target.name}) have a "
    told += f"counterpart among those of the pre-training ({source.name})"
    if LEAST * (len(target) - len(missing)) < len(target):
        raise SkeletonError(
            f"{told}, expected a third of them at least; there is none for {', '.join(missing)}. Pre-train on data with more "
            "of these joints, or name joints that are the same alike."
        )
    return told


def bring_over(encoder: E, card: Card, store: Store) -> E:
    """A pre-trained encoder for the joints of a store: itself where they are the same, else `Encoder.onto` them."""
    return encoder if same_joints(card, store) else encoder.onto(store.skeleton)
