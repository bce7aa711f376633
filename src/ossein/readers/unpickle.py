"""Pickles read as data: plain Python values and numpy arrays, and not one line of anybody's code.

A pickle is a program. Here its program may call a few things, all of them ours, that put bytes, a shape and a number type
together. numpy's own rebuilding of arrays is never reached, so neither objects nor damaged state get into it.
"""

import pickle
import re
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ossein.errors import DataError

_PLAIN = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248]|[SU]\d{1,6})")


def load_pickle(path: Path) -> Any:
    """Dictionaries, lists, tuples, texts, numbers and arrays from a pickle.

    An array comes as something that `np.asarray` makes an array of, without a copy of what was read.

    Raises:
        DataError: The file is no pickle, is cut short, or asks for anything else.
    """
    try:
        with path.open("rb") as file:
            return _Unpickler(path, file).load()
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}). Check the path.") from None
    except Exception as error:  # a damaged pickle can raise nearly anything: it is a program cut in half
        raise DataError(
            f"{path}: is not a whole pickle ({type(error).__name__}: {' '.join(str(error).split())}). The file may be cut short; fetch it again."
        ) from None


class _Unpickler(pickle.Unpickler):
    def __init__(self, path: Path, file: Any) -> None:
        super().__init__(file, encoding="latin1")  # Python 2 wrote bytes as text; latin1 keeps them as they are
        self.path = path

    def find_class(self, module_name: str, global_name: str) -> Any:
        module = re.sub(r"^numpy\.core\b", "numpy._core", module_name)
        try:
            return _ALLOWED[module, global_name]
        except KeyError:
            raise DataError(
                f"{self.path}: the file tries to load '{module_name}.{global_name}'; poses need numbers, texts and numpy "
                "arrays alone. Nothing was run. Do not trust it; ask its author for plain arrays."
            ) from None


class _NumberType:
    """Stands for `numpy.dtype`: numbers and texts of fixed size, nothing with objects or fields in it."""

    def __init__(self, spec: str, *_: Any) -> None:
        if not isinstance(spec, str) or not _PLAIN.fullmatch(spec):
            raise TypeError(f"number type {spec!r} is not allowed")
        self.dtype = np.dtype(spec)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, order, *inner = state
        if any(part is not None for part in inner[:3]) or order not in ("<", ">", "|", "="):
            raise TypeError("a number type with fields inside is not allowed")
        self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """Stands for `numpy.ndarray`; `np.asarray` makes it one without a copy.

    What a pickle may call are bound methods: its other instructions cannot change anything on those.
    """

    array: np.ndarray = np.zeros(0)

    @classmethod
    def empty(cls, *_: Any) -> "_Array":
        """Stands for `numpy._core.multiarray._reconstruct`: an array whose content follows."""
        return cls()

    @classmethod
    def no_bytes(cls) -> bytes:
        """Stands for `bytes` called with nothing, which is how protocols 0 to 2 write no bytes."""
        return b""

    @classmethod
    def frombuffer(cls, data: bytes, kind: _NumberType, shape: tuple[int, ...], order: str) -> "_Array":
        """Stands for `numpy._core.numeric._frombuffer`: an array of protocol 5."""
        out = cls()
        out.__setstate__((1, shape, kind, order == "F", data))
        return out

    @classmethod
    def scalar(cls, kind: _NumberType, data: bytes | str) -> Any:
        """Stands for `numpy._core.multiarray.scalar`: one number or text."""
        return np.frombuffer(_bytes(data), kind.dtype, 1)[0].item()

    @classmethod
    def encode(cls, text: str, encoding: str) -> bytes:
        """Stands for `_codecs.encode`, by which Python 3 writes bytes in protocols 0 to 2."""
        if encoding != "latin1":
            raise ValueError(f"bytes in {encoding!r} are not allowed")
        return text.encode("latin1")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, fortran, data = state
        data = _bytes(data)
        if prod(shape) * kind.dtype.itemsize != len(data) or min(shape, default=0) < 0:
            raise ValueError(f"an array of shape {shape} has {len(data)} bytes")
        flat = np.frombuffer(data, kind.dtype) if len(data) else np.zeros(0, kind.dtype)
        self.array = flat.reshape(shape, order="F" if fortran else "C")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.array, dtype) if copy else np.asarray(self.array, dtype)


def _bytes(data: Any) -> bytes | bytearray:
    if isinstance(data, str):
        return data.encode("latin1")
    if not isinstance(data, bytes | bytearray):
        raise TypeError("an array of objects is not allowed")
    return data


_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _NumberType,
    ("numpy._core.multiarray", "_reconstruct"): _Array.empty,
    ("numpy._core.multiarray", "scalar"): _Array.scalar,
    ("numpy._core.numeric", "_frombuffer"): _Array.frombuffer,
    ("__builtin__", "bytes"): _Array.no_bytes,
    ("_codecs", "encode"): _Array.encode,
}
