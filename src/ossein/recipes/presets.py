"""Presets: complete settings as functions of the data, with nothing left to guess.

`skeletonmae` and `ssl` are the paper's recipe (Yan et al., ICCV 2023, arXiv 2307.08476) to the letter; what the paper
leaves open is said in the settings and here. `stgcn` is a baseline of ours, to compare with.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
import torch
from pydantic import Field

from ossein.augment import AugmentSettings
from ossein.clip import PERSONS
from ossein.deploy import Card, preset_after
from ossein.encoders import MixerSettings
from ossein.errors import BundleError
from ossein.evaluate.handed import handedness
from ossein.pretrain import ContrastSettings, MaskSettings, PretrainerSettings, SkeletonMAESettings, TubeMAESettings
from ossein.recipes.device import MANY, compiles
from ossein.recipes.paper import BEST_SETS
from ossein.settings import Settings
from ossein.skeleton import Skeleton
from ossein.store import Several, Store
from ossein.tasks import ReaderSettings, RecogniserSettings, STGCNSettings, STRLSettings, TeachSettings
from ossein.train import InputSettings, OptimSettings, TrainSettings

S = TypeVar("S", bound=Settings)

HANDED = 0.75
"""Share of clips nearer to another as they are than in the mirror, from which on clips are not mirrored in training."""


class PretrainSettings(Settings):
    """Everything about a pre-training run."""

    input: InputSettings
    augment: AugmentSettings
    model: PretrainerSettings
    optim: OptimSettings
    train: TrainSettings


class RecogniseSettings(Settings):
    """Everything about a recognition run."""

    input: InputSettings
    augment: AugmentSettings
    model: RecogniserSettings
    optim: OptimSettings
    train: TrainSettings
    smoothing: float = Field(default=0.1, ge=0, lt=1)
    """Share of the target that is spread evenly over all classes (paper: 0.1)."""
    teach: TeachSettings | None = None
    """How the moving average of the model teaches it on clips without labels; None to learn from labels alone."""


@dataclass(frozen=True)
class Facts:
    """What a preset needs to know of the data.

    Args:
        skeleton: The joints.
        dims: C.
        persons: The most persons in any clip to train on.
        has_sizes: Whether every clip says the size of its image.
        num_train: Clips to train on.
        handed: The share of them that lie nearer to another as they are than in the mirror, see `handedness`.
    """

    skeleton: Skeleton
    dims: int
    persons: int
    has_sizes: bool
    num_train: int
    handed: float = 0.5

    @classmethod
    def of(cls, store: Store | Several, train: np.ndarray) -> "Facts":
        """The facts of a store, or of several as one.

        Args:
            store: The data.
            train: The clips to train on; of no other clip and of no label anything is looked at, but for whether it says
                the size of its image, without which it could not be answered for.
        """
        handed = handedness(store, train, store.subjects) if store.skeleton.pairs and len(train) else 0.5
        persons = int(store.persons[train].max(initial=1))
        return cls(store.skeleton, store.dims, persons, store.has_sizes, len(train), handed)

    @property
    def mirror(self) -> float:
        """The share of clips to mirror in training: half, or none where a mirrored clip is another movement."""
        return 0.5 if self.skeleton.pairs and self.handed < HANDED else 0.0


def skeletonmae(facts: Facts) -> PretrainSettings:
    """Masked graph pre-training as in the paper: Adam 1.5e-4, 50 epochs, right arm and right leg hidden, beta 2.

    A skeleton without them has its parts 3 and 5 hidden, or its last; one of a single part, joints drawn for each clip.

    The paper's batch of 1024 may count clips or frames. With MANY clips it is 1024 clips; with fewer, which would
    leave a handful of steps, it is 1024 frames: 16 clips of 64.
    """
    return PretrainSettings(
        input=_input(facts),
        augment=AugmentSettings(jitter=0.01),
        model=SkeletonMAESettings(mask=_best_mask(list(facts.skeleton.parts))),
        optim=OptimSettings(kind="adam", lr=1.5e-4, schedule="constant"),
        # Cosines close to 1 are told apart in fp32 only.
        train=_train(facts, epochs=50, batch=1024 if facts.num_train >= MANY else 16).change(precision="fp32"),
    )


def ssl(facts: Facts, pretrained: Card | None = None) -> RecogniseSettings:
    """Fine-tuning as in the paper: SGD 0.1, 110 epochs, 5 of warm-up, a tenth at 90 and 100, batch 128.

    Args:
        facts: What the data are like.
        pretrained: The pre-training run to start from; its encoder and its way to prepare clips are kept.

    Raises:
        BundleError: Its encoder is no graph encoder.
    """
    encoder = _encoder("ssl", STRLSettings().encoder, pretrained)
    return RecogniseSettings(
        input=_as_before(_input(facts), pretrained),
        augment=AugmentSettings(jitter=0.01),
        model=STRLSettings(encoder=encoder),
        optim=OptimSettings(
            kind="sgd",
            lr=0.1,
            momentum=0.9,
            weight_decay=5e-4,
            warmup=5 / 110,
            schedule="steps",
            drops=(90 / 110, 100 / 110),
        ),
        train=_train(facts, epochs=110, batch=128),
    )


def stgcn(facts: Facts, pretrained: Card | None = None) -> RecogniseSettings:
    """The supervised baseline: a small ST-GCN from random weights, 32 frames, AdamW for 60 epochs of small batches.

    Args:
        facts: What the data are like.
        pretrained: A pre-training run, whose way to prepare clips is kept; the model has no place for its encoder.
    """
    input = _input(facts).change(frames=32)
    input = input.change(normalise="centre" if input.normalise == "image" else input.normalise)
    return RecogniseSettings(
        input=_as_before(input, pretrained),
        augment=AugmentSettings(jitter=0.01, mirror=facts.mirror),
        model=STGCNSettings(),
        optim=OptimSettings(kind="adamw", lr=2e-3, weight_decay=0.01, warmup=0.05, schedule="cosine"),
        train=_train(facts, epochs=60, batch=32),
    )


def ossein_pretrain(facts: Facts) -> PretrainSettings:
    """Pre-training of our own: rebuild half of the parts, hidden over stretches of time, and tell clips apart; AdamW, 50 epochs."""
    return PretrainSettings(
        input=_own_input(facts),
        augment=_own_augment(facts),
        model=TubeMAESettings(
            encoder=_own_encoder(facts),
            contrast=ContrastSettings(spoil=_own_augment(facts).change(crop=0.5, reshape=0.1)),
        ),
        optim=OptimSettings(kind="adamw", lr=2e-3, weight_decay=0.05, warmup=0.1, schedule="cosine"),
        train=_train(facts, epochs=50, batch=64).change(steps=800),
    )


def ossein_recognise(facts: Facts, pretrained: Card | None = None) -> RecogniseSettings:
    """Recognition of our own: every joint is read by itself, and a teacher goes on with clips that have no label.

    Args:
        facts: What the data are like.
        pretrained: The pre-training run to start from; its encoder and its way to prepare clips are kept.

    Raises:
        BundleError: Its encoder is no mixer.
    """
    encoder = _encoder("ossein", _own_encoder(facts), pretrained)
    return RecogniseSettings(
        input=_as_before(_own_input(facts).change(views=3), pretrained),
        augment=_own_augment(facts),
        model=ReaderSettings(encoder=encoder),
        optim=OptimSettings(kind="adamw", lr=2e-3, weight_decay=0.05, warmup=0.1, schedule="cosine"),
        train=_train(facts, epochs=60, batch=32).change(steps=600),
        teach=TeachSettings(spoil=_own_augment(facts).change(crop=0.5, occlude=0.3)),
    )


PRETRAIN: dict[str, Callable[[Facts], PretrainSettings]] = {"skeletonmae": skeletonmae, "ossein": ossein_pretrain}
RECOGNISE: dict[str, Callable[[Facts, Card | None], RecogniseSettings]] = {
    "ssl": ssl,
    "stgcn": stgcn,
    "ossein": ossein_recognise,
}
"""The presets by name. One of your own joins them by `PRETRAIN["mine"] = mine`, and the command line takes it."""


def fast_precision() -> Literal["fp32", "bf16"]:
    """`bf16` where this machine computes it in hardware, else `fp32`; written into the settings, never left open."""
    return _fast_precision(torch.cuda.is_available())[0]


def precision_reason(settings: TrainSettings) -> str:
    """In what precision a training computes, and why, for the screen and the record of the run."""
    fast, why = _fast_precision(settings.device == "cuda" and torch.cuda.is_available())
    asked = "" if settings.precision == fast else "as the settings ask, though "
    return f"precision {settings.precision}: {asked}{why}"


def _fast_precision(gpu: bool) -> tuple[Literal["fp32", "bf16"], str]:
    if gpu:
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return "bf16", "the GPU has bf16 in hardware"
        return "fp32", "the GPU has no bf16 in hardware"
    if "avx512_bf16" in _cpu_flags():
        return "bf16", "the processor has bf16 in hardware (avx512_bf16)"
    return "fp32", "the processor has no bf16 in hardware (avx512_bf16)"


def _cpu_flags() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next((line for line in file if line.startswith("flags")), "")
    except OSError:
        return ""


def _best_mask(parts: list[str]) -> MaskSettings:
    """The best of the paper's tables, by the names of the skeleton's parts."""
    if len(parts) < 2:
        return MaskSettings(kind="random-joints")
    named = tuple(parts.index(name) for name in BEST_SETS[0] or () if name in parts)
    numbered = tuple(number for number in (3, 5) if number < len(parts)) or (len(parts) - 1,)
    return MaskSettings(kind="parts", parts=named or numbered)


def _input(facts: Facts) -> InputSettings:
    if facts.dims == 3:
        normalise = "facing" if facts.skeleton.up and facts.skeleton.across else "centre"
    else:
        normalise = "image" if facts.has_sizes else "centre"
    return InputSettings(frames=64, persons=min(PERSONS, facts.persons), normalise=normalise)


def _encoder(preset: str, default: S, pretrained: Card | None) -> S:
    """The settings of the pre-training's encoder, whatever method it had; the preset's where there was none."""
    if pretrained is None or pretrained.kind != "pretrained":
        return default
    found, after = getattr(pretrained.model, "encoder", None), preset_after(pretrained.model)
    if isinstance(found, type(default)):
        return found
    what = f"an encoder of the kind '{getattr(found, 'kind', '?')}'" if found else "no encoder in its settings"
    help = f"Use 'ossein recognise {after}'." if after else "Use a preset of your own."
    raise BundleError(
        f"the pre-training '{pretrained.preset}' has {what}, and the preset '{preset}' does not read it. {help}"
    )


def _as_before(input: InputSettings, pretrained: Card | None) -> InputSettings:
    """With the pre-training's way to prepare clips, where there was one."""
    if pretrained is None:
        return input
    return input.change(normalise=pretrained.input.normalise, stream=pretrained.input.stream)


def _own_input(facts: Facts) -> InputSettings:
    input = _input(facts).change(frames=48)
    return input.change(normalise="centre" if input.normalise == "image" else input.normalise)


def _own_encoder(facts: Facts) -> MixerSettings:
    """Where there are several persons, what tells how far joints are from each other goes from one to the next as well."""
    return MixerSettings(reads=("coordinates", "relations" if facts.persons > 1 else "distances"))


def _own_augment(facts: Facts) -> AugmentSettings:
    return AugmentSettings(
        jitter=0.01,
        mirror=facts.mirror,
        rotate=0.2 if facts.dims == 2 else 0.5,
        scale=0.1,
        shear=0.2,
    )


def _train(facts: Facts, *, epochs: float, batch: int) -> TrainSettings:
    return TrainSettings(
        epochs=epochs,
        batch=batch,
        precision=fast_precision(),
        compile=compiles(facts.num_train),
        device="cuda" if torch.cuda.is_available() else "cpu",
    )
