"""What a training does where there is a GPU, and why: its steps are compiled, and its clips lie on the GPU."""

import shutil
from importlib.util import find_spec

import torch

from ossein.recipes.base import Screen
from ossein.store import Several, Store
from ossein.store.resident import Resident, resident_bytes
from ossein.train import TrainSettings
from ossein.words import count

_SHARE = 0.5
"""Of the free memory of a GPU, what clips may take; the rest is for the training."""


MANY = 16 * 1024
"""Clips from which on a data set is large: its trainings take hours, against which a minute of compiling is nothing."""


def compiles(num_clips: int) -> bool:
    """Whether steps are compiled by themselves; written into the settings, never left open.

    Args:
        num_clips: Clips to train on.
    """
    return _compiles(torch.cuda.is_available(), num_clips)[0]


def compile_reason(settings: TrainSettings, num_clips: int) -> str:
    """Whether and why a training compiles its steps, for the screen and the record of the run; nothing to say on a CPU."""
    gpu = settings.device == "cuda" and torch.cuda.is_available()
    able, why = _compiles(gpu, num_clips)
    if not gpu and not settings.compile:
        return ""
    asked = "" if settings.compile == able else "as the settings ask, though "
    return f"steps {'compiled' if settings.compile else 'not compiled'}: {asked}{why}"


def _compiles(gpu: bool, num_clips: int) -> tuple[bool, str]:
    if not gpu:
        return False, "there is no GPU, for which it pays"
    if num_clips < MANY:
        return (
            False,
            f"with {count(num_clips, 'clip')} a training is short, and compiling would take longer than it saves",
        )
    if find_spec("triton") is None:
        return False, "Triton is not installed, by which kernels for the GPU are written"
    # Random numbers are drawn on the CPU, and what becomes of them there is made into a program too.
    if shutil.which("g++") is None:
        return False, "there is no C++ compiler (g++)"
    return True, "a GPU, Triton, a C++ compiler and many clips are here"


def nearby(store: Store | Several, device: str, screen: Screen) -> Store | Several | Resident:
    """The clips on the GPU that trains, where they take at most half of its free memory; else, and on a CPU, as they are.

    Args:
        store: The data.
        device: `cpu`, or `cuda`, on which a training has been begun.
        screen: Where to say which of the two it is on a GPU.
    """
    if device != "cuda":
        return store
    needed, free = resident_bytes(store), torch.cuda.mem_get_info()[0]
    told = f"{needed / 1e9:.1f} GB, the GPU has {free / 1e9:.1f} GB free"
    if needed > _SHARE * free:
        screen.say(f"clips stay in their file: they take {told}")
        return store
    screen.say(f"clips on the GPU: they take {told}")
    return Resident.of(store, torch.device("cuda", torch.cuda.current_device()))
