"""Whether a training compiles its steps, and why: on the screen and in the record of the run."""

import pytest
from runs import Watched

from ossein.recipes import compiling
from ossein.recipes.compiling import compile_reason, compiles
from ossein.recipes.presets import Facts, ssl
from ossein.recipes.pretrain import pretrain
from ossein.skeleton import Skeleton
from ossein.train import TrainSettings

FACTS = Facts(Skeleton.of("coco-17"), 2, 1, True, 100)


def machine(monkeypatch, *, gpu: bool, triton: bool = True, compiler: bool = True) -> None:
    monkeypatch.setattr(compiling.torch.cuda, "is_available", lambda: gpu)
    monkeypatch.setattr(compiling.torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    monkeypatch.setattr(compiling, "find_spec", lambda name: object() if triton else None)
    monkeypatch.setattr(compiling.shutil, "which", lambda name: "/usr/bin/g++" if compiler else None)


def test_nothing_is_said_where_there_is_no_gpu(monkeypatch):
    machine(monkeypatch, gpu=False)
    assert not compiles()
    assert not ssl(FACTS).train.compile
    assert compile_reason(ssl(FACTS).train) == ""


def test_a_gpu_compiles(monkeypatch):
    machine(monkeypatch, gpu=True)
    assert ssl(FACTS).train.compile
    assert compile_reason(ssl(FACTS).train) == "steps compiled: a GPU, Triton and a C++ compiler are here"


@pytest.mark.parametrize(("lack", "said"), [("triton", "Triton is not installed"), ("compiler", "no C++ compiler")])
def test_it_names_what_is_lacking(monkeypatch, lack, said):
    machine(monkeypatch, gpu=True, **{lack: False})
    reason = compile_reason(ssl(FACTS).train)
    assert reason.startswith("steps not compiled: ")
    assert said in reason


def test_it_says_what_the_settings_ask_against_that(monkeypatch):
    machine(monkeypatch, gpu=False)
    assert compile_reason(TrainSettings(compile=True)) == (
        "steps compiled: as the settings ask, though there is no GPU, for which it pays"
    )
    machine(monkeypatch, gpu=True)
    assert compile_reason(TrainSettings(device="cuda")).startswith(
        "steps not compiled: as the settings ask, though a GPU"
    )


@pytest.mark.parametrize("gpu", [True, False])
def test_it_is_on_the_screen_and_in_the_record(monkeypatch, gpu, fixed_store, tiny_pretrain, tmp_path):
    screen = Watched()
    monkeypatch.setattr("ossein.recipes.pretrain.compile_reason", lambda settings: "steps compiled: why" if gpu else "")
    [run] = pretrain(
        "skeletonmae", fixed_store, tmp_path, splits=["half"], settings=tiny_pretrain(fixed_store), screen=screen
    )
    assert ("steps compiled: why" in screen.lines) == gpu
    assert run.read().get("compile") == ("steps compiled: why" if gpu else None)
