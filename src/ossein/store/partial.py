"""A file on its way: its bytes so far, which file of which server they are of, and the check at the end.

While `data.pkl` is on its way its bytes lie in `data.pkl.part`, and `data.pkl.part.json` notes what tells the server's
file from a later one of the same name. What does not match its size or checksum is kept as `data.pkl.bad`.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ossein.errors import DataError
from ossein.files import read_json, write_json
from ossein.words import count

_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class Cut(Exception):
    """The transfer stopped before its end; trying again may help."""


class Part:
    """A file on its way: what has come, and of which file of the server it is."""

    def __init__(self, url: str, path: Path) -> None:
        self.url, self.path = url, path
        self.file = path.with_name(path.name + ".part")
        self.note = path.with_name(path.name + ".part.json")
        self.whole = False
        self.length: int | None = None
        self.same: str | None = None
        self._remember()

    @property
    def have(self) -> int:
        """How many bytes have come that a transfer may go on from."""
        return self.file.stat().st_size if self.note.exists() and self.file.exists() else 0

    def headers(self) -> dict[str, str]:
        """What to ask the server for: the rest of the same file, or all of it."""
        ask = {"User-Agent": "ossein", "Accept-Encoding": "identity"}
        if self.have:
            ask["Range"] = f"bytes={self.have}-"
            # Without a validator the total length is what tells whether it is still the same file.
            ask |= {"If-Range": self.same} if self.same else {}
        return ask

    def begin(self, answer: Any, size: int | None) -> int:
        """Where the bytes of an answer belong; from then on they are of the file that it names."""
        start, total = _extent(answer)
        if answer.status == 206 and (start != self.have or total not in (None, self.length or total)):
            self.forget()
            raise Cut("the server sent another part than was asked for")
        if size is not None and total is not None and total != size:
            raise DataError(
                f"{self.url}: the server's file has {count(total, 'byte')}, expected {size}. It is not the file that "
                "the catalogue knows: name another server with --mirror, or tell ossein's authors that it has changed."
            )
        if "text/html" in answer.headers.get("Content-Type", ""):
            raise DataError(
                f"{self.url}: a web page came in place of the file. Is there a login page or a proxy between? Open the "
                "address in a browser, or name another server with --mirror."
            )
        self._room(total, start)
        if not start:
            self.forget()
            self.same = _validator(answer)
        self.length = self.length or total
        if not start:
            with disk(self.file):
                self.file.write_bytes(b"")
            if self.length is not None or self.same is not None:
                write_json(self.note, {"url": self.url, "length": self.length, "same": self.same})
        return start

    def forget(self) -> None:
        """Begin anew at the next try."""
        with disk(self.file):
            self.note.unlink(missing_ok=True)
        self.length = self.same = None

    def finish(self, size: int | None, sha256: str | None) -> str:
        """Check what came and put it in its place; returns its SHA-256."""
        digest, problem = check(self.file, size, sha256)
        place = self.path.with_name(self.path.name + ".bad") if problem else self.path
        with disk(place):
            os.replace(self.file, place)
            self.note.unlink(missing_ok=True)
        if problem:
            raise DataError(
                f"{self.url}: what came {problem}. It is kept as {place}: try again, or name another server with --mirror."
            )
        return digest

    def _remember(self) -> None:
        """Take up what an earlier call has left, if it is of the same address."""
        if not self.note.exists():
            return
        try:
            known = read_json(self.note)
            self.length, self.same = known["length"], known["same"]
            good = known["url"] == self.url and self.have <= (self.length or self.have)
        except (DataError, KeyError, TypeError):
            good = False
        if not good:
            self.forget()
        self.whole = bool(good and self.length is not None and self.have == self.length)

    def _room(self, total: int | None, start: int) -> None:
        """Make the folder, and see that what is missing fits on the disk."""
        with disk(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.path.parent).free
        if total is not None and total - start > free:
            raise DataError(
                f"{self.path}: needs {_mb(total - start)} of disk space, {_mb(free)} are free. Free some, or choose another --folder."
            )


def check(file: Path, size: int | None, sha256: str | None) -> tuple[str, str]:
    """The SHA-256 of a file, and what is wrong with it, if anything."""
    with disk(file), file.open("rb") as opened:
        have = opened.seek(0, os.SEEK_END)
        opened.seek(0)
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    if size is not None and have != size:
        return digest, f"has {count(have, 'byte')}, expected {size}"
    if sha256 is not None and digest != sha256:
        return digest, f"has the SHA-256 {digest}, expected {sha256}"
    return digest, ""


@contextmanager
def disk(path: Path) -> Iterator[None]:
    """Say what is the matter, and where, when a disk does not take what is written."""
    try:
        yield
    except BrokenPipeError:  # of the screen that is told of the progress; the disk is well
        raise
    except OSError as error:
        raise DataError(
            f"{path}: cannot be written ({error.strerror or error}). Check the folder, its permissions and the space left."
        ) from None


def _extent(answer: Any) -> tuple[int, int | None]:
    """At which byte of the file an answer begins, and how long the file is."""
    if answer.status == 206:
        found = _RANGE.match(answer.headers.get("Content-Range", ""))
        if not found:
            raise Cut("the server does not say which part it sends")
        return int(found[1]), None if found[2] == "*" else int(found[2])
    length = answer.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def _validator(answer: Any) -> str | None:
    """What tells a file from a later one of the same name; weak tags do not promise the same bytes."""
    tag = answer.headers.get("ETag", "")
    return tag if tag.startswith('"') else answer.headers.get("Last-Modified")


def _mb(num: int) -> str:
    return f"{num / 1e6:.0f} MB"
