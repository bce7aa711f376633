"""From a foreign file, or from nothing, to a store."""

from collections.abc import Callable
from pathlib import Path

from ossein.errors import DataError, SettingsError
from ossein.files import read_text
from ossein.readers import get_reader, reader_for
from ossein.readers.synthetic import SyntheticSettings, synthetic
from ossein.skeleton import Skeleton
from ossein.store import Store, write_store

Told = Callable[[int, int | None], None]


def prepare(
    format: str,
    source: Path,
    out: Path,
    *,
    skeleton: str | None = None,
    classes: Path | None = None,
    overwrite: bool = False,
    progress: Told | None = None,
) -> Store:
    """Read a foreign file or folder and write it as one store.

    Args:
        format: The reader's name, or `auto` to tell it from the file.
        source: The file or folder.
        out: The store to write.
        skeleton: A built-in skeleton's name or a YAML file, for data that do not say; wins over what they say.
        classes: A text file with a class name per line, in the order of labels.
        overwrite: Replace `out` where it exists.
        progress: Told of clips done and clips in all.

    Raises:
        DataError: The source cannot be read.
        SkeletonError: The joints are not known or do not fit.
        SettingsError: `out` exists.
    """
    _may_write(out, overwrite)
    if not source.exists():
        raise DataError(f"{source}: does not exist. Check the path.")
    reader = reader_for(source) if format == "auto" else get_reader(format)
    names = tuple(line.strip() for line in read_text(classes).splitlines() if line.strip()) if classes else ()
    known = Skeleton.of(skeleton) if skeleton else None
    return write_store(reader.read(source, skeleton=known, classes=names), out, progress=progress)


def generate(settings: SyntheticSettings, out: Path, *, overwrite: bool = False, progress: Told | None = None) -> Store:
    """Write a store of synthetic clips.

    Raises:
        SettingsError: `out` exists.
    """
    _may_write(out, overwrite)
    return write_store(synthetic(settings), out, progress=progress)


def _may_write(out: Path, overwrite: bool) -> None:
    if out.exists() and not overwrite:
        raise SettingsError(f"{out}: exists already. Add --overwrite to replace it, or choose another name.")
