"""The contract of readers: a foreign file in, clips and what is known about them out; and what all readers share.

Formats that have no word for "absent" write zeros. Which zeros mean what is decided here and in the readers, once:
behind them a missing joint has score 0 and nothing else tells it.
"""

import re
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from ossein.clip import PERSONS, UNKNOWN, Clip
from ossein.errors import DataError, OsseinError, SkeletonError, did_you_mean
from ossein.skeleton import Skeleton, builtin_names
from ossein.words import count

FAINT = 0.01
"""The score of a joint that is annotated but was not seen: its place is given, to be trusted hardly at all."""

LONGEST = 1_000_000
"""The most frames a clip may have; a frame number beyond it is a mistake in the file, not a longer clip."""

OVERSHOOT = 1.5
"""The highest score that is taken for 1: detectors that compute in float16 overshoot."""

_NIL = 1e-5
_NTU = re.compile(r"S(\d{3})C(\d{3})P(\d{3})R\d{3}A(\d{3})(?!\d)")


@dataclass(frozen=True)
class Source:
    """A data set as a reader sees it: facts at once, clips one after another.

    Args:
        clips: The clips, read when iterated; each has a unique name.
        num_clips: How many there will be, where it is known beforehand (for progress).
        skeleton: The skeleton that the format or a `meta.json` beside the file names, if any.
        classes: Class names in the order of labels; empty where not known.
        splits: Names of clips by the name of the split, such as `xsub_train`; names that no clip has are reported.
        facts: What else is known, as text: unit, sensor, licence, where it came from.
    """

    clips: Iterator[Clip]
    num_clips: int | None = None
    skeleton: Skeleton | None = None
    classes: tuple[str, ...] = ()
    splits: dict[str, tuple[str, ...]] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)


class Reader(ABC):
    """Reads one foreign format. Nothing in a file can run code, and errors name the file and the place.

    `name` is what the command line calls the format, `suffixes` are the endings of file names by which it can be
    guessed, `help` is one sentence.
    """

    name: str
    help: str
    suffixes: tuple[str, ...] = ()

    @abstractmethod
    def sniff(self, path: Path) -> bool:
        """Whether the file or folder looks like this format; reads little and raises nothing."""

    @abstractmethod
    def read(self, path: Path, *, skeleton: Skeleton | None = None, classes: Sequence[str] = ()) -> Source:
        """The data set in a file or folder.

        Args:
            path: The file or folder.
            skeleton: The skeleton to assume where the format does not say; wins over what is found.
            classes: Class names that win over what is found.

        Raises:
            DataError: The file is not of this format, cut short, or holds something it must not.
            SkeletonError: The joints do not fit the skeleton.
        """


@contextmanager
def within(where: Path | str) -> Iterator[None]:
    """Put the file (and place) in front of the message of every ossein error raised inside."""
    try:
        yield
    except OsseinError as error:
        raise type(error)(f"{where}: {error}") from None


@contextmanager
def damage(path: Path) -> Iterator[None]:
    """Say so, and name the file, where numpy or zipfile stumble over an archive that is cut short or damaged."""
    try:
        yield
    except OsseinError:
        raise
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error}). Check the path.") from None
    except Exception as error:  # zipfile, zlib, and numpy, whose headers are Python, raise nearly anything
        raise DataError(
            f"{path}: is no whole archive of plain arrays ({' '.join(str(error).split())}). The file may be cut short; fetch it again."
        ) from None


def archive_members(path: Path) -> set[str]:
    """The names of the files in a zip archive; none where it is not one."""
    try:
        with zipfile.ZipFile(path) as archive:
            return set(archive.namelist())
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError):
        return set()


def array_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether in Fortran's order, and number type of an array as `np.save` writes it; the file is then behind them."""
    old = np.lib.format.read_magic(file) == (1, 0)
    header = np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0
    return header(file)


def make_clip(
    where: Path | str,
    x: np.ndarray,
    score: np.ndarray,
    skeleton: Skeleton | None = None,
    classes: Sequence[str] = (),
    **fields: Any,
) -> Clip:
    """A clip from what a file says, checked against the skeleton and the classes.

    Scores up to `OVERSHOOT` are cut to 1; persons who are nowhere present are dropped, but one is kept, so that a clip in
    which nobody was found is still a clip. Of more than two persons those who are seen most come first, see
    `most_seen_first`.

    Args:
        where: The file, named in errors.
        x: Coordinates [M T V C] of any number type; float16 is widened here, before anyone takes differences.
        score: Confidence [M T V].
        skeleton: What the joints must fit.
        classes: Class names; a label beyond them is an error. Empty where not known.
        fields: The other fields of `Clip`.

    Raises:
        DataError: What `Clip` refuses, or a label that is negative (other than `UNKNOWN`) or beyond the classes.
        SkeletonError: The number of joints differs.
    """
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes inf, which Clip refuses by person and frame
        x, score = (np.asarray(array).astype(np.float32, copy=False) for array in (x, score))
    if x.ndim == 4 and score.shape == x.shape[:3] and score.size:
        seen = (score != 0).any((1, 2))
        seen[0] |= not seen.any()
        x, score = x[seen], np.where((score > 1) & (score <= OVERSHOOT), np.float32(1), score)[seen]
    with within(where):
        clip = Clip(x, score, **fields)
        if clip.label < UNKNOWN or (classes and clip.label >= len(classes)):
            raise DataError(
                f"clip '{clip.name}': label {clip.label}, expected 0 to {len(classes) - 1 if classes else '...'}. "
                "Labels count from 0; mend the label or the list of classes."
            )
        return most_seen_first(clip.fit(skeleton) if skeleton else clip)


def most_seen_first(clip: Clip) -> Clip:
    """The clip with its persons by their score, summed over frames and joints; equals, and any two persons, as they are.

    Models take the first persons of a clip, mostly two: who walks by for three frames must not push out who acts. The
    order of two means something in data sets (who hands over, who takes), and both are taken anyway.
    """
    if clip.num_persons <= PERSONS:
        return clip
    order = np.argsort(-clip.score.sum((1, 2), dtype=np.float64), kind="stable")
    return replace(clip, x=clip.x[order], score=clip.score[order])


def filled(x: np.ndarray) -> np.ndarray:
    """bool [M T]: the person-frames of x [M T V C] that hold anything; the others are zeros, that is, padding.

    >>> filled(np.array([[[[0.0, 0.0], [3.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]]])).tolist()
    [[True, False]]
    """
    return np.asarray((~near_zero(x)).any(-1))


def near_zero(x: np.ndarray) -> np.ndarray:
    """bool [M T V]: the joints of x [M T V C] at the origin, to float16's precision."""
    return np.asarray(np.abs(x).max(-1) < _NIL)


def unknown_skeleton(where: Path | str, num_joints: int, names: Sequence[str] = ()) -> SkeletonError:
    """The error for data whose joints nobody names, or by names that no built-in skeleton has."""
    told = (
        f" ({', '.join(names)}), and no built-in skeleton has just these in this order"
        if names
        else ", and nothing says which"
    )
    return SkeletonError(
        f"{where}: {count(num_joints, 'joint')}{told}. Name them with --skeleton ({', '.join(builtin_names())}, or a YAML "
        "file), or put 'joint_names' and 'edges' into a meta.json beside the file."
    )


def ntu_name(name: str) -> dict[str, int] | None:
    """Setup, camera, subject and label of a name such as `S001C002P003R002A013`, or nothing for other names.

    Setup, camera and subject count from 1 as in the name, the label from 0 (A013 is 12).

    >>> ntu_name("S001C002P003R002A013")
    {'setup': 1, 'camera': 2, 'subject': 3, 'label': 12}
    """
    found = _NTU.match(name)
    if not found:
        return None
    setup, camera, subject, action = map(int, found.groups())
    return {"setup": setup, "camera": camera, "subject": subject, "label": action - 1}


@dataclass(frozen=True)
class Recording:
    """One clip's file or folder, what to call the clip, and its class where a folder names one."""

    path: Path
    name: str
    label: int = UNKNOWN

    def clip(self, x: np.ndarray, score: np.ndarray, skeleton: Skeleton, classes: Sequence[str], **fields: Any) -> Clip:
        """The clip of this name and class from what the file says; see `make_clip`."""
        return make_clip(self.path, x, score, skeleton, classes, name=self.name, label=self.label, **fields)


def labelled(
    path: Path, is_clip: Callable[[Path], bool], classes: Sequence[str] = ()
) -> tuple[list[Recording], tuple[str, ...]]:
    """The clips at a path, and the class names: one clip, a folder of clips, or a folder of class folders of clips.

    Clips come in the order of their names. In class folders a clip is called `class/clip`, its label is the place of
    the folder's name in `classes`, or among the sorted folder names where none are given.

    Args:
        path: A clip, a folder of clips, or a folder of folders of clips.
        is_clip: Whether a file or folder is one clip.
        classes: Class names known beforehand.

    Raises:
        DataError: No clip is found, clips and class folders lie side by side, two clips have one name, or a class
            folder is not among `classes`.
    """
    if not path.exists():
        raise DataError(f"{path}: does not exist. Check the path.")
    if is_clip(path):
        return [Recording(path, path.stem if path.is_file() else path.name)], tuple(classes)
    clips = [child for child in _children(path) if is_clip(child)]
    folders = {child.name: found for child in _children(path) if (found := _clips_in(child, is_clip))}
    if clips and folders:
        raise DataError(
            f"{path}: clip '{clips[0].name}' lies beside class folder '{next(iter(folders))}'. "
            "Keep either clips or class folders in it."
        )
    if not clips and not folders:
        raise DataError(f"{path}: holds no clip of this format. Check the path or name another format.")
    classes = tuple(classes) or tuple(folders)
    for folder in folders:
        if folder not in classes:
            raise DataError(f"{path / folder}: no class is called '{folder}'. {did_you_mean(folder, classes)}")
    found = [Recording(clip, clip.stem if clip.is_file() else clip.name) for clip in clips]
    for folder, inside in folders.items():
        label = classes.index(folder)
        found += [Recording(clip, f"{folder}/{clip.stem if clip.is_file() else clip.name}", label) for clip in inside]
    _unique(found)
    return found, classes


def _children(path: Path) -> list[Path]:
    return sorted(child for child in path.iterdir() if not child.name.startswith(".")) if path.is_dir() else []


def _clips_in(path: Path, is_clip: Callable[[Path], bool]) -> list[Path]:
    return [] if is_clip(path) else [child for child in _children(path) if is_clip(child)]


def _unique(found: list[Recording]) -> None:
    seen: dict[str, Path] = {}
    for clip in found:
        if clip.name in seen:
            raise DataError(f"{clip.path}: has the same name as {seen[clip.name]}. Rename one of the two clips.")
        seen[clip.name] = clip.path
