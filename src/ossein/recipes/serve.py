"""The browser page for a recogniser: the model as ONNX, a recording to play, and a server of both on this machine."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path

from ossein.clip import Clip
from ossein.deploy import Predictor, page_files, recording, serve
from ossein.errors import DataError
from ossein.readers.synthetic import SyntheticSettings, synthetic
from ossein.recipes.export import export


@contextmanager
def served(
    model: Predictor,
    runtime: Mapping[str, Path],
    file: Path | None = None,
    *,
    clip: int = 0,
    format: str = "auto",
    port: int = 0,
) -> Iterator[ThreadingHTTPServer]:
    """A server of the page, ready for `serve_forever`.

    Args:
        model: The recogniser, as `ossein.load` gives it.
        runtime: The files of onnxruntime-web, see `find_runtime`.
        file: What to play, in any format that ossein reads. Without it a synthetic clip, where the model has the joints of
            such; otherwise the page waits for a recording.
        clip: Which clip of the file, from 0.
        format: The reader to use, or `auto`.
        port: Where to listen; 0 takes any that is free.

    Raises:
        BundleError: No graph can be made of the model.
        DataError: The file cannot be read or has no such clip.
        SkeletonError: The file has other joints than the model.
        SettingsError: The port cannot be used.
        MissingExtra: What writes ONNX is not installed.
    """
    shown = _example(model) if file is None else _choose(file, model.read(file, format), clip)
    play = {} if shown is None else {"/recording.json": json.dumps(recording(shown)).encode()}
    run = {f"/ort/{name}": path for name, path in runtime.items()}
    with tempfile.TemporaryDirectory(prefix="ossein-") as folder:
        written = export(model, Path(folder) / "model.onnx").path
        with serve({**page_files(), **run, **play, "/model.onnx": written}, port) as server:
            yield server


def _choose(file: Path, clips: list[Clip], number: int) -> Clip:
    if not 0 <= number < len(clips):
        raise DataError(f"{file}: there is no clip {number} among {len(clips)}, counted from 0. Choose another --clip.")
    return clips[number]


def _example(model: Predictor) -> Clip | None:
    """A synthetic clip, where such clips have the joints of the model."""
    source = synthetic(SyntheticSettings(clips=1, dims=3 if model.card.dims == 3 else 2))
    same = source.skeleton is not None and source.skeleton.joints == model.skeleton.joints
    return next(iter(source.clips)) if same else None
