"""Fetching one large file: goes on where it stopped, is checked, and appears whole or not at all.

What has come stays whatever happens (see `partial`), so that a later call goes on from there if the server says that it
still has the same file.
"""

import errno
import http.client
import os
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ossein.errors import DataError
from ossein.store.partial import Cut, Part, check, disk
from ossein.words import count

Told = Callable[[int, int | None], None]

_BLOCK = 1 << 16
_GOOD = 1 << 20
"""How many bytes make a try a good one: after it the count of failures begins anew."""

_BUSY = (408, 425, 429, 500, 502, 503, 504)
"""HTTP answers that may be another one soon."""


def fetch(
    url: str,
    path: Path,
    *,
    size: int | None = None,
    sha256: str | None = None,
    told: Told | None = None,
    tries: int = 6,
    wait: float = 1.0,
    timeout: float = 30.0,
) -> str:
    """Fetch a file, unless it is there already, and return its SHA-256.

    Args:
        url: Its address, http or https.
        path: Where to put it; folders are made.
        size: How many bytes it must have, where known.
        sha256: The checksum it must have, where known.
        told: Called with bytes done and bytes in all (None where the server does not say).
        tries: How many cut-offs in a row to put up with; one that brought a megabyte does not count.
        wait: Seconds before the second try; each further wait is twice as long.
        timeout: Seconds of silence that count as a cut-off.

    Raises:
        DataError: The server cannot be reached or does not have the file, the transfer is cut off too often, the size
            or the checksum is wrong, or the disk is full. What has come is kept.
    """
    if path.exists():
        digest, problem = check(path, size, sha256)
        if problem:
            raise DataError(f"{path}: {problem}. Remove it to fetch it anew, or name another folder.")
        return digest
    part = Part(url, path)
    failed, furthest = 0, part.have
    while not part.whole:
        try:
            _transfer(part, size, told, timeout)
        except Cut as cut:
            failed = 0 if part.have >= furthest + _GOOD else failed + 1
            furthest = max(furthest, part.have)
            if failed == tries:
                come = count(part.have, "byte has", "bytes have")
                raise DataError(
                    f"{url}: the transfer was cut off {tries} times in a row ({cut}), {come} come. "
                    "They are kept: run the same command again later to go on, or name another server with --mirror."
                ) from None
            time.sleep(wait * 2 ** max(failed - 1, 0))
    return part.finish(size, sha256)


def _transfer(part: Part, size: int | None, told: Told | None, timeout: float) -> None:
    """One try: ask for what is missing and write it down as it comes."""
    with _ask(part, timeout) as answer:
        have = part.begin(answer, size)
        with disk(part.file), part.file.open("r+b") as file:
            file.seek(have)
            while block := _read(answer, _BLOCK if part.length is None else min(_BLOCK, part.length - have)):
                file.write(block)
                have += len(block)
                if told:
                    told(have, part.length)
            os.fsync(file.fileno())
    if part.length is not None and have < part.length:
        raise Cut(f"{count(part.length - have, 'byte is', 'bytes are')} missing")
    part.whole = True


@contextmanager
def _ask(part: Part, timeout: float) -> Iterator[Any]:
    """The server's answer to a request for what is missing."""
    request = urllib.request.Request(part.url, headers=part.headers())
    try:
        answer = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        raise _refused(part, error) from None
    except (http.client.HTTPException, OSError, ValueError) as error:  # ValueError: of addresses that are none
        raise _unreachable(part, error) from None
    with answer:
        yield answer


def _refused(part: Part, error: urllib.error.HTTPError) -> Exception:
    if error.code in _BUSY:
        return Cut(f"the server answers {error.code} {error.reason}")
    if error.code == 416:
        part.forget()
        return Cut("the server's file is another one now")
    return DataError(
        f"{part.url}: the server does not give the file ({error.code} {error.reason}). It may have moved: look at the page "
        "of the data set ('ossein data list'), or name another server with --mirror."
    )


def _unreachable(part: Part, error: Exception) -> Exception:
    reason = getattr(error, "reason", error)
    lasting = isinstance(reason, str | socket.gaierror | ConnectionRefusedError | ssl.SSLCertVerificationError)
    lasting |= getattr(reason, "errno", None) in (errno.ENETUNREACH, errno.EHOSTUNREACH)
    if isinstance(error, http.client.InvalidURL | ValueError) or (lasting and not part.have):
        return DataError(
            f"{part.url}: the server cannot be reached ({reason}). Check the network and its proxy (https_proxy), or name "
            "another server with --mirror."
        )
    return Cut(str(reason) or type(reason).__name__)


def _read(answer: Any, most: int) -> bytes:
    """What has come by now, at most so many bytes; nothing at the end."""
    try:
        return answer.read1(most) if most else b""
    except (http.client.HTTPException, OSError) as error:
        raise Cut(str(error) or type(error).__name__) from None
