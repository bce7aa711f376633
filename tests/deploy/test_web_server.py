"""The server of the page: what it gives, and that it gives nothing else."""

import http.client
from importlib.resources import files
from pathlib import Path
from threading import Thread

import pytest

from ossein.deploy import page_files, serve
from ossein.errors import SettingsError

WEB = Path(str(files("ossein.deploy") / "web"))


@pytest.fixture
def ask(tmp_path):
    """Asks a server of the page and of one file, and brings back the status, the headers and the content."""
    (tmp_path / "run.wasm").write_bytes(b"code")
    with serve({**page_files(), "/ort/run.wasm": tmp_path / "run.wasm", "/model.onnx": b"model"}) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()

        def run(path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
            connection = http.client.HTTPConnection(*server.server_address[:2], timeout=10)
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            found = answer.status, dict(answer.getheaders()), answer.read()
            connection.close()
            return found

        yield run
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "kind", "content"),
    [
        ("/", "text/html; charset=utf-8", (WEB / "index.html").read_bytes()),
        ("/main.js?again", "text/javascript; charset=utf-8", (WEB / "main.js").read_bytes()),
        ("/style.css", "text/css; charset=utf-8", (WEB / "style.css").read_bytes()),
        ("/ort/run.wasm", "application/wasm", b"code"),
        ("/model.onnx", "application/octet-stream", b"model"),
    ],
)
def test_what_is_served(ask, path, kind, content):
    status, headers, got = ask(path)
    assert (status, headers["Content-Type"], got) == (200, kind, content)
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert ask(path, "HEAD")[2] == b""


@pytest.mark.parametrize("path", ["/recording.json", "/../serve.py", "/web/main.js", "/ort/", "/etc/passwd"])
def test_nothing_else_is_served(ask, path):
    assert ask(path)[0] == 404


def test_nor_under_another_name_or_by_another_method(ask):
    assert ask("/", Host="example.org:80")[0] == 404
    assert ask("/", Host="localhost:80")[0] == 200
    assert ask("/", "POST")[0] == 501


def test_a_port_that_is_taken():
    with serve({}) as server, pytest.raises(SettingsError, match=r"port \d+ cannot be used"):
        serve({}, server.server_port)
    with pytest.raises(SettingsError, match="port 70000 cannot be used"):
        serve({}, 70_000)
