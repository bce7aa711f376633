"""Servers of one file on this machine that are well, slow, forgetful or mistaken."""

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

from ossein.store import fetch

BODY = np.random.default_rng(0).bytes(300_000)
SHA = hashlib.sha256(BODY).hexdigest()


@dataclass
class Server:
    """What a server holds and how it misbehaves; requests are noted as (Range, If-Range)."""

    body: bytes = BODY
    tag: str | None = '"one"'
    date: str | None = None
    cuts: list[int] = field(default_factory=list)
    """After how many bytes each of the next answers is cut off."""
    stall: float = 0.0
    """Seconds of silence before an answer that is to be cut off ends."""
    ranges: bool = True
    total: str | None = None
    """What it says of the whole length of the file in place of the truth."""
    shift: int = 0
    """By how many bytes the part that it sends is another one than was asked for."""
    says: int | None = None
    """The length that it announces; none if negative."""
    refuses: list[int] = field(default_factory=list)
    kind: str = "application/octet-stream"
    asked: list[tuple[str | None, str | None]] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(**fields: Any) -> Iterator[Server]:
    """A server on this machine for as long as the block lasts."""
    server = Server(**fields)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked, same = self.headers.get("Range"), self.headers.get("If-Range")
            server.asked.append((asked, same))
            if server.refuses:
                self.send_error(server.refuses.pop(0))
                return
            part = bool(asked) and server.ranges and same in (None, server.tag, server.date)
            begin = int(asked.removeprefix("bytes=").rstrip("-")) + server.shift if part else 0
            if part and begin >= len(server.body):
                self.send_error(416)
                return
            rest = server.body[begin:]
            self.send_response(206 if part else 200)
            self.send_header("Content-Type", server.kind)
            for name, value in (("ETag", server.tag), ("Last-Modified", server.date)):
                if value:
                    self.send_header(name, value)
            if part:
                total = server.total or len(server.body)
                self.send_header("Content-Range", f"bytes {begin}-{len(server.body) - 1}/{total}")
            if server.says is None or server.says >= 0:
                self.send_header("Content-Length", str(len(rest) if server.says is None else server.says))
            self.end_headers()
            cut = server.cuts.pop(0) if server.cuts else None
            self.wfile.write(rest[:cut])
            if cut is not None:
                self.wfile.flush()
                time.sleep(server.stall)
            self.close_connection = True

        def log_message(self, format: str, *args) -> None:
            pass

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.daemon_threads = True
    thread = threading.Thread(target=web.serve_forever, args=(0.01,))
    thread.start()
    server.url = f"http://127.0.0.1:{web.server_address[1]}/data.pkl"
    try:
        yield server
    finally:
        web.shutdown()
        thread.join()
        web.server_close()


def left(path: Path) -> list[str]:
    """What lies in the folder of a file."""
    return sorted(one.name for one in path.parent.iterdir()) if path.parent.exists() else []


def quick(url: str, path: Path, **more: Any) -> str:
    """`fetch` without long waits."""
    return fetch(url, path, **{"wait": 0.001, "timeout": 5.0, **more})
