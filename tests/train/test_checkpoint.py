"""Checkpoints: whole or not at all, exact to the bit, and plain about what is wrong with a file."""

import pytest
import safetensors.torch
import torch
from torch import nn

from ossein.errors import BundleError
from ossein.train import OptimSettings, build_optimiser, load_weights, read_tensors, write_tensors
from ossein.train import checkpoint as module
from ossein.train.checkpoint import read_checkpoint, write_checkpoint


def trained(kind, seed=0, steps=3):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.PReLU(), nn.Linear(4, 1))
    optimiser = build_optimiser(model, OptimSettings(kind=kind, lr=0.1, weight_decay=0.01))
    for _ in range(steps):
        model(torch.randn(8, 3)).square().mean().backward()
        optimiser.step()
        optimiser.zero_grad()
    return model, optimiser


def flat(optimiser):
    return {f"{n}/{key}": value for n, state in optimiser.state_dict()["state"].items() for key, value in state.items()}


@pytest.mark.parametrize("kind", ["adam", "adamw", "sgd"])
def test_all_comes_back_to_the_bit(tmp_path, kind):
    model, optimiser = trained(kind)
    write_checkpoint(tmp_path / "c.safetensors", model, optimiser, 42)
    next_numbers = torch.rand(3)
    other, other_optimiser = trained(kind, seed=9, steps=1)
    assert read_checkpoint(tmp_path / "c.safetensors", other, other_optimiser) == 42
    assert torch.equal(torch.rand(3), next_numbers)
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), other.state_dict().values()))
    old, new = flat(optimiser), flat(other_optimiser)
    assert old.keys() == new.keys()
    assert len(old) > 0
    assert all(torch.equal(torch.as_tensor(old[key]), torch.as_tensor(new[key])) for key in old)


def test_sgd_without_momentum_has_no_state_to_lose(tmp_path):
    model = nn.Linear(2, 1)
    optimiser = build_optimiser(model, OptimSettings(kind="sgd", momentum=0))
    model(torch.ones(1, 2)).backward()
    optimiser.step()
    write_checkpoint(tmp_path / "c.safetensors", model, optimiser, 1)
    assert read_checkpoint(tmp_path / "c.safetensors", nn.Linear(2, 1), optimiser) == 1


def test_anyone_can_read_it(tmp_path):
    model, optimiser = trained("adam")
    write_checkpoint(tmp_path / "c.safetensors", model, optimiser, 1)
    tensors = safetensors.torch.load_file(tmp_path / "c.safetensors")
    assert torch.equal(tensors["model/0.weight"], model[0].weight)
    assert torch.equal(tensors["optimiser/0/exp_avg"], optimiser.state_dict()["state"][0]["exp_avg"])


def test_a_write_that_fails_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "c.safetensors"
    write_tensors(path, {"a": torch.ones(2)}, {})

    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "save", fail)
    with pytest.raises(KeyboardInterrupt):
        write_tensors(path, {"a": torch.zeros(2)}, {})
    assert torch.equal(read_tensors(path)[0]["a"], torch.ones(2))
    assert [file.name for file in tmp_path.iterdir()] == ["c.safetensors"]


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_a_file_cut_short(tmp_path, keep):
    path = tmp_path / "c.safetensors"
    model, optimiser = trained("adam")
    write_checkpoint(path, model, optimiser, 1)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(BundleError, match=r"c\.safetensors: cannot be read.*cut short"):
        read_checkpoint(path, model, optimiser)


def test_no_file(tmp_path):
    with pytest.raises(BundleError, match=r"cannot be read"):
        read_tensors(tmp_path / "none.safetensors")


def test_another_kind_of_file(tmp_path):
    write_tensors(tmp_path / "w.safetensors", {"a": torch.ones(1)}, {"format": "ossein-weights"})
    with pytest.raises(BundleError, match=r"w\.safetensors: is no checkpoint"):
        read_checkpoint(tmp_path / "w.safetensors", *trained("adam"))


@pytest.mark.parametrize("lost", ["step", "optimiser", "random/cpu", "optimiser/0/exp_avg"])
def test_a_part_is_missing(tmp_path, lost):
    path = tmp_path / "c.safetensors"
    write_checkpoint(path, *trained("adam"), 1)
    tensors, metadata = read_tensors(path)
    tensors, metadata = ({k: v for k, v in d.items() if k != lost} for d in (tensors, metadata))
    if lost.startswith("optimiser/"):
        tensors["optimiser/none"] = torch.ones(1)
    write_tensors(path, tensors, metadata)
    with pytest.raises(BundleError, match=r"c\.safetensors: is damaged"):
        read_checkpoint(path, *trained("adam"))


def test_weights_of_another_model():
    model = nn.Linear(2, 3)
    weight, bias = torch.ones(3, 2), torch.zeros(3)
    load_weights(model, {"weight": weight, "bias": bias}, "here")
    assert torch.equal(model.weight, weight)
    with pytest.raises(BundleError, match=r"here: weight 'bias' is missing"):
        load_weights(model, {"weight": weight}, "here")
    with pytest.raises(BundleError, match=r"here: weight 'scale' is unknown"):
        load_weights(model, {"weight": weight, "bias": bias, "scale": bias}, "here")
    with pytest.raises(BundleError, match=r"here: weight 'weight' has shape \[2, 3\], expected \[3, 2\]"):
        load_weights(model, {"weight": weight.T, "bias": bias}, "here")
