"""Store: a whole data set in one file, memory-mapped, so that many processes share one copy.

Rows are person-frames, clip by clip and within a clip person by person: frame t of person m of clip n lies in row
`start[n] + m * frames[n] + t` of `x` [R V C] and `score` [R V]. Everything else is one entry per clip. The file is a
safetensors container, and opening it reads the small tables only.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ossein.clip import Clip
from ossein.errors import DataError, did_you_mean
from ossein.skeleton import Skeleton
from ossein.store.container import open_container
from ossein.store.rows import take
from ossein.words import count

if TYPE_CHECKING:
    from ossein.clip import Batch
    from ossein.draw import Draw

FORMAT, VERSION = "ossein-store", "1"
SPLIT = "split/"
"""What the name of an array begins with that lists the clips of a split."""

TABLES = {
    "start": "<i8",
    "digest": "<i8",
    "size": "<f8",
    "rate": "<f8",
    "persons": "<i4",
    "frames": "<i4",
    "label": "<i4",
    "subject": "<i4",
    "camera": "<i4",
    "setup": "<i4",
}
"""Element types of the arrays with one entry per clip."""


class Store:
    """A data set in one file; open it with `Store.open`, make it with `write_store`.

    It can be pickled to another process, which then maps the same file.

    Attributes:
        path: The file.
        skeleton: The V joints.
        classes: Class names in the order of labels.
        facts: What else is known, as text: unit, sensor, licence, what was left out.
        hash: Names the content (data, skeleton, classes, splits), whatever the file is called.
        x: Coordinates, float16 or float32 [R V C], mapped.
        score: Confidence, float16 or float32 [R V], mapped.
        names: Clip names, all different.
        start: The first row of each clip, int64 [N].
        persons: Persons in each clip, int64 [N].
        frames: Frames of each clip, int64 [N].
        labels: Class of each clip, int64 [N]; -1 is unknown, likewise below.
        subjects: Performer of each clip, int64 [N].
        cameras: Camera of each clip, int64 [N].
        setups: Recording set-up of each clip, int64 [N].
        sizes: Width and height of the image, float64 [N 2]; NaN where not known.
        rates: Frames per second, float64 [N]; NaN where not known.
        splits: Clip numbers, int64, by the name of the list.
    """

    def __init__(self, path: Path, metadata: dict[str, str], arrays: dict[str, np.ndarray]) -> None:
        self.path = path
        self.skeleton = Skeleton.from_plain(json.loads(metadata["skeleton"]))
        self.classes: tuple[str, ...] = tuple(json.loads(metadata["classes"]))
        self.facts: dict[str, str] = dict(json.loads(metadata["facts"]))
        self.hash = metadata["hash"]
        self.x, self.score = arrays["x"], arrays["score"]
        self.names = tuple(arrays["names"].tobytes().decode().split("\n"))
        self.start, self.digests = arrays["start"].astype(np.int64), arrays["digest"].astype(np.int64)
        self.persons, self.frames = arrays["persons"].astype(np.int64), arrays["frames"].astype(np.int64)
        self.labels, self.subjects = arrays["label"].astype(np.int64), arrays["subject"].astype(np.int64)
        self.cameras, self.setups = arrays["camera"].astype(np.int64), arrays["setup"].astype(np.int64)
        self.sizes, self.rates = arrays["size"].astype(np.float64), arrays["rate"].astype(np.float64)
        self.splits: dict[str, np.ndarray] = {
            name.removeprefix(SPLIT): list_.astype(np.int64) for name, list_ in arrays.items() if name.startswith(SPLIT)
        }

    @classmethod
    def open(cls, path: Path | str) -> "Store":
        """A store from its file.

        Raises:
            DataError: The file cannot be read, is no clip store, is cut short or damaged, or is of another version.
        """
        path = Path(path)
        metadata, arrays = open_container(path)
        if metadata.get("format") != FORMAT:
            raise DataError(
                f"{path}: is a safetensors file, but not a clip store. Make one with 'ossein data prepare'."
            )
        if metadata.get("version") != VERSION:
            raise DataError(
                f"{path}: is a clip store of version {metadata.get('version')}, this ossein reads version {VERSION}. "
                "Update ossein, or make the store again."
            )
        try:
            for problem in _ill_formed(arrays):
                raise ValueError(problem)
            store = cls(path, metadata, arrays)
            for problem in _inconsistent(store):
                raise ValueError(problem)
        except KeyError as error:
            raise DataError(f"{path}: is damaged ({error} is missing). Make the store again.") from None
        except (ValueError, TypeError, RecursionError) as error:
            raise DataError(f"{path}: is damaged ({error}). Make the store again.") from None
        return store

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        classes = count(len(self.classes), "class")
        return f"Store('{self.path}', {count(len(self), 'clip')}, {self.skeleton.name}, {classes})"

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path.absolute(), "hash": self.hash}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(Store.open(state["path"]).__dict__)
        if self.hash != state["hash"]:
            raise DataError(f"{self.path}: holds other clips than when it was opened. Start again.")

    @property
    def dims(self) -> int:
        """C, the coordinates of a joint: 2 or 3."""
        return self.x.shape[2]

    @property
    def max_persons(self) -> int:
        """M, the most persons in any clip."""
        return int(self.persons.max())

    @property
    def has_sizes(self) -> bool:
        """Whether the image size of every clip is known."""
        return not bool(np.isnan(self.sizes).any())

    def clip(self, index: int) -> Clip:
        """One clip, as it was before it was stored.

        Raises:
            DataError: There is no such clip.
        """
        rows, shape = self._rows(index), (self.persons[index], self.frames[index], len(self.skeleton))
        return Clip(
            x=self.x[rows].astype(np.float32).reshape(*shape, self.dims),
            score=self.score[rows].astype(np.float32).reshape(shape),
            name=self.names[index],
            label=int(self.labels[index]),
            subject=int(self.subjects[index]),
            camera=int(self.cameras[index]),
            setup=int(self.setups[index]),
            size=None
            if np.isnan(self.sizes[index]).any()
            else (float(self.sizes[index, 0]), float(self.sizes[index, 1])),
            rate=None if np.isnan(self.rates[index]) else float(self.rates[index]),
        )

    def take_rows(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates and confidence of some rows; see `ossein.store.rows.Rows`."""
        return take(self.x, self.score, rows)

    def find(self, name: str) -> int:
        """The number of the clip with this name.

        Raises:
            DataError: No clip is called so.
        """
        try:
            return self.names.index(name)
        except ValueError:
            raise DataError(f"{self.path}: no clip is called '{name}'. {did_you_mean(name, self.names)}") from None

    def identical(self, a: Iterable[int], b: Iterable[int]) -> list[tuple[int, int]]:
        """The clips of `a` with an identical twin in `b`, each with the first such twin; a clip is not its own twin.

        Args:
            a: Clip numbers, such as those of a test list.
            b: Clip numbers, such as those of a training list.
        """
        twins: dict[int, list[int]] = {}
        for j in map(int, b):
            twins.setdefault(int(self.digests[j]), []).append(j)
        pairs = []
        for i in map(int, a):
            same = (j for j in twins.get(int(self.digests[i]), ()) if j != i and self._equal(i, j))
            pairs += [(i, j) for j in [next(same, None)] if j is not None]
        return pairs

    def sample(
        self,
        indices: "Sequence[int] | np.ndarray",
        frames: int,
        *,
        draw: "Draw | None" = None,
        crop: tuple[float, float] = (0.5, 1.0),
        persons: int | None = None,
    ) -> "Batch":
        """A training batch: a random window of each clip, resampled; see `ossein.store.sample.sample_train`."""
        from ossein.store.sample import sample_train

        return sample_train(self, indices, frames, draw, crop, persons)

    def sample_views(
        self,
        indices: "Sequence[int] | np.ndarray",
        frames: int,
        *,
        share: float = 0.95,
        views: int = 1,
        persons: int | None = None,
    ) -> "Batch":
        """A test batch: fixed windows of each clip, resampled; see `ossein.store.sample.sample_test`."""
        from ossein.store.sample import sample_test

        return sample_test(self, indices, frames, share, views, persons)

    def _rows(self, index: int) -> slice:
        if not 0 <= index < len(self):
            raise DataError(f"{self.path}: there is no clip {index}, they are numbered 0 to {len(self) - 1}.")
        return slice(self.start[index], self.start[index] + self.persons[index] * self.frames[index])

    def _equal(self, i: int, j: int) -> bool:
        a, b = self._rows(i), self._rows(j)
        return (
            self.frames[i] == self.frames[j]
            and self.persons[i] == self.persons[j]
            and self.x[a].tobytes() == self.x[b].tobytes()
            and self.score[a].tobytes() == self.score[b].tobytes()
        )


def _ill_formed(arrays: dict[str, np.ndarray]) -> Iterator[str]:
    num = len(arrays["start"])
    for name, dtype in TABLES.items():
        if arrays[name].dtype != dtype or arrays[name].shape != ((num, 2) if name == "size" else (num,)):
            yield f"array '{name}' has the wrong type or shape"
    for name, ndim in (("x", 3), ("score", 2)):
        if arrays[name].dtype not in ("<f2", "<f4") or arrays[name].ndim != ndim:
            yield f"array '{name}' has the wrong type or shape"
    for name, array in arrays.items():
        if name.startswith(SPLIT) and (array.dtype != "<i4" or array.ndim != 1 or not len(array)):
            yield f"array '{name}' has the wrong type or shape"


def _inconsistent(store: Store) -> Iterator[str]:
    num, rows = len(store.start), store.persons * store.frames
    if num == 0 or len(store.names) != num:
        yield f"{count(len(store.names), 'name')} for {count(num, 'clip')}"
    if min(store.persons.min(), store.frames.min()) < 1 or (store.start != np.cumsum(rows) - rows).any():
        yield "clips overlap or leave a gap"
    if store.x.shape != (rows.sum(), len(store.skeleton), store.dims) or store.dims not in (2, 3):
        people = count(rows.sum(), "person-frame")
        yield f"x {list(store.x.shape)} does not hold {people} of {len(store.skeleton)} joints"
    if store.score.shape != store.x.shape[:2]:
        yield f"score {list(store.score.shape)} does not fit x {list(store.x.shape)}"
    if store.labels.min() < -1 or store.labels.max() >= len(store.classes):
        yield f"label {store.labels.max()} of {count(len(store.classes), 'class')}"
    if not all(type(text) is str for text in (*store.classes, *store.facts.values())):
        yield "class names and facts are no text"
    for name, members in store.splits.items():
        if members.min() < 0 or members.max() >= num:
            yield f"split '{name}' lists a clip that is not there"
