"""What stands beside a data set: `meta.json` with class names, joint names, edges, units, source and licence."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ossein.errors import DataError
from ossein.files import read_json
from ossein.readers.base import within
from ossein.skeleton import Skeleton, builtin_names, same_joints


@dataclass(frozen=True)
class Meta:
    """What is known about a data set besides its clips.

    Args:
        skeleton: Its skeleton, if named.
        classes: Class names in the order of labels; empty where not known.
        splits: Names of clips by the name of the split.
        facts: Every other text: unit, sensor, source, license ...
        joints: Joint names in the order of the data, if listed, whether or not they tell a skeleton.
    """

    skeleton: Skeleton | None = None
    classes: tuple[str, ...] = ()
    splits: dict[str, tuple[str, ...]] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    joints: tuple[str, ...] = ()

    def settle(self, skeleton: Skeleton | None, classes: Sequence[str], default: Skeleton | None = None) -> "Meta":
        """The same with what the caller gives in front, and the format's default behind.

        >>> Meta(classes=("wave",)).settle(None, (), Skeleton.of("coco-17")).skeleton.name
        'coco-17'
        """
        return replace(self, skeleton=skeleton or self.skeleton or default, classes=tuple(classes) or self.classes)


def read_meta(path: Path) -> Meta:
    """The `meta.json` beside a file or inside a folder; an empty `Meta` where there is none.

    Known keys: `class_names` (a list; a text means "not known"), `joint_names` (a list, or a text that begins with the
    name of a built-in skeleton, such as "COCO-17, eyes absent"), `edges` (pairs of joints, by number or name), `split`
    (lists of clip names; counts and notes are passed over), `name`. Every text is kept as a fact.

    Args:
        path: The data set's own file or folder.

    Raises:
        DataError: The file is not JSON or a key holds something else.
        SkeletonError: Joint names and edges do not make a good skeleton.
    """
    file = (path if path.is_dir() else path.parent) / "meta.json"
    if not file.is_file():
        return Meta()
    data = read_json(file)
    if not isinstance(data, dict):
        raise DataError(f"{file}: holds a {type(data).__name__}, expected an object with keys such as 'class_names'.")
    splits = data.get("split")
    with within(file):
        return Meta(
            skeleton=named_skeleton(str(data.get("name", path.stem)), data.get("joint_names"), data.get("edges")),
            classes=texts(data.get("class_names"), "class_names"),
            splits={
                key: texts(names, f"split.{key}")
                for key, names in (splits if isinstance(splits, dict) else {}).items()
                if isinstance(names, list)
            },
            facts={key: value for key, value in data.items() if isinstance(value, str)},
            joints=texts(data.get("joint_names"), "joint_names"),
        )


def named_skeleton(name: str, joints: Any, edges: Any) -> Skeleton | None:
    """The skeleton that joint names and edges tell, or nothing where they do not tell one.

    Args:
        name: What to call a skeleton that is not built in.
        joints: Joint names, or a text that begins with the name of a built-in skeleton.
        edges: Pairs of joints; needed where the joint names are not those of a built-in skeleton.

    Raises:
        DataError: `joints` or `edges` are of the wrong kind.
        SkeletonError: They do not make a good skeleton.

    >>> named_skeleton("mine", "COCO-17 order; ears absent", None).name
    'coco-17'
    """
    if isinstance(joints, str):
        begins = [known for known in builtin_names() if joints.lower().startswith(known)]
        return Skeleton.of(max(begins, key=len)) if begins else None
    names = texts(joints, "joint_names")
    if not names:
        return None
    builtin = same_joints(names)
    if builtin or edges is None or isinstance(edges, str):
        return builtin
    if not isinstance(edges, list):
        raise DataError(f"key 'edges' is a {type(edges).__name__}, expected pairs of joints such as [[0, 1]].")
    return Skeleton.make(name, names, edges)


def texts(value: Any, key: str) -> tuple[str, ...]:
    """A list of different texts under a key; nothing, or one text such as "unknown", is none.

    Raises:
        DataError: It is something else, or a text stands there twice.
    """
    if value is None or isinstance(value, str):
        return ()
    if not isinstance(value, Iterable) or isinstance(value, dict) or not all(isinstance(one, str) for one in value):
        raise DataError(f"key '{key}' is not a list of texts. Mend it, or leave it out.")
    if len(set(value)) < len(tuple(value)):
        twice = next(one for i, one in enumerate(value) if one in tuple(value)[:i])
        raise DataError(f"key '{key}' names '{twice}' twice. Remove one.")
    return tuple(value)
