"""From a bundle and a file to class names: the four lines that most people want.

>>> import ossein
>>> model = ossein.load("runs/my-run")                # doctest: +SKIP
>>> for answer in model.predict("someone.json"):      # doctest: +SKIP
...     print(answer.name, answer.top[0])             # doctest: +SKIP
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ossein.anatomy import words
from ossein.clip import Clip
from ossein.deploy.bundle import Card, load_recogniser
from ossein.errors import DataError, SettingsError, SkeletonError
from ossein.evaluate.model import class_scores
from ossein.readers import get_reader, reader_for
from ossein.readers.base import Source, within
from ossein.skeleton import Skeleton
from ossein.store.memory import Memory
from ossein.tasks import Recogniser


@dataclass(frozen=True)
class Answer:
    """What a recogniser says of one clip.

    Args:
        name: The clip's name.
        top: (class name, probability), the most probable first.
        label: The class the file says, where it says one, by number.
    """

    name: str
    top: tuple[tuple[str, float], ...]
    label: int


class Predictor:
    """A trained model with all it needs to answer for clips it has never seen.

    Args:
        model: From a batch to scores.
        card: What the bundle says of it.
    """

    def __init__(self, model: Recogniser, card: Card) -> None:
        self.model, self.card = model, card
        self.skeleton = Skeleton.from_plain(card.skeleton)
        self.classes = card.classes

    def predict(self, what: str | Path | Clip | Iterable[Clip], *, top: int = 5, format: str = "auto") -> list[Answer]:
        """Name what happens in clips.

        Args:
            what: A file or folder in any format that ossein reads, a clip, or several clips.
            top: How many classes to name for each.
            format: The reader to use, or `auto` to tell it from the file.

        Raises:
            DataError: The file cannot be read, holds no clip, or a clip does not say what the model must know.
            SkeletonError: It has other joints than the model was trained on.
            SettingsError: `top` is below 1.
        """
        if top < 1:
            raise SettingsError(f"top is {top}, expected 1 or more classes to name.")
        if isinstance(what, str | Path):
            clips = self._from_file(Path(what), format)
            with within(what):
                return self.predict(clips, top=top)
        clips = [what] if isinstance(what, Clip) else list(what)
        probabilities = self.scores(clips)
        return [self._answer(clip, p, top) for clip, p in zip(clips, probabilities, strict=True)]

    def scores(self, clips: list[Clip]) -> np.ndarray:
        """Class probabilities, float32 [N K].

        Raises:
            DataError: There is no clip, or one does not say what the model must know, such as the size of its image.
            SkeletonError: A clip has other joints than the model was trained on.
        """
        for clip in clips:
            self._check(clip)
        rows = Memory.of(clips, self.skeleton)
        return class_scores(self.model, rows, np.arange(len(clips)), self.card.input)

    def _from_file(self, path: Path, format: str) -> list[Clip]:
        source = _open(path, format, self.skeleton)
        if source.skeleton is not None and _joints(source.skeleton) != _joints(self.skeleton):
            raise SkeletonError(
                f"{path}: its joints are those of {source.skeleton.name} ({len(source.skeleton)}), the model knows "
                f"{self.skeleton.name} ({len(self.skeleton)}). Use a model trained on that skeleton."
            )
        return list(source.clips)

    def _check(self, clip: Clip) -> None:
        joints, dims = clip.x.shape[2:]
        if (joints, dims) != (len(self.skeleton), self.card.dims):
            raise SkeletonError(
                f"clip '{clip.name}': {joints} joints in {dims}-D, the model knows {len(self.skeleton)} "
                f"({self.skeleton.name}) in {self.card.dims}-D. Use a model trained on such data."
            )
        if self.card.input.normalise == "image" and clip.size is None:
            raise DataError(
                f"clip '{clip.name}': does not say the size of its image, which the model needs. Say it in the file, or "
                "train a model with --input.normalise centre."
            )

    def _answer(self, clip: Clip, p: np.ndarray, top: int) -> Answer:
        best = np.argsort(-p, kind="stable")[:top]
        return Answer(clip.name, tuple((self.classes[k], float(p[k])) for k in best), clip.label)


def load(path: str | Path) -> Predictor:
    """A recogniser from the folder of a run or of its bundle.

    Raises:
        BundleError: There is no bundle, it is damaged, or it holds no recogniser.
    """
    return Predictor(*load_recogniser(path))


def _open(path: Path, format: str, skeleton: Skeleton) -> Source:
    reader = reader_for(path) if format == "auto" else get_reader(format)
    try:
        return reader.read(path)
    except SkeletonError:
        # The file does not say what its joints are; the model does.
        return reader.read(path, skeleton=skeleton)


def _joints(skeleton: Skeleton) -> list[list[str]]:
    """The joints in order, however their names are spelled."""
    return [sorted(words(joint)) or [joint] for joint in skeleton.joints]
