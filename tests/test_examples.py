"""Every program in `examples/` works as a reader would run it, one after the other, on synthetic data."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from pages import ROOT

import ossein
from ossein.cli import run
from ossein.readers.synthetic import SyntheticSettings, synthetic

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder with the files that the examples speak of."""
    folder = tmp_path_factory.mktemp("examples")
    source = synthetic(SyntheticSettings(clips=36, persons=6, frames=(40, 50)))
    for clip in source.clips:
        place = folder / "gestures" / source.classes[clip.label].replace(" ", "-")
        place.mkdir(parents=True, exist_ok=True)
        name = f"{'abcdef'[clip.subject % 6]}-{clip.name[-3:]}.npy"
        np.save(place / name, np.concatenate([clip.x[0], clip.score[0, ..., None]], -1))
    rng = np.random.default_rng(0)
    cats = [
        {"name": f"tom-{i}", "action": ("stretch", "nap")[i % 2], "poses": rng.uniform(0.1, 1, (5, 6, 3)).tolist()}
        for i in range(4)
    ]
    (folder / "cats.jsonl").write_text("\n".join(map(json.dumps, cats)) + "\n")
    return folder


@pytest.fixture
def example(here):
    """Runs an example by its number and gives what it prints."""

    def run(number: str, *words: str) -> str:
        (script,) = (path for path in EXAMPLES if path.name.startswith(number))
        done = subprocess.run(
            [sys.executable, str(script), *words],
            capture_output=True,
            text=True,
            cwd=here,
            env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "error"},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_keypoints_to_a_store(example, here):
    assert "36 clips of 6 people" in example("01", "gestures", "gestures.clips")
    store = ossein.Store.open(here / "gestures.clips")
    subjects = {half: set(store.subjects[clips].tolist()) for half, clips in store.splits.items()}
    assert subjects == {"people_train": {0, 1, 2, 4, 5}, "people_test": {3}}
    assert np.isnan(store.rates).sum() == 0


def test_training(example, here):
    shown = example("02", "gestures.clips", "runs", "1")
    assert re.search(r"top-1 \d+\.\d% of \d+ test clips, from 5 labels a class", shown)
    assert ossein.load(here / "runs" / "recogniser").card.data["labels"] == "5-per-class"


def test_a_method(here, monkeypatch, capsys):
    """The two commands at its head, shortened, and a bundle that needs its file no more."""
    monkeypatch.chdir(here)
    short = ["--train.epochs", "1", "--train.steps", "0", "--input.frames", "16", "--train.device", "cpu"]
    for line in re.findall(r"^    ossein (.+)$", (ROOT / "examples" / "03_method.py").read_text(), re.MULTILINE):
        words = line.replace("examples/03_method.py", str(ROOT / "examples" / "03_method.py")).split()
        assert run([*words, *short]) == 0, capsys.readouterr().err
    assert "next: ossein --use " in capsys.readouterr().out
    assert ossein.load(here / "runs" / "recognise-ossein-gestures-1").card.model.kind == "reader"


def test_a_reader_and_a_skeleton(example, here):
    assert "4 clips of a cat, classes nap, stretch" in example("04", "cats.jsonl", "cats.clips")
    store = ossein.Store.open(here / "cats.clips")
    pose = np.array(json.loads((here / "cats.jsonl").read_text().splitlines()[0])["poses"])
    np.testing.assert_allclose(store.clip(0).x[0], pose[..., :2], rtol=1e-5)
    assert store.skeleton.pairs == ((4, 5),)


def test_a_stream(example):
    lines = example("05", "runs/recogniser", "gestures.clips").splitlines()
    assert len(lines) >= 2
    assert all(re.match(r" +\d+\.\d\d s to +\d+\.\d\d s: .+ \(.+ \d+%\)$", line) for line in lines)


def test_a_model_without_torch(example, here):
    assert run(["export", str(here / "runs" / "recogniser"), str(here / "model.onnx")]) == 0
    clip = ossein.Store.open(here / "gestures.clips").clip(0)
    np.savez(here / "clip.npz", x=clip.x, score=clip.score)
    said = dict(line.rsplit(maxsplit=1) for line in example("06", "model.onnx", "clip.npz").splitlines())
    top = dict(ossein.load(here / "runs" / "recogniser").predict(clip, top=5)[0].top)
    assert {name: float(p) for name, p in said.items()} == pytest.approx(top, abs=1e-4)


def test_they_are_six_short_and_told_of():
    assert [path.name[:2] for path in EXAMPLES] == ["01", "02", "03", "04", "05", "06"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for path in EXAMPLES:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 75, path.name
        assert f"(examples/{path.name})" in readme, path.name
