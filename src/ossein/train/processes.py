"""Several processes that train one model together: starting them, who writes, and waiting for each other.

`torchrun` and `accelerate launch` start them and tell each its number in the environment; without either there is one.
"""

import os
from typing import Any

import torch
import torch.distributed as dist

from ossein.errors import SettingsError


def start_processes(device: str) -> None:
    """Meet the other processes, where there are any, before anything is read or written together.

    Args:
        device: `cpu` or `cuda`.

    Raises:
        SettingsError: There is no such device here.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise SettingsError("train.device is cuda, but there is no GPU that torch can use. Use --train.device cpu.")
    from accelerate import PartialState

    state: Any = PartialState(cpu=device == "cpu")
    if state.num_processes == 1 and state.device.type != device:
        # The library keeps the first device that a process has trained on.
        PartialState._reset_state()
        PartialState(cpu=device == "cpu")


def first_process() -> bool:
    """Whether this process writes the results: the only one, or the first of several."""
    return (dist.get_rank() if dist.is_initialized() else int(os.environ.get("RANK", "0"))) == 0


def all_processes() -> None:
    """Wait until every process is here, so that what the first one wrote is there for all."""
    if not dist.is_initialized():
        return
    if dist.get_backend() == "nccl":
        dist.barrier(device_ids=[torch.cuda.current_device()])
    else:
        # Not by the library: it names a GPU for each process, also of those on the CPU, who may be more than there are GPUs.
        dist.barrier()


def accelerator(device: str, precision: str) -> Any:
    """The library's word for where and how to compute.

    Args:
        device: `cpu` or `cuda`.
        precision: `fp32` or `bf16`.
    """
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    start_processes(device)
    # Likewise it keeps the first precision.
    AcceleratorState._reset_state(reset_partial_state=False)
    return Accelerator(cpu=device == "cpu", mixed_precision={"fp32": "no", "bf16": "bf16"}[precision])
