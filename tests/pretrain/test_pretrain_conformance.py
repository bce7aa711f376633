"""What is true of every pre-training method, tested of each the day it is registered."""

from copy import deepcopy
from typing import Any

import pytest
import torch
from batches import COCO, C, M, N, T, V, batch, same_state, some_absent, unchanged
from pydantic import TypeAdapter
from two import TwoProcesses, in_two_threads

from ossein.clip import Batch
from ossein.deploy import Card, load_pretrained, write_bundle
from ossein.draw import Draw
from ossein.nn import across
from ossein.objective import Step
from ossein.pretrain import METHODS, MaskedPretrainer, Pretrainer, PretrainerSettings, build_method
from ossein.skeleton import Skeleton
from ossein.train import InputSettings

SMALL: dict[str, dict[str, Any]] = {"skeletonmae": {"encoder": {"width": 8, "depth": 2}}}
"""Settings to test with, where the defaults are too large."""
MASKED = [kind for kind, method in METHODS.items() if issubclass(method, MaskedPretrainer)]

each = pytest.mark.parametrize("kind", METHODS)
masked = pytest.mark.parametrize("kind", MASKED)
modes = pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])


def settings(kind: str) -> Any:
    return TypeAdapter(PretrainerSettings).validate_python({"kind": kind, **SMALL.get(kind, {})})


def made(kind: str, skeleton: Skeleton = COCO, dims: int = C) -> Pretrainer:
    """A method that has seen a little, so that no statistic or weight is at its start."""
    torch.manual_seed(0)
    method = build_method(skeleton, dims, T, M, settings(kind))
    with torch.no_grad():
        for value in method.parameters():
            value.add_(torch.randn_like(value) * 0.1)
    for seed in range(3):
        method(batch(seed=seed, skeleton=skeleton, dims=dims), Draw.of(seed))
    return method


def made_masked(kind: str) -> MaskedPretrainer:
    method = made(kind).eval()
    assert isinstance(method, MaskedPretrainer)
    return method


@each
def test_the_kind_names_it_and_comes_first(kind: str):
    s = settings(kind)
    assert s.kind == kind
    assert next(iter(type(s).model_fields)) == "kind"
    assert type(made(kind)) is METHODS[kind]


@each
@pytest.mark.parametrize(("name", "dims"), [("coco-17", 2), ("ntu-25", 3), ("hand-21", 2)])
def test_it_gives_a_loss_and_leaves_an_encoder(kind: str, name: str, dims: int):
    skeleton = Skeleton.of(name)
    method, given = made(kind, skeleton, dims), batch(skeleton=skeleton, dims=dims)
    step = method(given, Draw.of(0))
    assert step.loss.shape == step.weight.shape == ()
    assert step.loss.isfinite()
    assert step.weight > 0
    z = method.encoder(given.x, None, given.present)
    assert z.shape == (N, M, -(-T // method.encoder.stride), len(skeleton), method.encoder.width)


@each
@modes
def test_what_has_score_zero_is_not_looked_at(kind: str, training: bool):
    given = batch(some_absent())
    absent = ~given.present[..., None, None]
    wild = Batch(torch.where(absent, 77.0, given.x), given.score, COCO, given.label, given.index, given.size)
    a, b = made(kind).train(training), made(kind).train(training)
    steps = [method(one, Draw.of(0)) for method, one in ((a, given), (b, wild))]
    assert torch.equal(steps[0].loss, steps[1].loss)
    assert torch.equal(steps[0].weight, steps[1].weight)
    same_state(a, b)


@each
@modes
def test_clips_without_anyone_change_nothing_for_the_others(kind: str, training: bool):
    """The first of two processes, which holds the clips with people, sees what one alone sees of both halves."""
    score = torch.ones(N, M, T, V)
    score[N // 2 :] = 0
    a, b, given = made(kind).train(training), made(kind).train(training), batch(score)
    whole = a(given, Draw.of(0))
    half = b(given.take(slice(0, N // 2)), Draw.of(0, rank=0, world=2))
    torch.testing.assert_close(whole.loss, half.loss)
    torch.testing.assert_close(whole.weight, half.weight)
    same_state(a, b)


@each
def test_processes_that_share_a_batch_average_to_the_whole(kind: str, monkeypatch: pytest.MonkeyPatch):
    method, given = made(kind).eval(), batch(some_absent())
    whole = method(given, Draw.of(5))
    monkeypatch.setattr(across, "dist", TwoProcesses())

    own = [deepcopy(method) for _ in range(2)]  # as two processes have, which lend each other no weights

    def half(rank: int) -> Step:
        return own[rank](given.take(slice(rank * N // 2, (rank + 1) * N // 2)), Draw.of(5, rank=rank, world=2))

    halves = in_two_threads(half)
    weight = sum(half.weight for half in halves)
    torch.testing.assert_close(weight, whole.weight)
    torch.testing.assert_close(sum(half.loss * half.weight for half in halves) / weight, whole.loss)


@each
@modes
def test_nobody_present_is_fine(kind: str, training: bool):
    method = made(kind).train(training)
    with unchanged(method):
        step = method(batch(torch.zeros(N, M, T, V)), Draw.of(0))
        step.loss.backward()
    assert step.weight == 0
    assert step.loss.isfinite()
    assert all(value.grad is None or not value.grad.any() for value in method.parameters())


@each
def test_gradient_flows_to_every_weight_that_learns(kind: str):
    # In train mode a batch norm takes away the constant before it, and with it the gradient of a bias.
    method = made(kind).eval()
    method(batch(some_absent()), Draw.of(0)).loss.backward()
    for name, value in method.named_parameters():
        if value.requires_grad:
            assert value.grad is not None, name
            assert value.grad.isfinite().all(), name
            assert value.grad.any(), name


@each
def test_a_step_against_the_gradient_lowers_the_loss(kind: str):
    method, given = made(kind), batch(some_absent())
    first = method(given, Draw.of(0)).loss
    first.backward()
    torch.optim.SGD([value for value in method.parameters() if value.requires_grad], 1e-3).step()
    assert method(given, Draw.of(0)).loss < first


@each
def test_all_that_is_random_comes_from_the_draw(kind: str):
    given = batch(some_absent())
    losses = []
    for seed in (3, 4):
        method = made(kind)
        torch.manual_seed(seed)
        losses.append(method(given, Draw.of(7)).loss)
    assert torch.equal(losses[0], losses[1])


@each
def test_the_loss_is_near_in_bfloat16(kind: str):
    a, b, given = made(kind), made(kind), batch(some_absent())
    with torch.autocast("cpu", torch.bfloat16):
        low = a(given, Draw.of(0)).loss
    assert low.dtype == torch.float32
    torch.testing.assert_close(low, b(given, Draw.of(0)).loss, rtol=0.1, atol=0.01)
    low.backward()
    assert all(value.grad is None or value.grad.isfinite().all() for value in a.parameters())


@each
def test_it_goes_into_a_bundle_and_comes_back(kind: str, tmp_path):
    method, given = made(kind).eval(), batch(some_absent())
    card = Card(
        kind="pretrained",
        preset="mine",
        skeleton=COCO.plain(),
        dims=C,
        input=InputSettings(frames=T, persons=M),
        model=settings(kind),
        data={"store": "s", "hash": "h", "split": "all", "seen": "0-3"},
        made_by={},
    )
    write_bundle(tmp_path, card, method)
    again, same = load_pretrained(tmp_path)
    assert same.plain() == card.plain()
    assert torch.equal(again(given, Draw.of(2)).loss, method(given, Draw.of(2)).loss)


# Of those that hide joints and rebuild them


@masked
def test_what_is_hidden_is_named_by_the_draw(kind: str):
    method, given = made_masked(kind), batch(some_absent())
    hidden = method.draw_hidden(given, Draw.of(3))
    assert hidden.shape == (N, M, T, V)
    assert hidden.dtype == torch.bool
    assert torch.equal(method.draw_hidden(given, Draw.of(3)), hidden)
    # Some is hidden of every clip, and some is left.
    assert hidden.flatten(1).any(1).all()
    assert not hidden.flatten(1).all(1).any()


@masked
def test_hidden_joints_are_rebuilt_without_looking_at_them_and_seen_ones_stay(kind: str):
    method, given = made_masked(kind), batch(some_absent())
    hidden = method.draw_hidden(given, Draw.of(0))
    rebuilt = method.rebuild(given, hidden)
    assert rebuilt.shape == given.x.shape
    assert not rebuilt.requires_grad
    assert torch.equal(rebuilt[~hidden], given.x[~hidden])
    there = given.present[..., None] & hidden
    assert rebuilt[there].isfinite().all()
    assert not rebuilt[~given.present].any()
    other = given.change(x=torch.where(hidden[..., None], batch(seed=5).x, given.x))
    torch.testing.assert_close(method.rebuild(other, hidden)[there], rebuilt[there])
    seen = given.change(x=torch.where(hidden[..., None], given.x, batch(seed=5).x))
    assert not torch.allclose(method.rebuild(seen, hidden)[there], rebuilt[there], atol=1e-3)
