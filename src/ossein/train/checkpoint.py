"""Checkpoints: model, optimiser and random states in one safetensors file, written whole or not at all."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from ossein.errors import BundleError
from ossein.files import atomic


def write_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write tensors and text to a safetensors file, atomically."""
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with atomic(path) as file:
        file.write(save(whole, metadata))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the text of a safetensors file.

    Raises:
        BundleError: The file cannot be read, is cut short, or is no safetensors file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise BundleError(
            f"{path}: cannot be read ({error}). It may be cut short; train again or copy it anew."
        ) from None


def load_weights(model: nn.Module, weights: dict[str, Tensor], where: str) -> None:
    """Put weights into a model.

    Raises:
        BundleError: A weight is missing, unknown, or of another shape.
    """
    own = model.state_dict()
    for name in sorted(set(own) ^ set(weights)):
        side = "is missing" if name in own else "is unknown"
        raise BundleError(f"{where}: weight '{name}' {side}. The file belongs to a model with other settings.")
    for name, tensor in weights.items():
        if tensor.shape != own[name].shape:
            raise BundleError(
                f"{where}: weight '{name}' has shape {list(tensor.shape)}, expected {list(own[name].shape)}. "
                "The file belongs to a model with other settings."
            )
    model.load_state_dict(weights)


def write_checkpoint(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, step: int) -> None:
    """Write everything that training needs to go on as if it had never stopped.

    Args:
        path: The file.
        model: The objective, unwrapped.
        optimiser: Its optimiser.
        step: How many steps are done.
    """
    tensors = {f"model/{name}": tensor for name, tensor in model.state_dict().items()}
    other: dict[str, Any] = {}
    for number, state in optimiser.state_dict()["state"].items():
        for name, value in state.items():
            if isinstance(value, Tensor):
                tensors[f"optimiser/{number}/{name}"] = value
            else:
                other[f"{number}/{name}"] = value
    tensors["random/cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["random/cuda"] = torch.cuda.get_rng_state()
    write_tensors(path, tensors, {"format": "ossein-checkpoint", "step": str(step), "optimiser": json.dumps(other)})


def read_checkpoint(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer) -> int:
    """Put a checkpoint's state into a model and its optimiser; returns how many steps were done.

    Raises:
        BundleError: The file cannot be read, is damaged, or belongs to another model.
    """
    tensors, metadata = read_tensors(path)
    if metadata.get("format") != "ossein-checkpoint":
        raise BundleError(f"{path}: is no checkpoint. Name the folder of a run that was stopped.")
    load_weights(model, _under(tensors, "model/"), str(path))
    try:
        stored = [*_under(tensors, "optimiser/").items(), *json.loads(metadata["optimiser"]).items()]
        state: dict[int, dict[str, Any]] = {}
        for key, value in stored:
            number, name = key.split("/", 1)
            state.setdefault(int(number), {})[name] = value
        optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
        torch.set_rng_state(tensors["random/cpu"])
        if torch.cuda.is_available() and "random/cuda" in tensors:
            torch.cuda.set_rng_state(tensors["random/cuda"])
        return int(metadata["step"])
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise BundleError(f"{path}: is damaged ({error}). Delete it to start this run anew.") from None


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
