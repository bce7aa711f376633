"""COCO keypoints: the JSON of pose estimators (AlphaPose, MMPose, HRNet ...) or of annotators, one file a clip."""

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ossein.clip import Clip
from ossein.errors import DataError, SkeletonError
from ossein.files import read_json
from ossein.readers.base import Recording, labelled, unknown_skeleton
from ossein.readers.folders import FolderReader
from ossein.readers.meta import named_skeleton
from ossein.readers.tracks import assign_tracks, numbers, span, triples
from ossein.skeleton import Skeleton
from ossein.words import count

_BY_JOINTS = {17: "coco-17", 26: "halpe-26"}
_VISIBILITY = np.array([0.0, 0.5, 1.0])
_PERSON = ("track_id", "idx")


@dataclass(frozen=True)
class _Found:
    """One detection: its frame, its pose [V 3], who it is (if the file says), and where it stands in the file."""

    frame: int
    pose: np.ndarray
    person: Hashable
    where: str


@dataclass(frozen=True)
class _Content:
    """What a file holds: the number of its first frame, how many there are, its detections, image size and frame rate."""

    first: int
    length: int
    found: list[_Found]
    size: tuple[float, float] | None
    skeleton: Skeleton | None
    rate: float | None = None


class COCO(FolderReader):
    """A JSON file in COCO's keypoint format, a folder of such files, or class folders of them (which give the labels).

    A file is a clip: a list of detections with `image_id`, `keypoints` [x, y, score, ...] as pose estimators write, or
    the annotation form {"images", "annotations"}, whose visibility 0, 1, 2 becomes score 0, 0.5, 1 where no
    `keypoint_scores` stand beside it, and whose `info` may tell the frame rate as `fps`. The frame number is
    `image_id` if that is a number, or the last number in it if it is a file's name (`frame_000012.jpg`); of annotations
    it is the image's `frame_id`, or the number in its `file_name`, or its id. Numbers left out are frames in which
    nobody is present. 17 joints are taken for coco-17 and 26 for halpe-26, unless the file, a `meta.json` or the caller
    names them.

    Where every detection has a `track_id` (or AlphaPose's `idx`), and none twice in a frame, that is who is who;
    elsewhere persons are followed (`tracks.assign_tracks`). The five with the most confidence are kept. Scores above 1,
    which AlphaPose writes, are cut to 1.
    """

    name = "coco"
    help = "COCO keypoint JSON, as AlphaPose and other pose estimators write: one file per clip, or folders of files."
    suffixes = (".json",)

    def sniff(self, path: Path) -> bool:
        """Whether the first JSON file begins like COCO keypoints."""
        try:
            file = path if path.is_file() else labelled(path, self.is_clip)[0][0].path
            with file.open("rb") as opened:
                head = opened.read(1 << 16)
        except (OSError, DataError):
            return False
        lists = b'"image_id"' in head and b'"keypoints"' in head
        return file.suffix == ".json" and (lists or (b'"images"' in head and b'"file_name"' in head))

    def is_clip(self, path: Path) -> bool:
        """See `FolderReader`."""
        return path.suffix == ".json" and path.name != "meta.json" and path.is_file()

    def joints(self, path: Path, clips: list[Recording]) -> Skeleton:
        """See `FolderReader`."""
        for clip in clips:
            content = _content(clip.path)
            if content.skeleton:
                return content.skeleton
            for found in content.found[:1]:
                if len(found.pose) not in _BY_JOINTS:
                    raise unknown_skeleton(found.where, len(found.pose))
                return Skeleton.of(_BY_JOINTS[len(found.pose)])
        raise DataError(
            f"{path}: nobody is detected in any clip. Name the skeleton with --skeleton, or drop the clips."
        )

    def clip(self, recording: Recording, skeleton: Skeleton, classes: Sequence[str]) -> Clip:
        """See `FolderReader`."""
        content = _content(recording.path)
        frames: list[list[np.ndarray]] = [[] for _ in range(content.length)]
        ids: list[list[Hashable]] = [[] for _ in range(content.length)]
        for found in content.found:
            if len(found.pose) != len(skeleton):
                raise SkeletonError(
                    f"{found.where}: {count(len(found.pose), 'joint')}, expected {len(skeleton)} ({skeleton.name}). "
                    "Name the skeleton of the data with --skeleton."
                )
            frames[found.frame - content.first].append(found.pose)
            ids[found.frame - content.first].append(found.person)
        told = all(None not in some and len(set(some)) == len(some) for some in ids)
        x, score = assign_tracks(frames, len(skeleton), ids=ids if told else None)
        return recording.clip(x, score, skeleton, classes, size=content.size, rate=content.rate)


def _content(file: Path) -> _Content:
    data = read_json(file)
    if isinstance(data, dict) and isinstance(data.get("annotations"), list):
        return _annotations(file, data)
    if not isinstance(data, list):
        raise DataError(f"{file}: neither a list of detections nor an object with 'annotations'. Is it COCO's format?")
    found = [
        _Found(_frame(_value(one, "image_id", where), where), _pose(one, where), _person(one), where)
        for one, where in _numbered(data, f"{file}: detection")
    ]
    if not found:
        raise DataError(f"{file}: the list of detections is empty. Drop the file.")
    first, length = span((one.frame for one in found), str(file))
    return _Content(first, length, [one for one in found if one.pose[:, 2].any()], None, None)


def _annotations(file: Path, data: dict[str, Any]) -> _Content:
    images: dict[Any, int] = {}
    sizes = set()
    for image, where in _numbered(data.get("images"), f"{file}: image"):
        number = image.get("frame_id", image.get("file_name", _value(image, "id", where)))
        key = _value(image, "id", where)
        images[key if isinstance(key, Hashable) else None] = _frame(number, where)
        sizes.add((image.get("width"), image.get("height")))
    if not images:
        raise DataError(f"{file}: no image is listed under key 'images'. Mend the file.")
    found = []
    for one, where in _numbered(data["annotations"], f"{file}: annotation"):
        if "keypoints" in one:
            found.append(_annotation(one, images, where))
    first, length = span(images.values(), str(file))
    width, height = sizes.pop() if len(sizes) == 1 else (None, None)
    known = all(isinstance(side, int | float) and side > 0 for side in (width, height))
    size = (float(width), float(height)) if known else None  # pyright: ignore[reportArgumentType]
    info = data.get("info")
    rate = info.get("fps") if isinstance(info, dict) else None
    rate = float(rate) if isinstance(rate, int | float) and not isinstance(rate, bool) and 0 < rate < 1e6 else None
    return _Content(first, length, [one for one in found if one.pose[:, 2].any()], size, _named(data, file), rate)


def _annotation(one: dict[str, Any], images: dict[Any, int], where: str) -> _Found:
    pose, image = _pose(one, where), _value(one, "image_id", where)
    if not isinstance(image, Hashable) or image not in images:
        raise DataError(f"{where}: image_id {image!r} is not among 'images'. Mend the file.")
    if not np.isin(pose[:, 2], (0, 1, 2)).all():
        raise DataError(f"{where}: a visibility is not 0, 1 or 2. Save detections as a list, where they are scores.")
    score = _VISIBILITY[pose[:, 2].astype(int)]
    if "keypoint_scores" in one:
        told = numbers(one["keypoint_scores"], where)
        if len(told) != len(pose):
            got = f"{count(len(told), 'number')} in keypoint_scores for {count(len(pose), 'keypoint')}"
            raise DataError(f"{where}: {got}. Mend the file.")
        score = np.where(score > 0, told, 0)
    return _Found(images[image], np.c_[pose[:, :2], score], _person(one), where)


def _named(data: dict[str, Any], file: Path) -> Skeleton | None:
    """The skeleton that the first category names; its bones count joints from 1."""
    categories = data.get("categories")
    first = categories[0] if isinstance(categories, list) and categories and isinstance(categories[0], dict) else {}
    bones = first.get("skeleton")
    try:
        edges = [[int(a) - 1, int(b) - 1] for a, b in bones] if bones else None
        return named_skeleton(file.stem, first.get("keypoints"), edges)
    except (TypeError, ValueError, SkeletonError, DataError) as error:
        raise DataError(f"{file}: the skeleton under 'categories' is not a good one ({error}).") from None


def _numbered(items: Any, where: str) -> list[tuple[dict[str, Any], str]]:
    items = items if isinstance(items, list) else []
    for i, item in enumerate(items):
        if not isinstance(item, dict):
            raise DataError(f"{where} {i}: is a {type(item).__name__}, expected an object. Is it COCO's format?")
    return [(item, f"{where} {i}") for i, item in enumerate(items)]


def _value(item: dict[str, Any], key: str, where: str) -> Any:
    if key not in item:
        raise DataError(f"{where}: no key '{key}'. Is it COCO's keypoint format?")
    return item[key]


def _pose(item: dict[str, Any], where: str) -> np.ndarray:
    pose = triples(_value(item, "keypoints", where), where)
    if not len(pose):
        raise DataError(f"{where}: key 'keypoints' is empty. Drop the entry.")
    return pose


def _person(item: dict[str, Any]) -> Hashable:
    """Who a detection is: a number or text, or AlphaPose's list of one; None where it does not say."""
    for key in _PERSON:
        value = item.get(key)
        value = value[0] if isinstance(value, list) and len(value) == 1 else value
        if isinstance(value, int | float | str):
            return value
    return None


def _frame(value: Any, where: str) -> int:
    digits = re.findall(r"\d+", re.sub(r"\.\w+$", "", value)) if isinstance(value, str) else []
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if not digits or len(digits[-1]) > 18:
        raise DataError(f"{where}: no frame number in {str(value)[:60]!r}. Name images by number: frame_000012.jpg.")
    return int(digits[-1])
