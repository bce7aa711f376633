"""MediaPipe landmarks (BlazePose's 33, or the 21 of a hand) as people save them: JSON or CSV, one file a clip."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ossein.clip import Clip
from ossein.errors import DataError, SkeletonError
from ossein.files import read_json
from ossein.readers.base import Recording, labelled, unknown_skeleton
from ossein.readers.folders import FolderReader
from ossein.readers.landmarks import Landmarks, read_csv
from ossein.readers.tracks import assign_tracks, numbers
from ossein.skeleton import Skeleton
from ossein.words import count

_BY_JOINTS = {33: "mediapipe-33", 21: "hand-21"}
_IMAGE = ("landmarks", "pose_landmarks", "poseLandmarks", "hand_landmarks", "handLandmarks", "multiHandLandmarks")
_WORLD = ("poseWorldLandmarks", "pose_world_landmarks", "worldLandmarks", "world_landmarks")
_JSON_HEAD = re.compile(rb'"(?:%s)"|^\s*\[\s*(?:null\s*,\s*)*\[?\s*\[\s*\{\s*"x"' % "|".join(_IMAGE + _WORLD).encode())
_CSV_HEAD = re.compile(rb"^[^\n]*\b(?:x_?0\b[^\n]*\by_?0|landmark\b[^\n]*\bx\b[^\n]*\by)\b", re.IGNORECASE)


class MediaPipe(FolderReader):
    """A JSON or CSV file of landmarks, a folder of such files, or class folders of them (which give the labels).

    JSON: a list with one entry a frame, or {"frames": [...]} with `fps`, `width`, `height` if known. An entry is null
    (nobody), one person's landmarks, a list of persons, or an object with these under a key that MediaPipe uses
    (`landmarks`, `pose_landmarks`, `poseLandmarks` ..., or only `poseWorldLandmarks` ...). A landmark is
    {"x", "y", "z", "visibility"} or [x, y, z, visibility].
    CSV: columns frame, x0, y0, z0, v0, x1 ..., or frame, landmark, x, y, z, visibility with one line a landmark; frame
    numbers left out are frames in which nobody is present, an empty cell is an absent joint.

    Image landmarks become 2-D, in shares of the image (size 1 x 1), or in pixels where the file gives width and height;
    their z is relative and dropped. World landmarks become 3-D, in metres. Visibility is the score; where a person's is
    missing, or 0 throughout (as MediaPipe's tasks leave it for hands), the score is 1. Several persons in a frame are
    followed (`tracks.assign_tracks`) and the five with the most confidence kept.
    """

    name = "mediapipe"
    help = "MediaPipe landmarks in JSON or CSV, 33 of a body or 21 of a hand: one file per clip, or folders of files."
    suffixes = (".json", ".csv")

    def sniff(self, path: Path) -> bool:
        """Whether the first JSON or CSV file begins like landmarks."""
        try:
            file = path if path.is_file() else labelled(path, self.is_clip)[0][0].path
            with file.open("rb") as opened:
                head = opened.read(1 << 14)
        except (OSError, DataError):
            return False
        pattern = {".json": _JSON_HEAD, ".csv": _CSV_HEAD}.get(file.suffix)
        return pattern is not None and pattern.search(head) is not None

    def is_clip(self, path: Path) -> bool:
        """See `FolderReader`."""
        return path.suffix in (".json", ".csv") and path.name != "meta.json" and path.is_file()

    def joints(self, path: Path, clips: list[Recording]) -> Skeleton:
        """See `FolderReader`."""
        for clip in clips:
            num_joints = _content(clip.path, None).num_joints
            if num_joints is not None:
                if num_joints not in _BY_JOINTS:
                    raise unknown_skeleton(clip.path, num_joints)
                return Skeleton.of(_BY_JOINTS[num_joints])
        raise DataError(
            f"{path}: nobody is detected in any clip. Name the skeleton with --skeleton, or drop the clips."
        )

    def clip(self, recording: Recording, skeleton: Skeleton, classes: Sequence[str]) -> Clip:
        """See `FolderReader`."""
        said = _content(recording.path, skeleton)
        if said.num_joints not in (None, len(skeleton)):
            raise SkeletonError(
                f"{recording.path}: {count(said.num_joints, 'landmark')}, expected {len(skeleton)} ({skeleton.name}). "
                "Name the skeleton of the data with --skeleton."
            )
        x, score = assign_tracks(said.frames, len(skeleton), dims=said.dims)
        return recording.clip(x, score, skeleton, classes, size=said.size, rate=said.rate)


def _content(file: Path, skeleton: Skeleton | None) -> Landmarks:
    return read_csv(file, skeleton) if file.suffix == ".csv" else _read_json(file)


def _read_json(file: Path) -> Landmarks:
    data = read_json(file)
    top = data if isinstance(data, dict) else {}
    entries = top.get("frames", data)
    if not isinstance(entries, list) or not entries:
        raise DataError(f"{file}: no list of frames. Save a list with one entry a frame, null where nobody is seen.")
    width, height, rate = (_positive(top.get(key)) for key in ("width", "height", "fps"))
    size = (width, height) if width and height else (1.0, 1.0)
    frames, kinds = [], set()
    for t, entry in enumerate(entries):
        persons, world = _persons(entry, f"{file}: frame {t}")
        kinds |= {world} if persons else set()
        poses = [_pose(person, world, f"{file}: frame {t}, person {m}") for m, person in enumerate(persons)]
        frames.append(poses if world else [pose * [*size, 1] for pose in poses])
    counts = {len(pose) for poses in frames for pose in poses}
    if len(counts) > 1 or len(kinds) > 1:
        raise DataError(f"{file}: frames differ ({sorted(counts)} landmarks; image and world). Save all of one kind.")
    world = kinds == {True}
    return Landmarks(frames, 3 if world else 2, next(iter(counts), None), None if world else size, rate)


def _persons(entry: Any, where: str) -> tuple[list[list[Any]], bool]:
    """The landmarks of each person in a frame, and whether they are world landmarks."""
    key = ""
    if isinstance(entry, dict):
        key = next((key for key in (*_IMAGE, *_WORLD, "landmark") if key in entry), None)
        if key is None:
            raise DataError(f"{where}: no key 'landmarks' or 'pose_landmarks'. Save null where nobody is seen.")
        entry = entry if key == "landmark" else entry[key]
    if not entry and (entry is None or isinstance(entry, list | dict)):
        return [], key in _WORLD
    persons = [entry] if _one_person(entry) else entry
    if not isinstance(persons, list):
        raise DataError(f"{where}: is a {type(entry).__name__}, expected a list of landmarks. Mend the file.")
    persons = [person.get("landmark") if isinstance(person, dict) else person for person in persons]
    if not all(isinstance(person, list) for person in persons):
        raise DataError(f"{where}: a person is no list of landmarks. Mend the file.")
    return [person for person in persons if person], key in _WORLD


def _one_person(entry: Any) -> bool:
    if isinstance(entry, dict):
        return True
    first = entry[0] if isinstance(entry, list) and entry else None
    if isinstance(first, dict):
        return "landmark" not in first
    return isinstance(first, list) and bool(first) and not isinstance(first[0], list | dict)


def _pose(landmarks: list[Any], world: bool, where: str) -> np.ndarray:
    """A person [V C+1] with the score last."""
    rows = [_row(landmark, 3 if world else 2, f"{where}, landmark {v}") for v, landmark in enumerate(landmarks)]
    pose = numbers([value for row in rows for value in row], where).reshape(len(rows), -1)
    if not pose[:, -1].any():
        pose[:, -1] = 1
    return pose


def _row(landmark: Any, dims: int, where: str) -> list[Any]:
    if isinstance(landmark, dict):
        axes, score = [landmark.get(axis) for axis in "xyz"[:dims]], landmark.get("visibility")
    elif isinstance(landmark, list):
        axes, score = landmark[:dims], landmark[3] if len(landmark) > 3 else None
    else:
        raise DataError(f"{where}: is a {type(landmark).__name__}, expected x, y, z and visibility. Mend the file.")
    if len(axes) < dims or None in axes:
        raise DataError(f"{where}: no '{'xyz'[axes.index(None) if None in axes else len(axes)]}'. Mend the file.")
    return [*axes, 1 if score is None else score]


def _positive(value: Any) -> float | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e6
    return float(value) if good else None
