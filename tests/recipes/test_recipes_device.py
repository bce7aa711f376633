"""What a training does where there is a GPU, and why: on the screen and in the record of the run."""

from dataclasses import replace

import pytest
from runs import Watched, same_run

from ossein.recipes import device
from ossein.recipes.device import MANY, compile_reason, compiles, nearby
from ossein.recipes.presets import Facts, ssl
from ossein.recipes.pretrain import pretrain
from ossein.skeleton import Skeleton
from ossein.store.resident import Resident, resident_bytes
from ossein.train import TrainSettings

FACTS = Facts(Skeleton.of("coco-17"), 2, 1, True, MANY)


def machine(monkeypatch, *, gpu: bool, triton: bool = True, compiler: bool = True) -> None:
    monkeypatch.setattr(device.torch.cuda, "is_available", lambda: gpu)
    monkeypatch.setattr(device.torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    monkeypatch.setattr(device, "find_spec", lambda name: object() if triton else None)
    monkeypatch.setattr(device.shutil, "which", lambda name: "/usr/bin/g++" if compiler else None)


def test_nothing_is_said_where_there_is_no_gpu(monkeypatch):
    machine(monkeypatch, gpu=False)
    assert not compiles(10**6)
    assert not ssl(FACTS).train.compile
    assert compile_reason(ssl(FACTS).train, FACTS.num_train) == ""


def test_a_gpu_compiles(monkeypatch):
    machine(monkeypatch, gpu=True)
    assert ssl(FACTS).train.compile
    assert (
        compile_reason(ssl(FACTS).train, FACTS.num_train)
        == "steps compiled: a GPU, Triton, a C++ compiler and many clips are here"
    )


def test_a_short_training_is_not_compiled(monkeypatch):
    machine(monkeypatch, gpu=True)
    few = replace(FACTS, num_train=MANY - 1)
    assert not ssl(few).train.compile
    assert compile_reason(ssl(few).train, few.num_train).startswith(
        "steps not compiled: with 16383 clips a training is short"
    )


@pytest.mark.parametrize(("lack", "said"), [("triton", "Triton is not installed"), ("compiler", "no C++ compiler")])
def test_it_names_what_is_lacking(monkeypatch, lack, said):
    machine(monkeypatch, gpu=True, **{lack: False})
    reason = compile_reason(ssl(FACTS).train, FACTS.num_train)
    assert reason.startswith("steps not compiled: ")
    assert said in reason


def test_it_says_what_the_settings_ask_against_that(monkeypatch):
    machine(monkeypatch, gpu=False)
    assert compile_reason(TrainSettings(compile=True), 10) == (
        "steps compiled: as the settings ask, though there is no GPU, for which it pays"
    )
    machine(monkeypatch, gpu=True)
    assert compile_reason(TrainSettings(device="cuda"), FACTS.num_train).startswith(
        "steps not compiled: as the settings ask, though a GPU"
    )


@pytest.mark.parametrize("gpu", [True, False])
def test_it_is_on_the_screen_and_in_the_record(monkeypatch, gpu, fixed_store, tiny_pretrain, tmp_path):
    screen = Watched()
    monkeypatch.setattr(
        "ossein.recipes.pretrain.compile_reason", lambda settings, num_clips: "steps compiled: why" if gpu else ""
    )
    [run] = pretrain(
        "skeletonmae", fixed_store, tmp_path, splits=["half"], settings=tiny_pretrain(fixed_store), screen=screen
    )
    assert ("steps compiled: why" in screen.lines) == gpu
    assert run.read().get("compile") == ("steps compiled: why" if gpu else None)


@pytest.mark.parametrize(("free", "said"), [(3.1e5, "clips on the GPU"), (2.9e5, "clips stay in their file")])
def test_clips_lie_on_the_gpu_where_half_of_its_memory_will_do(monkeypatch, fixed_store, free, said):
    screen, needed = Watched(), resident_bytes(fixed_store)
    monkeypatch.setattr(device.torch.cuda, "mem_get_info", lambda: (int(2 * needed * free / 3e5), 0))
    monkeypatch.setattr(device.torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(device.Resident, "of", lambda store, where: (store, str(where)))
    found = nearby(fixed_store, "cuda", screen)
    assert found == ((fixed_store, "cuda:0") if said == "clips on the GPU" else fixed_store)
    assert [line.partition(":")[0] for line in screen.lines] == [said]
    assert nearby(fixed_store, "cpu", screen) is fixed_store
    assert len(screen.lines) == 1


def test_a_run_on_clips_that_lie_on_the_device_is_the_same(monkeypatch, fixed_store, tiny_pretrain, tmp_path):
    """With the CPU in the place of the GPU."""
    for name in ("file", "device"):
        if name == "device":
            monkeypatch.setattr(
                "ossein.recipes.pretrain.nearby", lambda store, where, screen: Resident.of(store, where)
            )
        settings = tiny_pretrain(fixed_store)
        pretrain("skeletonmae", fixed_store, tmp_path / name, splits=["half"], settings=settings)
    assert same_run(tmp_path / "file", tmp_path / "device")
