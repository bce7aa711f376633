"""The safetensors container by hand: a header that says where each array lies, then the arrays. Nothing in it can run.

The library of that name writes whole arrays out of RAM. A clip store can be larger than RAM, so its arrays are written
piece by piece behind a header made here, and read through one memory map. Any safetensors reader opens the result.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ossein.errors import DataError
from ossein.words import count

DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "|u1"}
_CODES = {np.dtype(numpy): code for code, numpy in DTYPES.items()}
_LIMIT = 100_000_000
"""The longest header that safetensors readers accept, in bytes."""

Form = tuple[np.dtype, tuple[int, ...]]
"""What an array is before it is written: element type and shape."""


def num_bytes(form: Form) -> int:
    """How many bytes an array takes."""
    size = form[0].itemsize
    for length in form[1]:
        size *= length
    return size


def encode_header(metadata: Mapping[str, str], forms: Mapping[str, Form]) -> bytes:
    """The bytes before the first array; the arrays follow in the order of `forms`, without gaps.

    Args:
        metadata: Text by key.
        forms: Type and shape by name. Wide elements go first, so that every array starts at a multiple of its own
            element size.

    >>> len(encode_header({"a": "b"}, {"x": (np.dtype("<f4"), (2, 3))})) % 8
    0
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    begin = 0
    for name, form in forms.items():
        end = begin + num_bytes(form)
        header[name] = {"dtype": _CODES[form[0]], "shape": list(form[1]), "data_offsets": [begin, end]}
        begin = end
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def open_container(path: Path) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """The metadata, and the arrays as read-only views of one memory map.

    Raises:
        DataError: The file cannot be read, is no safetensors file, or is cut short.
    """
    try:
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            length = int.from_bytes(file.read(8), "little")
            text = file.read(min(length, _LIMIT, size))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}). Check the path.") from None
    if not text.startswith(b"{") or length > _LIMIT:
        raise DataError(f"{path}: is not a clip store. Make one with 'ossein data prepare'.")
    if len(text) < length:
        raise _short(path, 8 + length, size)
    try:
        header = json.loads(text)
        metadata = {str(key): str(value) for key, value in header.pop("__metadata__", {}).items()}
        spans = {name: _span(entry) for name, entry in header.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise DataError(f"{path}: its header is damaged. Make the store again.") from None
    end = 8 + length
    for _, _, begin, until in sorted(spans.values(), key=lambda span: span[2:]):
        if 8 + length + begin != end:
            raise DataError(f"{path}: its header is damaged (arrays overlap or leave a gap). Make the store again.")
        end = 8 + length + until
    if end > size:
        raise _short(path, end, size)
    if end < size:
        raise DataError(f"{path}: {count(size - end, 'byte')} too many at its end. Copy or make the store again.")
    data = np.asarray(np.memmap(path, np.uint8, "r"))[8 + length :]
    return metadata, {name: data[a:b].view(dtype).reshape(shape) for name, (dtype, shape, a, b) in spans.items()}


def _span(entry: Mapping[str, Any]) -> tuple[np.dtype, tuple[int, ...], int, int]:
    dtype, shape, (begin, end) = np.dtype(DTYPES[entry["dtype"]]), tuple(entry["shape"]), entry["data_offsets"]
    if not all(type(number) is int and number >= 0 for number in (*shape, begin, end)):
        raise ValueError
    if num_bytes((dtype, shape)) != end - begin:
        raise ValueError
    return dtype, shape, begin, end


def _short(path: Path, wanted: int, size: int) -> DataError:
    return DataError(
        f"{path}: is cut short ({count(size, 'byte')}, expected at least {wanted}). Copy or make the store again."
    )
