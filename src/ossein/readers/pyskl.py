"""PYSKL and MMAction2 pickles: most published 2-D poses, and many 3-D ones."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ossein.clip import UNKNOWN, Clip
from ossein.errors import DataError
from ossein.readers.base import FAINT, Reader, Source, filled, make_clip, near_zero, ntu_name, unknown_skeleton
from ossein.readers.confidence import MANY, refuse_confidence
from ossein.readers.meta import Meta, read_meta
from ossein.readers.numbering import GROUPS, number_groups, number_labels
from ossein.readers.unpickle import load_pickle
from ossein.skeleton import Skeleton

_CORNER = 2.0
_NEEDED = ("keypoint", "total_frames")


class PYSKL(Reader):
    """Annotation pickles: `{'split': ..., 'annotations': [...]}`, or the bare list of annotations.

    An annotation holds `frame_dir` (or `filename`), `keypoint` [M T V C], `total_frames`, and where known `label`,
    `keypoint_score` [M T V], `img_shape` (height, width), `subject`, `view` or `camera`, `setup`. The label is a number
    or a text, as are the last four; texts are numbered in sorted order, those of labels where no classes are known.

    The format cannot say that a joint is absent. Here is what counts as absent: a person-frame that is all zero; a
    joint of score 0 at the origin, or, in an image of known size, within two pixels of its corner, where data sets
    put their fill values. A joint of score 0 elsewhere was annotated but not seen: it is kept with score `FAINT`.
    Without scores every joint of a person-frame that holds anything is present.
    """

    name = "pyskl"
    help = "PYSKL / MMAction2 annotation pickle (.pkl), 2-D or 3-D; read without running anything in it."
    suffixes = (".pkl", ".pickle")

    def sniff(self, path: Path) -> bool:
        """Whether the file is called a pickle and begins like one."""
        try:
            with path.open("rb") as file:
                return path.suffix.lower() in self.suffixes and file.read(1) in (b"\x80", b"(", b"]", b"}")
        except OSError:
            return False

    def read(self, path: Path, *, skeleton: Skeleton | None = None, classes: Sequence[str] = ()) -> Source:
        """The clips of a pickle; the pickle is held whole, but each annotation is let go once it is a clip."""
        annotations, splits = _parts(path, load_pickle(path))
        names = _names(path, annotations)
        first = _keypoint(path, annotations[0], names[0])
        if first.shape[3] == 3:
            some = (_keypoint(path, one, name) for one, name in zip(annotations[:MANY], names))
            refuse_confidence(path, (x for x in some if x.shape[3] == 3), "keypoint_score")
        beside = read_meta(path)
        meta = beside.settle(skeleton, classes, None if beside.joints else _default(*first.shape[2:]))
        if meta.skeleton is None:
            raise unknown_skeleton(path, first.shape[2], meta.joints)
        labels, known = _labels(path, annotations, names, meta.classes)
        groups = number_groups(path, dict(zip(names, map(_groups, annotations))))
        told = {name: {"label": label, **groups[name]} for name, label in zip(names, labels)}
        found, notes = _found(splits, _aliases(annotations, names))
        meta = meta.settle(None, known)
        return Source(
            clips=_clips(path, annotations, told, meta),
            num_clips=len(annotations),
            skeleton=meta.skeleton,
            classes=meta.classes,
            splits=meta.splits | found,
            facts=meta.facts | notes,
        )


def _parts(path: Path, data: Any) -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
    """The annotations and the splits, each checked for its kind alone."""
    annotations = data.get("annotations") if isinstance(data, dict) else data
    splits = (data.get("split") or {}) if isinstance(data, dict) else {}
    if not isinstance(annotations, list) or not annotations:
        keys = f" with keys {list(data)[:8]}" if isinstance(data, dict) else ""
        raise DataError(
            f"{path}: holds a {type(data).__name__}{keys}, expected {{'split', 'annotations'}} or a list of annotations, "
            "with at least one. Is it a PYSKL annotation file?"
        )
    for i, annotation in enumerate(annotations):
        if not isinstance(annotation, dict):
            raise DataError(f"{path}: annotation {i} is a {type(annotation).__name__}, expected a dictionary.")
    if not isinstance(splits, dict):
        raise DataError(f"{path}: 'split' is a {type(splits).__name__}, expected names of splits with lists of clips.")
    named: dict[str, list[str]] = {}
    for key, members in splits.items():
        members = list(np.asarray(members)) if hasattr(members, "__array__") else members
        if not isinstance(members, list | tuple) or not all(isinstance(one, str) for one in members):
            raise DataError(f"{path}: split '{key}' is not a list of clip names. Write their 'frame_dir' into it.")
        named[str(key)] = [str(one) for one in members]
    return annotations, named


def _names(path: Path, annotations: list[dict[str, Any]]) -> list[str]:
    """One name per annotation; each must be a text, and no two the same."""
    seen: dict[str, int] = {}
    for i, annotation in enumerate(annotations):
        name = annotation.get("frame_dir", annotation.get("filename"))
        if not isinstance(name, str):
            raise DataError(f"{path}: annotation {i} has no 'frame_dir', the name of its clip. Give it one.")
        if name in seen:
            raise DataError(
                f"{path}: annotations {seen[name]} and {i} are both called '{name}'. Rename one or take it out."
            )
        seen[name] = i
    return list(seen)


def _aliases(annotations: list[dict[str, Any]], names: list[str]) -> dict[str, str]:
    """Clip names by what a split may call them: `frame_dir` or `filename`."""
    files = {a["filename"]: name for a, name in zip(annotations, names) if isinstance(a.get("filename"), str)}
    return files | {name: name for name in names}


def _found(
    splits: Mapping[str, list[str]], known: Mapping[str, str]
) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """The members of splits that are clips, and a note that counts the others."""
    found = {key: tuple(known[one] for one in members if one in known) for key, members in splits.items()}
    lost = {key: len(members) - len(found[key]) for key, members in splits.items() if len(found[key]) < len(members)}
    told = ", ".join(f"{key}: {num}" for key, num in lost.items())
    return found, {"names in splits without a clip": told} if lost else {}


def _default(num_joints: int, dims: int) -> Skeleton | None:
    if num_joints == 17:
        return Skeleton.of("coco-17")
    return Skeleton.of("ntu-25") if (num_joints, dims) == (25, 3) else None


def _clips(
    path: Path, annotations: list[dict[str, Any]], told: Mapping[str, Mapping[str, int]], meta: Meta
) -> Iterator[Clip]:
    for i, (name, numbers) in enumerate(told.items()):
        annotation, annotations[i] = annotations[i], {}  # lets go of it: the next one needs the memory
        yield _clip(path, annotation, name, numbers, meta)


def _clip(path: Path, annotation: Mapping[str, Any], name: str, told: Mapping[str, int], meta: Meta) -> Clip:
    size = _size(path, annotation, name)
    x = _keypoint(path, annotation, name)
    score = annotation.get("keypoint_score")
    if score is not None:
        score = _numbers(path, score, name, "keypoint_score")
        if score.shape != x.shape[:3]:
            raise DataError(
                f"{path}: clip '{name}': keypoint_score {list(score.shape)}, expected {list(x.shape[:3])} as 'keypoint' "
                "has it. Mend the annotation."
            )
    score = presence(x, score, pixels=size is not None and x.shape[3] == 2)
    if not len(x):  # nobody was found: one person who is nowhere stands for the clip
        x, score = np.zeros((1, *x.shape[1:])), np.zeros((1, *x.shape[1:3]))
    return make_clip(
        path, x, score, meta.skeleton, meta.classes, name=name, size=size, **{**(ntu_name(name) or {}), **told}
    )


def presence(x: np.ndarray, score: np.ndarray | None, *, pixels: bool) -> np.ndarray:
    """Scores in our sense [M T V], 0 for absent, from coordinates and (where the file has them) the file's scores.

    Args:
        x: Coordinates [M T V C] as the file has them.
        score: The file's scores [M T V].
        pixels: Whether `x` is in pixels of an image whose corner is the origin.
    """
    somebody = filled(x)[..., None]
    if score is None:
        return np.broadcast_to(somebody, x.shape[:3]).astype(np.float32)
    nowhere = near_zero(x) | ~np.isfinite(x).all(-1)
    if pixels:
        nowhere |= np.abs(x).max(-1) <= _CORNER
    seen = np.where(score == 0, np.where(nowhere, np.float32(0), np.float32(FAINT)), score)
    return np.where(somebody, seen, np.float32(0))


def _keypoint(path: Path, annotation: Mapping[str, Any], name: str) -> np.ndarray:
    for key in _NEEDED:
        if key not in annotation:
            packed = "raw_file" in annotation or "box_score" in annotation
            advice = (
                "It is the compressed Kinetics-400 variant, whose poses lie in other files: unpack it with PYSKL's "
                "DecompressPose first."
                if packed and key == "keypoint"
                else "Mend the annotation."
            )
            raise DataError(f"{path}: clip '{name}' has no '{key}'. {advice}")
    x, frames = _numbers(path, annotation["keypoint"], name, "keypoint"), _plain(annotation["total_frames"])
    if x.ndim != 4 or x.shape[3] not in (2, 3) or x.shape[1] != frames or 0 in x.shape[1:]:
        raise DataError(
            f"{path}: clip '{name}': keypoint {list(x.shape)}, expected [M, T, V, C] with T = total_frames = {frames} and "
            "C = 2 or 3. Mend the annotation or take it out."
        )
    return x


def _numbers(path: Path, value: Any, name: str, key: str) -> np.ndarray:
    array = np.asarray(value) if hasattr(value, "__array__") else None
    if array is None or array.dtype.kind not in "fiu":
        raise DataError(f"{path}: clip '{name}': '{key}' is not an array of numbers. Mend the annotation.")
    return array


def _size(path: Path, annotation: Mapping[str, Any], name: str) -> tuple[float, float] | None:
    """Width and height; the file has them the other way round."""
    shape = annotation.get("img_shape")
    if shape is None:
        return None
    try:
        height, width = (float(one) for one in np.asarray(shape)[:2])
        if not (0 < height < np.inf and 0 < width < np.inf):
            raise ValueError
    except (TypeError, ValueError, IndexError):
        raise DataError(f"{path}: clip '{name}': img_shape {shape!r}, expected (height, width). Mend it.") from None
    return width, height


def _groups(annotation: Mapping[str, Any]) -> dict[str, Any]:
    """Subject, camera and setup as the annotation says them; `view` goes before `camera`."""
    told = {key: _plain(annotation.get(key)) for key in (*GROUPS, "view")}
    return told | ({} if told["view"] is None else {"camera": told["view"]})


def _labels(
    path: Path, annotations: list[dict[str, Any]], names: list[str], classes: Sequence[str]
) -> tuple[list[int], tuple[str, ...]]:
    """The label of each annotation and the class names: texts are numbered as everywhere, numbers are themselves."""
    told = [_label(path, annotation, name) for annotation, name in zip(annotations, names)]
    texts = [label for label in told if isinstance(label, str)]
    numbers, known = number_labels(path, texts, classes)
    if known and not classes:  # made of the texts, so that a number has no place among them
        for name, label in zip(names, told):
            if not isinstance(label, str) and label != UNKNOWN:
                raise DataError(
                    f"{path}: clip '{name}': label {label}, but other clips have texts such as '{known[0]}'. Write all of "
                    "them as numbers or all as texts, or name the classes with --classes."
                )
    return [numbers[label] if isinstance(label, str) else label for label in told], known


def _label(path: Path, annotation: Mapping[str, Any], name: str) -> int | str:
    label = _plain(annotation.get("label"))
    if label is None:
        return UNKNOWN
    if isinstance(label, bool) or not isinstance(label, int | str):
        raise DataError(
            f"{path}: clip '{name}': label {label!r:.80}, expected a whole number from 0 or a text. Mend the annotation."
        )
    return label


def _plain(value: Any) -> Any:
    """An array as plain Python: one of no dimensions is the number or text in it."""
    return np.asarray(value).tolist() if hasattr(value, "__array__") else value
