"""The page's modules against Python's own, its server, and where onnxruntime-web comes from; the page itself is tested in
`test_web_browser`."""

import http.client
import io
import json
import shutil
import subprocess
import tarfile
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest

from ossein.cli import ship
from ossein.clip import Clip
from ossein.deploy import Predictor, find_runtime, page_files, recording, serve
from ossein.deploy import runtime as runtime_module
from ossein.deploy.runtime import FILES, runtime_folder
from ossein.errors import DataError, SettingsError
from ossein.readers import get_reader
from ossein.skeleton import Skeleton
from ossein.store.memory import Memory
from ossein.store.sample import sample_test

WEB = Path(str(files("ossein.deploy") / "web"))
COCO = Skeleton.of("coco-17")
NODE = shutil.which("node")


@pytest.fixture(scope="module")
def js(tmp_path_factory):
    """Runs lines of JavaScript with the page's modules and `given`, and brings back what they return."""
    if NODE is None:
        pytest.skip("there is no Node.js")
    folder = tmp_path_factory.mktemp("js")
    # Without a package.json beside them, Node.js takes files that end in .js for its older kind of module.
    shutil.copytree(WEB, folder / "web")
    (folder / "web" / "package.json").write_text('{"type": "module"}')

    def run(module: str, code: str, given: Any) -> Any:
        script = (
            f"import * as web from {json.dumps((folder / 'web' / module).as_uri())};"
            "import { readFileSync } from 'node:fs'; const given = JSON.parse(readFileSync(0, 'utf8'));"
            "const plain = (key, value) => ArrayBuffer.isView(value) ? Array.from(value) : value;"
            f"console.log(JSON.stringify((() => {{ {code} }})(), plain));"
        )
        words = [NODE, "--input-type=module", "-e", script]
        done = subprocess.run(words, input=json.dumps(given), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def walk(frames: int = 9, persons: int = 2, dims: int = 2) -> Clip:
    """A random walk with joints, frames and a stretch of the second person absent."""
    rng = np.random.default_rng(frames)
    x = 200 + rng.normal(size=(persons, frames, 17, dims)).cumsum(1) * 5
    score = rng.uniform(0.2, 1, (persons, frames, 17)) * (rng.random((persons, frames, 17)) > 0.2)
    score[0, frames // 2] = 0
    score[1:, frames // 3 :] = 0
    return Clip(x, score, "walk", size=(640, 480) if dims == 2 else None, rate=25)


def arrays(read: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    shape = (read["persons"], read["frames"], read["joints"])
    return np.reshape(read["x"], (*shape, read["dims"])), np.reshape(read["score"], shape)


@pytest.mark.parametrize(
    ("frames", "length", "views", "persons"), [(8, 9, 1, 2), (16, 9, 3, 3), (1, 5, 2, 1), (6, 1, 1, 2)]
)
def test_windows_are_sampled_as_for_the_model(js, frames, length, views, persons):
    clip, share = walk(length), 0.95
    how = {"frames": frames, "share": share, "views": views, "persons": persons}
    code = "return [web.resample(given[0], web.testWindows(given[0].frames, given[1]), given[1])]"
    flat = {"frames": length, "persons": 2, "joints": 17, "dims": 2}
    flat |= {"x": clip.x.ravel().tolist(), "score": clip.score.ravel().tolist()}
    (made,) = js("resample.js", code, [flat, how])
    expected = sample_test(Memory.of([clip], COCO), [0], frames, share, views, persons)
    np.testing.assert_allclose(np.reshape(made["x"], expected.x.shape), expected.x, rtol=1e-6)
    np.testing.assert_allclose(np.reshape(made["score"], expected.score.shape), expected.score, rtol=1e-6)


@pytest.mark.parametrize(("length", "width", "most"), [(10, 4, 10), (200, 50, 60), (3, 9, 60), (1, 1, 60)])
def test_sliding_windows_stay_in_the_recording(js, length, width, most):
    windows = js("resample.js", "return web.slidingWindows(...given)", [length, width, most])
    assert len(windows) == min(length, most)
    assert windows[0]["middle"] == (0 if len(windows) > 1 else (length - 1) / 2)
    for one in windows:
        assert one["width"] == min(width, length)
        assert 0 <= one["start"] <= length - one["width"]
        centre = one["start"] + (one["width"] - 1) / 2
        inside = (one["width"] - 1) / 2 <= one["middle"] <= length - 1 - (one["width"] - 1) / 2
        assert not inside or centre == pytest.approx(one["middle"], abs=0.5)


READ = "return web.readRecording(given[0], 'someone', given[1])"


@pytest.mark.parametrize("dims", [2, 3])
def test_our_own_recordings(js, dims):
    clip = walk(dims=dims)
    read = js("recording.js", READ, [recording(clip), dims])
    x, score = arrays(read)
    np.testing.assert_allclose(x, clip.x, rtol=1e-6)
    np.testing.assert_allclose(score, clip.score, rtol=1e-6)
    assert (read["name"], read["rate"], read["size"]) == ("walk", 25, [640, 480] if dims == 2 else None)


def landmarks(clip: Clip, **of_file: Any) -> dict[str, Any]:
    return {"frames": [list(map(_landmark, clip.x[0, t], clip.score[0, t])) for t in range(clip.num_frames)], **of_file}


def _landmark(x: np.ndarray, score: float) -> dict[str, float]:
    return {axis: float(value) for axis, value in zip("xyz", [*x, 0.5])} | {"visibility": float(score)}


def detections(clip: Clip) -> list[dict[str, Any]]:
    return [
        {
            "image_id": f"frame_{4 + t:06d}.jpg",
            "keypoints": np.c_[clip.x[m, t], clip.score[m, t]].ravel().tolist(),
            "idx": m,
        }
        for t in range(clip.num_frames)
        for m in range(clip.num_persons)
        if clip.score[m, t].any()
    ]


@pytest.mark.parametrize(
    ("format", "file"),
    [
        ("mediapipe", landmarks(walk(persons=1), fps=12, width=640, height=480)),
        ("mediapipe", {"frames": [None, {"pose_landmarks": [[[0.2, 0.3, 0, 0.5]] * 33]}, [[0.5, 0.1, 0, 1]] * 33]}),
        ("mediapipe", {"frames": [{"poseWorldLandmarks": [{"x": 0.1, "y": 0.2, "z": 0.3, "visibility": 0.9}] * 33}]}),
        ("mediapipe", [{"handLandmarks": [[{"x": 0.1, "y": 0.2, "z": 0}] * 21]}]),
        ("coco", detections(walk())),
        (
            "coco",
            {
                "images": [{"id": 7, "file_name": "a_2.jpg", "width": 64, "height": 48}, {"id": 9, "file_name": "a_4.jpg", "width": 64, "height": 48}],
                "annotations": [{"image_id": 9, "keypoints": [3, 4, 2] * 16 + [0, 0, 0]}, {"image_id": 7, "keypoints": [1, 2, 1] * 17}],
            },
        ),
    ],
)  # fmt: skip
def test_files_of_others_are_read_as_the_readers_read_them(js, tmp_path, format, file):
    path = tmp_path / "someone.json"
    path.write_text(json.dumps(file))
    joints = {33: "mediapipe-33", 21: "hand-21"}
    clip = next(iter(get_reader(format).read(path, **({"skeleton": COCO} if "fps" in file else {})).clips))
    read = js("recording.js", READ, [file, clip.x.shape[3]])
    assert read["joints"] in (17, *joints)
    x, score = arrays(read)
    np.testing.assert_allclose(x, clip.x, rtol=1e-5)
    np.testing.assert_allclose(score, clip.score, rtol=1e-5)
    assert (read["size"] and tuple(read["size"])) == clip.size
    assert read["rate"] == (clip.rate or 30)


def test_the_metadata_of_an_onnx_file(js):
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    model = onnx.helper.make_model(onnx.helper.make_graph([], "none", [], []), producer_name="x" * 300)
    onnx.helper.set_model_props(model, {"other": "1", "ossein": "é" * 1000})
    code = "return Object.fromEntries(web.readMetadata(new Uint8Array(given)))"
    assert js("metadata.js", code, list(model.SerializeToString())) == {"other": "1", "ossein": "é" * 1000}
    code = "try { return web.readMetadata(new Uint8Array(given)).size } catch (error) { return error.message }"
    assert js("metadata.js", code, list(b"no model, but text")) == "it is no ONNX file"
    assert js("metadata.js", code, [114, 200, 1, 1]) == "the file is cut short"


# The server


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


# onnxruntime-web


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
    assert done.out.startswith("http://127.0.0.1:4711/")
    assert opened == ["http://127.0.0.1:4711/"]
