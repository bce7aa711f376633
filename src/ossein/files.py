"""Reading and writing of small files: YAML and JSON without running code, and writes that happen whole or not at all."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import yaml

from ossein.errors import DataError


def read_text(path: Path | str) -> str:
    """The text of a UTF-8 file.

    Raises:
        DataError: The file cannot be read or is not UTF-8 text.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}). Check the path.") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from None


def read_yaml(path: Path | str) -> Any:
    """Plain data from a YAML file; no tag in it can run code.

    Raises:
        DataError: The file cannot be read or is not YAML.
    """
    try:
        return _parse_yaml(read_text(path))
    except yaml.YAMLError as error:
        raise DataError(f"{path}: is not valid YAML ({' '.join(str(error).split())}). Mend the file.") from None
    except ValueError as error:  # the 99th of a month, or a number of thousands of digits
        raise DataError(f"{path}: is not valid YAML ({error}). Mend the file.") from None


def read_json(path: Path | str) -> Any:
    """Plain data from a JSON file.

    Raises:
        DataError: The file cannot be read or is not JSON.
    """
    text = read_text(path)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"{path}:{error.lineno}: is not valid JSON ({error.msg}). The file may be cut short.") from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or brackets thousands deep
        raise DataError(f"{path}: is not valid JSON ({error}). Mend the file.") from None


@contextmanager
def atomic(path: Path | str) -> Iterator[BinaryIO]:
    """A binary file that appears at `path` only when the block ends well; otherwise nothing is left behind.

    Raises:
        DataError: The folder cannot be written to, or the disk is full.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritable(path, error) from error
        raise


def _parse_yaml(text: str) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    depth = 0
    # Brackets some ten thousand deep would overflow the stack of the C loader and end the process.
    for event in yaml.parse(text, Loader=loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > 100:
            raise ValueError("lists and mappings are nested more than 100 deep")
    return yaml.load(text, Loader=loader)


def _unwritable(path: Path, error: OSError) -> DataError:
    return DataError(
        f"{path}: cannot be written ({error.strerror or error}). Check the folder, its permissions and the space left."
    )


def write_text(path: Path | str, text: str) -> None:
    """Write a UTF-8 file atomically."""
    with atomic(path) as file:
        file.write(text.encode())


def write_json(path: Path | str, data: Any) -> None:
    """Write plain data as JSON, atomically."""
    write_text(path, json.dumps(data, indent=1, ensure_ascii=False) + "\n")


def write_yaml(path: Path | str, data: Any) -> None:
    """Write plain data as YAML, atomically, keys in their order."""
    write_text(path, yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120))
