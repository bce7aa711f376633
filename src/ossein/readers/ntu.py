"""NTU RGB+D and NTU RGB+D 120: `.skeleton` text files of the Kinect v2, one a clip."""

from collections.abc import Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import NoReturn

import numpy as np

from ossein.clip import Clip
from ossein.errors import DataError
from ossein.files import read_text
from ossein.readers.base import LONGEST, Reader, Source, make_clip, ntu_name
from ossein.readers.meta import read_meta
from ossein.readers.ntu_bodies import Body, people
from ossein.skeleton import Skeleton
from ossein.words import count

SURE = np.array([0.1, 0.5, 1.0], np.float32)
"""The score of a joint that the Kinect calls not tracked (0), inferred (1) and tracked (2)."""

_SUBJECTS_60 = frozenset([1, 2, 4, 5, 8, 9, *range(13, 20), 25, 27, 28, 31, 34, 35, 38])
_SUBJECTS_120 = _SUBJECTS_60 | frozenset(
    [45, 46, 47, 49, 50, *range(52, 60), 70, 74, 78, *range(80, 87), 89, *range(91, 96), 97, 98, 100, 103]
)
_JOINTS, _BODY_FIELDS, _JOINT_FIELDS = 25, 10, 12
_STATES = frozenset([0.0, 1.0, 2.0])
_HINT = "The file may be cut short; drop it, or name it in a missing.txt beside it."


class NTU(Reader):
    """A `.skeleton` file, or a folder in which such files lie at any depth.

    Names such as `S001C002P003R002A013` give setup, camera, subject and label (action - 1), and from them the official
    splits: `xsub_*` and `xview_*` for NTU-60, `xsub_*` and `xset_*` once a setup above 17 or an action above 60 is there.
    Files on the official list of missing skeletons (302 of NTU-60, 535 of NTU-120) are left out of a folder, as are the
    names in a `missing.txt` in it (one a line; lines with blanks are comments).

    Coordinates are metres in the camera's space, y up. A tracked joint has score 1, an inferred one 0.5, one not tracked
    0.1; a joint that is NaN, or exactly at the camera (0, 0, 0), is absent. Ghosts are dropped and at most two people
    are kept (`ntu_bodies.people`). Frames before the first and after the last sight of them are cut off; those between
    stay, absent, so that timing is kept. A clip in which nobody is seen has one person who is absent throughout.
    """

    name = "ntu"
    help = "NTU RGB+D .skeleton files: one file, or a folder of them."
    suffixes = (".skeleton",)

    def sniff(self, path: Path) -> bool:
        """Whether it is a `.skeleton` file, or a folder that holds one."""
        try:
            return next(_files(path), None) is not None
        except OSError:
            return False

    def read(self, path: Path, *, skeleton: Skeleton | None = None, classes: Sequence[str] = ()) -> Source:
        """The clips of a file or folder; see the class and `Reader.read`."""
        files = _named(path)
        left_out = (_official() | _own(path)) & set(files) if path.is_dir() else set()
        kept = [file for name, file in files.items() if name not in left_out]
        if not kept:
            raise DataError(f"{path}: holds no .skeleton file to read, {len(left_out)} are left out. Check the path.")
        said = {name: facts for name in files if name not in left_out and (facts := ntu_name(name))}
        meta = read_meta(path).settle(skeleton, classes)
        joints = meta.skeleton or Skeleton.of("ntu-25")
        names = meta.classes or _actions(said)
        facts = {"unit": "metres", "sensor": "Kinect v2"}
        if left_out:
            facts["left_out"] = f"{count(len(left_out), 'file')} listed as having no complete skeleton"
        return Source(
            clips=map(partial(_clip, skeleton=joints, classes=names), kept),
            num_clips=len(kept),
            skeleton=joints,
            classes=names,
            splits={**_splits(said), **meta.splits},
            facts={**facts, **meta.facts},
        )


def _files(path: Path) -> Iterator[Path]:
    return iter([path] if path.suffix == ".skeleton" and path.is_file() else path.rglob("*.skeleton"))


def _named(path: Path) -> dict[str, Path]:
    if not path.exists():
        raise DataError(f"{path}: does not exist. Check the path.")
    files: dict[str, Path] = {}
    for file in sorted(_files(path), key=lambda file: (file.name, file)):
        if files.setdefault(file.stem, file) != file:
            raise DataError(f"{file}: has the same name as {files[file.stem]}. Remove one of the two.")
    return files


@cache
def _official() -> frozenset[str]:
    return frozenset(read_text(Path(__file__).with_name("ntu_missing.txt")).split())


def _own(path: Path) -> set[str]:
    file = path / "missing.txt"
    lines = map(str.strip, read_text(file).splitlines()) if file.is_file() else ()
    return {line.removesuffix(".skeleton") for line in lines if line and " " not in line}


def _is_120(said: dict[str, dict[str, int]]) -> bool:
    return any(facts["setup"] > 17 or facts["label"] >= 60 for facts in said.values())


def _actions(said: dict[str, dict[str, int]]) -> tuple[str, ...]:
    actions = read_text(Path(__file__).with_name("ntu_actions.txt")).splitlines()
    return tuple(actions[: 120 if _is_120(said) else 60]) if said else ()


def _splits(said: dict[str, dict[str, int]]) -> dict[str, tuple[str, ...]]:
    """The official splits by name; a side that would be empty is not there."""
    large = _is_120(said)
    subjects = _SUBJECTS_120 if large else _SUBJECTS_60
    trains = {"xsub": {name for name, facts in said.items() if facts["subject"] in subjects}}
    if large:
        trains["xset"] = {name for name, facts in said.items() if facts["setup"] % 2 == 0}
    else:
        trains["xview"] = {name for name, facts in said.items() if facts["camera"] in (2, 3)}
    sides = {
        f"{split}_{side}": tuple(name for name in said if (name in train) == (side == "train"))
        for split, train in trains.items()
        for side in ("train", "val")
    }
    return {split: names for split, names in sides.items() if names}


def _clip(file: Path, skeleton: Skeleton, classes: Sequence[str]) -> Clip:
    num_frames, bodies = _parse(file)
    persons = people(bodies)
    first = min((body.frames[0] for body in persons), default=0)
    last = max((body.frames[-1] for body in persons), default=num_frames - 1)
    x = np.zeros((max(len(persons), 1), last - first + 1, _JOINTS, 3), np.float32)
    score = np.zeros(x.shape[:3], np.float32)
    for m, body in enumerate(persons):
        x[m, body.frames - first], score[m, body.frames - first] = body.x, body.score
    return make_clip(file, x, score, skeleton, classes, name=file.stem, rate=30.0, **(ntu_name(file.stem) or {}))


def _parse(file: Path) -> tuple[int, list[Body]]:
    """The number of frames, and the bodies in the order in which they appear; the grammar is checked to the last line."""
    lines = _Lines(file)
    num_frames = lines.number("the number of frames", least=1)
    seen: dict[str, tuple[list[int], list[list[float]]]] = {}
    for t in range(num_frames):
        lines.place = f"frame {t} of {num_frames}"
        here: set[str] = set()
        for b in range(lines.number("the number of bodies")):
            body = lines.fields("a body", _BODY_FIELDS)[0]
            body = body if body not in here else f"{body}, place {b}"
            here.add(body)
            joints = lines.number("the number of joints")
            if joints != _JOINTS:
                raise lines.error(f"{count(joints, 'joint')} in frame {t}, expected {_JOINTS} (NTU-25).")
            frames, rows = seen.setdefault(body, ([], []))
            frames.append(t)
            rows.append(lines.joints())
    lines.end()
    bodies = (_body(np.array(frames), np.array(rows)) for frames, rows in seen.values())
    return num_frames, [body for body in bodies if len(body)]


def _body(frames: np.ndarray, rows: np.ndarray) -> Body:
    rows = rows.reshape(len(frames), _JOINTS, 4)
    with np.errstate(over="ignore"):
        x = rows[..., :3].astype(np.float32)
    present = np.isfinite(x).all(-1) & (x != 0).any(-1)
    score = SURE[rows[..., 3].astype(int)] * present
    seen = present.any(1)
    return Body(frames[seen], np.where(present[..., None], x, np.float32(0))[seen], score[seen])


class _Lines:
    """The lines of a file one after another, with errors that name the line and the place."""

    def __init__(self, file: Path) -> None:
        self.file, self.place, self.at = file, "the first line", 0
        self.lines = read_text(file).rstrip().split("\n")

    def error(self, fact: str) -> DataError:
        return DataError(f"{self.file}:{min(self.at, len(self.lines))}: {fact} {_HINT}")

    def fields(self, what: str, num: int) -> list[str]:
        self.at += 1
        if self.at > len(self.lines):
            raise self.error(f"ends in {self.place}, expected {what}.")
        fields = self.lines[self.at - 1].split()
        if len(fields) != num:
            raise self.error(f"{count(len(fields), 'field')} for {what} in {self.place}, expected {num}.")
        return fields

    def number(self, what: str, least: int = 0) -> int:
        (field,) = self.fields(what, 1)
        if not (field.isdecimal() and len(field) < 10 and least <= int(field) <= LONGEST):
            raise self.error(f"'{field[:20]}' for {what} in {self.place}, expected a whole number from {least}.")
        return int(field)

    def joints(self) -> list[float]:
        """x, y, z and tracking state of one body's joints, one after another."""
        rows = [line.split() for line in self.lines[self.at : self.at + _JOINTS]]
        try:
            wanted = [float(row[i]) for row in rows for i in (0, 1, 2, 11)]
        except (ValueError, IndexError):
            wanted = []
        good = len(wanted) == 4 * _JOINTS and all(len(row) == _JOINT_FIELDS for row in rows)
        if not good or not _STATES.issuperset(wanted[3::4]):
            self._blame()
        self.at += _JOINTS
        return wanted

    def _blame(self) -> NoReturn:
        """Read joints line by line up to the first bad one."""
        j = 0
        for j in range(_JOINTS):
            fields = self.fields(f"joint {j}", _JOINT_FIELDS)
            if fields[11] not in ("0", "1", "2"):
                raise self.error(
                    f"tracking state '{fields[11][:20]}' of joint {j} in {self.place}, expected 0, 1 or 2."
                )
            try:
                [float(field) for field in fields[:3]]
            except ValueError:
                break
        raise self.error(f"joint {j} in {self.place} has a coordinate that is not a number.")

    def end(self) -> None:
        if self.at != len(self.lines):
            self.at += 1
            raise self.error("goes on after the last frame that its first line announces.")
