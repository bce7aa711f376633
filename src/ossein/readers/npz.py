"""CTR-GCN's `.npz`: NTU RGB+D as CTR-GCN, InfoGCN, HD-GCN, MAMP and others prepare it."""

import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from ossein.clip import Clip
from ossein.errors import DataError, SkeletonError
from ossein.readers.base import Reader, Source, archive_members, array_header, damage, filled, make_clip
from ossein.readers.meta import Meta, read_meta
from ossein.skeleton import Skeleton
from ossein.words import count

_SIDES = ("train", "test")
_PROTOCOLS = {"cs": "xsub", "csub": "xsub", "xsub": "xsub", "cv": "xview", "cview": "xview", "xview": "xview"}
_PROTOCOLS |= {"cset": "xset", "xset": "xset"}


class CTRGCN(Reader):
    """Archives with `x_train`, `y_train`, `x_test`, `y_test`: x [N, T, M*V*3] padded with zeros, y one-hot or numbers.

    The format has no names (clips are called `train_000000` ...) and no scores: a person-frame that is all zero is
    absent, zero frames at the end are padding and are cut off, a second body that is nowhere is dropped. The arrays
    are never held whole: NTU-120's are 14 GB.
    """

    name = "npz"
    help = "CTR-GCN archive (.npz) with x_train, y_train, x_test, y_test; NTU RGB+D in 3-D."
    suffixes = (".npz",)

    def sniff(self, path: Path) -> bool:
        """Whether the file is an archive with training clips and labels in it."""
        return path.suffix.lower() in self.suffixes and {"x_train.npy", "y_train.npy"} <= archive_members(path)

    def read(self, path: Path, *, skeleton: Skeleton | None = None, classes: Sequence[str] = ()) -> Source:
        """The clips of the training and the test side, read one after another."""
        meta = read_meta(path).settle(skeleton, classes, Skeleton.of("ntu-25"))
        assert meta.skeleton is not None
        sides = [_side(path, side, meta.skeleton) for side in _SIDES]
        prefix = _protocol(path)
        return Source(
            clips=(clip for side in sides for clip in side.clips(meta)),
            num_clips=sum(len(side.labels) for side in sides),
            skeleton=meta.skeleton,
            classes=meta.classes,
            splits=meta.splits | {f"{prefix}{side.name}": side.names() for side in sides},
            facts=meta.facts,
        )


@dataclass(frozen=True)
class _Side:
    """The training or the test clips of an archive: labels at once, coordinates when iterated."""

    path: Path
    name: str
    labels: np.ndarray

    def names(self) -> tuple[str, ...]:
        return tuple(f"{self.name}_{n:06d}" for n in range(len(self.labels)))

    def clips(self, meta: Meta) -> Iterator[Clip]:
        assert meta.skeleton is not None
        with _member(self.path, f"x_{self.name}") as (file, shape, kind):
            num_bytes = shape[1] * shape[2] * kind.itemsize
            for name, label in zip(self.names(), self.labels):
                with damage(self.path):
                    row = np.frombuffer(_exactly(file, num_bytes), kind)
                x = row.reshape(shape[1], -1, len(meta.skeleton), 3).swapaxes(0, 1)
                yield _clip(self.path, x, name, int(label), meta)


def _clip(path: Path, x: np.ndarray, name: str, label: int, meta: Meta) -> Clip:
    seen = filled(x)
    length = max(1, int(np.flatnonzero(seen.any(0)).max(initial=0)) + 1)
    score = np.broadcast_to(seen[:, :length, None], (len(x), length, x.shape[2]))
    return make_clip(path, x[:, :length], score, meta.skeleton, meta.classes, name=name, label=label)


def _side(path: Path, name: str, skeleton: Skeleton) -> _Side:
    with _member(path, f"x_{name}") as (_, shape, kind):
        if len(shape) != 3 or kind.kind != "f" or shape[1] == 0:
            raise DataError(f"{path}: x_{name} is {kind} {list(shape)}, expected floating [N, T, M*V*3]. Reshape it.")
        one = 3 * len(skeleton)
        if shape[2] not in (one, 2 * one):
            raise SkeletonError(
                f"{path}: x_{name} has {count(shape[2], 'number')} a frame, expected {one} for one body or "
                f"{2 * one} for two ({skeleton.name}). Name the skeleton of the data with --skeleton."
            )
    with _member(path, f"y_{name}") as (file, size, kind), damage(path):
        if kind.kind not in "fiub" or len(size) not in (1, 2) or size[0] != shape[0]:
            raise DataError(f"{path}: y_{name} is {kind} {list(size)}, expected [{shape[0]}] or one-hot. Mend it.")
        y = np.frombuffer(_exactly(file, int(np.prod(size)) * kind.itemsize), kind).reshape(size)
    return _Side(path, name, _labels(path, name, y))


def _labels(path: Path, name: str, y: np.ndarray) -> np.ndarray:
    if y.ndim == 1 and y.dtype.kind in "iu":
        return y
    if y.ndim == 2 and ((y == 0) | (y == 1)).all() and (y.sum(1) == 1).all():
        return y.argmax(1)
    raise DataError(f"{path}: y_{name} is neither one-hot nor whole numbers. Write one class per clip.")


def _protocol(path: Path) -> str:
    """`xsub_`, `xview_` or `xset_` where the file's name tells, as `NTU60_CS.npz` does."""
    found = [_PROTOCOLS[word] for word in re.findall(r"[a-z]+", path.stem.lower()) if word in _PROTOCOLS]
    return f"{found[0]}_" if found else ""


@contextmanager
def _member(path: Path, key: str) -> Iterator[tuple[IO[bytes], tuple[int, ...], np.dtype]]:
    """One array of an archive as an open file, behind its header, with its shape and number type."""
    with ExitStack() as stack:
        with damage(path):
            archive = stack.enter_context(zipfile.ZipFile(path))
            if f"{key}.npy" not in archive.namelist():
                raise DataError(f"{path}: has no '{key}', only {archive.namelist()[:8]}. Is it a CTR-GCN archive?")
            file = stack.enter_context(archive.open(f"{key}.npy"))
            shape, fortran, kind = array_header(file)
        if kind.hasobject or (fortran and len(shape) > 1):
            raise DataError(f"{path}: '{key}' is {kind} in an order that cannot be streamed. Save plain C arrays.")
        yield file, shape, kind


def _exactly(file: IO[bytes], num_bytes: int) -> bytes:
    data = file.read(num_bytes)
    if len(data) != num_bytes:
        raise EOFError(f"{count(num_bytes - len(data), 'byte is', 'bytes are')} missing")
    return data
