"""Foreign files -> clips: one leaf per format, and the guess which of them a file is."""

from pathlib import Path

from ossein.errors import DataError, did_you_mean
from ossein.readers.base import Reader, Source
from ossein.readers.coco import COCO
from ossein.readers.kinetics import Kinetics
from ossein.readers.mediapipe import MediaPipe
from ossein.readers.npz import CTRGCN
from ossein.readers.ntu import NTU
from ossein.readers.openpose import OpenPose
from ossein.readers.pyskl import PYSKL
from ossein.readers.table import Table

__all__ = [
    "COCO",
    "CTRGCN",
    "NTU",
    "PYSKL",
    "READERS",
    "Kinetics",
    "MediaPipe",
    "OpenPose",
    "Reader",
    "Source",
    "Table",
    "get_reader",
    "reader_for",
]

# The order is the order of guessing: first what tells itself by the file's name or its first bytes, then the JSON kinds,
# which tell themselves by their content alone.
READERS: dict[str, Reader] = {
    reader.name: reader for reader in (PYSKL(), NTU(), CTRGCN(), Table(), OpenPose(), Kinetics(), MediaPipe(), COCO())
}
"""One reader per format, by the name that the command line gives it."""


def get_reader(name: str) -> Reader:
    """The reader of a format by its name.

    Raises:
        DataError: No format has this name.

    >>> get_reader("pyskl").suffixes
    ('.pkl', '.pickle')
    """
    if name not in READERS:
        raise DataError(f"no format is called '{name}'. {did_you_mean(name, READERS)}")
    return READERS[name]


def reader_for(path: Path | str) -> Reader:
    """The reader of a file or folder, guessed from its name and its first bytes.

    Raises:
        DataError: The path does not exist, or looks like none of the formats.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"{path}: does not exist. Check the path.")
    for reader in READERS.values():
        if reader.sniff(path):
            return reader
    known = "; ".join(f"{name}: {reader.help.rstrip('.')}" for name, reader in READERS.items())
    raise DataError(
        f"{path}: looks like none of the formats that can be read. It may be cut short; otherwise name its format "
        f"or turn it into one of these ({known})."
    )
