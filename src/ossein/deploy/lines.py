"""Lines: people out of JSON, a frame or a clip a line, as a pose estimator in another process writes them."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ossein.clip import Clip
from ossein.deploy.windows import evenly
from ossein.errors import DataError
from ossein.readers.base import make_clip
from ossein.readers.tracks import assign_tracks, numbers
from ossein.skeleton import Skeleton
from ossein.words import count

_PERSONS = ("persons", "people")
_POSE = ("keypoints", "landmarks", "pose_landmarks", "poseLandmarks", "hand_landmarks", "pose_keypoints_2d")
_WHO = ("track_id", "id")
_CONFIDENCE = ("score", "visibility", "confidence")


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a recording.

    Args:
        x: Coordinates [M V C]; M may be 0.
        score: Confidence [M V].
        time: When it was taken, in seconds, where the line says so.
        size: Width and height of the image, where the line says so.
        ids: Who each person is, where the line says so.
    """

    x: np.ndarray
    score: np.ndarray
    time: float | None = None
    size: tuple[float, float] | None = None
    ids: tuple[int | str, ...] | None = None


def parse(line: str | bytes, where: str) -> Any:
    """The JSON of a line.

    Raises:
        DataError: It is none.
    """
    try:
        return json.loads(line if isinstance(line, str) else line.decode())
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: is no JSON ({error}). Write one frame a line.") from None


def read_frame(data: Any, skeleton: Skeleton, dims: int, where: str) -> Frame:
    """A frame out of plain data.

    Args:
        data: None or an empty list (nobody); a list of persons; or an object with `persons`, or with the joints of one
            person under `keypoints` or `landmarks`, and if known `time` in seconds, `width` and `height`. A person is None, a
            flat list of numbers (C or C + 1 for each joint, the score last), a list of joints, or an object with either under
            one of these keys and if known with `track_id` or `id`, who it is. A joint is None, [x, y], [x, y, score] (with z between for 3-D), or {"x", "y", "z", "visibility"}.
        skeleton: The V joints.
        dims: C.
        where: What to name in an error.

    Raises:
        DataError: It is something else, a number is not finite, or some persons have an id and some have not.
    """
    top = data if isinstance(data, dict) else {"persons": data}
    persons = next((top[key] for key in _PERSONS if key in top), None)
    if persons is None and (pose := _pose(top)) is not None:
        persons = [pose]
    elif persons is None and not set(top) & set(_PERSONS + _POSE):
        raise DataError(
            f"{where}: no key 'persons' or 'keypoints', only {sorted(top)[:5]}. Write null where nobody is."
        )
    if not isinstance(persons, list | None):
        raise DataError(f"{where}: is a {type(persons).__name__}, expected a list of persons. Mend the line.")
    ids = _ids(persons or [], where)
    # With ids a place in the list says nothing, so that None is nobody rather than someone who was lost.
    some = [(m, one) for m, one in enumerate(persons or []) if one is not None or ids is None]
    rows = [_person(one, len(skeleton), dims, f"{where}, person {m}") for m, one in some]
    grid = np.array(rows, np.float32).reshape(len(rows), len(skeleton), dims + 1)
    width, height = (_positive(top, key, where) for key in ("width", "height"))
    size = (width, height) if width and height else None
    return Frame(grid[..., :-1], grid[..., -1], _number(top, "time", where), size, ids)


def read_clips(lines: Iterable[str | bytes], skeleton: Skeleton, dims: int) -> Iterator[Clip]:
    """Clips out of lines: each line with `frames` is a clip; all lines that are frames are one clip together.

    Args:
        lines: JSON, a clip or a frame a line; empty ones are passed over. A clip is {"name", "frames", "fps", "width",
            "height"}, of which only `frames` is needed.
        skeleton: The V joints.
        dims: C.

    Raises:
        DataError: A line is neither.
    """
    loose: list[Frame] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"line {number}"
        data = parse(line, where)
        if isinstance(data, dict) and "frames" in data:
            yield _clip(data, skeleton, dims, where)
        else:
            loose.append(read_frame(data, skeleton, dims, where))
    if loose:
        yield _recording(loose, skeleton, dims)


def _recording(frames: list[Frame], skeleton: Skeleton, dims: int) -> Clip:
    """Frames as one clip, in even steps of time where every one of them says when it was taken."""
    size = next((frame.size for frame in frames if frame.size), None)
    clip = _stack(frames, "frames", skeleton, dims, size=size)
    times = np.array([frame.time for frame in frames if frame.time is not None])
    if not 1 < len(times) == len(frames):
        return clip
    if not (np.diff(times) > 0).all():
        at = int((np.diff(times) <= 0).argmax()) + 1
        raise DataError(f"frame {at}: its time {times[at]:g} is not after that of the frame before. Sort the lines.")
    x, score = evenly(clip.x, clip.score, times)
    return replace(clip, x=x, score=score, rate=(x.shape[1] - 1) / float(times[-1] - times[0]))


def _clip(data: dict[str, Any], skeleton: Skeleton, dims: int, where: str) -> Clip:
    entries = data["frames"]
    if not isinstance(entries, list) or not entries:
        raise DataError(f"{where}: 'frames' is no list of frames. Write one entry a frame, null where nobody is.")
    frames = [read_frame(entry, skeleton, dims, f"{where}, frame {t}") for t, entry in enumerate(entries)]
    width, height, rate = (_positive(data, key, where) for key in ("width", "height", "fps"))
    size = (width, height) if width and height else next((frame.size for frame in frames if frame.size), None)
    return _stack(frames, str(data.get("name", where)), skeleton, dims, size=size, rate=rate)


def _stack(frames: list[Frame], name: str, skeleton: Skeleton, dims: int, **fields: Any) -> Clip:
    if any(frame.ids for frame in frames):
        return _followed(frames, name, skeleton, dims, **fields)
    most = max(1, *(len(frame.x) for frame in frames))
    x = np.zeros((most, len(frames), len(skeleton), dims), np.float32)
    score = np.zeros(x.shape[:-1], np.float32)
    for t, frame in enumerate(frames):
        x[: len(frame.x), t], score[: len(frame.x), t] = frame.x, frame.score
    return make_clip(name, x, score, skeleton, name=name, **fields)


def _followed(frames: list[Frame], name: str, skeleton: Skeleton, dims: int, **fields: Any) -> Clip:
    """Frames of persons who have ids as a clip: a slot is one person, those seen best are the first."""
    for t, frame in enumerate(frames):
        if len(frame.x) and not frame.ids:
            raise DataError(f"{name}, frame {t}: its persons have no id, those of other frames have. Give it to all.")
    poses = [list(np.concatenate([frame.x, frame.score[..., None]], -1)) for frame in frames]
    x, score = assign_tracks(poses, len(skeleton), dims=dims, ids=[frame.ids or () for frame in frames])
    return make_clip(name, x, score, skeleton, name=name, **fields)


def _ids(persons: list[Any], where: str) -> tuple[int | str, ...] | None:
    """Who the persons are; None where the line does not say."""
    said = {m: _who(one) for m, one in enumerate(persons) if one is not None}
    if all(who is None for who in said.values()):
        return None
    ids: list[int | str] = []
    for m, who in said.items():
        if not isinstance(who, int | str) or who in ids:
            raise DataError(f"{where}, person {m}: its id is {who!r}. Give each person a number or name of their own.")
        ids.append(who)
    return tuple(ids)


def _who(person: Any) -> Any:
    if not isinstance(person, dict):
        return None
    return next((person[key] for key in _WHO if person.get(key) is not None), None)


def _pose(item: dict[str, Any]) -> Any:
    return next((item[key] for key in _POSE if key in item), None)


def _person(data: Any, num_joints: int, dims: int, where: str) -> list[list[float]]:
    """A person [V C+1] with the score last; all absent for None."""
    data = _pose(data) if isinstance(data, dict) else data
    if data is None:
        return [[0.0] * (dims + 1)] * num_joints
    if isinstance(data, list) and data and not isinstance(data[0], list | dict | None):
        each = len(data) // num_joints
        if each * num_joints != len(data) or each not in (dims, dims + 1):
            raise DataError(
                f"{where}: {count(len(data), 'number')}, expected {dims} or {dims + 1} for each of {num_joints} "
                "joints. Mend the line."
            )
        data = [data[v * each : (v + 1) * each] for v in range(num_joints)]
    if not isinstance(data, list) or len(data) != num_joints:
        what = count(len(data), "joint") if isinstance(data, list) else f"a {type(data).__name__}"
        raise DataError(
            f"{where}: {what}, expected {num_joints} joints. Use a model of this skeleton, or mend the line."
        )
    return [_joint(joint, dims, f"{where}, joint {v}") for v, joint in enumerate(data)]


def _joint(data: Any, dims: int, where: str) -> list[float]:
    if data is None:
        return [0.0] * (dims + 1)
    if isinstance(data, dict):
        seen = next((data[key] for key in _CONFIDENCE if data.get(key) is not None), 1.0)
        data = [*(data.get(axis) for axis in "xyz"[:dims]), seen]
    row = numbers(data, where).tolist()
    if len(row) not in (dims, dims + 1):
        raise DataError(
            f"{where}: {count(len(row), 'number')}, expected {dims}, or {dims + 1} with the score. Mend the line."
        )
    row = row if len(row) > dims else [*row, 1.0]
    if not 0 <= row[-1] <= 1.5:
        raise DataError(f"{where}: score {row[-1]:g}, expected 0 (absent) to 1 (sure). Rescale the scores.")
    row[-1] = min(row[-1], 1.0)
    return row if row[-1] > 0 else [0.0] * (dims + 1)


def _number(item: dict[str, Any], key: str, where: str) -> float | None:
    value = item.get(key)
    return None if value is None else float(numbers([value], f"{where}, '{key}'")[0])


def _positive(item: dict[str, Any], key: str, where: str) -> float | None:
    value = _number(item, key, where)
    if value is not None and value <= 0:
        raise DataError(f"{where}: '{key}' is {value:g}, expected more than 0. Mend the line.")
    return value
