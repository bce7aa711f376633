"""Anyone's own data: a CSV table with one row per joint, or plain arrays in an `.npz`."""

import csv
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ossein.clip import UNKNOWN, Clip
from ossein.errors import DataError, did_you_mean
from ossein.readers.arrays import read_arrays
from ossein.readers.base import LONGEST, Reader, Source, archive_members, make_clip
from ossein.readers.joints import place_joints
from ossein.readers.meta import read_meta
from ossein.readers.numbering import number_groups, number_labels
from ossein.skeleton import Skeleton
from ossein.words import count

_NEEDED = ("frame", "joint", "x", "y")
_MARKS = {"frame", "joint"}
_OF_CLIP = ("label", "subject", "camera", "setup", "split", "width", "height", "rate")
_KNOWN = ("clip", "person", *_NEEDED, "z", "score", *_OF_CLIP)


class Table(Reader):
    """One's own data as a CSV table or as arrays.

    *CSV*, one row per joint, person and frame, with a header: `frame`, `joint`, `x`, `y`, and if wished `clip` (else
    the file is one clip), `person`, `z`, `score`, `label`, `subject`, `camera`, `setup`, `split`, `width`, `height`,
    `rate`. Comma, semicolon or tab between the cells. Joints and labels by name or by number from 0, subjects, cameras and setups by
    number or by any word; a clip may name several splits with `;` between them; persons by any word. A row that is not there, and an empty cell or `nan` in
    x, y or z, is an absent joint; an empty score is 1. Frames are counted from the first one of the clip. The skeleton
    is the one given, the one of a `meta.json` beside the file, or the built-in one that has just these joint names.

    *NPZ*: see `readers.arrays`.
    """

    name = "table"
    help = "Your own data: a CSV with one row per joint (clip, frame, joint, x, y ...), or an .npz with an array x."
    suffixes = (".csv", ".tsv", ".npz")

    def sniff(self, path: Path) -> bool:
        """Whether the header names joints and frames, or the archive has an array `x`; reading tells of columns that lack."""
        if path.suffix.lower() == ".npz":
            return "x.npy" in archive_members(path)
        try:
            with path.open(encoding="utf-8-sig", errors="replace") as file:
                return path.suffix.lower() in self.suffixes and set(_header(file.readline(4096))[0]) >= _MARKS
        except OSError:
            return False

    def read(self, path: Path, *, skeleton: Skeleton | None = None, classes: Sequence[str] = ()) -> Source:
        """The clips of a table or of arrays."""
        if path.suffix.lower() == ".npz":
            return read_arrays(path, skeleton, classes)
        meta = read_meta(path).settle(skeleton, classes)
        table = _parse(path)
        joints, numbers = place_joints(path, table.joints, meta.skeleton)
        labels, names = number_labels(
            path, (rows.of_clip.get("label", "") for rows in table.clips.values()), meta.classes
        )
        groups = number_groups(path, {name: rows.of_clip for name, rows in table.clips.items()})
        naming = _Naming(joints, numbers, labels, names, groups)
        return Source(
            clips=(_clip(path, name, rows, table.dims, naming) for name, rows in table.clips.items()),
            num_clips=len(table.clips),
            skeleton=joints,
            classes=names,
            splits=meta.splits | table.splits(),
            facts=meta.facts,
        )


def _whole_numbers() -> "array[int]":
    return array("q")


@dataclass
class _Rows:
    """The rows of one clip, column by column; `x` has one number per axis, row after row."""

    line: "array[int]" = field(default_factory=_whole_numbers)
    frame: "array[int]" = field(default_factory=_whole_numbers)
    person: "array[int]" = field(default_factory=_whole_numbers)
    joint: "array[int]" = field(default_factory=_whole_numbers)
    x: "array[float]" = field(default_factory=lambda: array("f"))
    score: "array[float]" = field(default_factory=lambda: array("f"))
    persons: dict[str, int] = field(default_factory=dict)
    of_clip: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Naming:
    """What names mean: the skeleton, the number of each joint as the table calls it, labels and class names, and the
    numbers of subject, camera and setup by clip."""

    skeleton: Skeleton
    numbers: np.ndarray
    labels: dict[str, int]
    classes: tuple[str, ...]
    groups: dict[str, dict[str, int]]


@dataclass
class _Parsed:
    """All rows by clip, and what joints are called, in the order in which they come."""

    dims: int
    clips: dict[str, _Rows] = field(default_factory=dict)
    joints: dict[str, int] = field(default_factory=dict)

    def splits(self) -> dict[str, tuple[str, ...]]:
        out: dict[str, list[str]] = {}
        for name, rows in self.clips.items():
            for split in filter(None, rows.of_clip.get("split", "").split(";")):
                out.setdefault(split.strip(), []).append(name)
        return {split: tuple(names) for split, names in out.items()}


def _header(line: str) -> tuple[list[str], str]:
    """The names of the columns, and what stands between the cells."""
    between = max(",;\t", key=line.count)
    return [name.strip().strip('"').lower() for name in line.strip().split(between)], between


def _parse(path: Path) -> _Parsed:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            columns, between = _header(file.readline())
            _check_header(path, columns)
            return _rows(path, columns, csv.reader(file, delimiter=between, skipinitialspace=True, strict=True))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}). Check the path.") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from None


def _check_header(path: Path, columns: list[str]) -> None:
    for name in _NEEDED:
        if name not in columns:
            raise DataError(f"{path}:1: no column '{name}' in the header {columns[:16]}. Name it in the first line.")
    for i, name in enumerate(columns):
        if name not in _KNOWN:
            raise DataError(f"{path}:1: unknown column '{name}'. {did_you_mean(name, _KNOWN, most=20)}")
        if name in columns[:i]:
            raise DataError(f"{path}:1: column '{name}' stands there twice. Remove one.")


def _rows(path: Path, columns: list[str], reader: Any) -> _Parsed:
    at = {name: i for i, name in enumerate(columns)}
    axes = [at[axis] for axis in "xyz" if axis in at]
    clip, person, score = at.get("clip"), at.get("person"), at.get("score")
    frame, joint, of_clip = at["frame"], at["joint"], [name for name in _OF_CLIP if name in at]
    table, row = _Parsed(len(axes)), []
    try:
        for row in reader:
            if not row:
                continue
            if len(row) != len(columns):
                raise DataError(f"{count(len(row), 'cell')}, expected {len(columns)}. The file may be cut short.")
            rows = table.clips.setdefault(path.stem if clip is None else row[clip], _Rows())
            rows.line.append(reader.line_num + 1)
            rows.frame.append(int(row[frame]))
            rows.person.append(rows.persons.setdefault("" if person is None else row[person], len(rows.persons)))
            rows.joint.append(table.joints.setdefault(row[joint], len(table.joints)))
            rows.x.extend([float(row[i] or "nan") for i in axes])
            rows.score.append(1.0 if score is None else float(row[score] or 1))
            for name in of_clip:
                _once(rows.of_clip, name, row[at[name]])
    except DataError as error:
        raise DataError(f"{path}:{reader.line_num + 1}: {error}") from None
    except (ValueError, OverflowError):
        raise DataError(f"{path}:{reader.line_num + 1}: {_unreadable(row, at)}") from None
    except csv.Error as error:
        raise DataError(f"{path}:{reader.line_num + 1}: is not CSV ({error}). Mend the row.") from None
    if not table.clips or "" in table.clips:
        raise DataError(f"{path}: has no rows, or rows without the name of a clip. The file may be cut short.")
    return table


def _once(of_clip: dict[str, str], name: str, value: str) -> None:
    """Note what a row says of its whole clip; an empty cell says nothing."""
    if value and of_clip.setdefault(name, value) != value:
        raise DataError(
            f"{name} '{value}', but '{of_clip[name]}' in an earlier row of the clip. A clip has one; mend the row."
        )


def _unreadable(row: list[str], at: Mapping[str, int]) -> str:
    """Which cell of a row is no number."""
    for name, kind in {"frame": int, "x": float, "y": float, "z": float, "score": float}.items():
        cell = row[at[name]] if name in at else "0"
        try:
            kind(cell or ("" if name == "frame" else "nan"))
        except ValueError:
            wanted = "a whole number" if kind is int else "a number, or nothing where the joint is absent"
            return f"{name} '{cell}', expected {wanted}. Mend the row."
    return f"frame {row[at['frame']]} is far beyond any clip. Mend the row."


def _clip(path: Path, name: str, rows: _Rows, dims: int, naming: _Naming) -> Clip:
    first, length = min(rows.frame), max(rows.frame) - min(rows.frame) + 1
    if length > LONGEST:
        raise DataError(f"{path}: clip '{name}' has frames {first} to {max(rows.frame)}, too many. Mend the numbers.")
    shape = len(rows.persons), length, len(naming.skeleton)
    at = (np.array(rows.person), np.array(rows.frame) - first, naming.numbers[np.array(rows.joint)])
    _check_once(path, name, rows, np.ravel_multi_index(at, shape))
    x, score = np.zeros((*shape, dims), np.float32), np.zeros(shape, np.float32)
    x[at] = np.array(rows.x).reshape(-1, dims)
    score[at] = np.where(np.isnan(x[at]).any(1), 0, np.array(rows.score))
    told = rows.of_clip
    return make_clip(
        path,
        x,
        score,
        naming.skeleton,
        naming.classes,
        name=name,
        label=naming.labels.get(told.get("label", ""), UNKNOWN),
        size=_size(path, name, told),
        rate=_number(path, name, told, "rate"),
        **naming.groups[name],
    )


def _check_once(path: Path, name: str, rows: _Rows, place: np.ndarray) -> None:
    order = np.argsort(place, kind="stable")
    again = np.flatnonzero(np.diff(place[order]) == 0)
    if len(again):
        old, new = rows.line[order[again[0]]], rows.line[order[again[0] + 1]]
        raise DataError(
            f"{path}:{new}: clip '{name}' has this joint of this person and frame in line {old} already. Remove one."
        )


def _number(path: Path, name: str, told: Mapping[str, str], key: str) -> float | None:
    if key not in told:
        return None
    try:
        return float(told[key])
    except ValueError:
        raise DataError(f"{path}: clip '{name}': {key} '{told[key]}' is no number. Mend the column.") from None


def _size(path: Path, name: str, told: Mapping[str, str]) -> tuple[float, float] | None:
    width, height = (_number(path, name, told, key) for key in ("width", "height"))
    if (width is None) != (height is None):
        raise DataError(f"{path}: clip '{name}' has only one of 'width' and 'height'. Give both or neither.")
    return None if width is None or height is None else (width, height)
