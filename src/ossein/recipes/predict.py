"""Prediction: files in, class names and probabilities out, as rows for tables, JSON lines and CSV. Top to bottom."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ossein.clip import Clip
from ossein.deploy import Answer, Predictor, Timeline, load
from ossein.deploy.lines import read_clips
from ossein.errors import DataError, OsseinError, SettingsError
from ossein.readers import READERS
from ossein.readers.base import within
from ossein.readers.folders import FolderReader

Output = Literal["table", "jsonl", "csv"]
Row = dict[str, Any]

NOTHING = "nothing known"
"""What stands for the class where none is probable enough."""


@dataclass(frozen=True)
class Asked:
    """What is asked about every clip; see `Predictor.predict` and `Predictor.timeline`.

    Raises:
        SettingsError: Two of them contradict each other.
    """

    top: int = 3
    """How many classes to name."""
    format: str = "auto"
    """The format of the files; see `ossein data list`."""
    window: str | None = None
    """Cut clips into windows of this length, such as 48 frames or 1.5s, with an answer for each."""
    hop: str | None = None
    """From the start of one window to that of the next; half a window, for a timeline a quarter."""
    each_person: bool = False
    """Answer for each person of a clip too."""
    timeline: bool = False
    """Say what happens when; windows as long as the clips that the model learned from, where --window is not given."""
    switch: float = 1.0
    """For a timeline: how much evidence, in nats, a change of class must have; 0 takes the best class of each moment."""
    sure: float | None = None
    """The least probability at which a class is named and not "nothing known"; by default what `ossein calibrate` chose."""
    fps: float | None = None
    """Frames per second, for files that do not say."""

    def __post_init__(self) -> None:
        if self.timeline and self.each_person:
            raise SettingsError("a timeline is of whole clips. Leave out --each-person or --timeline.")

    def of(self, model: Predictor, clips: Iterable[Clip], file: str) -> Iterator[Row]:
        """A row for each answer or segment."""
        cut = {"window": self.window, "hop": self.hop, "sure": self.sure, "fps": self.fps}
        if self.timeline:
            for line in model.timeline(clips, switch=self.switch, **cut):
                yield from timeline_rows(line, file)
        else:
            answers = model.predict(clips, top=self.top, each_person=self.each_person, **cut)
            yield from (answer_row(answer, file) for answer in answers)


def predict(
    bundle: Path,
    files: Iterable[Path],
    asked: Asked | None = None,
    *,
    lines: Iterable[str | bytes] = (),
    skip: Callable[[str], None] | None = None,
) -> Iterator[Row]:
    """What a model says of the clips in files, file by file.

    Args:
        bundle: A finished recognition run or its bundle.
        files: Files in any format that ossein reads, stores, folders that are searched for such files, or `-` for `lines`.
        asked: What to ask; what is asked by default where not given.
        lines: JSON, a clip or a frame a line; see `ossein.deploy.lines`.
        skip: Pass over files that cannot be read or do not fit, and tell why here; where not given, that is an error.

    Raises:
        BundleError: The bundle cannot be used.
        DataError: A file cannot be read, or a folder holds none that can.
        SkeletonError: A file has other joints than the model.
        SettingsError: What is asked contradicts itself or the model.
    """
    asked = asked or Asked()
    model = load(bundle)
    for file in files:
        if str(file) == "-":
            with within("standard input"):
                rows = list(asked.of(model, read_clips(lines, model.skeleton, model.card.dims), "-"))
            yield from rows
            continue
        for found in find(file, asked.format):
            try:
                clips = model.read(found, asked.format)
                with within(found):
                    rows = list(asked.of(model, clips, str(found)))
            except SettingsError:
                raise
            except OsseinError as error:
                if skip is None:
                    raise
                skip(str(error))
            else:
                yield from rows


def find(path: Path, format: str = "auto") -> list[Path]:
    """The files to read at a path: itself, or where it is a folder, all that can be read in it and below it.

    A folder that is a clip, as OpenPose writes them, counts as a file. Hidden ones are passed over.

    Args:
        path: A file or folder.
        format: A reader that is to read the path as it is, or `auto`.

    Raises:
        DataError: There is nothing to read.
    """
    if format != "auto" or not path.is_dir() or _is_clip(path):
        return [path]
    found = list(_search(path))
    if not found:
        raise DataError(f"{path}: holds no file that can be read. Check the path, or name the format.")
    return found


def answer_row(answer: Answer, file: str) -> Row:
    """An answer as plain data."""
    row: Row = {"file": file, "clip": answer.name, "person": answer.person}
    row |= {"start": _time(answer.start), "end": _time(answer.end), "unit": answer.unit, "class": answer.known}
    return row | {"top": [{"class": name, "probability": round(p, 6)} for name, p in answer.top]}


def timeline_rows(line: Timeline, file: str) -> Iterator[Row]:
    """The segments of a timeline as plain data."""
    for one in line.segments:
        row: Row = {"file": file, "clip": line.name, "start": _time(one.start), "end": _time(one.end)}
        yield row | {"unit": line.unit, "class": one.name, "probability": round(one.confidence, 6)}


def as_json(row: Row) -> str:
    """A row as a line of JSON; what does not apply to it is left out, but the class is there, null where nothing is known."""
    return json.dumps({k: v for k, v in row.items() if v is not None or k == "class"}, ensure_ascii=False)


def as_csv(rows: Sequence[Row]) -> str:
    """Rows as CSV (RFC 4180) under a line of heads; what does not apply is empty, as is the class where nothing is known."""
    flat = [_flat(row) for row in rows]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(head for row in flat for head in row)), restval="")
    writer.writeheader()
    writer.writerows(flat)
    return text.getvalue()


def as_table(rows: Sequence[Row]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Rows as heads and cells of text, without the columns that apply to none of them."""
    flat = [_flat(row) | {"class": row["class"] or NOTHING} for row in rows]
    used = {head for row in flat for head, value in row.items() if value is not None}
    used -= {"class_1"}  # it stands under "class", or nothing is known
    heads = [head for head in dict.fromkeys(head for row in flat for head in row) if head in used]
    return tuple(head.replace("_", " ") for head in heads), [
        tuple(_cell(head, row.get(head)) for head in heads) for row in flat
    ]


def _search(folder: Path) -> Iterator[Path]:
    for child in sorted(folder.iterdir()):
        if child.name.startswith("."):
            continue
        if child.is_dir() and not _is_clip(child):
            yield from _search(child)
        elif child.is_dir() or child.suffix == ".clips" or any(reader.sniff(child) for reader in READERS.values()):
            yield child


def _is_clip(folder: Path) -> bool:
    return any(isinstance(reader, FolderReader) and reader.is_clip(folder) for reader in READERS.values())


def _time(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _flat(row: Row) -> Row:
    """A row without lists: the classes on top in columns of their own, the best one's probability beside the class."""
    top = row.get("top", [])
    flat = {key: value for key, value in row.items() if key != "top"}
    for k, one in enumerate(top, 1):
        flat |= {f"class_{k}": one["class"], f"probability_{k}": one["probability"]}
    return flat


def _cell(head: str, value: Any) -> str:
    if value is None:
        return ""
    return (
        f"{100 * value:.1f} %"
        if head.startswith("probability")
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


FORMATS: dict[str, Callable[[Sequence[Row]], str]] = {
    "jsonl": lambda rows: "".join(f"{as_json(row)}\n" for row in rows),
    "csv": as_csv,
}
"""How rows are written as text."""
