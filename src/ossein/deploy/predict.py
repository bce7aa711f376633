"""From a bundle and a file to class names: the four lines that most people want.

>>> import ossein
>>> model = ossein.load("runs/my-run")                # doctest: +SKIP
>>> for answer in model.predict("someone.json"):      # doctest: +SKIP
...     print(answer.name, answer.top[0])             # doctest: +SKIP
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ossein.clip import Clip
from ossein.deploy.bundle import Card, load_recogniser, read_card
from ossein.deploy.hub import Shareable, fetch
from ossein.deploy.timeline import Moments, Segment, Timeline, segments
from ossein.deploy.windows import Piece, Span, at_once, part, pieces, rated, starts, usual
from ossein.errors import DataError, SettingsError, SkeletonError
from ossein.evaluate.model import class_scores
from ossein.readers import get_reader, reader_for
from ossein.readers.base import Source, within
from ossein.readers.joints import spelled
from ossein.readers.meta import read_meta
from ossein.skeleton import Skeleton
from ossein.store import Store
from ossein.store.memory import Memory
from ossein.tasks import Recogniser
from ossein.words import count


@dataclass(frozen=True)
class Answer:
    """What a recogniser says of one clip, or of a part of it.

    Args:
        name: The clip's name.
        top: (class name, probability), the most probable first.
        label: The class the file says, where it says one, by number.
        person: Who of the clip is meant, by number from 0; None for all of it.
        start: Where the window begins; None where the whole clip was taken.
        end: Where it ends.
        unit: Of start and end: `s` where the frame rate is known, else `frames`.
        sure: Whether the best class is probable enough to be named; where not, nothing is known.
    """

    name: str
    top: tuple[tuple[str, float], ...]
    label: int
    person: int | None = None
    start: float | None = None
    end: float | None = None
    unit: str | None = None
    sure: bool = True

    @property
    def known(self) -> str | None:
        """The name of the class; None where nothing is known."""
        return self.top[0][0] if self.sure else None


class Predictor(Shareable):
    """A trained model with all it needs to answer for clips it has never seen.

    Args:
        model: From a batch to scores.
        card: What the bundle says of it.
    """

    def __init__(self, model: Recogniser, card: Card) -> None:
        self.model, self.card = model, card
        self.skeleton = Skeleton.from_plain(card.skeleton)
        self.classes = card.classes

    def predict(
        self,
        what: str | Path | Clip | Iterable[Clip],
        *,
        top: int = 5,
        format: str = "auto",
        window: str | float | Span | None = None,
        hop: str | float | Span | None = None,
        each_person: bool = False,
        sure: float | None = None,
        fps: float | None = None,
    ) -> list[Answer]:
        """Name what happens in clips.

        Args:
            what: A file or folder in any format that ossein reads, a store, a clip, or several clips.
            top: How many classes to name for each.
            format: The reader to use, or `auto` to tell it from the file.
            window: Cut clips into windows of this length (48 frames, or "1.5s"), with an answer for each.
            hop: From the start of one window to that of the next; half a window where not given.
            each_person: Answer for each person of a clip too, after the answer for all of it.
            sure: The least probability at which a class is named; that of the bundle where not given.
            fps: Frames per second, for clips that do not say.

        Raises:
            DataError: The file cannot be read, holds no clip, or a clip does not say what the model must know.
            SkeletonError: It has other joints than the model was trained on.
            SettingsError: An argument is out of range.
        """
        if isinstance(what, str | Path):
            clips = self.read(what, format)
            with within(what):
                return self.predict(clips, top=top, window=window, hop=hop, each_person=each_person, sure=sure, fps=fps)
        if top < 1:
            raise SettingsError(f"top is {top}, expected 1 or more classes to name.")
        if hop is not None and window is None:
            raise SettingsError("a hop without a window. Name the length of the windows too (--window).")
        least, cut = self.least(sure), (_span(window), _span(hop))
        clips = rated([what] if isinstance(what, Clip) else what, fps)
        asked = (piece for clip in clips for piece in pieces(clip, *cut, each_person=each_person))
        answers = [self.answer(*one, top, least) for some in at_once(asked) for one in self._scored(some)]
        if not answers:
            raise DataError("there is no clip. Give one or more.")
        return answers

    def timeline(
        self,
        what: str | Path | Clip | Iterable[Clip],
        *,
        format: str = "auto",
        window: str | float | Span | None = None,
        hop: str | float | Span | None = None,
        switch: float = 1.0,
        sure: float | None = None,
        fps: float | None = None,
    ) -> list[Timeline]:
        """Say what happens when in long recordings; see `ossein.deploy.timeline`.

        Args:
            what: As for `predict`.
            format: As for `predict`.
            window: The length of windows; where not given, that of the clips that the model learned from.
            hop: From the start of one window to that of the next; a quarter of a window where not given.
            switch: How much evidence, in nats, a change of class must have; 0 takes the best class of each moment.
            sure: The least mean probability at which the class of a segment is named; the bundle's where not given.
            fps: Frames per second, for recordings that do not say.

        Raises:
            DataError: As for `predict`.
            SkeletonError: As for `predict`.
            SettingsError: An argument is out of range, or no window is given and the bundle does not say one.
        """
        if isinstance(what, str | Path):
            clips = self.read(what, format)
            with within(what):
                return self.timeline(clips, window=window, hop=hop, switch=switch, sure=sure, fps=fps)
        if not switch >= 0:
            raise SettingsError(f"switch is {switch}, expected 0 or more nats.")
        least, cut = self.least(sure), (_span(window), _span(hop))
        return [
            self._timeline(clip, *cut, switch, least) for clip in rated([what] if isinstance(what, Clip) else what, fps)
        ]

    def scores(self, clips: list[Clip]) -> np.ndarray:
        """Class probabilities, float32 [N K], at the temperature of the bundle.

        Raises:
            DataError: There is no clip, or one does not say what the model must know, such as the size of its image.
            SkeletonError: A clip has other joints than the model was trained on.
        """
        for clip in clips:
            self._check(clip)
        rows = Memory.of(clips, self.skeleton)
        return class_scores(self.model, rows, np.arange(len(clips)), self.card.input, temperature=self.card.temperature)

    def read(self, path: str | Path, format: str = "auto") -> list[Clip]:
        """The clips of a file.

        Args:
            path: A file or folder in any format that ossein reads, or a store.
            format: The reader to use, or `auto` to tell it from the file.

        Raises:
            DataError: The file cannot be read.
            SkeletonError: It has other joints than the model was trained on.
        """
        path = Path(path)
        source = _open(path, format, self.skeleton)
        if source.skeleton is not None and spelled(source.skeleton.joints) != spelled(self.skeleton.joints):
            raise SkeletonError(
                f"{path}: its joints are those of {source.skeleton.name} ({len(source.skeleton)}), the model knows "
                f"{self.skeleton.name} ({len(self.skeleton)}). Use a model trained on that skeleton."
            )
        return list(source.clips)

    def answer(self, piece: Piece, p: np.ndarray, top: int, sure: float) -> Answer:
        """Probabilities in words; of a piece that shows nobody nothing is known.

        Args:
            piece: What was asked about.
            p: Class probabilities, [K].
            top: How many classes to name.
            sure: The least probability at which the best one counts as known.
        """
        clip, best = piece.clip, np.argsort(-p, kind="stable")[:top]
        names = tuple((self.classes[k], float(p[k])) for k in best)
        known = clip.score.any() and p[best[0]] >= sure
        told = Answer(clip.name, names, clip.label, piece.person, sure=bool(known))
        if piece.frames is None:
            return told
        first, last = (frame / (clip.rate or 1) for frame in piece.frames)
        return replace(told, start=first, end=last, unit="s" if clip.rate else "frames")

    def _scored(self, pieces: list[Piece]) -> Iterator[tuple[Piece, np.ndarray]]:
        return zip(pieces, self.scores([piece.clip for piece in pieces]), strict=True)

    def _timeline(self, clip: Clip, window: Span | None, hop: Span | None, switch: float, sure: float) -> Timeline:
        length = min((window or usual(self.card, clip.rate)).frames(clip.rate), clip.num_frames)
        step = hop.frames(clip.rate) if hop else max(1, length // 4)
        there = np.any(clip.score > 0, (0, 2))
        first = [at for at in starts(clip.num_frames, length, step) if there[at : at + length].any()]
        unit, rate = ("s", clip.rate) if clip.rate else ("frames", 1.0)
        if not first:
            return Timeline(clip.name, (), unit)
        windows = (Piece(part(clip, at, length)) for at in first)
        p = np.array([one for some in at_once(windows) for _, one in self._scored(some)])
        moments = Moments.of(first, [at + length for at in first], p)
        found = segments(moments, self.classes, unit=step, switch=switch, sure=sure)
        return Timeline(
            clip.name, tuple(Segment(one.start / rate, one.end / rate, one.name, one.confidence) for one in found), unit
        )

    def least(self, sure: float | None) -> float:
        """The least probability at which a class is named: what was asked for, or that of the bundle.

        Raises:
            SettingsError: It is no probability.
        """
        least = self.card.sure if sure is None else sure
        if not 0 <= least <= 1:
            raise SettingsError(f"sure is {least}, expected a probability, 0 to 1.")
        return least

    def _check(self, clip: Clip) -> None:
        joints, dims = clip.x.shape[2:]
        if (joints, dims) != (len(self.skeleton), self.card.dims):
            raise SkeletonError(
                f"clip '{clip.name}': {count(joints, 'joint')} in {dims}-D, the model knows {len(self.skeleton)} "
                f"({self.skeleton.name}) in {self.card.dims}-D. Use a model trained on such data."
            )
        if self.card.input.normalise == "image" and clip.size is None:
            raise DataError(
                f"clip '{clip.name}': does not say the size of its image, which the model needs. Say it in the file, or "
                "train a model with --input.normalise centre."
            )


def load(path: str | Path) -> Predictor:
    """A recogniser from the folder of a run or of its bundle, or from the Hugging Face hub.

    Args:
        path: A folder, or `user/name` (or `user/name@revision`) on the hub; what exists here wins.

    Raises:
        BundleError: There is no bundle, it is damaged, or it holds no recogniser; or the hub does not give it.
        MissingExtra: It is on the hub, and the package `huggingface_hub` is not installed.
    """
    folder = read_card(fetch(path))[0]
    model = Predictor(*load_recogniser(folder))
    model.origin = folder
    return model


def _open(path: Path, format: str, skeleton: Skeleton) -> Source:
    if format == "auto" and path.suffix == ".clips":
        store = Store.open(path)
        return Source(map(store.clip, range(len(store))), len(store), store.skeleton)
    reader = reader_for(path) if format == "auto" else get_reader(format)
    try:
        return reader.read(path)
    except SkeletonError:
        # The file does not say what its joints are; the model does. Tables and arrays that name theirs are read by name,
        # but where a meta.json names those of another format, the model's must not be put in their place.
        named = read_meta(path).joints
        if named and spelled(named) != spelled(skeleton.joints):
            raise
        return reader.read(path, skeleton=skeleton)


def _span(text: str | float | Span | None) -> Span | None:
    return None if text is None else Span.read(text)
