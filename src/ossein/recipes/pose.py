"""Poses from a video: an estimator that people have already, and a file that ossein reads."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Literal

import numpy as np

from ossein.errors import DataError, MissingExtra, SettingsError
from ossein.files import write_text
from ossein.recipes.follow import follow
from ossein.skeleton import Skeleton
from ossein.words import count

Estimator = Literal["rtmlib", "mediapipe"]
Mode = Literal["lightweight", "balanced", "performance"]
Found = tuple[np.ndarray, np.ndarray]
"""The persons of a frame: keypoints [M V 2] in pixels and scores [M V]."""

SKELETONS: dict[Estimator, str] = {"rtmlib": "coco-17", "mediapipe": "mediapipe-33"}
"""The joints that each estimator finds."""

_INSTALL = {
    "rtmlib": "Install it: pip install 'ossein[pose]'; or name a Python that has it with --python.",
    "mediapipe": "It needs another numpy than ossein, so give it an environment of its own (python -m venv PLACE, "
    "PLACE/bin/pip install mediapipe==0.10.21) and name that with --python PLACE/bin/python.",
}


@dataclass(frozen=True)
class Video:
    """What a video is.

    Args:
        width: Of its images, in pixels.
        height: Of its images, in pixels.
        fps: Frames per second, where the file says.
        frames: How many frames the file says that it has; 0 where it does not say.
    """

    width: int
    height: int
    fps: float | None = None
    frames: int = 0


@dataclass(frozen=True)
class Posed:
    """What was found in a video.

    Args:
        video: What it is.
        frames: How many frames were read.
        persons: How many different people.
        empty: In how many frames there is nobody.
    """

    video: Video
    frames: int
    persons: int
    empty: int


def pose(
    source: Path,
    out: Path,
    *,
    estimator: Estimator = "rtmlib",
    mode: Mode = "balanced",
    device: str = "cpu",
    python: Path | None = None,
    overwrite: bool = False,
    told: Callable[[int, int | None], None] = lambda done, total: None,
) -> Posed:
    """Find the people in a video and write them as COCO keypoints that every command of ossein reads.

    Args:
        source: The video, in any form that OpenCV decodes.
        out: The JSON to write.
        estimator: rtmlib (RTMPose: several persons, COCO-17) or mediapipe (BlazePose: one person, MediaPipe-33).
        mode: How large a model.
        device: Where rtmlib runs its models, such as `cpu` or `cuda`.
        python: The Python that has the estimator; the one that runs ossein where not given.
        overwrite: Replace `out` where it exists.
        told: Called with frames done and frames in all (None where the file does not say).

    Raises:
        DataError: The video cannot be read, nobody is in it, or `out` cannot be written to.
        MissingExtra: The estimator is not installed in that Python.
        SettingsError: `out` exists, or is no JSON file.
    """
    if out.suffix != ".json":
        raise SettingsError(f"{out}: poses are written as JSON. Call the file {out.with_suffix('.json').name}.")
    if out.exists() and not overwrite:
        raise SettingsError(f"{out}: exists already. Add --overwrite to replace it, or choose another name.")
    if not source.is_file():
        raise DataError(f"{source}: is no file. Check the path of the video.")
    with estimated(source, estimator, mode, device, python) as (video, frames):
        return write_poses(_counted(frames, video, told), video, Skeleton.of(SKELETONS[estimator]), out, source.name)


def write_poses(frames: Iterable[Found], video: Video, skeleton: Skeleton, out: Path, name: str) -> Posed:
    """Follow the persons of each frame and write them as COCO keypoints, with size, frame rate and who is who.

    Args:
        frames: What an estimator found, frame by frame.
        video: What the video is.
        skeleton: The joints.
        out: The JSON to write.
        name: What the frames are called after.

    Raises:
        DataError: Nobody is in any frame, or the file cannot be written.
    """
    kept = [(keypoints, np.clip(scores, 0, 1)) for keypoints, scores in frames]
    who = list(follow(kept))
    persons = {person for some in who for person in some}
    if not persons:
        raise DataError(f"{name}: nobody is found in any of {count(len(kept), 'frame')}. Try --mode performance.")
    stem = Path(name).stem
    images = [
        {"id": t, "frame_id": t, "file_name": f"{stem}_{t:06d}.jpg", "width": video.width, "height": video.height}
        for t in range(len(kept))
    ]
    found = [
        {"image_id": t, "track_id": person, **_person(*one)}
        for t, (some, (keypoints, scores)) in enumerate(zip(who, kept, strict=True))
        for person, *one in zip(some, keypoints, scores, strict=True)
    ]
    bones = [[a + 1, b + 1] for a, b in skeleton.bones]
    category = {"id": 1, "name": "person", "keypoints": list(skeleton.joints), "skeleton": bones}
    data = {
        "info": {"description": name, **({"fps": video.fps} if video.fps else {})},
        "images": images,
        "annotations": [{"id": i, "category_id": 1, "iscrowd": 0, **one} for i, one in enumerate(found, 1)],
        "categories": [category],
    }
    write_text(out, json.dumps(data) + "\n")
    return Posed(video, len(kept), len(persons), sum(not some for some in who))


def _person(keypoints: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    """A person in COCO's words: visibility 2 for what is seen, 0 for what is not; the scores beside them."""
    seen = scores > 0
    grid = np.c_[np.where(seen[:, None], keypoints, 0).round(2), np.where(seen, 2, 0)]
    low, high = (end(keypoints[seen], axis=0) if seen.any() else np.zeros(2) for end in (np.min, np.max))
    return {
        "keypoints": [int(value) if value == int(value) else value for value in grid.ravel().tolist()],
        "keypoint_scores": scores.astype(np.float64).round(4).tolist(),
        "num_keypoints": int(seen.sum()),
        "bbox": np.r_[low, high - low].astype(np.float64).round(2).tolist(),
        "area": round(float(np.prod(high - low)), 2),
    }


@contextmanager
def estimated(
    source: Path, estimator: Estimator, mode: Mode, device: str = "cpu", python: Path | None = None
) -> Iterator[tuple[Video, Iterator[Found]]]:
    """What an estimator finds in a video while the block lasts: what the video is, and its frames one after another.

    The estimator runs in a process of its own (see `ossein.recipes.estimator`), so that it may have other packages, print
    what it likes, and crash.

    Raises:
        DataError: The video cannot be read, or the estimator fails.
        MissingExtra: The estimator is not installed in that Python.
    """
    num_joints = len(Skeleton.of(SKELETONS[estimator]))
    with as_file(files("ossein.recipes") / "estimator.py") as program, TemporaryFile() as chatter:
        words = [str(python or sys.executable), str(program), estimator, str(source), mode, device]
        try:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=chatter)
        except OSError as error:
            raise SettingsError(f"{words[0]}: cannot be run ({error.strerror}). Name a Python with --python.") from None
        with process:
            try:
                lines = _lines(process, source, estimator, chatter)
                yield Video(**next(lines)), (_found(line, num_joints) for line in lines)
            finally:
                process.kill()


def _lines(process: subprocess.Popen[bytes], source: Path, estimator: Estimator, chatter: IO[bytes]) -> Iterator[Any]:
    """What the program writes, line by line, as long as nothing goes wrong; a line at least."""
    said = None
    for line in process.stdout or ():
        try:
            said = json.loads(line)
        except ValueError:  # whatever was started is no Python
            break
        if isinstance(said, dict) and "missing" in said:
            raise MissingExtra(f"{estimator} cannot be imported ({said['missing']}). {_INSTALL[estimator]}")
        if isinstance(said, dict) and "error" in said:
            help = (
                "Check the video."
                if said["where"] == "video"
                else "rtmlib fetches its models when first used; check the network."
            )
            raise DataError(f"{source}: {estimator} gives up ({' '.join(said['error'].split())[:300]}). {help}")
        yield said
    if process.wait() or said is None:
        chatter.seek(0)
        last = chatter.read().decode(errors="replace").strip().splitlines()[-1:] or ["no word of why"]
        told = f"{estimator} ended with status {process.returncode} and no poses ({last[0][:300]})"
        raise DataError(f"{source}: {told}. Check that --python names a Python that runs it.")


def _found(persons: list[Any], num_joints: int) -> Found:
    grid = np.array(persons, np.float64).reshape(len(persons), num_joints, 3)
    return grid[..., :2], grid[..., 2]


def _counted(frames: Iterable[Found], video: Video, told: Callable[[int, int | None], None]) -> Iterator[Found]:
    for done, found in enumerate(frames, 1):
        yield found
        told(done, video.frames or None)
