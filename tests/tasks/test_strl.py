"""STRL against Eq 3 and 4 taken literally: person by person, frame by frame, with the concatenation written out."""

from typing import Any

import pytest
import torch
from batches import COCO, M, N, T, V, batch, some_absent, stir, unchanged
from strl_options import OPTIONS, D, K, made, modes, options, settings
from torch import Tensor, nn

from ossein.draw import Draw
from ossein.encoders import GRAPH_ENCODERS, EncoderSettings, build_encoder
from ossein.errors import BundleError, DataError, SettingsError
from ossein.nn import GraphStack
from ossein.pretrain import SkeletonMAE, SkeletonMAESettings
from ossein.skeleton import Skeleton
from ossein.tasks import STRL, STRLSettings
from ossein.tasks.strl import Spatial

# Eq 3 and 4


def literal(spatial: Spatial, h: Tensor, present: Tensor) -> Tensor:
    """ReLU(BN(W [Repeat(SumPool(G_E(A, H))) ; H ; ...]) + H) with W one matrix; h [V B T D], present [B T]."""
    B = h.shape[1]
    person = [b // (B // M) for b in range(B)]
    place = [(b, t) for b in range(B) for t in range(h.shape[2]) if present[b, t]]
    encoded = {}
    for p, stack in enumerate(spatial.stacks):
        own = [(b, t) for b, t in place if len(spatial.stacks) == 1 or person[b] == p]
        out = stack(torch.stack([h[:, b, t] for b, t in own], 1))
        encoded |= {at: out[:, i] for i, at in enumerate(own)}
    mixed = []
    for b, t in place:
        pooled = encoded[b, t].sum(0)
        repeated = pooled.expand(V, D)
        columns = [spatial.from_joint.weight]
        blocks = [h[:, b, t] + repeated] if spatial.from_pool is None else [h[:, b, t]]
        if spatial.from_pool is not None:
            blocks.insert(0, repeated)
            columns.insert(0, spatial.from_pool.weight)
        if spatial.from_encoded is not None:
            blocks.append(encoded[b, t])
            columns.append(spatial.from_encoded.weight)
        if spatial.from_others is not None:
            clip = b % (B // M)
            others = [encoded[o, t].sum(0) for o in range(B) if o != b and o % (B // M) == clip and present[o, t]]
            mean = torch.stack(others).mean(0) if others else h.new_zeros(D)
            blocks.append(mean.expand(V, D))
            columns.append(spatial.from_others.weight)
        mixed.append(torch.cat(blocks, 1) @ torch.cat(columns, 1).T)
    rows = torch.stack(mixed, 1)
    norm = nn.BatchNorm1d(D).double().train(spatial.training)
    norm.load_state_dict(spatial.norm.state_dict())
    normed = norm(rows.reshape(-1, D)).view(rows.shape)
    result = torch.zeros_like(h)
    for i, (b, t) in enumerate(place):
        result[:, b, t] = torch.relu(normed[:, i] + h[:, b, t])
    return result


@options
@modes
@pytest.mark.parametrize("absent", [False, True])
def test_the_spatial_module_is_equations_3_and_4_with_the_concatenation_written_out(
    option: dict[str, Any], training: bool, absent: bool
):
    torch.manual_seed(0)
    conv = GRAPH_ENCODERS["gin"].conv
    modules = [Spatial(conv, COCO, M, settings(**option)) for _ in range(2)]
    stir(modules[0])
    modules[1].load_state_dict(modules[0].state_dict())
    fast, slow = (module.double().train(training) for module in modules)
    present = batch(some_absent() if absent else None).present.transpose(0, 1).flatten(0, 1)
    h = torch.randn(V, M * N, T, D, dtype=torch.float64) * present[..., None]
    rows = present.flatten().nonzero().squeeze(1) if absent else None
    with torch.no_grad():
        torch.testing.assert_close(fast(h, present, rows), literal(slow, h, present))


def test_a_person_hears_of_the_other_only_with_interact():
    for interact in (False, True):
        spatial = made(interact=interact).eval().spatial[0]
        h = torch.randn(V, M * N, T, D)
        other = h.clone()
        other[:, N:] = torch.randn(V, N, T, D)
        present = torch.ones(M * N, T, dtype=torch.bool)
        a, b = spatial(h, present, None)[:, :N], spatial(other, present, None)[:, :N]
        assert torch.equal(a, b) is not interact


def test_the_mean_of_the_others_is_over_those_present():
    torch.manual_seed(0)
    three = Spatial(GRAPH_ENCODERS["gin"].conv, COCO, 3, settings(interact=True))
    pooled = torch.tensor([[1.0], [2.0], [4.0], [8.0], [16.0]])
    # Persons by clips: clip 0 has persons 0, 1 and 2, clip 1 has persons 0 and 2.
    present = torch.tensor([[True], [True], [True], [False], [True], [True]])
    rows = present.flatten().nonzero().squeeze(1)
    assert three.others(pooled, present, rows).flatten().tolist() == [(4 + 8) / 2, 16, (1 + 8) / 2, (1 + 4) / 2, 2]
    assert not three.others(pooled[:1], present & False | (torch.arange(6) == 0)[:, None], torch.tensor([0])).any()


# The whole model


@options
@pytest.mark.parametrize("kind", GRAPH_ENCODERS)
def test_every_option_gives_scores_and_gradients(option: dict[str, Any], kind: str):
    model = made(kind=kind, **option)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.momentum = 1.0
    # With the statistics of this batch no ReLU is shut for good, and in eval mode no bias is taken away.
    model(batch(some_absent()))
    scores = model.eval()(batch(some_absent()))
    assert scores.shape == (N, K)
    scores.square().sum().backward()
    for name, value in model.named_parameters():
        assert value.grad is not None, name
        assert value.grad.any(), name


def test_options_change_the_model():
    outs = [made(**option).eval()(batch()) for option in OPTIONS]
    for i, a in enumerate(outs):
        assert not any(torch.allclose(a, b) for b in outs[:i])


def test_the_defaults_are_those_of_the_paper():
    s = STRLSettings()
    assert (s.layers, s.combine, s.keep_joints, s.share_encoders, s.interact) == (3, "concat", False, False, False)
    assert s.encoder == EncoderSettings()
    model = STRL(COCO, 2, 64, 2, 99, s)
    assert model.position.shape == (64, 64)
    assert sum(isinstance(module, GraphStack) for module in model.modules()) == 3 * 2
    assert [type(layer) for layer in model.head] == [nn.Linear, nn.ReLU, nn.Linear]
    assert sum(isinstance(m, GraphStack) for m in STRL(COCO, 2, 64, 1, 99, s).modules()) == 3


def test_features_are_the_mean_over_joints_and_what_is_present_of_the_last_layer():
    model, given = made().eval(), batch(some_absent())
    last: list[Tensor] = []
    model.temporal[-1].register_forward_hook(lambda module, args, out: last.append(out))
    features = model.features(given)
    for n in range(N):
        seen = [last[0][:, m * N + n, t].mean(0) for m in range(M) for t in range(T) if given.present[n, m, t]]
        torch.testing.assert_close(features[n], torch.stack(seen).mean(0))


def test_layers_start_from_embedded_joints_and_position_where_present():
    model, given = made().eval(), batch(some_absent())
    first: list[Tensor] = []
    model.spatial[0].register_forward_pre_hook(lambda module, args: first.append(args[0]))
    model(given)
    for n, m, t in [(0, 0, 0), (0, 0, 2), (1, 1, 3), (2, 1, 3), (2, 1, 5)]:
        expected = model.embed(given.x[n, m, t]) + model.position[t]
        torch.testing.assert_close(first[0][:, m * N + n, t], expected * given.present[n, m, t])


# Starting from pre-training


@options
@pytest.mark.parametrize("kind", GRAPH_ENCODERS)
def test_every_layer_and_person_starts_from_the_one_encoder_and_goes_its_own_way(option: dict[str, Any], kind: str):
    method = SkeletonMAE(COCO, 2, T, M, SkeletonMAESettings(encoder=settings(kind=kind).encoder))
    method(batch(), Draw.of(0))
    stir(method)
    model = made(kind=kind, **option)
    model.load_encoder(method.encoder)
    torch.testing.assert_close(model.embed.state_dict(), method.encoder.embed.state_dict())
    stacks = [module for module in model.modules() if isinstance(module, GraphStack)]
    assert len(stacks) == 2 * (1 if option.get("share_encoders") else M)
    for stack in stacks:
        torch.testing.assert_close(stack.state_dict(), method.encoder.stack.state_dict(), rtol=0, atol=0)
    every = [value.data_ptr() for stack in [*stacks, method.encoder.stack] for value in stack.parameters()]
    assert len(set(every)) == len(every)
    model(batch()).square().sum().backward()
    torch.optim.SGD(model.parameters(), 0.1).step()
    first = [stack.convs[0].state_dict() for stack in stacks]
    assert not any(all(torch.equal(a[name], b[name]) for name in a) for i, a in enumerate(first) for b in first[:i])


@pytest.mark.parametrize(
    ("encoder", "dims"),
    [({"kind": "gcn"}, 2), ({"kind": "gat"}, 2), ({"width": 16}, 2), ({"depth": 3}, 2), ({"depth": 1}, 2), ({}, 3)],
)
def test_an_encoder_that_does_not_fit_is_refused_and_nothing_is_loaded(encoder: dict[str, Any], dims: int):
    other = build_encoder(COCO, dims, settings().encoder.change(**encoder))
    model = made()
    with (
        unchanged(model),
        pytest.raises(BundleError, match="differs from the model's in kind, width, depth or coordinates"),
    ):
        model.load_encoder(other)


# What does not fit


@pytest.mark.parametrize("more", [{"frames": T + 1}, {"frames": 1}, {"persons": 1}, {"persons": 3}])
def test_a_batch_of_another_size_is_refused(more: dict[str, int]):
    with pytest.raises(DataError, match=r"batch of \[M T V C\] \[2, 6, 17, 2\], the model takes"):
        made(**more)(batch())


@pytest.mark.parametrize("name", ["penn-13", "ntu-25"])
def test_a_batch_of_another_skeleton_is_refused(name: str):
    with pytest.raises(DataError, match=r"batch of \[M T V C\] \[2, 6, 17, 2\], the model takes"):
        made(skeleton=Skeleton.of(name))(batch())


@pytest.mark.parametrize("kernel", [2, 4])
def test_an_even_kernel_is_refused(kernel: int):
    with pytest.raises(SettingsError, match=r"field 'kernel': .*must be odd.*, got"):
        STRLSettings.read({"kernel": kernel})


@pytest.mark.parametrize("kernel", [1, 3, 15])
def test_odd_kernels_keep_the_length(kernel: int):
    assert made(kernel=kernel)(batch()).shape == (N, K)
