"""A method, a recogniser and presets of one's own in one file, through the command line from pre-training to answers."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from runs import losses, same_run
from two import torchrun

from ossein.files import read_yaml

MINE = '''
from typing import Literal

from torch import nn

from ossein.encoders import Mixer, MixerSettings
from ossein.objective import Step
from ossein.pretrain import METHODS, Pretrainer
from ossein.recipes.presets import PRETRAIN, RECOGNISE
from ossein.settings import Settings
from ossein.tasks import RECOGNISERS, Recogniser


class DenoiseSettings(Settings):
    kind: Literal["denoise"] = "denoise"
    encoder: MixerSettings = MixerSettings(width=8, depth=1)
    noise: float = 0.05
    """How much noise."""


class Denoise(Pretrainer):
    def __init__(self, skeleton, dims, frames, persons, settings):
        super().__init__(skeleton, dims, frames, persons, settings)
        self.encoder, self.noise = Mixer(skeleton, dims, settings.encoder), settings.noise
        self.head = nn.Linear(self.encoder.width, dims)

    def forward(self, batch, draw):
        noise = self.noise * draw.normal(tuple(batch.x.shape)).to(batch.x)
        rebuilt = self.head(self.encoder(batch.x + noise, None, batch.present))[:, :, :1]
        return Step((rebuilt - batch.x[:, :, :1]).square().mean(), batch.x.new_tensor(float(len(batch))))


class MeanSettings(Settings):
    kind: Literal["denoise"] = "denoise"  # a method may have the same name
    scale: float = 1


class Mean(Recogniser):
    def __init__(self, skeleton, dims, frames, persons, num_classes, settings):
        super().__init__(skeleton, dims, frames, persons, num_classes, settings)
        self.scale, self.head = settings.scale, nn.Linear(len(skeleton) * dims, num_classes)

    def features(self, batch):
        self.check(batch)
        return self.scale * batch.x.mean((1, 2)).flatten(1)


METHODS.add(Denoise, DenoiseSettings)
RECOGNISERS.add(Mean, MeanSettings)
PRETRAIN["denoise"] = lambda facts: PRETRAIN["ossein"](facts).change(model=DenoiseSettings())
RECOGNISE["mean"] = lambda facts, card: RECOGNISE["stgcn"](facts, card).change(model=MeanSettings())
'''
SHORT = (
    "--input.frames",
    8,
    "--train.batch",
    5,
    "--train.device",
    "cpu",
    "--train.precision",
    "fp32",
    "--train.steps",
    0,
)


@pytest.fixture
def mine(tmp_path) -> Path:
    """The file, in the folder that the commands run in."""
    (tmp_path / "mine.py").write_text(MINE)
    return tmp_path / "mine.py"


def forgotten(folder: Path, *commands: Sequence[object]) -> tuple[list[int], str]:
    """Exit statuses and errors of commands in a process of its own, which knows nothing of what this one has imported."""
    words = [list(map(str, command)) for command in commands]
    code = f"from ossein.cli import run\nprint([run(words) for words in {words}])"
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


def test_from_pre_training_to_answers(cli, fixed_store, mine, tmp_path):
    words = ("--use", "mine.py", "pretrain", "denoise", fixed_store.path, "--split", "half", *SHORT)
    words = (*words, "--train.epochs", 1, "--model.noise", 0.2)
    assert "--model.noise" in cli(*words, "--help").out
    done = cli(*words, "--out", "p")
    assert done.code == 0, done.err
    record = read_yaml(tmp_path / "p" / "run.yaml")
    assert record["settings"]["model"]["noise"] == 0.2
    assert list(record["made_by"]["used"]) == ["mine.py"]
    told = shlex.split(done.out.partition("next: ")[2])
    rest = ["recognise", "ossein", str(fixed_store.path), "--split", "half", "--from", "p"]
    assert told == ["ossein", "--use", "mine.py", *rest]
    done = cli(*told[1:], *SHORT, "--train.epochs", 1, "--out", "r")
    assert done.code == 0, done.err
    assert read_yaml(tmp_path / "r" / "run.yaml")["settings"]["model"]["encoder"]["width"] == 8
    assert cli("evaluate", "p", fixed_store.path, "--protocol", "knn").code == 0
    assert cli("report", "p").code == 0

    # A process that does not know it says so; the recogniser that came out of it needs it no more.
    codes, told = forgotten(tmp_path, *(("evaluate", run, fixed_store.path) for run in "pr"))
    assert (codes, told.count("\n")) == ([1, 0], 1)
    assert "p/bundle/bundle.json: field 'model.kind': no method is called 'denoise' here. Known: skel" in told
    assert "name its file with --use" in told


def test_two_processes_have_it_both(cli, fixed_store, mine, tmp_path):
    words = ("--use", "mine.py", "pretrain", "denoise", fixed_store.path, "--split", "half", *SHORT)
    words = (*words, "--train.epochs", 1, "--out")
    assert cli(*words, "one").code == 0
    done = torchrun(tmp_path, *words, "two")
    assert done.stdout.count("next: ossein --use mine.py recognise ossein") == 1
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=1e-4)
    one, two = (read_yaml(tmp_path / name / "run.yaml")["made_by"] for name in ("one", "two"))
    assert two["used"] == one["used"] != {}


def test_a_run_that_was_stopped_goes_on(cli, fixed_store, mine, tmp_path, monkeypatch):
    from ossein.cli import train

    words = ("--use=mine.py", "pretrain", "denoise", fixed_store.path, "--split", "half", *SHORT, "--train.epochs", 2)
    assert cli(*words, "--out", "whole").code == 0

    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(train, "run_pretrain", stop)
        done = cli(*words, "--out", "p")
    assert done.code == 130
    told = shlex.split(done.out.splitlines()[-1])
    assert told[:5] == ["ossein", "--use", "mine.py", "pretrain", "denoise"]
    assert cli(*told[1:]).code == 0
    assert cli(*told[1:]).out.startswith("p: done already")
    assert same_run(tmp_path / "p", tmp_path / "whole")


def test_a_recogniser_of_ones_own(cli, fixed_store, mine):
    words = ("--use", mine, "recognise", "mean", fixed_store.path, "--split", "half", *SHORT, "--train.epochs", 1)
    done = cli(*words, "--model.scale", 2, "--out", "r")
    assert done.code == 0, done.err
    done = cli("--use", mine, "evaluate", "r", fixed_store.path, "--protocol", "classes", "linear")
    assert done.code == 0, done.err
    assert cli("runs", ".").out.count("mean") == 1


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--use",), 2, "--use needs a Python file"),
        (("--use=", "data", "list"), 2, "--use needs a Python file"),
        (("--use", "mine.py", "pretrian"), 2, "'pretrian' is no verb of ossein. Did you mean 'pretrain'?"),
        (("--use", "nowhere.py", "data", "list"), 1, "--use nowhere.py: there is no such file."),
        (("--use", "no_such_module", "data", "list"), 1, "--use no_such_module: there is no such module."),
        (("--use", "broken.py", "data", "list"), 1, "--use broken.py: line 2: ZeroDivisionError: division by zero."),
        (
            ("pretrain", "denoise", "my.clips"),
            2,
            "If it is one of your own, name its file before the verb: ossein --use FILE",
        ),
    ],
)
def test_what_cannot_work(cli, mine, words, code, told):
    mine.with_name("broken.py").write_text("one = 1\none / 0\n")
    done = cli(*words)
    assert (done.code, done.err.count("\n")) == (code, 1)
    assert told in done.err
    assert done.err.startswith("ossein: ")


def test_help_imports_nothing(cli, mine):
    mine.write_text("raise AssertionError")
    done = cli("--use", mine, "--help")
    assert done.code == 0
    assert "--use FILE" in done.out
