"""SkeletonMAE: what counts in the loss, and reading coordinates back from features of any length."""

from typing import Any

import pytest
import torch
from batches import COCO, M, N, T, V, batch, some_absent, unchanged
from torch import Tensor

from ossein.draw import Draw
from ossein.encoders import GRAPH_ENCODERS
from ossein.errors import SettingsError
from ossein.nn import GINConv
from ossein.pretrain import SkeletonMAE, SkeletonMAESettings, cosine_error

HIDDEN = [8, 10, 14, 16]


def method(seed: int = 0, **more: Any) -> SkeletonMAE:
    torch.manual_seed(seed)
    encoder = {"width": 16, "depth": 2, "kind": more.pop("kind", "gin")}
    return SkeletonMAE(COCO, 2, T, M, SkeletonMAESettings.read({"encoder": encoder, **more}))


def test_the_pieces_are_those_of_the_paper():
    made = SkeletonMAE(COCO, 2, T, M, SkeletonMAESettings())
    s = made.settings
    assert (s.encoder.kind, s.encoder.width, s.encoder.depth) == ("gin", 64, 3)
    assert (s.mask.kind, s.mask.parts, s.beta, s.detach, s.remask) == ("parts", (3, 5), 2.0, True, False)
    assert made.encoder.embed.weight.shape == (64, 2)
    assert made.encoder.embed.bias is not None
    assert made.encoder.token.shape == (64,)
    assert [type(conv) for conv in made.encoder.stack.convs] == [GINConv] * 3
    assert made.decoder.linear.bias is None
    assert type(made.decoder.conv) is GINConv
    assert made.draw_hidden(batch(), Draw.of(0))[0, 0, 0].nonzero().flatten().tolist() == HIDDEN


@pytest.mark.parametrize("kind", GRAPH_ENCODERS)
def test_the_decoder_is_of_the_encoders_kind(kind: str):
    made = method(kind=kind)
    assert type(made.decoder.conv) is type(made.encoder).conv is GRAPH_ENCODERS[kind].conv
    made(batch(), Draw.of(0)).loss.backward()
    missing = [name for name, value in made.named_parameters() if value.grad is None]
    assert missing == []


@pytest.mark.parametrize("remask", [False, True])
@pytest.mark.parametrize("beta", [1.0, 2.0])
def test_the_loss_is_equation_2_over_the_hidden_joints_of_each_graph_alone(remask: bool, beta: float):
    made = method(beta=beta, remask=remask).eval()
    whole = batch()
    step = made(whole, Draw.of(0))
    hidden = torch.zeros(V, 1, dtype=torch.bool)
    hidden[HIDDEN] = True
    losses = []
    for graph in whole.x.flatten(0, 2):
        target = made.encoder.embed(graph[:, None])
        seen = torch.where(hidden[..., None], made.encoder.token, target)
        rebuilt = made.decoder(made.encoder.stack(seen), hidden)
        cos = torch.cosine_similarity(target[HIDDEN, 0], rebuilt[HIDDEN, 0], dim=-1)
        losses.append(((1 - cos) / 4).pow(beta).sum())
    torch.testing.assert_close(step.loss, torch.stack(losses).mean())
    assert step.weight.item() == N * M * T


def test_the_loss_is_a_mean_so_processes_can_be_averaged_by_its_weight():
    made = method().eval()
    whole = batch(some_absent())
    parts = [made(whole.take(n), Draw.of(0)) for n in (slice(0, 1), slice(1, N))]
    step = made(whole, Draw.of(0))
    weights = torch.stack([part.weight for part in parts])
    assert step.weight == weights.sum() == some_absent().gt(0).any(-1).sum()
    losses = torch.stack([part.loss for part in parts])
    torch.testing.assert_close((losses * weights).sum() / weights.sum(), step.loss)


@pytest.mark.parametrize("kind", ["random-parts", "random-joints"])
def test_a_clip_hides_the_same_joints_in_all_frames_and_persons(kind: str):
    made = method(mask={"kind": kind})
    hidden = made.draw_hidden(batch(), Draw.of(3))
    assert hidden.shape == (N, M, T, V)
    assert (hidden == hidden[:, :1, :1]).all()
    assert torch.equal(hidden[:, 0, 0], made.mask(N, Draw.of(3)))
    assert len(hidden[:, 0, 0].unique(dim=0)) > 1
    assert torch.equal(made(batch(), Draw.of(3)).loss, method(mask={"kind": kind})(batch(), Draw.of(3)).loss)


def test_coordinates_of_hidden_joints_are_the_target_and_nothing_else():
    """The rebuilt features do not move with them; the loss does."""
    made = method().eval()
    a = batch()
    b = a.change(x=a.x.index_fill(3, torch.tensor(HIDDEN), 3.0))
    given: list[Tensor] = []
    made.decoder.register_forward_hook(lambda module, args, out: given.append(out))
    losses = [made(one, Draw.of(0)).loss for one in (a, b)]
    assert torch.equal(given[0], given[1])
    assert not torch.isclose(losses[0], losses[1])


def test_absent_hidden_joints_do_not_count():
    score = torch.ones(N, M, T, V)
    score[0, 0, 0, 8] = 0
    score[0, 0, 1, HIDDEN] = 0
    made, given = method().eval(), batch(score)
    step = made(given, Draw.of(0))
    assert step.weight.item() == N * M * T - 1
    total = 0.0
    for n, m, t in [(n, m, t) for n in range(N) for m in range(M) for t in range(T)]:
        counted = [j for j in HIDDEN if score[n, m, t, j] > 0]
        if not counted:
            continue
        target = made.encoder.embed(given.x[n, m, t][:, None])
        hidden = torch.zeros(V, 1, dtype=torch.bool)
        hidden[HIDDEN] = True
        cos = torch.cosine_similarity(target, made.rebuild_features(target, hidden), dim=-1)[counted, 0]
        total += ((1 - cos) / len(counted)).square().sum().item()
    assert step.loss.item() == pytest.approx(total / (N * M * T - 1), rel=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_nobody_present_is_a_loss_of_zero_with_a_gradient(training: bool):
    made = method().train(training)
    with unchanged(made):
        step = made(batch(torch.zeros(N, M, T, V)), Draw.of(0))
        step.loss.backward()
    assert step.loss.item() == step.weight.item() == 0
    for name, value in made.named_parameters():
        assert value.grad is None or not value.grad.any(), name
    assert made.decoder.linear.weight.grad is not None


def test_detach_keeps_gradients_out_of_the_target():
    grads = {}
    for detach in (True, False):
        made, given = method(detach=detach), batch()
        hidden = torch.zeros(V, N * M * T, dtype=torch.bool)
        hidden[HIDDEN] = True
        made(given, Draw.of(0)).loss.backward()
        grads[detach] = made.encoder.embed.weight.grad
        twin = method(detach=detach)
        target = twin.encoder.embed(given.x.flatten(0, 2).transpose(0, 1))
        rebuilt = twin.rebuild_features(target, hidden)
        cosine_error(target.detach() if detach else target, rebuilt, hidden)[0].backward()
        torch.testing.assert_close(grads[detach], twin.encoder.embed.weight.grad)
    assert not torch.allclose(grads[True], grads[False], rtol=0.1)


# Reading coordinates back


@pytest.mark.parametrize("length", [1.0, 1e-3, 250.0, -2.0])
def test_the_true_features_give_the_exact_coordinates_back_whatever_their_length(monkeypatch, length: float):
    made, given = method().eval(), batch()
    scale = length * (torch.rand(V, N * M * T, 1) + 0.5)
    monkeypatch.setattr(made, "rebuild_features", lambda embedded, hidden: embedded * scale)
    hidden = torch.rand(N, M, T, V) < 0.5
    torch.testing.assert_close(made.rebuild(given, hidden), given.x, atol=1e-4, rtol=1e-4)


def test_coordinates_are_the_least_squares_solution(monkeypatch):
    made, given = method().eval(), batch()
    y = torch.randn(V, N * M * T, 16)
    monkeypatch.setattr(made, "rebuild_features", lambda embedded, hidden: y)
    x = made.rebuild(given, torch.ones(N, M, T, V, dtype=torch.bool)).flatten(0, 2).transpose(0, 1)
    affine = torch.cat([made.encoder.embed.weight, made.encoder.embed.bias[:, None]], 1).detach()
    for v, r in [(0, 0), (5, 7), (16, 39)]:
        a, b, scale = torch.linalg.lstsq(affine, y[v, r][:, None]).solution[:, 0].tolist()
        torch.testing.assert_close(x[v, r], torch.tensor([a / scale, b / scale]), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", GRAPH_ENCODERS)
def test_seen_joints_stay_and_hidden_ones_come_from_the_decoder(kind: str):
    made, given = method(kind=kind).eval(), batch(some_absent())
    hidden = made.draw_hidden(given, Draw.of(0))
    rebuilt = made.rebuild(given, hidden)
    assert rebuilt.shape == given.x.shape
    assert not rebuilt.requires_grad
    assert torch.equal(rebuilt[~hidden], given.x[~hidden])
    there = given.present[..., None] & hidden
    assert rebuilt[there].isfinite().all()
    assert not torch.isclose(rebuilt[there], given.x[there]).all(-1).any()
    assert not rebuilt[~given.present].any()
    # What is hidden is not looked at.
    other = given.change(x=torch.where(hidden[..., None], batch(seed=5).x, given.x))
    torch.testing.assert_close(made.rebuild(other, hidden)[there], rebuilt[there])


def test_nobody_present_is_rebuilt_as_nobody():
    made, given = method().eval(), batch(torch.zeros(N, M, T, V))
    assert not made.rebuild(given, made.draw_hidden(given, Draw.of(0))).any()


@pytest.mark.parametrize("field", [{"beta": 0.5}, {"beta": 9}, {"mask": {"share": 1.0}}, {"mask": {"kind": "part"}}])
def test_settings_out_of_range_are_refused(field: dict[str, Any]):
    with pytest.raises(SettingsError, match=f"field '{next(iter(field))}"):
        SkeletonMAESettings.read(field)


def test_it_learns_and_runs_in_bfloat16():
    made, given = method(), batch()
    with torch.autocast("cpu", torch.bfloat16):
        step = made(given, Draw.of(0))
    assert step.loss.isfinite()
    step.loss.backward()
    torch.testing.assert_close(step.loss, method()(given, Draw.of(0)).loss, rtol=0.05, atol=0.0)
