"""Bundles: what a run leaves behind and everything downstream loads. A folder of two files, and no code in either.

`model.safetensors` holds the weights, `bundle.json` all that is needed to use them: method and its settings, skeleton,
class names, how clips are prepared, where it came from.
"""

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import torch
from pydantic import Field, ValidationInfo, field_validator, model_validator
from torch import Tensor, nn

from ossein.encoders import EncoderSettings, MixerSettings
from ossein.errors import BundleError, DataError, SettingsError
from ossein.files import read_json, write_json
from ossein.pretrain import METHODS, Pretrainer, PretrainerSettings, build_method
from ossein.settings import Settings
from ossein.skeleton import Skeleton
from ossein.tasks import RECOGNISERS, Recogniser, RecogniserSettings, build_recogniser
from ossein.train import InputSettings, load_weights, read_tensors, write_tensors
from ossein.words import count

T = TypeVar("T", bound=nn.Module)

_NAMED = 4
"""How many of the runs in a folder an error names."""

_SEEN = re.compile(r"\d+(-\d+)?(,\d+(-\d+)?)*")


READ_BY: dict[type, str] = {EncoderSettings: "ssl", MixerSettings: "ossein"}
"""The preset of recognition that reads an encoder, by the settings of the encoder."""


class Card(Settings):
    """Everything about a model but its weights."""

    format: Literal["ossein-bundle"] = "ossein-bundle"
    """Says what this file is."""
    version: Literal[1] = 1
    """Of the format."""
    kind: Literal["pretrained", "recogniser"]
    """A pre-trained encoder with its decoder, or a model that names classes."""
    preset: str
    """The preset it was made with."""
    skeleton: dict[str, Any]
    """The joints it was trained on."""
    dims: int = Field(ge=2, le=3)
    """C, coordinates per joint."""
    classes: tuple[str, ...] = ()
    """Class names, for a recogniser."""
    input: InputSettings
    """How clips are prepared."""
    model: PretrainerSettings | RecogniserSettings
    """The settings of the model."""
    data: dict[str, Any]
    """What it was trained on: store, its content hash, split, the clips it has seen, licence; and the same of others."""
    made_by: dict[str, Any]
    """Command, versions, commit."""
    metrics: dict[str, Any] = Field(default_factory=dict)
    """What was measured when it was made."""
    frames: int | None = Field(default=None, ge=1)
    """Frames of the clips that it learned from, their median; the length of the windows that long recordings are cut into."""
    rate: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Frames per second of these clips, their median, where it is known."""
    temperature: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    """What scores are divided by before the softmax; 1 where the model was not calibrated."""
    sure: float = Field(default=0.0, ge=0, le=1)
    """The least probability at which a class is named rather than "nothing known"; 0 always names one."""
    calibration: dict[str, Any] = Field(default_factory=dict)
    """How temperature and least probability were found: on which clips, and what they changed."""

    @field_validator("skeleton")
    @classmethod
    def _is_skeleton(cls, skeleton: dict[str, Any]) -> dict[str, Any]:
        Skeleton.from_plain(skeleton)
        return skeleton

    @field_validator("model", mode="plain")
    @classmethod
    def _is_of_its_family(cls, model: Any, info: ValidationInfo) -> Settings:
        return (RECOGNISERS if info.data.get("kind") == "recogniser" else METHODS).read(model)

    @field_validator("data")
    @classmethod
    def _is_record(cls, data: dict[str, Any]) -> dict[str, Any]:
        also = data.get("also", [])
        if not all(_says_what_was_seen(one) for one in [data, *(also if isinstance(also, list) else [also])]):
            raise ValueError(
                "expected the texts 'store', 'hash', 'split' and 'seen' (clip numbers such as 0-3,7), and as 'digests' base64 of "
                "8 bytes each, here and in each entry of 'also'"
            )
        return data

    @model_validator(mode="after")
    def _names_classes(self) -> Self:
        if (self.kind == "recogniser") != bool(self.classes):
            raise ValueError(f"a {self.kind} model with {count(len(self.classes), 'class')}")
        return self


def preset_after(method: Settings) -> str | None:
    """The preset of recognition that goes on from a pre-training; None where none of ossein's reads its encoder.

    Args:
        method: The settings of the pre-training's method; what counts is their `encoder`.
    """
    return READ_BY.get(type(getattr(method, "encoder", None)))


def _says_what_was_seen(data: Any) -> bool:
    texts = [data.get(key) for key in ("store", "hash", "split", "seen")] if isinstance(data, dict) else [None]
    if not all(isinstance(text, str) for text in texts) or _SEEN.fullmatch(data["seen"]) is None:
        return False
    try:
        return len(base64.b64decode(data.get("digests", ""), validate=True)) % 8 == 0
    except (ValueError, TypeError):
        return False


def write_bundle(folder: Path, card: Card, model: nn.Module) -> None:
    """Write a model and its card; the card comes last, so that a folder with a card is whole."""
    write_tensors(folder / "model.safetensors", model.state_dict(), {"format": "ossein-weights"})
    write_json(folder / "bundle.json", card.plain())


def read_card(path: Path | str) -> tuple[Path, Card]:
    """The card of a bundle, given the bundle's folder or the run's.

    Raises:
        BundleError: There is no bundle, or its card is damaged.
    """
    folder = next((at for at in (Path(path), Path(path) / "bundle") if (at / "bundle.json").is_file()), None)
    if folder is None:
        raise _no_bundle(Path(path))
    try:
        return folder, Card.read(read_json(folder / "bundle.json"), where=str(folder / "bundle.json"))
    except (DataError, SettingsError) as error:
        raise BundleError(str(error)) from None


def load_recogniser(path: Path | str) -> tuple[Recogniser, Card]:
    """A trained recogniser, ready for use, and its card.

    Raises:
        BundleError: There is no bundle, it holds something else, or it is damaged.
    """
    folder, card = read_card(path)
    if card.kind != "recogniser":
        raise BundleError(
            f"{folder}: holds a pre-trained encoder, which names no classes yet. Train it on labelled clips with "
            "'ossein recognise ssl STORE --from RUN'."
        )

    def build() -> Recogniser:
        return build_recogniser(*_shape(card), len(card.classes), card.model)

    return _with_weights(folder, build), card


def load_pretrained(path: Path | str) -> tuple[Pretrainer, Card]:
    """A pre-training method with what it has learned, and its card.

    Raises:
        BundleError: There is no bundle, it holds something else, or it is damaged.
    """
    folder, card = read_card(path)
    if card.kind != "pretrained":
        raise BundleError(f"{folder}: holds a recogniser, expected a pre-trained encoder. Name a pre-training run.")

    def build() -> Pretrainer:
        return build_method(*_shape(card), card.model)

    return _with_weights(folder, build), card


def _no_bundle(path: Path) -> BundleError:
    """The error for a folder without a bundle, which names those of the folds and seeds below it."""
    runs = sorted(card.parents[1] for card in path.glob("*/bundle/bundle.json"))
    if not runs:
        return BundleError(
            f"{path}: holds no bundle (bundle.json is missing). Name the folder of a finished run or of its bundle."
        )
    names = [run.name for run in runs]
    few = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    splits = [name.rpartition("-seed")[0] for name in names if "-seed" in name]
    several = len(set(splits)) < len(splits)
    fuse = f", or make one of the seeds of a split by 'ossein fuse STORE {path} --out FOLDER'" if several else ""
    return BundleError(
        f"{path}: holds no bundle but {count(len(runs), 'run')}: {few}. Name one of them, such as {runs[0]}{fuse}."
    )


def _shape(card: Card) -> tuple[Skeleton, int, int, int]:
    return Skeleton.from_plain(card.skeleton), card.dims, card.input.frames, card.input.persons


def _with_weights(folder: Path, build: Callable[[], T]) -> T:
    file = folder / "model.safetensors"
    try:
        model = build()
    except (ValueError, TypeError, RuntimeError, MemoryError) as error:
        raise BundleError(
            f"{folder / 'bundle.json'}: describes no model that can be built ({error}). Copy it anew."
        ) from None
    weights: dict[str, Tensor] = read_tensors(file)[0]
    load_weights(model, weights, str(file))
    for name, weight in weights.items():
        if weight.is_floating_point() and not torch.isfinite(weight).all():
            raise BundleError(f"{file}: weight '{name}' is not finite. Train again or copy it anew.")
    return model.eval()
