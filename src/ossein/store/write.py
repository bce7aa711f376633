"""Writing a store: clips come one at a time and leave RAM at once; the file appears whole or not at all."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Protocol

import numpy as np

from ossein.clip import Clip
from ossein.errors import DataError, SkeletonError
from ossein.files import atomic
from ossein.skeleton import Skeleton
from ossein.store.container import Form, encode_header
from ossein.store.file import FORMAT, SPLIT, TABLES, VERSION, Store

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
    with atomic(path) as file, _Spool(path, skeleton) as spool:
        for clip in source.clips:
            spool.add(clip)
            if progress:
                progress(len(spool.names), source.num_clips)
        spool.finish(file, tuple(classes) or source.classes, source.splits, source.facts)
    return Store.open(path)


class _Spool:
    """Clips on their way into a store: numbers in two nameless temporary files, tables in RAM."""

    def __init__(self, path: Path, skeleton: Skeleton) -> None:
        self.path, self.skeleton = path, skeleton
        self.names: dict[str, int] = {}
        self.tables: dict[str, list] = {name: [] for name in TABLES}
        self.rows = 0
        self.dims = 0
        self.half = {"x": True, "score": True}

    def __enter__(self) -> "_Spool":
        self.stack = ExitStack()
        with _disk(self.path):
            self.parts: dict[str, IO[bytes]] = {
                name: self.stack.enter_context(tempfile.TemporaryFile(dir=self.path.parent)) for name in self.half
            }
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def add(self, clip: Clip) -> None:
        self._check(clip.fit(self.skeleton))
        digest = hashlib.blake2b(str(clip.x.shape).encode(), digest_size=8)
        for name, array in (("x", clip.x), ("score", clip.score)):
            raw = np.ascontiguousarray(array, "<f4")
            self.half[name] = self.half[name] and _survives_half(raw)
            digest.update(raw)
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
        self, file: BinaryIO, classes: tuple[str, ...], splits: Mapping[str, Sequence[str]], facts: Mapping[str, str]
    ) -> None:
        if not self.names:
            raise DataError(f"{self.path}: there is no clip to store. Check what the data holds.")
        members, notes = _members(splits, self.names)
        arrays = {name: np.array(self.tables[name], dtype) for name, dtype in TABLES.items()}
        arrays |= {SPLIT + name: np.array(list_, "<i4") for name, list_ in members.items()}
        arrays["names"] = np.frombuffer("\n".join(self.names).encode(), np.uint8)
        forms: dict[str, Form] = {name: (array.dtype, array.shape) for name, array in arrays.items()}
        for name, shape in (("x", (self.rows, len(self.skeleton), self.dims)), ("score", (self.rows, len(self.skeleton)))):
            forms[name] = (np.dtype("<f2" if self.half[name] else "<f4"), shape)
        forms = dict(sorted(forms.items(), key=lambda item: -item[1][0].itemsize))
        metadata = {
            "format": FORMAT,
            "version": VERSION,
            "skeleton": json.dumps(self.skeleton.plain(), ensure_ascii=False),
            "classes": json.dumps(self._classes(classes), ensure_ascii=False),
            "facts": json.dumps({**facts, **notes}, ensure_ascii=False),
            "hash": "0" * hashlib.sha256().digest_size * 2,
        }
        content = hashlib.sha256((json.dumps(_describe(forms)) + metadata["skeleton"] + metadata["classes"]).encode())
        with _disk(self.path):
            file.write(encode_header(metadata, forms))
            for name, (dtype, _) in forms.items():
                for block in [arrays[name]] if name in arrays else self._blocks(name, dtype):
                    content.update(block)
                    file.write(block.data)
            # The hash is known only now; it is as long as the zeros that stood for it.
            file.seek(0)
            file.write(encode_header({**metadata, "hash": content.hexdigest()}, forms))

    def _check(self, clip: Clip) -> None:
        self.dims = self.dims or clip.x.shape[3]
        if clip.x.shape[3] != self.dims:
            raise DataError(
                f"{self.path}: clip '{clip.name}' has {clip.x.shape[3]} coordinates a joint, those before it {self.dims}. "
                "Store 2-D and 3-D clips in two files."
            )
        if clip.name in self.names:
            raise DataError(f"{self.path}: two clips are called '{clip.name}'. Give every clip its own name.")
        if "\n" in clip.name or not _is_text(clip.name):
            raise DataError(f"{self.path}: the clip name {clip.name!r} is not one line of text. Rename the clip.")
        for key in ("label", "subject", "camera", "setup"):
            if not -1 <= getattr(clip, key) < 2**31:
                raise DataError(
                    f"{self.path}: clip '{clip.name}' has {key} {getattr(clip, key)}, expected a number from 0, or -1 "
                    "where it is not known. Renumber it."
                )

    def _classes(self, classes: tuple[str, ...]) -> tuple[str, ...]:
        label = np.array(self.tables["label"])
        worst = int(label.argmax())
        if not classes and label[worst] < _MOST_CLASSES:
            return tuple(f"class_{i:02d}" for i in range(label[worst] + 1))
        if label[worst] >= len(classes):
            raise DataError(
                f"{self.path}: clip '{list(self.names)[worst]}' has label {label[worst]}, but there are {len(classes)} "
                "class names. Labels count from 0; name every class, or mend the label."
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


def _survives_half(raw: np.ndarray) -> bool:
    with np.errstate(over="ignore"):
        return bool((raw.astype(np.float16) == raw).all())


def _is_text(name: str) -> bool:
    try:
        return bool(name.encode()) or True
    except UnicodeEncodeError:
        return False


def _describe(forms: Mapping[str, Form]) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(name, dtype.str, shape) for name, (dtype, shape) in forms.items()]


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
