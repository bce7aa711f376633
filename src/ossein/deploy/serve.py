"""The browser page on this machine alone: a server of a fixed list of files, and recordings as the page reads them."""

from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from ossein.clip import Clip
from ossein.errors import SettingsError

Files = Mapping[str, Path | bytes]
"""What is served at each address: a file, or its content."""

_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".wasm": "application/wasm",
    ".json": "application/json",
    ".onnx": "application/octet-stream",
}
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    # The page reaches nothing but this server, whatever a file that is dropped on it says.
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
}


def page_files() -> dict[str, bytes]:
    """The files of the page, by the addresses at which they expect each other."""
    folder = files("ossein.deploy") / "web"
    found = {f"/{file.name}": file.read_bytes() for file in folder.iterdir() if Path(file.name).suffix in _KINDS}
    return found | {"/": found["/index.html"]}


def recording(clip: Clip) -> dict[str, Any]:
    """A clip as the page reads it: frames of persons of joints [x, y (, z), score]; null is an absent person.

    Args:
        clip: Of any length.

    >>> recording(Clip(np.ones((1, 1, 2, 2)), np.array([[[1, 0]]]), "wave"))["frames"]
    [[[[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]]]
    """
    rows = np.concatenate([clip.x, clip.score[..., None]], -1).astype(float).swapaxes(0, 1)
    frames = [[person.tolist() if person[:, -1].any() else None for person in frame] for frame in rows]
    said = {"format": "ossein-recording", "version": 1, "name": clip.name, "size": clip.size, "rate": clip.rate}
    return {**said, "frames": frames}


def serve(served: Files, port: int = 0) -> ThreadingHTTPServer:
    """A server of these files, and of nothing else, for this machine; `serve_forever` sets it going.

    Args:
        served: By address, such as `/model.onnx`; the ending says of what kind a file is.
        port: Where to listen; 0 takes any that is free.

    Raises:
        SettingsError: The port is taken, or not allowed.
    """
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (_Handler,), {"served": served}))
    except (OSError, OverflowError) as error:
        raise SettingsError(f"port {port} cannot be used ({error}). Choose another, or leave --port out.") from None


class _Handler(BaseHTTPRequestHandler):
    served: Files

    def do_GET(self) -> None:
        self._answer(whole=True)

    def do_HEAD(self) -> None:
        self._answer(whole=False)

    def _answer(self, *, whole: bool) -> None:
        address = self.path.partition("?")[0]
        # A page elsewhere may have its own name lead to this machine; under that name nothing is served.
        host = self.headers.get("Host", "").rpartition(":")[0]
        if host not in ("127.0.0.1", "localhost") or address not in self.served:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        what = self.served[address]
        content = what if isinstance(what, bytes) else what.read_bytes()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", _KINDS[Path(address).suffix or ".html"])
        self.send_header("Content-Length", str(len(content)))
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        if whole:
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the library never prints."""
