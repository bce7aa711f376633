"""Exported models: what another runtime computes is what the model says, whatever is absent, and nothing else is written."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from batches import M, N, T, batch, some_absent
from pydantic import TypeAdapter

from ossein.deploy import Card, Graph, Predictor, check_onnx, check_torch, load, metadata, to_onnx, trace
from ossein.deploy import export as module
from ossein.deploy.graph import sample_inputs
from ossein.encoders.describe import DESCRIPTIONS
from ossein.errors import BundleError, MissingExtra, SettingsError
from ossein.evaluate.model import class_scores
from ossein.recipes.export import export
from ossein.skeleton import Skeleton
from ossein.store.memory import Memory
from ossein.store.sample import sample_test
from ossein.tasks import RECOGNISERS, RecogniserSettings, build_recogniser
from ossein.train import InputSettings

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

# Each recogniser with another skeleton, normalisation and stream, so that all of these are exported too.
CASES: dict[str, tuple[dict[str, Any], str, int, str, str]] = {
    "strl": (
        {"encoder": {"width": 8, "depth": 1, "kind": "gat"}, "layers": 1, "keep_joints": True, "interact": True},
        "penn-13",
        2,
        "image",
        "bone",
    ),
    "stgcn": ({"widths": (4, 6), "blocks": 1, "kernel": 3}, "kinect-20", 3, "facing", "joint-motion"),
    "reader": ({"encoder": {"width": 8, "depth": 1, "reads": [*DESCRIPTIONS]}}, "coco-17", 2, "centre", "joint"),
    "fused": (
        {
            "members": [
                {"model": {"kind": "reader", "encoder": {"width": 8, "depth": 1}}, "stream": "bone-motion"},
                {"model": {"kind": "stgcn", "widths": (4,), "blocks": 1, "kernel": 3}, "temperature": 0.5},
            ]
        },
        "coco-17",
        2,
        "centre",
        "joint",
    ),
}


def made(kind: str, **more: Any) -> Predictor:
    """A recogniser that has seen a little, with its card."""
    fields, name, dims, normalise, stream = CASES.get(kind, ({}, "coco-17", 2, "centre", "joint"))
    settings = TypeAdapter(RecogniserSettings).validate_python({"kind": kind, **fields})
    skeleton = Skeleton.of(name)
    torch.manual_seed(0)
    model = build_recogniser(skeleton, dims, T, M, 5, settings)
    with torch.no_grad():
        for value in model.parameters():
            value.add_(torch.randn_like(value) * 0.1)
        for seed in range(3):
            model(batch(seed=seed, skeleton=skeleton, dims=dims))
    card = Card(
        kind="recogniser",
        preset="mine",
        skeleton=skeleton.plain(),
        dims=dims,
        classes=tuple("abcde"),
        input=InputSettings(frames=T, persons=M, normalise=normalise, stream=stream),
        model=settings,
        data={"store": "s", "hash": "h", "split": "all", "seen": "0-3"},
        made_by={"version": "0"},
        **more,
    )
    return Predictor(model.eval(), card)


def given(model: Predictor) -> tuple[torch.Tensor, ...]:
    """Clips with everything absent that may be: joints, frames, a person, all of a clip."""
    x = batch(skeleton=model.skeleton, dims=model.card.dims).x
    score = some_absent()[..., :1].expand(x.shape[:-1]).clone()
    score[0, 1, 3, :5] = 0
    score[3] = 0
    size = torch.tensor([[640.0, 480.0]]).expand(N, 2)
    inputs = (300 + 90 * x, score, size)
    return inputs if model.card.input.normalise == "image" else inputs[:2]


@pytest.fixture(scope="module", params=RECOGNISERS)
def exported(request) -> tuple[Predictor, torch.export.ExportedProgram]:
    model = made(request.param, temperature=2.0)
    return model, trace(model.model, model.card)


def answers(model: Predictor, inputs: tuple[torch.Tensor, ...]) -> torch.Tensor:
    with torch.no_grad():
        return Graph(model.model, model.card)(*inputs)


def test_every_recogniser_says_the_same_in_onnxruntime(exported):
    model, program = exported
    data = to_onnx(program, model.card)
    session = onnxruntime.InferenceSession(data)
    assert [(one.name, one.shape[0]) for one in session.get_inputs()] == [
        (n, "N") for n in metadata(model.card)["inputs"]
    ]
    assert json.loads(session.get_modelmeta().custom_metadata_map["ossein"]) == metadata(model.card)
    inputs = given(model)
    for some in (slice(0, N), slice(0, 1), slice(3, 4), slice(1, 3)):
        named = {one.name: value[some].numpy() for one, value in zip(session.get_inputs(), inputs)}
        (probability,) = session.run(["probability"], named)
        np.testing.assert_allclose(probability, answers(model, inputs)[some], atol=1e-5)
    assert check_onnx(data, model.model, model.card) < 1e-5


def test_the_program_of_torch_says_the_same(exported):
    model, program = exported
    for some in (slice(0, N), slice(0, 1), slice(1, 3)):
        inputs = tuple(one[some] for one in given(model))
        torch.testing.assert_close(program.module()(*inputs), answers(model, inputs), atol=1e-6, rtol=1e-5)


def test_the_graph_does_what_python_does_on_the_way_to_a_model(fixed_store, recogniser_run):
    model = load(recogniser_run)
    clips = [fixed_store.clip(i) for i in range(6)]
    rows = Memory.of(clips, model.skeleton)
    some = sample_test(rows, np.arange(6), model.card.input.frames, persons=model.card.input.persons)
    expected = class_scores(model.model, rows, np.arange(6), model.card.input)
    np.testing.assert_allclose(answers(model, (some.x, some.score, some.size)), expected, atol=1e-6)


def test_what_is_checked_with_has_absence_of_each_kind():
    model = made("reader")
    x, score = sample_inputs(model.card, 4)
    present = (score > 0).any(-1)
    assert present[0].all()
    assert (score[1] > 0)[present[1]].float().mean() < 1
    assert not present[1, 0].any()
    assert 0 < present[1, 1].sum() < T
    assert not present[2].any()
    assert x[score == 0].isnan().all()
    assert x[score > 0].isfinite().all()


def test_a_file_of_torch_holds_the_metadata_and_a_model_that_changed_is_found_out(tmp_path, monkeypatch):
    model = made("reader")
    done = export(model, tmp_path / "new" / "model.pt2")
    assert done.difference < 1e-6
    assert done.size == done.path.stat().st_size
    extra = {"ossein.json": ""}
    program = torch.export.load(str(done.path), extra_files=extra)
    assert json.loads(extra["ossein.json"]) == metadata(model.card)
    assert program.module()(*given(model)).shape == (N, 5)

    data = done.path.read_bytes()
    with torch.no_grad():
        model.model.head.each[0][-1].bias[0] += 1
    with pytest.raises(BundleError, match=r"differ by .* in a probability, expected at most 0.0001"):
        check_torch(data, model.model, model.card)
    monkeypatch.setattr(module, "sample_inputs", lambda card, clips: tuple(x * 0 for x in given(model)))
    with torch.no_grad():
        model.model.head.each[0][-1].bias[0] = float("nan")
    with pytest.raises(BundleError, match="differ by nan"):
        check_torch(data, model.model, model.card)


def test_what_cannot_be_exported(tmp_path, monkeypatch):
    model = made("reader")
    with pytest.raises(SettingsError, match=r"model.onx: ends in '.onx'. Did you mean '.onnx'\?"):
        export(model, tmp_path / "model.onx")
    monkeypatch.setattr(type(model.model), "features", lambda self, batch: torch.nonzero(batch.x).tolist())
    with pytest.raises(BundleError, match=r"model 'mine': torch .* cannot make a graph of it"):
        trace(model.model, model.card)
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == "onnxscript" else 1)
    with pytest.raises(MissingExtra, match=r"needs onnxscript. Install it: pip install 'ossein\[export\]'"):
        check_onnx(b"", model.model, model.card)
    assert list(tmp_path.iterdir()) == []


def test_the_command_and_the_example_say_what_the_bundle_says(cli, recogniser_run, fixed_store, tmp_path):
    done = cli("export", recogniser_run, "model.onnx")
    assert done.code == 0, done.err
    assert "model.onnx: " in done.out
    assert "probabilities differ from the bundle's by" in done.out
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]

    clip = fixed_store.clip(3)
    np.savez(tmp_path / "clip.npz", x=clip.x, score=clip.score, size=clip.size)
    script = Path(__file__).parents[2] / "examples" / "06_onnxruntime.py"
    words = [sys.executable, str(script), "model.onnx", "clip.npz"]
    out = subprocess.run(words, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    said = dict(line.rsplit(maxsplit=1) for line in out.splitlines())
    top = dict(load(recogniser_run).predict(clip, top=4)[0].top)
    assert {name: float(p) for name, p in said.items()} == pytest.approx(top, abs=1e-4)
    assert cli("export", recogniser_run, "model.txt").code == 1
