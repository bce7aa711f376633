"""Streams of text: lines of JSON in as a camera's pose estimator writes them, lines of JSON out whenever an answer is due."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ossein.deploy import Answer, Predictor, Stream, load
from ossein.deploy.lines import Frame, parse, read_frame
from ossein.errors import DataError
from ossein.readers.base import within
from ossein.recipes.predict import Row, answer_row


@dataclass(frozen=True)
class Streaming:
    """How a stream is read and answered; see `ossein.deploy.stream.Stream`."""

    fps: float | None = None
    """Frames per second, where lines do not say their time."""
    window: str | None = None
    """The length of a window, such as 48 frames or 1.5s; by default that of the clips that the model learned from."""
    every: str | None = None
    """From one answer to the next; a quarter of a window."""
    gap: str | None = None
    """Begin anew where two frames that show somebody lie further apart; half a window."""
    persons: int | None = None
    """How many persons are followed, by their track_id or else by their place in the line; by default as many as the model takes."""
    size: tuple[float, float] | None = None
    """Width and height of the image, where the model needs them; by default those that the first line says."""
    top: int = 3
    """How many classes to name."""
    sure: float | None = None
    """The least probability at which a class is named and not null; by default what `ossein calibrate` chose."""

    def open(self, model: Predictor, frame: Frame) -> Stream:
        """The stream that a first frame begins."""
        return Stream(model, **{**vars(self), "size": self.size or frame.size})


def stream(
    bundle: Path,
    lines: Iterable[str | bytes],
    how: Streaming | None = None,
    *,
    bad: Callable[[str], None] | None = None,
) -> Iterator[Row]:
    """Answers for frames, each as soon as it is due, and one for the end where the last frames have none yet.

    Args:
        bundle: A finished recognition run or its bundle.
        lines: JSON, one frame a line; see `ossein.deploy.lines.read_frame`. Empty lines are passed over.
        how: How the stream is answered.
        bad: Pass over lines that are no frame, and tell why here; where not given, that is an error.

    Raises:
        BundleError: The bundle cannot be used.
        DataError: A line is no frame.
        SettingsError: What is asked does not fit the frames.
    """
    model, live = load(bundle), None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"line {number}"
        try:
            frame = read_frame(parse(line, where), model.skeleton, model.card.dims, where)
            live = live or (how or Streaming()).open(model, frame)
            with within(where):
                told = live.push(frame.x, frame.score, frame.time, frame.ids)
        except DataError as error:
            if bad is None:
                raise
            bad(str(error))
            continue
        if told:
            yield _row(told)
    if live and (told := live.finish()):
        yield _row(told)


def _row(answer: Answer) -> Row:
    row = answer_row(answer, "")
    return {key: row[key] for key in ("start", "end", "unit", "class", "top")}
