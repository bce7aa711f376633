"""One's own data as plain numpy arrays in an `.npz`: the second form of the table reader."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ossein.clip import UNKNOWN, Clip
from ossein.errors import DataError, SkeletonError, did_you_mean
from ossein.readers.base import Source, array_header, damage, make_clip, unknown_skeleton, within
from ossein.readers.confidence import MANY, refuse_confidence
from ossein.readers.joints import place_joints
from ossein.readers.meta import Meta, named_skeleton, read_meta, texts
from ossein.readers.numbering import GROUPS, number_groups, number_labels
from ossein.skeleton import Skeleton
from ossein.words import count

_OF_CLIP = {"name": "U", "label": "iuU", "length": "iu", "split": "U", "size": "iuf", "rate": "iuf"}
_OF_CLIP |= dict.fromkeys(GROUPS, "iuUf")
_OF_SET = {"joint_names": "U", "edges": "iuU", "class_names": "U"}
_KINDS = {"f": "numbers", "i": "whole numbers", "U": "texts"}
_ALL = {"x": "fiu", "score": "fiub", **_OF_CLIP, **_OF_SET}

Arrays = Mapping[str, np.ndarray]


def read_arrays(path: Path, skeleton: Skeleton | None, classes: Sequence[str]) -> Source:
    """The clips of an archive of arrays, as `np.savez` writes them.

    `x` [N M T V C], or [N T V C] of one person each; NaN is an absent joint. All else is optional: `score` like x
    without C; per clip `name`, `label` (numbers, or texts), `length` (how many of the T frames are the clip's),
    `subject`, `camera`, `setup` (numbers, or texts), `split` (several with `;` between), `size` [N 2] (width, height), `rate`; for
    all `joint_names`, `edges` [B 2] and `class_names`, which go before a `meta.json` beside the file.

    Raises:
        DataError: The file is no archive, a name is unknown, a shape or number type is not as said, or a third coordinate
            looks like a confidence.
        SkeletonError: Nothing tells the skeleton, or it does not fit.
    """
    arrays = _load(path)
    with within(path):
        own = Meta(
            named_skeleton(path.stem, _listed(arrays, "joint_names"), _listed(arrays, "edges")),
            texts(_listed(arrays, "class_names"), "class_names"),
            joints=texts(_listed(arrays, "joint_names"), "joint_names"),
        )
    meta = read_meta(path).settle(skeleton or own.skeleton, tuple(classes) or own.classes)
    joints, arrays = _placed(path, arrays, own, meta)
    names = _names(path, arrays)
    labels, known = _labels(path, arrays, meta.classes)
    groups = _groups(path, arrays, names)
    return Source(
        clips=(
            _clip(path, arrays, n, joints, known, name=name, label=labels[n], **groups[name])
            for n, name in enumerate(names)
        ),
        num_clips=len(names),
        skeleton=joints,
        classes=known,
        splits=meta.splits | _splits(arrays, names),
        facts=meta.facts,
    )


def _load(path: Path) -> dict[str, np.ndarray]:
    """Every array, checked for its number type and shape; x comes as [N M T V C], score as [N M T V]."""
    with damage(path), zipfile.ZipFile(path) as archive:
        arrays = {name.removesuffix(".npy"): _array(path, archive, name) for name in archive.namelist()}
    for key, array in arrays.items():
        if key not in _ALL:
            raise DataError(f"{path}: unknown array '{key}'. {did_you_mean(key, _ALL, most=20)}")
        if array.dtype.kind not in _ALL[key]:
            raise DataError(f"{path}: '{key}' has number type {array.dtype}. Save {_KINDS[_ALL[key][0]]}.")
    x = arrays.get("x", np.zeros(0))
    if x.ndim not in (4, 5) or 0 in x.shape or x.shape[-1] not in (2, 3):
        raise DataError(f"{path}: x {list(x.shape)}, expected [N M T V C] or [N T V C] with C = 2 or 3. Reshape it.")
    score = arrays.get("score", np.ones(x.shape[:-1], np.float32))
    if score.shape != x.shape[:-1]:
        raise DataError(f"{path}: score {list(score.shape)}, expected {list(x.shape[:-1])} as x has it. Reshape it.")
    for key in _OF_CLIP.keys() & arrays.keys():
        wanted = (len(x), 2) if key == "size" else (len(x),)
        if arrays[key].shape != wanted:
            raise DataError(f"{path}: {key} {list(arrays[key].shape)}, expected {list(wanted)}, one per clip. Mend it.")
    if x.shape[-1] == 3:
        refuse_confidence(path, x[:MANY], "score")
    one = x.ndim == 4
    return arrays | {"x": x[:, None] if one else x, "score": score[:, None] if one else score}


def _array(path: Path, archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(name) as file:
        objects = array_header(file)[2].hasobject
    if objects:
        key = name.removesuffix(".npy")
        raise DataError(f"{path}: '{key}' is an array of Python objects, which may run code. {_way_out(key)}")
    with archive.open(name) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _way_out(key: str) -> str:
    """How to save what numpy made an array of objects of: clips of different lengths, or None among numbers or texts."""
    if key in ("x", "score"):
        return "Pad the clips to one length, give the frames of each in 'length', and save numbers such as float32."
    if "U" in _ALL.get(key, ""):
        return "Save texts, with '' where there is none: np.array([...], str)."
    return "Save plain numbers."


def _listed(arrays: Arrays, key: str) -> list | None:
    return arrays[key].tolist() if key in arrays else None


def _placed(path: Path, arrays: Arrays, own: Meta, meta: Meta) -> tuple[Skeleton, Arrays]:
    """The skeleton, and the arrays in its order: joints that the archive names go by name into a skeleton from elsewhere."""
    if not own.joints or (own.skeleton is not None and meta.skeleton is own.skeleton):
        if meta.skeleton is None:
            raise unknown_skeleton(path, arrays["x"].shape[3], meta.joints)
        return meta.skeleton, arrays
    x, score = arrays["x"], arrays["score"]
    if len(own.joints) != x.shape[3]:
        raise SkeletonError(f"{path}: {count(x.shape[3], 'joint')}, expected {len(own.joints)} as joint_names has it.")
    skeleton, numbers = place_joints(path, own.joints, meta.skeleton)
    if len(set(numbers)) < len(numbers):
        twice = next(v for i, v in enumerate(numbers) if v in numbers[:i])
        raise SkeletonError(f"{path}: two joint_names are '{skeleton.joints[twice]}' of {skeleton.name}. Rename one.")
    order, there = np.zeros(len(skeleton), int), np.zeros(len(skeleton), bool)
    order[numbers], there[numbers] = np.arange(len(numbers)), True
    if there.all() and (order == np.arange(len(order))).all():
        return skeleton, arrays  # as it is: a copy may be large
    return skeleton, {**arrays, "x": x[:, :, :, order], "score": np.where(there, score[..., order], 0)}


def _names(path: Path, arrays: Arrays) -> list[str]:
    num = len(arrays["x"])
    names = _listed(arrays, "name") or ([path.stem] if num == 1 else [f"{path.stem}_{n:06d}" for n in range(num)])
    first = {name: n for n, name in reversed(list(enumerate(names)))}
    again = next((n for n, name in enumerate(names) if first[name] < n), None)
    if again is not None:
        raise DataError(
            f"{path}: clips {first[names[again]]} and {again} are both called '{names[again]}'. Rename one."
        )
    return names


def _labels(path: Path, arrays: Arrays, classes: Sequence[str]) -> tuple[list[int], tuple[str, ...]]:
    """The label of each clip and the class names."""
    told = arrays.get("label", np.full(len(arrays["x"]), UNKNOWN)).tolist()
    if not isinstance(told[0], str):  # numbers are numbers, even where a class is called "2"
        return told, tuple(classes)
    numbers, known = number_labels(path, told, classes)
    return [numbers[word] for word in told], known


def _splits(arrays: Arrays, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    out: dict[str, list[str]] = {}
    for name, told in zip(names, arrays.get("split", ())):
        for split in filter(None, (word.strip() for word in str(told).split(";"))):
            out.setdefault(split, []).append(name)
    return {split: tuple(members) for split, members in out.items()}


def _groups(path: Path, arrays: Arrays, names: Sequence[str]) -> dict[str, dict[str, int]]:
    """The numbers of subject, camera and setup by clip."""
    told: dict[str, dict[str, Any]] = {name: {} for name in names}
    for key in [key for key in GROUPS if key in arrays]:
        for name, value in zip(names, arrays[key].tolist()):
            told[name][key] = value
    return number_groups(path, told)


def _clip(
    path: Path, arrays: Arrays, n: int, skeleton: Skeleton, classes: Sequence[str], *, name: str, **fields: Any
) -> Clip:
    length = int(arrays["length"][n]) if "length" in arrays else arrays["x"].shape[2]
    if not 0 < length <= arrays["x"].shape[2]:
        raise DataError(
            f"{path}: clip '{name}': length {length}, expected 1 to {arrays['x'].shape[2]}, the frames of x. Mend it."
        )
    x = arrays["x"][n, :, :length]
    fields |= {"rate": float(arrays["rate"][n])} if "rate" in arrays else {}
    fields |= {"size": tuple(map(float, arrays["size"][n]))} if "size" in arrays else {}
    score = np.where(np.isnan(x).any(-1), 0, arrays["score"][n, :, :length])
    return make_clip(path, x, score, skeleton, classes, name=name, **fields)
