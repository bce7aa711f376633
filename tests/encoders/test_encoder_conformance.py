"""What is true of every encoder, tested of each the day it is registered."""

from typing import Any

import pytest
import torch
from pydantic import TypeAdapter
from safetensors.torch import load_file, save_file
from torch import Tensor

from ossein.encoders import ENCODERS, GRAPH_ENCODERS, AnyEncoderSettings, Encoder, thin
from ossein.encoders.describe import DESCRIPTIONS
from ossein.skeleton import Skeleton

COCO = Skeleton.of("coco-17")
N, M, T, V, C, D = 3, 2, 5, 17, 2, 16

pytestmark = pytest.mark.parametrize("kind", ENCODERS)


def settings(kind: str) -> Any:
    reads = {"reads": [*DESCRIPTIONS]} if kind == "mixer" else {}  # whatever it can be told
    return TypeAdapter(AnyEncoderSettings).validate_python({"kind": kind, "width": D, "depth": 2, **reads})


def made(kind: str, skeleton: Skeleton = COCO, dims: int = C) -> Encoder:
    """An encoder that has seen a little, so that no statistic or weight is at its start."""
    torch.manual_seed(0)
    encoder = ENCODERS[kind](skeleton, dims, settings(kind))
    with torch.no_grad():
        for value in encoder.parameters():
            value.add_(torch.randn_like(value) * 0.1)
    for _ in range(3):
        encoder(torch.randn(4, 1, 2, len(skeleton), dims) + 0.5)
    return encoder


def coordinates(seed: int = 1) -> Tensor:
    return torch.randn(N, M, T, V, C, generator=torch.Generator().manual_seed(seed))


def some_hidden(seed: int = 2) -> Tensor:
    return torch.rand(N, M, T, V, generator=torch.Generator().manual_seed(seed)) < 0.4


def some_present() -> Tensor:
    """Clip 1 ends early, clip 2 has one person alone, and one frame of clip 0 is not detected."""
    present = torch.ones(N, M, T, dtype=torch.bool)
    present[1, :, 3:] = False
    present[2, 1] = False
    present[0, 0, 2] = False
    return present


def state(encoder: Encoder) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in encoder.state_dict().items()}


def same_state(a: Encoder, b: Encoder) -> None:
    for name, value in a.state_dict().items():
        torch.testing.assert_close(b.state_dict()[name], value, msg=name)


def test_it_gives_its_width_of_features_for_every_joint(kind: str):
    encoder = made(kind)
    assert encoder.width == D * len(getattr(encoder.settings, "reads", "1"))
    shape = (N, M, -(-T // encoder.stride), V, encoder.width)
    assert encoder(coordinates()).shape == shape
    assert encoder(coordinates(), some_hidden(), some_present()).shape == shape


@pytest.mark.parametrize(("skeleton", "dims"), [("ntu-25", 3), ("hand-21", 2)])
def test_it_takes_any_skeleton_and_coordinates(kind: str, skeleton: str, dims: int):
    encoder = made(kind, Skeleton.of(skeleton), dims)
    joints = len(Skeleton.of(skeleton))
    assert encoder(torch.randn(1, 1, 4, joints, dims)).shape == (1, 1, 4 // encoder.stride, joints, encoder.width)


@pytest.mark.parametrize("training", [True, False])
def test_permuting_the_joints_permutes_the_features(kind: str, training: bool):
    order = torch.randperm(V, generator=torch.Generator().manual_seed(3))
    encoder = made(kind).train(training)
    permuted = encoder.onto(COCO.permuted(order.tolist()))
    assert permuted.training == training
    x, hidden, present = coordinates(), some_hidden(), some_present()
    z = encoder(x, hidden, present)
    torch.testing.assert_close(permuted(x[..., order, :], hidden[..., order], present), z[..., order, :])
    assert not torch.allclose(permuted(x, hidden, present), z, atol=1e-2)


@pytest.mark.parametrize("training", [True, False])
def test_hidden_coordinates_reach_no_output(kind: str, training: bool):
    encoder, hidden = made(kind).train(training), some_hidden()
    x = coordinates()
    before = state(encoder)
    z = encoder(x, hidden)
    after = state(encoder)
    encoder.load_state_dict(before)
    other = torch.where(hidden[..., None], coordinates(7) * 100, x)
    assert torch.equal(encoder(other, hidden), z)
    for name, value in encoder.state_dict().items():
        assert torch.equal(value, after[name])
    encoder.load_state_dict(before)
    seen_differs = torch.where(hidden[..., None], x, coordinates(7))
    assert not torch.allclose(encoder(seen_differs, hidden), z, atol=1e-2)


def test_what_is_hidden_matters(kind: str):
    encoder, x = made(kind).eval(), coordinates()
    nothing = torch.zeros(N, M, T, V, dtype=torch.bool)
    torch.testing.assert_close(encoder(x, nothing), encoder(x))
    one = nothing.clone()
    one[..., 9] = True
    assert not torch.allclose(encoder(x, one), encoder(x), atol=1e-3)


def test_hidden_coordinates_get_no_gradient(kind: str):
    x, hidden = coordinates().requires_grad_(), some_hidden()
    made(kind)(x, hidden, some_present()).square().sum().backward()
    assert x.grad is not None
    seen = ~hidden & some_present()[..., None]
    assert not x.grad[~seen].any()
    assert x.grad[seen].abs().sum(-1).gt(0).all()


@pytest.mark.parametrize("training", [True, False])
def test_absent_persons_and_frames_influence_nothing_and_come_out_as_zero(kind: str, training: bool):
    a, b, present = made(kind).train(training), made(kind).train(training), some_present()
    x, hidden = coordinates(), some_hidden()
    z = a(x, hidden, present)
    there = thin(present, a.stride)
    assert not z[~there].any()
    assert z[there].abs().sum(-1).gt(0).all()
    wild = torch.where(present[..., None, None], x, coordinates(7) * 100)
    flipped = torch.where(present[..., None], hidden, ~hidden)
    torch.testing.assert_close(b(wild, flipped, present), z)
    same_state(a, b)


@pytest.mark.parametrize("training", [True, False])
def test_padding_with_persons_and_frames_changes_nothing(kind: str, training: bool):
    a, b = made(kind).train(training), made(kind).train(training)
    x, hidden = coordinates(), some_hidden()
    padded_x, padded_hidden = torch.zeros(N, M + 1, T + 3, V, C), torch.ones(N, M + 1, T + 3, V, dtype=torch.bool)
    present = torch.zeros(N, M + 1, T + 3, dtype=torch.bool)
    padded_x[:, :M, :T], padded_hidden[:, :M, :T], present[:, :M, :T] = x, hidden, True
    z = a(x, hidden)
    torch.testing.assert_close(b(padded_x, padded_hidden, present)[:, :M, : z.shape[2]], z)
    same_state(a, b)


def test_every_clip_is_encoded_alone_in_eval_mode(kind: str):
    """And every person of it, by an encoder that is not told of others."""
    encoder, x, hidden = made(kind).eval(), coordinates(), some_hidden()
    z = encoder(x, hidden)
    torch.testing.assert_close(encoder(x[1:2], hidden[1:2]), z[1:2])
    if "relations" not in getattr(encoder.settings, "reads", ()):
        torch.testing.assert_close(encoder(x[1:2, 1:], hidden[1:2, 1:]), z[1:2, 1:])
    if kind in GRAPH_ENCODERS:
        torch.testing.assert_close(encoder(x[1:2, 1:, 3:4], hidden[1:2, 1:, 3:4]), z[1:2, 1:, 3:4])


def test_onto_other_joints_and_back_keeps_what_both_have(kind: str):
    encoder, ntu = made(kind, dims=3).eval(), Skeleton.of("ntu-25")
    there = encoder.onto(ntu)
    assert there(torch.randn(1, 1, 4, 25, 3)).shape == (1, 1, 4 // encoder.stride, 25, encoder.width)
    same = encoder.onto(COCO)
    x = torch.randn(2, 1, 4, V, 3)
    torch.testing.assert_close(same(x), encoder(x))
    assert not any(a is b for a, b in zip(same.parameters(), encoder.parameters(), strict=True))


def test_gradient_flows_to_every_weight(kind: str):
    # In train mode a batch norm takes away the constant before it, and with it the gradient of a bias.
    encoder = made(kind).eval()
    encoder(coordinates(), some_hidden(), some_present()).square().sum().backward()
    for name, value in encoder.named_parameters():
        assert value.grad is not None, name
        assert value.grad.isfinite().all(), name
        assert value.grad.any(), name


@pytest.mark.parametrize("training", [True, False])
def test_features_and_gradients_are_finite_in_bfloat16_and_near_those_in_float32(kind: str, training: bool):
    a, b = made(kind).train(training), made(kind).train(training)
    x, hidden, present = coordinates(), some_hidden(), some_present()
    z = a(x, hidden, present)
    with torch.autocast("cpu", torch.bfloat16):
        low = b(x, hidden, present).float()
    assert low.isfinite().all()
    assert not low[~thin(present, b.stride)].any()
    assert (low - z).norm() < 0.05 * z.norm()
    low.square().mean().backward()
    for name, value in b.named_parameters():
        assert value.grad is not None, name
        assert value.grad.isfinite().all(), name


def test_a_seed_gives_the_same_weights_and_features(kind: str):
    a, b = made(kind), made(kind)
    for name, value in a.state_dict().items():
        assert torch.equal(b.state_dict()[name], value), name
    assert torch.equal(a(coordinates()), b(coordinates()))


@pytest.mark.parametrize("training", [True, False])
def test_nobody_present_is_fine(kind: str, training: bool):
    encoder = made(kind).train(training)
    before = state(encoder)
    nobody = torch.zeros(N, M, T, dtype=torch.bool)
    z = encoder(coordinates(), some_hidden(), nobody)
    assert z.shape == (N, M, -(-T // encoder.stride), V, encoder.width)
    assert not z.any()
    z.sum().backward()
    for name, value in encoder.state_dict().items():
        assert torch.equal(value, before[name]), name
    for name, value in encoder.named_parameters():
        assert value.grad is not None, name
        assert not value.grad.any(), name


def test_it_goes_into_a_file_and_comes_back(kind: str, tmp_path):
    encoder = made(kind).eval()
    save_file(encoder.state_dict(), tmp_path / "a.safetensors")
    fresh = ENCODERS[kind](COCO, C, settings(kind)).eval()
    fresh.load_state_dict(load_file(tmp_path / "a.safetensors"))
    assert torch.equal(fresh(coordinates(), some_hidden()), encoder(coordinates(), some_hidden()))
