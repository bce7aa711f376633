"""Whether a training compiles its steps, and why: where a GPU and all that it takes are here."""

import shutil
from importlib.util import find_spec

import torch

from ossein.train import TrainSettings


def compiles() -> bool:
    """Whether steps are compiled by themselves; written into the settings, never left open."""
    return _compiles(torch.cuda.is_available())[0]


def compile_reason(settings: TrainSettings) -> str:
    """Whether and why a training compiles its steps, for the screen and the record of the run; nothing to say on a CPU."""
    gpu = settings.device == "cuda" and torch.cuda.is_available()
    able, why = _compiles(gpu)
    if not gpu and not settings.compile:
        return ""
    asked = "" if settings.compile == able else "as the settings ask, though "
    return f"steps {'compiled' if settings.compile else 'not compiled'}: {asked}{why}"


def _compiles(gpu: bool) -> tuple[bool, str]:
    if not gpu:
        return False, "there is no GPU, for which it pays"
    if find_spec("triton") is None:
        return False, "Triton is not installed, by which kernels for the GPU are written"
    # Random numbers are drawn on the CPU, and what becomes of them there is made into a program too.
    if shutil.which("g++") is None:
        return False, "there is no C++ compiler (g++)"
    return True, "a GPU, Triton and a C++ compiler are here"
