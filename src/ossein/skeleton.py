"""Skeleton: the graph of joints that everything else is said in.

A skeleton names its joints, the bones between them, parts (groups that cover all joints), left/right pairs and the
body's centre and axes. Ten are built in; others come from a few lines of YAML or from a data set's own joint names and
edges. Joints are numbered from 0 in the order of the data.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from ossein import anatomy
from ossein.errors import SkeletonError, did_you_mean
from ossein.files import read_yaml
from ossein.words import count

Group = tuple[int, ...]


@dataclass(frozen=True)
class Skeleton:
    """The joints of a body (or a hand) and how they hang together; checked when made.

    Args:
        name: What to call it.
        joints: One name per joint, in the order of the data; V is their number.
        bones: Pairs of joint numbers; together they connect all joints, and loops are allowed.
        parts: Named groups of joints; disjoint, together all of them. The order numbers them from 0.
        pairs: (left, right) joint numbers that are each other's mirror image.
        centre: The joints whose mean is the body's centre.
        up: (lower joints, upper joints): from the mean of the first to that of the second is the body's upwards.
        across: (left joints, right joints): likewise from the body's left to its right.

    Raises:
        SkeletonError: Joints repeat, a number is out of range, the graph is in pieces, parts overlap or leave a
            joint out, or pairs contradict each other.

    >>> coco = Skeleton.of("coco-17")
    >>> len(coco), list(coco.parts)[3], coco.parts["left_arm"]
    (17, 'right_arm', (7, 9))
    """

    name: str
    joints: tuple[str, ...]
    bones: tuple[tuple[int, int], ...]
    parts: dict[str, Group]
    pairs: tuple[tuple[int, int], ...]
    centre: Group
    up: tuple[Group, Group] | None = None
    across: tuple[Group, Group] | None = None

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise SkeletonError(f"skeleton '{self.name}': {problem}")

    def __len__(self) -> int:
        return len(self.joints)

    def __hash__(self) -> int:
        return hash((self.name, self.joints, self.bones))

    @classmethod
    def of(cls, name: str | Path) -> "Skeleton":
        """A built-in skeleton by its name, or one's own from a YAML file.

        Args:
            name: Such as `coco-17`, or the path of a YAML file with `joints` and `bones` (and, if wished, `name`,
                `parts`, `pairs`, `centre`, `up`, `across`); joints may be given by name or number.

        Raises:
            SkeletonError: The name is unknown, or the file does not hold a good skeleton.
        """
        key = str(name)
        if key.lower() in _builtin():
            return _builtin()[key.lower()]
        if key.endswith((".yaml", ".yml", ".json")):
            return _from_file(Path(key))
        raise SkeletonError(f"no skeleton is called '{name}'. {did_you_mean(key.lower(), _builtin())}")

    @classmethod
    def make(cls, name: str, joints: Iterable[str], bones: Iterable[Sequence[int | str]], **more: Any) -> "Skeleton":
        """A skeleton from joint names and bones; what is not given is read off the names.

        Args:
            name: What to call it.
            joints: One name per joint, in the order of the data.
            bones: Pairs of joints, by number or name.
            more: Any of `parts`, `pairs`, `centre`, `up`, `across`, by number or name; an `up` of None is none.

        Raises:
            SkeletonError: What is given does not make a good skeleton.

        >>> Skeleton.make("tiny", ["hip", "left_knee", "right_knee"], [(0, 1), (0, 2)]).pairs
        ((1, 2),)
        """
        joints = _names(name, joints)
        number = _Numbers(name, joints)
        for key in sorted(set(more) - {"parts", "pairs", "centre", "up", "across"}):
            raise number.wrong(f"unknown key '{key}'. {did_you_mean(key, cls.__annotations__)}")
        edges = number.twos(bones)
        up, across = anatomy.axes(joints)
        middle = anatomy.centre(joints) or (_hops(len(joints), edges).sum(1).argmin(),)
        return cls(
            name=str(name),
            joints=joints,
            bones=edges,
            parts=number.groups(more["parts"]) if more.get("parts") else anatomy.parts(joints, edges),
            pairs=anatomy.pairs(joints) if more.get("pairs") is None else number.twos(more["pairs"]),
            centre=number.all(middle if more.get("centre") is None else more["centre"]),
            up=number.ends(more["up"]) if "up" in more else up,
            across=number.ends(more["across"]) if "across" in more else across,
        )

    def plain(self) -> dict[str, Any]:
        """The skeleton as plain data, for files; `Skeleton.from_plain` reads it back."""
        return asdict(self)

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> "Skeleton":
        """A skeleton from what `plain` gave.

        Raises:
            SkeletonError: A key is missing or the skeleton is not a good one.
        """
        try:
            return cls.make(**data)
        except TypeError as error:
            raise SkeletonError(f"not a skeleton: {error}. It needs 'name', 'joints' and 'bones'.") from None

    def adjacency(self) -> np.ndarray:
        """A, float32 [V V]: 1 where a bone joins two joints, both ways, 0 on the diagonal."""
        a = np.zeros((len(self), len(self)), np.float32)
        for i, j in self.bones:
            a[i, j] = a[j, i] = 1
        return a

    def hops(self) -> np.ndarray:
        """The number of bones on the shortest way between two joints, int [V V]."""
        return _hops(len(self), self.bones)

    def parents(self) -> tuple[int, ...]:
        """For each joint its neighbour on the way to the centre; a centre joint is its own parent."""
        far = self.hops()[:, list(self.centre)].min(1)
        near = self.adjacency().astype(bool)
        left = {b: a for a, b in self.pairs}
        side = dict.fromkeys(left.values(), 1) | dict.fromkeys(left, -1)

        # Among equally near neighbours prefer one on the same side, so that a mirrored body has mirrored parents; then
        # go by name (of the left one of a pair), so that the order of joints makes no difference.
        def rank(j: int, k: int) -> tuple[int, int, str, str]:
            return far[k], abs(side.get(j, 0) - side.get(k, 0)), self.joints[left.get(k, k)], self.joints[k]

        return tuple(
            j if far[j] == 0 else min(np.flatnonzero(near[j]).tolist(), key=partial(rank, j)) for j in range(len(self))
        )

    def mirror(self) -> tuple[int, ...]:
        """For each joint its mirror image: the other of its pair, or itself."""
        out = list(range(len(self)))
        for left, right in self.pairs:
            out[left], out[right] = right, left
        return tuple(out)

    def permuted(self, order: Sequence[int]) -> "Skeleton":
        """The same skeleton with joint `order[i]` of this one as joint i.

        Raises:
            SkeletonError: `order` is not a permutation of the joints.
        """
        if sorted(order) != list(range(len(self))):
            raise SkeletonError(f"skeleton '{self.name}': {list(order)} is no permutation of {len(self)} joints.")
        new = {old: i for i, old in enumerate(order)}

        def move(group: Iterable[int]) -> tuple[int, ...]:
            return tuple(new[j] for j in group)

        return Skeleton(
            name=f"{self.name}-permuted",
            joints=tuple(self.joints[j] for j in order),
            bones=tuple((new[a], new[b]) for a, b in self.bones),
            parts={key: move(group) for key, group in self.parts.items()},
            pairs=tuple((new[a], new[b]) for a, b in self.pairs),
            centre=move(self.centre),
            up=(move(self.up[0]), move(self.up[1])) if self.up else None,
            across=(move(self.across[0]), move(self.across[1])) if self.across else None,
        )


def builtin_names() -> tuple[str, ...]:
    """The names of the built-in skeletons."""
    return tuple(_builtin())


def same_joints(joints: Sequence[str]) -> Skeleton | None:
    """The built-in skeleton with these joint names in this order (however they are spelled), if there is one."""
    wanted = [sorted(anatomy.words(joint)) for joint in joints]
    return next(
        (s for s in _builtin().values() if [sorted(anatomy.words(joint)) for joint in s.joints] == wanted), None
    )


class _Numbers:
    """Joint numbers from numbers or names, with errors that say which skeleton is meant."""

    def __init__(self, name: str, joints: tuple[str, ...]) -> None:
        self.name, self.joints = name, joints

    def __call__(self, joint: Any) -> int:
        if isinstance(joint, str) and joint in self.joints:
            return self.joints.index(joint)
        if isinstance(joint, int | np.integer) and not isinstance(joint, bool):
            if 0 <= joint < len(self.joints):
                return int(joint)
            last = len(self.joints) - 1
            raise self.wrong(f"joint number {joint} is out of range, joints are numbered 0 to {last}.")
        raise self.wrong(f"no joint is called {joint!r}. {did_you_mean(str(joint), self.joints)}")

    def all(self, group: Any) -> Group:
        if not isinstance(group, Iterable) or isinstance(group, str):
            raise self.wrong(f"{group!r} is no list of joints. Write it as [{group!r}].")
        return tuple(self(joint) for joint in group)

    def twos(self, items: Any) -> tuple[tuple[int, int], ...]:
        try:
            items = [(a, b) for a, b in items]
        except (TypeError, ValueError):
            raise self.wrong("bones and pairs are lists of two joints each, such as [[0, 1]].") from None
        return tuple((self(a), self(b)) for a, b in items)

    def ends(self, value: Any) -> tuple[Group, Group] | None:
        if value is None:
            return None
        if isinstance(value, str) or not isinstance(value, Sequence) or len(value) != 2:
            raise self.wrong(f"{value!r} is no pair of lists of joints, such as [[0], [1, 2]].")
        return self.all(value[0]), self.all(value[1])

    def groups(self, value: Any) -> dict[str, Group]:
        if not isinstance(value, Mapping):
            raise self.wrong(f"parts {value!r} have no names, such as {{head: [0, 1]}}.")
        return {str(key): self.all(group) for key, group in value.items()}

    def wrong(self, what: str) -> SkeletonError:
        return SkeletonError(f"skeleton '{self.name}': {what}")


@cache
def _builtin() -> dict[str, Skeleton]:
    data = read_yaml(Path(__file__).with_name("skeletons.yaml"))
    return {name: Skeleton.make(name, **fields) for name, fields in data.items()}


def _from_file(path: Path) -> Skeleton:
    data = read_yaml(path)
    if not isinstance(data, dict) or not {"joints", "bones"} <= set(data):
        raise SkeletonError(f"{path}: a skeleton file needs the keys 'joints' and 'bones'. Add what is missing.")
    return Skeleton.from_plain({"name": path.stem, **{str(key): value for key, value in data.items()}})


def _names(name: str, joints: Any) -> tuple[str, ...]:
    if isinstance(joints, str) or not isinstance(joints, Iterable) or not (names := tuple(str(one) for one in joints)):
        raise SkeletonError(f"skeleton '{name}': joints {joints!r} are no list of names. Write them as [nose, neck].")
    return names


def _hops(num_joints: int, bones: Iterable[tuple[int, int]]) -> np.ndarray:
    far = np.full((num_joints, num_joints), num_joints, int)
    np.fill_diagonal(far, 0)
    for a, b in bones:
        far[a, b] = far[b, a] = 1
    for k in range(num_joints):
        far = np.minimum(far, far[:, k, None] + far[None, k])
    return far


def _problems(s: Skeleton) -> Iterable[str]:
    num, names = len(s), count(len(set(s.joints)), "different name")
    used = [*s.bones, *s.parts.values(), *s.pairs, s.centre, *(s.up or ()), *(s.across or ())]
    if num < 2 or len(set(s.joints)) < num:
        yield f"{count(num, 'joint')}, {names}; it needs two or more, each with its own name."
    bad = sorted({j for group in used for j in group if not 0 <= j < num})
    if bad:
        yield f"joint number {bad[0]} is out of range, joints are numbered 0 to {num - 1}."
        return
    if any(a == b for a, b in s.bones):
        yield "a bone joins a joint with itself. Remove it; self loops are added where a layer wants them."
    apart = np.flatnonzero(_hops(num, s.bones)[0] >= num)
    if len(apart):
        yield f"joint {apart[0]} ({s.joints[apart[0]]}) hangs on no bone that leads to joint 0. Add the missing bone."
    covered = sorted(j for group in s.parts.values() for j in group)
    if covered != list(range(num)):
        yield "parts must hold every joint exactly once. Mend the list of parts."
    paired = [j for pair in s.pairs for j in pair]
    if len(set(paired)) < len(paired):
        yield "a joint stands in two left/right pairs. Mend the list of pairs."
    if not s.centre:
        yield "no centre joint is given. Add 'centre: [joint]'."
