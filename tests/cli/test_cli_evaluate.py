"""`ossein evaluate` from the command line: one table for all protocols, and that a stopped one is gone on with."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time

import pytest
import yaml

SETTINGS = {
    "input": {"frames": 8},
    "model": {"layers": 1},
    "train": {"epochs": 0.4, "batch": 5, "precision": "fp32", "device": "cpu"},
}


@pytest.fixture
def run(pretrained_run, tmp_path):
    """A copy of the pre-training, and a file of settings beside it."""
    (tmp_path / "short.yaml").write_text(yaml.safe_dump(SETTINGS))
    return shutil.copytree(pretrained_run, tmp_path / "run")


def test_one_table(cli, run, fixed_store):
    protocols = ("linear", "knn", "retrieval", "finetune", "semi")
    options = ("--shares", "2-per-class", "--seeds", 0, "--control", "--config", "short.yaml")
    done = cli("evaluate", "run", fixed_store.path, "--protocol", *protocols, *options, "--confusion", "c.png")
    assert done.code == 0, done.err
    for text in (
        "mAP %",
        "retrieval",
        "run, seed 0",
        "finetune, random weights",
        "semi 2-per-class",
        "gain of pre-training",
        "ssl from pre-trained weights, half, 12 clips, seed 0",
        "ssl from random weights, half, 8 clips, seed 0",
        "confusion of run (linear): c.png",
    ):
        assert text in done.out, text
    results = json.loads((run / "evaluation.json").read_text())
    assert len(results["rows"]) == 1 + 2 + 1 + 2 + 2
    assert set(results["gain"]) == {"finetune", "semi 2-per-class"}


def test_transfer(cli, run, synthetic_store):
    store = synthetic_store().path
    done = cli("evaluate", "run", store, "--protocol", "transfer", "--seeds", 0, "--config", "short.yaml")
    assert done.code == 0, done.err
    assert json.loads((run / "evaluation.json").read_text())["rows"][0]["split"] == "xsub"


def test_control_c_and_going_on(cli, run, fixed_store, tmp_path):
    """Ctrl-C ends a real process with 130; the command that it prints trains what is missing and tells of all."""
    words = ["evaluate", run, fixed_store.path, "--protocol", "finetune", "--seeds", 0, 1]
    slow = {**SETTINGS, "train": {**SETTINGS["train"], "epochs": 15}}
    (tmp_path / "slow.yaml").write_text(yaml.safe_dump(slow))
    command = [sys.executable, "-m", "ossein", *map(str, words), "--config", "slow.yaml"]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=pipe, stderr=pipe, text=True)
    until = time.monotonic() + 120
    logs = []
    while not logs and time.monotonic() < until and process.poll() is None:
        time.sleep(0.01)
        logs = [log for log in run.glob("evaluation/*/*/log.jsonl") if log.stat().st_size]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in out + err
    assert "stopped; what was trained is kept. To go on:" in out
    assert not (run / "evaluation.json").exists()
    (begun,) = run.glob("evaluation/*/*/run.yaml")
    written = begun.stat().st_mtime_ns
    again = shlex.split(out.splitlines()[-1])
    assert again[0] == "ossein"
    assert cli(*again[1:]).code == 0
    assert begun.stat().st_mtime_ns == written
    assert [row["seed"] for row in json.loads((run / "evaluation.json").read_text())["rows"]] == [0, 1]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("--protocol", "linear", "--control"),
            "--control and --config are for the protocols finetune, semi, transfer",
        ),
        (("--protocol", "semi", "--shares", 5), "Did you mean '5%' or '5-per-class'?"),
        (("--protocol", "transfer"), "learned from fixed.clips itself, transfer goes to other data"),
        (("--protocol", "finetune", "--preset", "sll"), "Did you mean 'ssl'?"),
        (("--protocol", "finetune", "--config", "nowhere.yaml"), "nowhere.yaml: cannot be read"),
        (("--protocol", "retrieval", "--confusion", "c.png"), "retrieval names no classes"),
        (("--split", "loso"), "needs labelled clips of 2 or more known subjects, found 0"),
    ],
)
def test_wrong_words(cli, run, fixed_store, words, told):
    done = cli("evaluate", "run", fixed_store.path, *words)
    assert done.code == 1
    assert told in done.err
    assert not (run / "evaluation.json").exists()
    assert not (run / "evaluation").exists()


def test_runs_are_fused(cli, fixed_store):
    words = ("--split", "half", "--model.encoder.width", 8, "--model.encoder.depth", 1, "--input.frames", 8)
    words = (*words, "--train.epochs", 1, "--train.steps", 0, "--train.batch", 5, "--out")
    assert cli("recognise", "ossein", fixed_store.path, "--seeds", 0, 1, *words, "seeds").code == 0
    assert cli("recognise", "ossein", fixed_store.path, "--input.stream", "bone", *words, "bones").code == 0
    done = cli("fuse", fixed_store.path, "seeds", "bones", "--out", "fused")
    assert done.code == 0, done.err
    for text in ("seeds/half-seed0", "seeds/half-seed1", "bones", "all 3 together", "model in fused"):
        assert text in done.out, text
    assert cli("evaluate", "fused", fixed_store.path).code == 0
    done = cli("fuse", fixed_store.path, "bones")
    assert done.code == 1
    assert "half: 1 run\n" in done.out
    assert "is the only run of 'half'" in done.err
