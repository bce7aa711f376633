"""Landmarks in a CSV table, wide (one line a frame) or long (one line a landmark)."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ossein.errors import DataError, did_you_mean
from ossein.files import read_text
from ossein.readers.tracks import span
from ossein.skeleton import Skeleton
from ossein.words import count

_FRAME = ("frame", "frameindex", "frameidx", "frameid", "framenumber")
_LARGEST = float(np.finfo(np.float32).max)
_SCORE = ("visibility", "v", "score")


@dataclass(frozen=True)
class Landmarks:
    """What a file says of one clip.

    Args:
        frames: For each frame its persons, [V C+1] with the score last.
        dims: C, 2 in the image and 3 in the world.
        num_joints: V, where anybody is seen.
        size: Width and height in the unit of the coordinates.
        rate: Frames per second.
    """

    frames: list[list[np.ndarray]]
    dims: int
    num_joints: int | None
    size: tuple[float, float] | None
    rate: float | None = None


def read_csv(file: Path, skeleton: Skeleton | None) -> Landmarks:
    """Image landmarks from a table; z is passed over, an empty cell is an absent joint.

    Args:
        file: The table; its first line names the columns.
        skeleton: The joints, if known; else 21 or 33 by the highest number or by name.

    Raises:
        DataError: A column is missing, a cell is not a number, a line is cut short or there twice.
    """
    try:
        lines = list(csv.reader(io.StringIO(read_text(file)), strict=True))
    except csv.Error as error:
        raise DataError(f"{file}: is not a CSV table ({error}). The file may be cut short.") from None
    table = _Table(file, [re.sub(r"[\s_]", "", name.lower()) for name in lines[0]] if lines else [])
    rows = [(number, line) for number, line in enumerate(lines[1:], 2) if line]
    if not rows:
        raise DataError(f"{file}: holds no line below the names of the columns. Drop the file.")
    poses = table.long(rows, skeleton) if "landmark" in table.columns else table.wide(rows)
    first, length = span(poses, str(file))
    frames: list[list[np.ndarray]] = [[] for _ in range(length)]
    for number, pose in poses.items():
        frames[number - first] = [pose] if pose[:, 2].any() else []
    return Landmarks(frames, 2, len(next(iter(poses.values()))), (1.0, 1.0))


class _Table:
    """Cells by the name of the column, with errors that name the line."""

    def __init__(self, file: Path, columns: list[str]) -> None:
        self.file, self.columns = file, columns

    def wide(self, rows: Sequence[tuple[int, list[str]]]) -> dict[int, np.ndarray]:
        """Poses [V 3] by frame number, from one line a frame."""
        num_joints = len([name for name in self.columns if re.fullmatch(r"x\d+", name)])
        at = [
            (self.column(f"x{v}"), self.column(f"y{v}"), self.find(*(f"{name}{v}" for name in _SCORE)))
            for v in range(max(num_joints, 1))
        ]
        poses: dict[int, np.ndarray] = {}
        for t, (number, line) in enumerate(rows):
            frame = self.frame(line, number, t)
            if frame in poses:
                raise self.error(number, f"frame {frame} is there twice. Save one person a file.")
            poses[frame] = np.array([self.joint(line, number, *columns) for columns in at])
        return poses

    def long(self, rows: Sequence[tuple[int, list[str]]], skeleton: Skeleton | None) -> dict[int, np.ndarray]:
        """Poses [V 3] by frame number, from one line a landmark."""
        self.column(*_FRAME)
        at = self.column("x"), self.column("y"), self.find(*_SCORE)
        names = [self.cell(line, number, self.column("landmark")) for number, line in rows]
        known = skeleton or _guessed(names)
        poses: dict[int, np.ndarray] = {}
        done: set[tuple[int, int]] = set()
        for (number, line), name in zip(rows, names, strict=True):
            frame, joint = self.frame(line, number, 0), self.landmark(name, known, number)
            if (frame, joint) in done:
                raise self.error(number, f"landmark {name} of frame {frame} is there twice. Save one person a file.")
            done.add((frame, joint))
            poses.setdefault(frame, np.zeros((len(known), 3)))[joint] = self.joint(line, number, *at)
        return poses

    def joint(self, line: list[str], number: int, x: int, y: int, score: int | None) -> tuple[float, float, float]:
        place = self.value(line, number, x), self.value(line, number, y)
        if None in place:
            return 0.0, 0.0, 0.0
        seen = 1.0 if score is None else self.value(line, number, score)
        return place[0] or 0.0, place[1] or 0.0, 1.0 if seen is None else seen

    def value(self, line: list[str], number: int, column: int) -> float | None:
        """A finite number, or None for an empty cell or NaN (as pandas and MATLAB write one)."""
        cell = self.cell(line, number, column)
        if cell.lower() in ("", "nan"):
            return None
        try:
            value = float(cell)
        except ValueError:
            value = float("inf")
        if not abs(value) < _LARGEST:
            raise self.error(number, f"'{cell[:20]}' in column '{self.columns[column]}' is not a number.")
        return value

    def frame(self, line: list[str], number: int, default: int) -> int:
        column = self.find(*_FRAME)
        if column is None:
            return default
        cell = self.cell(line, number, column).removesuffix(".0")
        if not cell.isdecimal() or len(cell) > 18:
            raise self.error(number, f"frame '{cell[:20]}' is not a whole number.")
        return int(cell)

    def landmark(self, name: str, skeleton: Skeleton, number: int) -> int:
        joint = int(name) if name.isdecimal() and len(name) < 5 else _joints(skeleton).get(_plain(name), -1)
        if not 0 <= joint < len(skeleton):
            raise self.error(
                number, f"no landmark '{name[:40]}' in {skeleton.name}. {did_you_mean(_plain(name), skeleton.joints)}"
            )
        return joint

    def cell(self, line: list[str], number: int, column: int) -> str:
        if len(line) != len(self.columns):
            raise self.error(
                number, f"{count(len(line), 'cell')}, expected {len(self.columns)}. The file may be cut short."
            )
        return line[column].strip()

    def column(self, *names: str) -> int:
        at = self.find(*names)
        if at is None:
            raise DataError(f"{self.file}:1: no column '{names[0]}'. {did_you_mean(names[0], self.columns)}")
        return at

    def find(self, *names: str) -> int | None:
        return next((self.columns.index(name) for name in names if name in self.columns), None)

    def error(self, number: int, fact: str) -> DataError:
        return DataError(f"{self.file}:{number}: {fact}")


def _guessed(names: list[str]) -> Skeleton:
    body, hand = Skeleton.of("mediapipe-33"), Skeleton.of("hand-21")
    if all(name.isdecimal() for name in names):
        return body if any(len(name) > 4 or int(name) >= len(hand) for name in names) else hand
    return max(hand, body, key=lambda skeleton: sum(_plain(name) in _joints(skeleton) for name in names))


def _joints(skeleton: Skeleton) -> dict[str, int]:
    return {_plain(name): v for v, name in enumerate(skeleton.joints)}


def _plain(name: str) -> str:
    """MediaPipe's own names in small letters, `INDEX_FINGER_MCP` as `index_mcp`."""
    return re.sub(r"[\s-]", "_", name.strip().lower()).replace("_finger_", "_")
