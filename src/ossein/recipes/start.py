"""Where recognition starts from: a pre-training of the same clips or of others, or random weights."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ossein.deploy import Card, fetch, load_pretrained
from ossein.encoders import Encoder
from ossein.errors import BundleError
from ossein.pretrain import Pretrainer
from ossein.recipes.base import Screen, check_input
from ossein.recipes.joints import bring_over, counterparts, same_joints
from ossein.recipes.seen import learned_from, refuse_seen
from ossein.store import Split, Store


@dataclass(frozen=True)
class Start:
    """Where a recogniser starts from: pre-trained weights, brought over to the joints of the data, or random ones.

    Args:
        encoder: The weights; None for random ones.
        card: What the bundle of the pre-training says.
        origin: Where it lies.
        method: The pre-training as a whole; None where it learned on other joints.
    """

    encoder: Encoder | None = None
    card: Card | None = None
    origin: str | None = None
    method: Pretrainer[Any] | None = None

    @property
    def fingerprint(self) -> str | None:
        """Names the encoder's weights, so that a run cannot go on from other ones."""
        if self.encoder is None:
            return None
        weights = self.encoder.state_dict().values()
        return hashlib.sha256(b"".join(weight.numpy().tobytes() for weight in weights)).hexdigest()[:16]

    def record(self, store: Store) -> dict[str, Any]:
        """What to keep of it in the record of a run on a store, beside the clips of that store that it has seen."""
        told: dict[str, Any] = {"pretrained": self.fingerprint}
        if self.card is None:
            return told
        if not same_joints(self.card, store):
            told["pretrained_skeleton"] = self.card.skeleton["name"]
        elsewhere = [one for one in learned_from(self.card.data) if one["hash"] != store.hash]
        return {**told, "also": elsewhere} if elsewhere else told


def start_from(pretrained: Path | None, split: Split, store: Store, screen: Screen, *, several: bool) -> Start:
    """The start that a recogniser is asked to have.

    Args:
        pretrained: A pre-training run, or a folder with one for each fold; None for random weights.
        split: Whose clips it will learn from and be tested on.
        store: The data.
        screen: Where to tell how many joints have a counterpart.
        several: Whether there are other folds.

    Raises:
        BundleError: The pre-training cannot be read, or there is none for this fold.
        DataError: It has seen the test clips.
        SkeletonError: It knows too few of the joints, or clips of more or fewer dimensions.
    """
    if pretrained is None:
        return Start()
    own = pretrained / split.name.replace(":", "-")
    if several and pretrained.is_dir() and not own.is_dir() and not _alone(pretrained):
        raise BundleError(f"{pretrained}: holds no run for '{split.name}'. Pre-train with the same --split.")
    method, card = load_pretrained(own if own.is_dir() else fetch(pretrained))
    told = counterparts(card, store, pretrained)
    check_input(card.input.normalise, store, before=str(pretrained))
    refuse_seen(card.data, store, split.test, f"the pre-training in {pretrained}")
    if told:
        screen.note(told)
    own_joints = method if same_joints(card, store) else None
    return Start(bring_over(method.encoder, card, store), card, str(pretrained), own_joints)


def _alone(pretrained: Path) -> bool:
    """Whether a folder is one pre-training, or its bundle, in place of one for each fold."""
    return any((pretrained / file).is_file() for file in ("run.yaml", "bundle.json"))
