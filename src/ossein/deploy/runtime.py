"""onnxruntime-web, which the browser page runs models with: found on this machine, or fetched once and kept.

Its two files have 14 MB, too many for this package. They come from the release's package on the npm registry.
"""

import os
import tarfile
from collections.abc import Callable
from pathlib import Path

from ossein.errors import DataError, OsseinError
from ossein.files import atomic
from ossein.store import fetch

VERSION = "1.30.0"
FILES = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")
"""What the page needs of the package, in its folder `dist`."""

_URL = f"https://registry.npmjs.org/onnxruntime-web/-/onnxruntime-web-{VERSION}.tgz"
_SIZE = 33_106_585
_SHA256 = "d2228df7e4616bc3348bf504ee888f3bec43789a273f0a63f3e68d203ce3bf71"


def runtime_folder() -> Path:
    """Where fetched files are kept: below `$XDG_CACHE_HOME`, or `~/.cache`."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "ossein" / f"onnxruntime-web-{VERSION}"


def find_runtime(given: Path | None = None, told: Callable[[int, int | None], None] | None = None) -> dict[str, Path]:
    """The path of each of `FILES`.

    Args:
        given: A folder that holds them or the unpacked package, or the package as it is packed (`.tgz`). Where not given,
            they are looked for in `runtime_folder`, and fetched there if need be.
        told: Called with bytes fetched and bytes in all.

    Raises:
        DataError: They are not where they were said to be, or cannot be fetched.
    """
    kept = runtime_folder()
    if given is not None and given.is_dir():
        return _in_folder(given)
    if given is not None:
        unpack_runtime(given, kept)
    elif not all((kept / name).is_file() for name in FILES):
        _fetch(kept, told)
    return {name: kept / name for name in FILES}


def unpack_runtime(package: Path, folder: Path) -> None:
    """Take `FILES`, and nothing else, out of a package.

    Raises:
        DataError: It cannot be read, or does not hold them.
    """
    try:
        with tarfile.open(package) as opened:
            for name in FILES:
                member = opened.extractfile(f"package/dist/{name}")
                if member is None:
                    raise KeyError(name)
                with member, atomic(folder / name) as file:
                    file.write(member.read())
    except (OSError, tarfile.TarError, EOFError, KeyError) as error:
        raise DataError(
            f"{package}: is no package of onnxruntime-web {VERSION} ({error}). Make one with 'npm pack "
            f"onnxruntime-web@{VERSION}'."
        ) from None


def _in_folder(given: Path) -> dict[str, Path]:
    for folder in (given, given / "dist", given / "package" / "dist"):
        if all((folder / name).is_file() for name in FILES):
            return {name: folder / name for name in FILES}
    raise DataError(
        f"{given}: does not hold {' and '.join(FILES)}. Name the folder of onnxruntime-web {VERSION}, or its 'dist'."
    )


def _fetch(folder: Path, told: Callable[[int, int | None], None] | None) -> None:
    package = folder / "package.tgz"
    try:
        fetch(_URL, package, size=_SIZE, sha256=_SHA256, told=told, tries=3)
    except OsseinError as error:
        raise DataError(
            f"onnxruntime-web {VERSION}, which the page needs, could not be fetched ({str(error).split('. ')[0]}). Where there "
            f"is a network, 'npm pack onnxruntime-web@{VERSION}' makes the file to name with --runtime."
        ) from error
    unpack_runtime(package, folder)
    package.unlink()
