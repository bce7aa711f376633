"""Why a training computes in the precision it does: on the screen and in the record of the run."""

import pytest

from ossein.recipes import presets
from ossein.recipes.presets import Facts, precision_reason, skeletonmae, ssl
from ossein.skeleton import Skeleton
from ossein.train import TrainSettings

FACTS = Facts(Skeleton.of("coco-17"), 2, 1, True, 100)


def processor(monkeypatch, flags: str) -> None:
    monkeypatch.setattr(presets.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(presets, "_cpu_flags", lambda: flags)


def test_it_names_what_the_processor_has(monkeypatch):
    processor(monkeypatch, "avx512_bf16")
    assert precision_reason(ssl(FACTS).train) == "precision bf16: the processor has bf16 in hardware (avx512_bf16)"
    processor(monkeypatch, "")
    assert precision_reason(ssl(FACTS).train) == "precision fp32: the processor has no bf16 in hardware (avx512_bf16)"


def test_it_says_what_the_settings_ask_against_that(monkeypatch):
    processor(monkeypatch, "avx512_bf16")
    assert precision_reason(skeletonmae(FACTS).train) == (
        "precision fp32: as the settings ask, though the processor has bf16 in hardware (avx512_bf16)"
    )


def test_a_gpu_that_is_not_there_is_left_to_the_training_to_refuse(monkeypatch):
    processor(monkeypatch, "")
    assert "the processor" in precision_reason(TrainSettings(device="cuda"))


@pytest.mark.parametrize(("able", "said"), [(True, "bf16: the GPU has"), (False, "fp32: the GPU has no")])
def test_it_names_what_the_gpu_has(monkeypatch, able: bool, said: str):
    monkeypatch.setattr(presets.torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(presets.torch.cuda, "is_bf16_supported", lambda including_emulation: able)
    assert precision_reason(ssl(FACTS).train) == f"precision {said} bf16 in hardware"
