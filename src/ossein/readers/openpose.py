"""OpenPose: a folder of `NAME_000000000012_keypoints.json` files, one a frame, is a clip."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from ossein.clip import Clip
from ossein.errors import DataError, SkeletonError
from ossein.files import read_json
from ossein.readers.base import Recording
from ossein.readers.folders import FolderReader
from ossein.readers.tracks import assign_tracks, span, triples
from ossein.skeleton import Skeleton
from ossein.words import count

_ENDING = "_keypoints.json"
_FILE = re.compile(r"(?:(?P<stem>.*)_)?(?P<frame>\d+)_keypoints\.json")
_BY_JOINTS = {18: "openpose-18", 25: "openpose-25"}


class OpenPose(FolderReader):
    """A folder of OpenPose's JSON files, a folder of such folders, or class folders of them (which give the labels).

    Frames are ordered by the number in the file name, and numbers left out are frames in which nobody is present. The
    files do not say who is who from frame to frame; persons are followed (`tracks.assign_tracks`) and the five with the
    most confidence are kept. Joints with score 0 are absent, scores above 1 are cut to 1. Coordinates stay as the file
    has them (pixels, unless OpenPose ran with `--keypoint_scale`). Read are BODY_25 and COCO (18 joints), under the keys
    `people` / `pose_keypoints_2d`, the older `pose_keypoints`, and `bodies` / `joints`; hands and faces are not.
    """

    name = "openpose"
    help = "OpenPose JSON: a folder of *_keypoints.json files, one per frame, or folders of such folders."
    suffixes = (_ENDING,)

    def sniff(self, path: Path) -> bool:
        """Whether the folder, or a folder one or two levels below, holds `*_keypoints.json` files."""
        try:
            return any(any(path.glob(level + "*" + _ENDING)) for level in ("", "*/", "*/*/"))
        except OSError:
            return False

    def is_clip(self, path: Path) -> bool:
        """See `FolderReader`."""
        return path.is_dir() and any(child.name.endswith(_ENDING) for child in path.iterdir())

    def joints(self, path: Path, clips: list[Recording]) -> Skeleton:
        """See `FolderReader`."""
        files = chain.from_iterable(_numbered(clip.path).values() for clip in clips)
        pose, where = next(chain.from_iterable(map(_poses, files)), (None, ""))
        if pose is None:
            raise DataError(
                f"{path}: nobody is detected in any frame. Name the skeleton with --skeleton, or drop the clips."
            )
        if len(pose) not in _BY_JOINTS:
            raise SkeletonError(
                f"{where}: {count(len(pose), 'joint')}, expected 25 (openpose-25) or 18 (openpose-18). "
                "Name them with --skeleton."
            )
        return Skeleton.of(_BY_JOINTS[len(pose)])

    def clip(self, recording: Recording, skeleton: Skeleton, classes: Sequence[str]) -> Clip:
        """See `FolderReader`."""
        files = _numbered(recording.path)
        first, length = span(files, str(recording.path))
        frames: list[list[np.ndarray]] = [[] for _ in range(length)]
        for number, file in files.items():
            frames[number - first] = [_fits(pose, skeleton, where) for pose, where in _poses(file)]
        x, score = assign_tracks(frames, len(skeleton))
        return recording.clip(x, score, skeleton, classes)


def _numbered(folder: Path) -> dict[int, Path]:
    files: dict[int, Path] = {}
    stems: dict[str, Path] = {}
    for file in sorted(folder.glob("*" + _ENDING)):
        found = _FILE.fullmatch(file.name)
        if not found:
            raise DataError(f"{file}: no frame number in the name. Name it NAME_000000000012{_ENDING}.")
        stems.setdefault(found["stem"] or "", file)
        if len(stems) > 1 or files.setdefault(int(found["frame"]), file) != file:
            other = next(iter(stems.values())) if len(stems) > 1 else files[int(found["frame"])]
            raise DataError(f"{file}: belongs to another recording than {other.name}. Give each its own folder.")
    return files


def _poses(file: Path) -> Iterator[tuple[np.ndarray, str]]:
    data = read_json(file)
    people = data.get("people", data.get("bodies")) if isinstance(data, dict) else None
    if not isinstance(people, list):
        raise DataError(f"{file}: no list under key 'people'. Is it a file of OpenPose?")
    for i, person in enumerate(people):
        where = f"{file}: person {i}"
        pose = triples(_values(person, where), where)
        if pose[:, 2].any():
            yield pose, where


def _values(person: Any, where: str) -> Any:
    for key in ("pose_keypoints_2d", "pose_keypoints", "joints"):
        if isinstance(person, dict) and key in person:
            return person[key]
    raise DataError(f"{where}: no key 'pose_keypoints_2d'. Is it a file of OpenPose?")


def _fits(pose: np.ndarray, skeleton: Skeleton, where: str) -> np.ndarray:
    if len(pose) != len(skeleton):
        raise SkeletonError(
            f"{where}: {count(len(pose), 'joint')}, expected {len(skeleton)} ({skeleton.name}). "
            "Name the skeleton of the data with --skeleton."
        )
    return pose
