"""Kinetics-skeleton: ST-GCN's JSON, one file per clip, 18 OpenPose joints in shares of the image."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from ossein.clip import UNKNOWN, Clip
from ossein.errors import DataError, SkeletonError
from ossein.files import read_json
from ossein.readers.base import LONGEST, Reader, Source, make_clip
from ossein.readers.meta import Meta, read_meta
from ossein.skeleton import Skeleton

_MOST = 5
_SIDES = ("train", "val", "test")


class Kinetics(Reader):
    """A JSON file `{"data": [{"frame_index", "skeleton": [{"pose", "score"}]}], "label_index"}`, or folders of them.

    A folder called `..._train`, `..._val` or `..._test` is that split; the folder around such folders is all of them.
    Class names come from ST-GCN's `..._label.json` beside the folder. Joints with score 0 are absent; frames count
    from 0 or 1 and those left out are absent; the first five persons of a frame are kept, in the order of the file,
    which is by confidence and not by who they are. A clip in which nobody was found is kept, absent.
    """

    name = "kinetics"
    help = "Kinetics-skeleton JSON of ST-GCN: one file per clip, or folders kinetics_train and kinetics_val."
    suffixes = (".json",)

    def sniff(self, path: Path) -> bool:
        """Whether the file, or the first one in the folder, begins like such a clip."""
        try:
            if path.is_dir():
                inside = chain.from_iterable(_jsons(folder) for folder in _folders(path))
                return any(_begins_well(file) for file in islice(inside, 1))
            return path.suffix.lower() == ".json" and _begins_well(path)
        except OSError:
            return False

    def read(self, path: Path, *, skeleton: Skeleton | None = None, classes: Sequence[str] = ()) -> Source:
        """The clips of a file, a folder, or the folders of training and validation, in the order of their names."""
        meta = read_meta(path).settle(skeleton, classes, Skeleton.of("openpose-18"))
        folders = _folders(path) if path.is_dir() else [path.parent]
        meta = meta.settle(None, meta.classes or _label_names(folders))
        files = {folder: sorted(_jsons(folder)) if path.is_dir() else [path] for folder in folders}
        everything = [file for inside in files.values() for file in inside]
        if not everything:
            raise DataError(f"{path}: holds no .json file. Check the path.")
        _check_names(everything)
        splits = {
            _side(folder): tuple(file.stem for file in inside) for folder, inside in files.items() if _side(folder)
        }
        return Source(
            clips=(_clip(file, meta) for file in everything),
            num_clips=len(everything),
            skeleton=meta.skeleton,
            classes=meta.classes,
            splits=meta.splits | (splits if path.is_dir() else {}),
            facts={"unit": "shares of the image's width and height"} | meta.facts,
        )


def _begins_well(file: Path) -> bool:
    with file.open("rb") as handle:
        head = handle.read(4096)
    return (
        re.match(rb"\s*\{", head) is not None
        and b'"data"' in head
        and (b'"frame_index"' in head or b'"label_index"' in head)
    )


def _jsons(folder: Path) -> Iterator[Path]:
    return (file for file in folder.glob("*.json") if file.name != "meta.json")


def _side(folder: Path) -> str:
    side = folder.name.lower().rpartition("_")[2]
    return side if side in _SIDES else ""


def _folders(path: Path) -> list[Path]:
    """The folders of the sides inside a folder, or the folder itself."""
    return sorted(child for child in path.iterdir() if child.is_dir() and _side(child)) or [path]


def _label_names(folders: list[Path]) -> tuple[str, ...]:
    """Class names from the label files beside the folders, if these tell all of them."""
    names: dict[int, str] = {}
    for folder in folders:
        file = folder.absolute().parent / f"{folder.absolute().name}_label.json"
        entries = read_json(file) if file.is_file() else {}
        for entry in entries.values() if isinstance(entries, dict) else ():
            if isinstance(entry, dict) and isinstance(entry.get("label_index"), int):
                names[entry["label_index"]] = str(entry.get("label", entry["label_index"]))
    return tuple(names[i] for i in range(len(names))) if set(names) == set(range(len(names))) else ()


def _check_names(files: list[Path]) -> None:
    seen: dict[str, Path] = {}
    for file in files:
        if seen.setdefault(file.stem, file) is not file:
            raise DataError(f"{file}: has the same name as {seen[file.stem]}. Rename one or take it out.")


def _clip(file: Path, meta: Meta) -> Clip:
    assert meta.skeleton is not None
    data = read_json(file)
    if not isinstance(data, dict) or not isinstance(data.get("data"), list):
        raise DataError(f"{file}: has no 'data', a list of frames. Is it a Kinetics-skeleton file?")
    label = data.get("label_index", UNKNOWN)
    if not _is_int(label):
        raise DataError(f"{file}: label_index {label!r}, expected a whole number from 0. Mend the file.")
    x, score = _arrays(_poses(file, data["data"], meta.skeleton), len(meta.skeleton))
    return make_clip(file, x, score, meta.skeleton, meta.classes, name=file.stem, label=label, size=(1.0, 1.0))


def _poses(file: Path, frames: list[Any], skeleton: Skeleton) -> dict[int, list[np.ndarray]]:
    """Persons, float [V 3] of x, y, score, by the number of the frame."""
    found: dict[int, list[np.ndarray]] = {}
    for i, frame in enumerate(frames):
        number = _need(f"{file}: entry {i} of 'data'", frame, "frame_index")
        if not _is_int(number) or not 0 <= number < LONGEST or number in found:
            raise DataError(
                f"{file}: entry {i} of 'data' has frame_index {number!r}, expected a number from 0 that no other has. "
                "Mend the file."
            )
        where = f"{file}: frame {number}"
        persons = _need(where, frame, "skeleton")
        if not isinstance(persons, list):
            raise DataError(f"{where}: 'skeleton' is a {type(persons).__name__}, expected a list of persons. Mend it.")
        found[number] = [_person(where, person, skeleton) for person in persons[:_MOST]]
    return found


def _person(where: str, person: Any, skeleton: Skeleton) -> np.ndarray:
    try:
        pose = np.array(_need(where, person, "pose"), np.float32)
        score = np.array(_need(where, person, "score"), np.float32)
    except (TypeError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{where}: 'pose' or 'score' is not a list of numbers. Mend the file.") from None
    if pose.shape != (2 * len(skeleton),) or score.shape != (len(skeleton),):
        raise SkeletonError(
            f"{where}: pose {list(pose.shape)} and score {list(score.shape)}, expected [{2 * len(skeleton)}] and "
            f"[{len(skeleton)}] ({skeleton.name}). Name the skeleton of the data with --skeleton."
        )
    return np.concatenate([pose.reshape(-1, 2), score[:, None]], 1)


def _arrays(poses: dict[int, list[np.ndarray]], num_joints: int) -> tuple[np.ndarray, np.ndarray]:
    first = min(poses, default=0) and 1  # a file without a frame 0 counts from 1
    shape = max(map(len, poses.values()), default=0) or 1, max(poses, default=0) - first + 1, num_joints
    x, score = np.zeros((*shape, 2), np.float32), np.zeros(shape, np.float32)
    for number, persons in poses.items():
        for m, person in enumerate(persons):
            x[m, number - first], score[m, number - first] = person[:, :2], person[:, 2]
    return x, score


def _need(where: str, entry: Any, key: str) -> Any:
    if not isinstance(entry, dict) or key not in entry:
        raise DataError(f"{where} has no '{key}'. Mend the file or take it out.")
    return entry[key]


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
