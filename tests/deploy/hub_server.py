"""A server on this machine that answers as the Hugging Face hub does, as far as its client needs it for models."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GATED, HIDDEN, BUSY, DENIED = "me/gated", "me/hidden", "me/busy", "other/denied"
"""Models that cannot be had: for some alone, nobody may see it, the server is overloaded, no right to write."""

_NO = {GATED: (403, "GatedRepo"), HIDDEN: (401, "RepoNotFound"), BUSY: (500, "")}


@dataclass
class Hub:
    """Models by name, each a list of commits: (its hash, files by name).

    Attributes:
        url: The address of the server.
        asked: Method and path of every request.
        tokens: What the requests said of who asks.
        private: The names of models that were made hidden.
    """

    url: str = ""
    models: dict[str, list[tuple[str, dict[str, bytes]]]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    tokens: set[str | None] = field(default_factory=set)
    private: set[str] = field(default_factory=set)
    blobs: dict[str, bytes] = field(default_factory=dict)

    def add(self, name: str, files: dict[str, bytes]) -> str:
        """Put files on top of a model's last commit; the hash of the new one."""
        commits = self.models.setdefault(name, [])
        files = {**(commits[-1][1] if commits else {}), **files}
        commit = hashlib.sha1(repr((name, len(commits), sorted(files.items()))).encode()).hexdigest()
        commits.append((commit, files))
        return commit

    def find(self, name: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        """A commit by its hash or tag, or the last one as `main`."""
        revision = self.tags.get(revision, revision)
        commits = self.models.get(name, [])
        return commits[-1] if revision == "main" and commits else next((c for c in commits if c[0] == revision), None)


@contextmanager
def serve(hub: Hub) -> Iterator[Hub]:
    """The hub on a free port while the block lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def log_message(self, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._resolve(body=False)

    def do_GET(self) -> None:
        self._resolve(body=True)

    def _resolve(self, *, body: bool) -> None:
        self._note()
        name, _, rest = self.path.lstrip("/").partition("/resolve/")
        revision, _, file = rest.partition("/")
        if name in _NO:
            return self._refuse(*_NO[name])
        if name not in self.hub.models:
            return self._refuse(404, "RepoNotFound")
        found = self.hub.find(name, revision)
        if found is None:
            return self._refuse(404, "RevisionNotFound")
        commit, files = found
        if file not in files:
            return self._refuse(404, "EntryNotFound", commit)
        headers = {"ETag": f'"{hashlib.sha1(files[file]).hexdigest()}"', "X-Repo-Commit": commit}
        return self._answer(200, files[file], headers, body=body)

    def do_POST(self) -> None:
        self._note()
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/api/repos/create":
            return self._create(json.loads(raw))
        if self.path == "/api/validate-yaml":
            return self._json({"errors": [], "warnings": []})
        if self.path.endswith("/objects/batch"):
            return self._batch(json.loads(raw))
        name, _, action = self.path.removeprefix("/api/models/").rpartition("/main")[0].rpartition("/")
        if action == "preupload":
            files = [one["path"] for one in json.loads(raw)["files"]]
            modes = {file: "lfs" if file.endswith(".safetensors") else "regular" for file in files}
            return self._json(
                {"files": [{"path": f, "uploadMode": mode, "shouldIgnore": False} for f, mode in modes.items()]}
            )
        lines = [json.loads(line) for line in raw.splitlines()]
        commit = self.hub.add(name, dict(self._file(line) for line in lines if line["key"] != "header"))
        return self._json({"success": True, "commitOid": commit, "commitUrl": f"{self.hub.url}/{name}/commit/{commit}"})

    def do_PUT(self) -> None:
        self._note()
        data = b"".join(self._chunks())
        self.hub.blobs[hashlib.sha256(data).hexdigest()] = data
        self._json({})

    def _chunks(self) -> Iterator[bytes]:
        """The body of a request that does not say how long it is."""
        if length := self.headers["Content-Length"]:
            yield self.rfile.read(int(length))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _create(self, asked: dict) -> None:
        name = "/".join(filter(None, (asked.get("organization"), asked["name"])))
        if name == DENIED:
            return self._refuse(
                403, "", message="You don't have the rights to create a model under the namespace 'other'."
            )
        if asked.get("private") or asked.get("visibility") == "private":  # the client's older and newer word
            self.hub.private.add(name)
        self.hub.models.setdefault(name, [])
        return self._json({"url": f"{self.hub.url}/{name}"})

    def _batch(self, asked: dict) -> None:
        objects = [
            {**one, "actions": {"upload": {"href": f"{self.hub.url}/blobs/{one['oid']}"}}} for one in asked["objects"]
        ]
        self._json({"transfer": "basic", "objects": objects})

    def _file(self, line: dict) -> tuple[str, bytes]:
        value = line["value"]
        return value["path"], base64.b64decode(value["content"]) if line["key"] == "file" else self.hub.blobs[
            value["oid"]
        ]

    def _note(self) -> None:
        self.hub.asked.append(f"{self.command} {self.path}")
        self.hub.tokens.add(self.headers["Authorization"])

    def _refuse(self, status: int, code: str, commit: str = "", message: str = "no") -> None:
        headers = {"X-Error-Code": code, "X-Error-Message": message, "X-Repo-Commit": commit}
        self._answer(status, b"", {key: value for key, value in headers.items() if value})

    def _json(self, data: object) -> None:
        self._answer(200, json.dumps(data).encode(), {"Content-Type": "application/json"})

    def _answer(self, status: int, data: bytes, headers: dict[str, str], *, body: bool = True) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(key, value)
        self.end_headers()
        if body:
            self.wfile.write(data)
