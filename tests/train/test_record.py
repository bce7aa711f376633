"""The folder of a run: what it is, what was logged, and whether one may go on with it."""

import json
import sys

import pytest

from ossein.errors import BundleError, SettingsError
from ossein.files import read_yaml
from ossein.train import Run, free_folder, provenance
from ossein.train import record as module

RECORD = {"kind": "pretrain", "data": {"split": "a", "facts": {}}, "settings": {"train": {"lr": 1e-5, "drops": [0.1]}}}


def test_begin_and_go_on(tmp_path):
    run = Run(tmp_path / "run")
    run.begin(RECORD, resume=False)
    assert run.read()["settings"] == RECORD["settings"]
    assert run.read()["made_by"]["versions"]["torch"]
    with pytest.raises(SettingsError, match=r"holds a run already. Add --resume"):
        run.begin(RECORD, resume=False)
    before = (run.folder / "run.yaml").read_bytes()
    run.begin(RECORD, resume=True)
    assert (run.folder / "run.yaml").read_bytes() == before


def test_going_on_where_nothing_is(tmp_path):
    Run(tmp_path / "run").begin(RECORD, resume=True)
    assert read_yaml(tmp_path / "run" / "run.yaml")["kind"] == "pretrain"


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (
            {**RECORD, "settings": {"train": {"lr": 2e-5, "drops": [0.1]}}},
            "'settings.train.lr' was 1e-05 and is now 2e-05",
        ),
        ({**RECORD, "data": {"split": "b", "facts": {}}}, "'data.split' was 'a' and is now 'b'"),
        ({**RECORD, "data": {"facts": {}}}, "'data.split' was 'a' and is now None"),
        ({**RECORD, "settings": {**RECORD["settings"], "more": 1}}, "'settings.more' was None and is now 1"),
    ],
)
def test_not_the_same_run(tmp_path, record, told):
    Run(tmp_path).begin(RECORD, resume=True)
    with pytest.raises(SettingsError, match=r"cannot go on") as error:
        Run(tmp_path).begin(record, resume=True)
    assert told in str(error.value)


@pytest.mark.parametrize("text", ["", "settings: {}", "- 1", "a: [", "\x00"])
def test_a_damaged_record(tmp_path, text):
    (tmp_path / "run.yaml").write_text(text)
    with pytest.raises(BundleError, match=r"run\.yaml"):
        Run(tmp_path).begin(RECORD, resume=True)
    with pytest.raises(BundleError, match=r"run\.yaml"):
        Run(tmp_path).read()


def test_no_run(tmp_path):
    with pytest.raises(BundleError, match=r"holds no run"):
        Run(tmp_path).read()


def test_the_log_forgets_what_will_be_done_again(tmp_path):
    run = Run(tmp_path)
    assert run.log_lines() == []
    for step in range(1, 6):
        run.log({"step": step, "loss": step / 3})
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 6, "lo')  # the process was killed here
    assert [line["step"] for line in run.log_lines()] == [1, 2, 3, 4, 5]
    run.forget_after(3)
    run.log({"step": 4, "loss": 0.5})
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(line["step"], line["loss"]) for line in lines] == [(1, 1 / 3), (2, 2 / 3), (3, 1.0), (4, 0.5)]


def test_results_and_doneness(tmp_path):
    run = Run(tmp_path)
    run.write_results({"top1": 0.5})
    assert json.loads((tmp_path / "results.json").read_text()) == {"top1": 0.5}
    assert not run.done


def test_a_free_folder(tmp_path):
    assert free_folder(tmp_path, "a").name == "a-1"
    (tmp_path / "a-1").mkdir()
    (tmp_path / "a-3").mkdir()
    assert free_folder(tmp_path, "a").name == "a-2"


def test_provenance(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["ossein", "pretrain", "my clips"])
    found = provenance()
    assert found["command"] == "ossein pretrain 'my clips'"
    assert set(found["versions"]) > {"python", "ossein", "torch", "numpy"}
    assert found["commit"]


def test_provenance_where_nothing_is_known(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "_PACKAGES", ("no-such-package",))
    monkeypatch.setattr(module, "__file__", str(tmp_path / "site-packages" / "ossein" / "train" / "record.py"))
    found = provenance()
    assert found["versions"]["no-such-package"] == "unknown"
    assert found["commit"] == "unknown"


def test_provenance_names_the_instructions(monkeypatch):
    monkeypatch.setattr(module.torch.backends.cpu, "get_cpu_capability", lambda: "AVX1024")
    assert ", AVX1024" in provenance()["machine"]


def test_provenance_names_the_gpu(monkeypatch):
    monkeypatch.setattr(module.torch.cuda, "is_available", lambda: False)
    without = provenance()["machine"]
    monkeypatch.setattr(module.torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(module.torch.cuda, "get_device_name", lambda: "NVIDIA X1")
    assert provenance()["machine"] == f"{without}, NVIDIA X1"


def test_provenance_without_git(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert provenance()["commit"] == "unknown"
