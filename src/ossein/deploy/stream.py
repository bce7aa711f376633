"""Streams: frames one by one, as a camera gives them, and an answer whenever one is due.

What is kept is the last window, in arrays made once: memory does not grow, a frame costs a copy, and the model runs only
when an answer is due. That answer is the one that the same window of a recording gets.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ossein.clip import Clip
from ossein.deploy.predict import Answer, Predictor, load
from ossein.deploy.ring import Places, Ring
from ossein.deploy.windows import Piece, Span, evenly, usual
from ossein.errors import DataError, SettingsError, SkeletonError
from ossein.words import count

MOST = 1024
"""Frames kept of a window whose frames say when they were taken; where more come, those too near to the last are left out."""

SPARE = 6
"""Places beyond the persons that are followed, where tracks have ids: who is there most of a window is known at its end."""

_TOLERANCE = 1e-3
"""In frames: by how much times may miss the end of a window, since they are rounded."""


@dataclass(frozen=True)
class _Clock:
    """How time is counted: in seconds where frames say when they were taken, else in frames.

    Args:
        timed: Whether it is seconds.
        window: The length of a window.
        every: From one answer to the next.
        gap: How far apart two frames that show somebody may lie.
    """

    timed: bool
    window: float
    every: float
    gap: float


class Stream:
    """A recogniser for frames that come one by one.

    A window of frames gets an answer as soon as it is full, and then one `every` so often. Two frames that show somebody and
    lie further apart than `gap` do not belong together: what was before is forgotten, and a new window begins.

    Persons are told apart by their ids, where frames give them: of all in a window those are shown to the model who are seen
    best in it (`readers.tracks`). Who has gone longest makes room for who comes. Without ids they are told apart by place.

    Args:
        model: A predictor, or the folder of a run or of its bundle.
        fps: Frames per second, where frames do not say when they were taken.
        window: The length of a window (48 frames, or "1.5s"); where not given, that of the clips the model learned from.
        every: From one answer to the next; a quarter of a window where not given.
        gap: How far apart two frames that show somebody may lie, less than a window; half of one where not given.
        persons: How many persons are followed; as many as the model takes where not given.
        size: Width and height of the image, for a model that needs them.
        top: How many classes to name.
        sure: The least probability at which a class is named; that of the bundle where not given.

    Raises:
        BundleError: The bundle cannot be used.
        SettingsError: An argument is out of range, or the model needs the size of the image.
    """

    def __init__(
        self,
        model: Predictor | str | Path,
        *,
        fps: float | None = None,
        window: str | float | Span | None = None,
        every: str | float | Span | None = None,
        gap: str | float | Span | None = None,
        persons: int | None = None,
        size: tuple[float, float] | None = None,
        top: int = 5,
        sure: float | None = None,
    ) -> None:
        self.predictor = model if isinstance(model, Predictor) else load(model)
        card = self.predictor.card
        self.persons = card.input.persons if persons is None else persons
        self.fps, self.size, self.top, self.sure = fps, size, top, self.predictor.least(sure)
        if top < 1 or self.persons < 1 or (fps is not None and not 0 < fps < 1e6):
            raise SettingsError(f"top {top}, persons {self.persons}, fps {fps}: expected numbers above 0.")
        if card.input.normalise == "image" and not (size and min(size) > 0):
            raise SettingsError("the model needs the width and height of the image. Say them (--size WIDTH HEIGHT).")
        self._spans = [None if text is None else Span.read(text) for text in (window, every, gap)]
        self._clock: _Clock | None = None
        self._named: bool | None = None
        self._ring, self._places = Ring(0, 1, 1, 1), Places(0)
        self._frame = -1
        self.reset()

    def reset(self) -> None:
        """Forget all frames; times may begin anew."""
        self._ring.clear()
        self._places.clear()
        self._now: float | None = None
        self._begin(0.0)

    def push(
        self,
        x: np.ndarray | None,
        score: np.ndarray | None = None,
        time: float | None = None,
        ids: Sequence[Hashable] | None = None,
    ) -> Answer | None:
        """Take one frame.

        Args:
            x: Coordinates [M V C], or [V C] of one person; None where nobody is there.
            score: Confidence [M V], or [V]; 0 is absent. Where not given, joints whose coordinates are not finite are absent.
            time: When the frame was taken, in seconds from anywhere; for every frame or for none.
            ids: Who each person is, as a tracker tells them apart; for every frame that shows somebody, or for none.

        Returns:
            The answer for the last window where one is due, else None.

        Raises:
            DataError: A score is out of range, a coordinate of a present joint is not finite, ids are not one for each
                person, times do not increase, or times or ids are given for some frames alone. The frame is left out.
            SkeletonError: It has other joints than the model was trained on.
            SettingsError: A length of time cannot be told.
        """
        found, given = self._read(x, score)
        if ids is not None and not len(set(ids)) == len(ids) == len(found):
            raise DataError(f"ids {list(ids)} for {count(len(found), 'person')}. Give one for each, and each once.")
        clock = self._start(timed=time is not None, named=ids is not None if len(found) else None)
        now = self._tick(time)
        there = bool((given if ids is not None else given[: self.persons]).any())
        if self._count and now - self._seen > clock.gap:
            self._ring.clear()
            self._count = 0
        if not self._count:
            if not there:
                return None
            self._begin(now)
            self._due = clock.window
        self._keep(clock, *self._place(found, given, ids, now), now)
        self._seen = now if there else self._seen
        return self._answer(clock) if self._is_due(clock) else None

    def finish(self) -> Answer | None:
        """The answer for the last window, where frames came since the last answer; then forget all frames.

        With it a recording that ends, or is shorter than a window, is answered for to its end.
        """
        told = self._answer(self._clock) if self._clock and self._count and self._fresh else None
        self.reset()
        return told

    def _begin(self, now: float) -> None:
        """A new window."""
        self._first = self._seen = self._kept = now
        self._count = self._fresh = 0
        self._due = 0.0

    def _start(self, *, timed: bool, named: bool | None) -> _Clock:
        """The clock, which the first frame sets; the arrays, which the first frame that shows somebody sets."""
        self._clock = self._clock or self._set(timed)
        if self._clock.timed != timed:
            raise DataError("some frames say their time and some do not. Give it for all, or for none.")
        if named is not None and self._named is None:
            frames = MOST if timed else int(self._clock.window)
            places = self.persons + (SPARE if named else 0)
            self._ring = Ring(places, frames, len(self.predictor.skeleton), self.predictor.card.dims)
            self._named, self._places = named, Places(places)
        if named is not None and self._named != named:
            raise DataError("some frames say who is who and some do not. Give ids for all persons, or for none.")
        return self._clock

    def _set(self, timed: bool) -> _Clock:
        span, every, gap = self._spans
        card = self.predictor.card
        span = span or usual(card, (self.fps or card.rate) if timed else self.fps)

        def length(span: Span) -> float:
            return span.time(self.fps or card.rate) if timed else span.frames(self.fps)

        window = length(span)
        clock = _Clock(
            timed,
            window,
            length(every) if every else (window / 4 if timed else max(1, window // 4)),
            length(gap) if gap else window / 2,
        )
        if gap and not clock.gap < window:
            raise SettingsError(
                f"a gap of {gap} is not shorter than a window. Choose a shorter gap or a longer window."
            )
        return clock

    def _tick(self, time: float | None) -> float:
        if time is None:
            self._frame += 1
            return float(self._frame)
        if not np.isfinite(time) or (self._now is not None and time <= self._now):
            raise DataError(f"time {time} is not after {self._now}. Give times in seconds, or reset the stream.")
        self._now = float(time)
        return self._now

    def _read(self, x: np.ndarray | None, score: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """A frame [M V C] with its scores [M V], checked."""
        joints, dims = len(self.predictor.skeleton), self.predictor.card.dims
        if x is None:
            return np.zeros((0, joints, dims), np.float32), np.zeros((0, joints), np.float32)
        x = np.asarray(x, np.float32)
        x = x[None] if x.ndim == 2 else x
        if x.ndim != 3 or x.shape[1:] != (joints, dims):
            raise SkeletonError(
                f"a frame {list(x.shape)}, expected [M {joints} {dims}] ({self.predictor.skeleton.name}). "
                "Use a model trained on such data."
            )
        finite = np.all(np.isfinite(x), -1)
        given = np.asarray(finite if score is None else score, np.float32)
        given = given[None] if given.ndim == 1 else given
        if given.shape != finite.shape:
            raise DataError(
                f"score {list(given.shape)} for {count(len(x), 'person')} of {joints} joints. Give one for each joint."
            )
        if not ((given >= 0) & (given <= 1)).all() or (~finite & (given > 0)).any():
            raise DataError("a score is not in 0 to 1, or a joint with a score has no finite place. Give it score 0.")
        return np.where(given[..., None] > 0, x, 0), given

    def _place(
        self, x: np.ndarray, score: np.ndarray, ids: Sequence[Hashable] | None, now: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """A frame with everybody at their place: by their id, or as they came."""
        pose, sure = np.zeros_like(self._ring.x[:, 0]), np.zeros_like(self._ring.score[:, 0])
        if ids is None:
            num = min(len(x), len(pose))
            pose[:num], sure[:num] = x[:num], score[:num]
            return pose, sure
        places, changed = self._places.take(ids, now)
        for place in changed:
            self._ring.forget(place)
        for m, place in enumerate(places):
            if place is not None:
                pose[place], sure[place] = x[m], score[m]
        return pose, sure

    def _keep(self, clock: _Clock, pose: np.ndarray, sure: np.ndarray, now: float) -> None:
        if not clock.timed or not self._count or now - self._kept >= clock.window / (MOST - 1):
            self._ring.put(pose, sure, now)
            self._kept = now
        self._count += 1
        self._fresh += 1

    def _step(self, clock: _Clock) -> float:
        """From one frame to the next."""
        if not clock.timed:
            return 1.0
        return ((self._now or 0.0) - self._first) / (self._count - 1) if self._count > 1 else 0.0

    def _last(self, clock: _Clock) -> float:
        return (self._now or 0.0) if clock.timed else float(self._frame)

    def _is_due(self, clock: _Clock) -> bool:
        """Whether the frames cover the next window; then the one after it is waited for."""
        step = self._step(clock)
        covered = self._last(clock) - self._first + step * (1 + _TOLERANCE)
        if covered < self._due:
            return False
        self._due += clock.every * (1 + (covered - self._due) // clock.every)
        return True

    def _answer(self, clock: _Clock) -> Answer:
        self._fresh = 0
        step, now = self._step(clock), self._last(clock)
        x, score, times = self._ring.after(now - clock.window + _TOLERANCE * step)
        if self._named:
            best = np.argsort(-score.sum((1, 2)), kind="stable")[: self.persons]
            x, score = x[best], score[best]
        if clock.timed:
            x, score = evenly(x, score, times)
        clip = Clip(x, score, size=self.size)
        told = self.predictor.answer(Piece(clip), self.predictor.scores([clip])[0], self.top, self.sure)
        rate = 1.0 if clock.timed else self.fps or 1.0
        unit = "s" if clock.timed or self.fps else "frames"
        return replace(told, start=float(times[0]) / rate, end=(now + step) / rate, unit=unit)
