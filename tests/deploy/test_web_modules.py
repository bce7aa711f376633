"""The modules of the page against Python's own; the page itself is tested in `test_web_browser`."""

import json
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ossein.clip import Clip
from ossein.deploy import recording
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
