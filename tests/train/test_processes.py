"""Two processes on one machine do what one would have done: started by torchrun, through the real command line."""

import pytest
import torch
from two import torchrun

from ossein.train import Run, all_processes, processes, read_tensors

SMALL = (
    *("--input.frames", 8, "--model.encoder.width", 8, "--model.encoder.depth", 1, "--augment.rotate", 0.2),
    *("--train.epochs", 3, "--train.batch", 7, "--train.precision", "fp32", "--train.device", "cpu"),
)


@pytest.fixture(scope="module")
def store(synthetic_store):
    """Clips in which persons and frames are absent, so that two halves of a batch hold different numbers of both."""
    return synthetic_store(clips=37, people=2, drop=0.3)


def check_same(one, two, folder_names, weights_like, num_steps=11):  # 7 of 25 clips a step, three times through all
    lines, other = Run(one).log_lines(), Run(two).log_lines()
    assert len(lines) == len(other) == num_steps
    for line, same in zip(lines, other):
        assert same == pytest.approx(line, rel=1e-4), line["step"]
    weights, others = (read_tensors(folder / "bundle" / "model.safetensors")[0] for folder in (one, two))
    names = [name for name in weights if weights_like in name]
    assert any("running_var" in name for name in names)
    for name in names:
        weight = weights[name]
        torch.testing.assert_close(others[name], weight, rtol=1e-3, atol=1e-4, msg=name)
    assert sorted(path.name for path in two.iterdir()) == folder_names
    assert sorted(path.name for path in one.iterdir()) == folder_names


def test_pre_training(store, cli, tmp_path):
    words = ["pretrain", "skeletonmae", store.path, *SMALL, "--model.mask.kind", "random-joints", "--optim.lr", 1e-3]
    assert cli(*words, "--out", "one").code == 0
    done = torchrun(tmp_path, *words)  # without --out: both must agree on a folder
    two = tmp_path / "runs" / "pretrain-skeletonmae-tiny-1"
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [two.name]
    # Adam makes steps out of the rounding in gradients that are really 0: those of biases in front of a batch norm.
    check_same(
        tmp_path / "one",
        two,
        ["bundle", "checkpoint.safetensors", "log.jsonl", "report.html", "run.yaml"],
        "running_var",
    )
    assert done.stdout.count("pre-trained encoder in") == 1


def test_recognition(store, cli, tmp_path):
    words = ["recognise", "ssl", store.path, *SMALL, "--model.interact", "--model.layers", 1, "--optim.lr", 1e-3]
    assert cli(*words, "--out", "one").code == 0
    done = torchrun(tmp_path, *words, "--out", "two")
    names = ["bundle", "checkpoint.safetensors", "log.jsonl", "report.html", "results.json", "run.yaml"]
    check_same(tmp_path / "one", tmp_path / "two", names, "")
    assert done.stdout.count("model in") == 1


def test_recognition_with_a_teacher(store, cli, tmp_path):
    """The first process holds most clips with a label, the other most without; both have the same teacher."""
    words = [
        "recognise",
        "ossein",
        store.path,
        *SMALL,
        "--train.steps",
        12,
        "--model.dropout",
        0,
        "--labels",
        "1-per-class",
    ]
    words += ["--optim.kind", "sgd", "--optim.lr", 0.005, "--teach.beside", 8, "--teach.sure", 0]
    assert cli(*words, "--out", "one").code == 0
    torchrun(tmp_path, *words, "--out", "two")
    names = ["bundle", "checkpoint.safetensors", "log.jsonl", "report.html", "results.json", "run.yaml"]
    check_same(tmp_path / "one", tmp_path / "two", names, "", num_steps=12)
    assert max(line["sure"] for line in Run(tmp_path / "one").log_lines()) > 0


def test_other_verbs_want_one_process(cli, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    done = cli("quickstart")
    assert done.code == 1
    assert (
        done.err == "ossein: 'ossein quickstart' runs in one process. Start it without torchrun or accelerate launch.\n"
    )


@pytest.mark.parametrize(("backend", "asked"), [("gloo", {}), ("nccl", {"device_ids": [3]})])
def test_waiting_asks_for_a_gpu_only_where_one_trains(monkeypatch, backend, asked):
    """Processes on the CPU may be more than the machine has GPUs."""
    waited = []
    monkeypatch.setattr(processes.dist, "is_initialized", lambda: True)
    monkeypatch.setattr(processes.dist, "get_backend", lambda: backend)
    monkeypatch.setattr(processes.dist, "barrier", lambda **words: waited.append(words))
    monkeypatch.setattr(processes.torch.cuda, "current_device", lambda: 3)
    all_processes()
    assert waited == [asked]
