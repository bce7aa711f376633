"""Writing a store: clips come one at a time and leave RAM at once; the file appears whole or not at all."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Protocol

import numpy as np

from ossein.clip import Clip
from ossein.errors import DataError, SkeletonError
from ossein.files import atomic
from ossein.skeleton import Skeleton
from ossein.store.container import Form, encode_header
from ossein.store.file import FORMAT, SPLIT, TABLES, VERSION, Store
from ossein.words import count, noun

_BLOCK = 1 << 20
"""How many numbers are held at once while a large array is copied."""

_MOST_CLASSES = 100_000


class Clips(Protocol):
    """What can be stored: clips one after another, and what is known about them (a reader's `Source`, say)."""

    @property
    def clips(self) -> Iterable[Clip]:
        """The clips, each with its own name."""
        ...

    @property
    def num_clips(self) -> int | None:
        """How many there will be, where it is known."""
        ...

    @property
    def skeleton(self) -> Skeleton | None:
        """The joints, where they are known."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, where they are known."""
        ...

    @property
    def splits(self) -> Mapping[str, Sequence[str]]:
        """Clip names by the name of the list."""
        ...

    @property
    def facts(self) -> Mapping[str, str]:
        """What else is known."""
        ...


def write_store(
    source: Clips,
    path: Path | str,
    *,
    skeleton: Skeleton | None = None,
    classes: Sequence[str] = (),
    progress: Callable[[int, int | None], None] | None = None,
) -> Store:
    """Write clips to one file and open it.

    Numbers are kept exactly: as float16 if every one of them survives that, else as float32. What stood at `path`
    stays until the new file is complete, and an error or interrupt leaves nothing behind. Names in a split that no
    clip has are left out of it and counted in the store's facts.

    Args:
        source: The clips and what is known about them.
        path: The file to make, such as `ntu60.clips`.
        skeleton: The joints; wins over what the source says.
        classes: Class names in the order of labels; win over what the source says. Where nobody knows them but clips
            have labels, classes are called `class_00`, `class_01` and so on.
        progress: Called after each clip with how many are done and how many there will be, if that is known.

    Raises:
        SkeletonError: No skeleton is known, or a clip has other joints.
        DataError: There is no clip, two have the same name, they differ in their coordinates, a label has no class,
            or the file cannot be written.
    """
    path, skeleton = Path(path), skeleton or source.skeleton
    if skeleton is None:
        raise SkeletonError(
            f"{path}: nothing says which joints the data has. Name them with --skeleton NAME or --skeleton FILE.yaml, "
            "or put a meta.json with joint_names and edges beside the data."
        )
    if path.is_dir():
        raise DataError(f"{path}: is a folder, expected the name of a file to make.")
    with atomic(path) as file, _part(path) as x, _part(path) as score:
        spool = _Spool(path, skeleton, x, score)
        for clip in source.clips:
            spool.add(clip)
            if progress:
                progress(len(spool.names), source.num_clips)
        spool.finish(file, classes or source.classes, source.splits, source.facts)
    return Store.open(path)


class _Spool:
    """Clips on their way into a store: numbers in two nameless temporary files, tables in RAM."""

    def __init__(self, path: Path, skeleton: Skeleton, x: IO[bytes], score: IO[bytes]) -> None:
        self.path, self.skeleton = path, skeleton
        self.parts = {"x": x, "score": score}
        self.half = {"x": True, "score": True}
        self.names: dict[str, int] = {}
        self.tables: dict[str, list] = {name: [] for name in TABLES}
        self.rows = 0
        self.dims = 0

    def add(self, clip: Clip) -> None:
        self._check(clip.fit(self.skeleton))
        digest = hashlib.blake2b(str(clip.x.shape).encode(), digest_size=8)
        for name, array in (("x", clip.x), ("score", clip.score)):
            raw = np.ascontiguousarray(array, "<f4")
            self.half[name] = self.half[name] and _survives_half(raw)
            digest.update(raw.data)
            with _disk(self.path):
                self.parts[name].write(raw.data)
        entry = {
            "start": self.rows,
            "digest": int.from_bytes(digest.digest(), "little", signed=True),
            "size": clip.size or (np.nan, np.nan),
            "rate": np.nan if clip.rate is None else clip.rate,
            "persons": clip.num_persons,
            "frames": clip.num_frames,
            **{key: getattr(clip, key) for key in ("label", "subject", "camera", "setup")},
        }
        for key, value in entry.items():
            self.tables[key].append(value)
        self.names[clip.name] = len(self.names)
        self.rows += clip.num_persons * clip.num_frames

    def finish(
        self, file: BinaryIO, classes: Sequence[str], splits: Mapping[str, Sequence[str]], facts: Mapping[str, str]
    ) -> None:
        if not self.names:
            raise DataError(f"{self.path}: there is no clip to store. Check what the data holds.")
        members, notes = _members(splits, self.names)
        arrays = {name: np.array(self.tables[name], dtype) for name, dtype in TABLES.items()}
        arrays |= {SPLIT + name: np.array(list_, "<i4") for name, list_ in members.items()}
        arrays["names"] = np.frombuffer("\n".join(self.names).encode(), np.uint8)
        forms: dict[str, Form] = {name: (array.dtype, array.shape) for name, array in arrays.items()}
        for name, last in (("x", (self.dims,)), ("score", ())):
            forms[name] = (np.dtype("<f2" if self.half[name] else "<f4"), (self.rows, len(self.skeleton), *last))
        forms = dict(sorted(forms.items(), key=lambda item: -item[1][0].itemsize))
        metadata = self._metadata(classes, {**facts, **notes})
        for text in (*metadata.values(), *members):
            if not _is_line(text):
                raise DataError(f"{self.path}: {text!r} is not text that a file can hold. Mend the names in the data.")
        with _disk(self.path):
            self._assemble(file, metadata, forms, arrays)

    def _metadata(self, classes: Sequence[str], facts: Mapping[str, str]) -> dict[str, str]:
        plain = {
            "skeleton": self.skeleton.plain(),
            "classes": [str(name) for name in self._classes(classes)],
            "facts": {str(key): str(value) for key, value in facts.items()},
        }
        texts = {key: json.dumps(value, ensure_ascii=False) for key, value in plain.items()}
        return {"format": FORMAT, "version": VERSION, **texts}

    def _assemble(
        self, file: BinaryIO, metadata: dict[str, str], forms: dict[str, Form], arrays: dict[str, np.ndarray]
    ) -> None:
        # The hash is known only when everything is written; zeros of its length stand for it until then.
        content = hashlib.sha256(encode_header({key: metadata[key] for key in ("skeleton", "classes")}, forms))
        file.write(encode_header({**metadata, "hash": "0" * len(content.hexdigest())}, forms))
        for name, (dtype, _) in forms.items():
            for block in [arrays[name]] if name in arrays else self._blocks(name, dtype):
                content.update(block.data)
                file.write(block.data)
        file.seek(0)
        file.write(encode_header({**metadata, "hash": content.hexdigest()}, forms))
        file.flush()

    def _check(self, clip: Clip) -> None:
        self.dims = self.dims or clip.x.shape[3]
        if clip.x.shape[3] != self.dims:
            raise DataError(
                f"{self.path}: clip '{clip.name}' has {clip.x.shape[3]} coordinates a joint, those before it {self.dims}. "
                "Store 2-D and 3-D clips in two files."
            )
        if clip.name in self.names:
            raise DataError(f"{self.path}: two clips are called '{clip.name}'. Give every clip its own name.")
        if not _is_line(clip.name):
            raise DataError(f"{self.path}: the clip name {clip.name!r} is not one line of text. Rename the clip.")
        for key in ("label", "subject", "camera", "setup"):
            if not -1 <= getattr(clip, key) < 2**31:
                raise DataError(
                    f"{self.path}: clip '{clip.name}' has {key} {getattr(clip, key)}, expected a number from 0, or -1 "
                    "where it is not known. Renumber it."
                )

    def _classes(self, classes: Sequence[str]) -> Sequence[str]:
        label = np.array(self.tables["label"])
        worst = int(label.argmax())
        if not classes and label[worst] < _MOST_CLASSES:
            return tuple(f"class_{i:02d}" for i in range(label[worst] + 1))
        if label[worst] >= len(classes):
            known = f"there {noun(len(classes), 'is', 'are')} {count(len(classes), 'class name')}"
            raise DataError(
                f"{self.path}: clip '{list(self.names)[worst]}' has label {label[worst]}, but {known}. "
                "Labels count from 0; name every class, or mend the label."
            )
        return classes

    def _blocks(self, name: str, dtype: np.dtype) -> Iterator[np.ndarray]:
        part = self.parts[name]
        part.seek(0)
        while raw := part.read(4 * _BLOCK):
            yield np.frombuffer(raw, "<f4").astype(dtype, copy=False)


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror}). Check the folder and its free space.") from None


def _part(path: Path) -> IO[bytes]:
    with _disk(path):
        return tempfile.TemporaryFile(dir=path.parent)


def _survives_half(raw: np.ndarray) -> bool:
    with np.errstate(over="ignore"):
        return bool((raw.astype(np.float16) == raw).all())


def _is_line(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return "\n" not in name


def _members(
    splits: Mapping[str, Sequence[str]], number: Mapping[str, int]
) -> tuple[dict[str, list[int]], dict[str, str]]:
    """Clip numbers by split, and a note on each split that could not be kept as it was."""
    members: dict[str, list[int]] = {}
    notes: dict[str, str] = {}
    for split, names in splits.items():
        known = list(dict.fromkeys(number[name] for name in names if name in number))
        missing = sum(name not in number for name in names)
        twice = len(names) - missing - len(known)
        said = [f"{missing} names without a clip"] * bool(missing) + [f"{twice} names listed twice"] * bool(twice)
        said += ["left out, it lists no clip"] * (not known)
        if said:
            notes[f"split {split}"] = ", ".join(said)
        if known:
            members[split] = known
    return members, notes
