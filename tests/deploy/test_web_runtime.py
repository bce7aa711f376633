"""Where onnxruntime-web comes from, and the verb that brings it and the page together."""

import io
import shutil
import tarfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ossein.cli import ship
from ossein.deploy import Predictor, find_runtime
from ossein.deploy import runtime as runtime_module
from ossein.deploy.runtime import FILES, runtime_folder
from ossein.errors import DataError


@pytest.fixture
def package(tmp_path, monkeypatch) -> Path:
    """A package with the two files, and a cache folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "onnxruntime-web.tgz"
    with tarfile.open(path, "w:gz") as out:
        for name in (*(f"package/dist/{name}" for name in FILES), "package/../../evil"):
            member = tarfile.TarInfo(name)
            member.size = len(name)
            out.addfile(member, io.BytesIO(name.encode()))
    return path


def test_a_package_is_unpacked_once(package):
    found = find_runtime(package)
    assert {name: path.read_text() for name, path in found.items()} == {name: f"package/dist/{name}" for name in FILES}
    assert sorted(path.name for path in runtime_folder().iterdir()) == sorted(FILES)
    package.unlink()
    assert find_runtime() == found


def test_a_folder_is_taken_as_it_is(package, tmp_path):
    with tarfile.open(package) as opened:
        opened.extractall(tmp_path / "unpacked", [one for one in opened if "evil" not in one.name], filter="data")
    for folder in ("unpacked", "unpacked/package", "unpacked/package/dist"):
        found = find_runtime(tmp_path / folder)
        assert all(path.parent == tmp_path / "unpacked/package/dist" for path in found.values())
    (tmp_path / "cache").mkdir()
    with pytest.raises(DataError, match=r"cache: does not hold ort.wasm.bundle.min.mjs and"):
        find_runtime(tmp_path / "cache")


def test_it_is_fetched_once_and_checked(package, monkeypatch):
    asked = []

    def fetch(url: str, path: Path, **how: Any) -> str:
        asked.append((url, how["sha256"]))
        path.parent.mkdir(parents=True)
        shutil.copy(package, path)
        return how["sha256"]

    monkeypatch.setattr(runtime_module, "fetch", fetch)
    assert find_runtime() == find_runtime()
    assert asked == [(runtime_module._URL, runtime_module._SHA256)]
    assert sorted(path.name for path in runtime_folder().iterdir()) == sorted(FILES)


def test_without_a_network_or_a_package(package, tmp_path, monkeypatch):
    monkeypatch.setattr(runtime_module, "_URL", "http://127.0.0.1:9/onnxruntime-web.tgz")
    with pytest.raises(DataError, match=r"could not be fetched \(.*\)\. .*makes the file to name with --runtime"):
        find_runtime()
    (tmp_path / "text.tgz").write_text("text")
    for wrong in (tmp_path / "text.tgz", tmp_path / "nowhere.tgz"):
        with pytest.raises(DataError, match=r"tgz: is no package of onnxruntime-web"):
            find_runtime(wrong)


# The verb


def test_what_the_verb_refuses(cli, recogniser_run, package, tmp_path):
    assert "nowhere: holds no bundle" in cli("serve", "nowhere").err
    done = cli("serve", recogniser_run, "nowhere.json", "--runtime", package)
    assert (done.code, "nowhere.json" in done.err) == (1, True)


def test_the_verb_says_where_the_page_is_and_ends_on_control_c(cli, recogniser_run, package, monkeypatch):
    opened = []

    class Server:
        server_port = 4711

        def serve_forever(self) -> None:
            raise KeyboardInterrupt

    @contextmanager
    def served(model: Predictor, runtime: dict[str, Path], *rest: Any, **more: Any):
        assert set(runtime) == set(FILES)
        yield Server()

    monkeypatch.setattr(ship, "served", served)
    monkeypatch.setattr(ship.webbrowser, "open", opened.append)
    done = cli("serve", recogniser_run, "--runtime", package, "--open")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "making what the browser computes; this takes some seconds",
        "http://127.0.0.1:4711/  (Ctrl-C ends it)",
    ]
    assert opened == ["http://127.0.0.1:4711/"]
