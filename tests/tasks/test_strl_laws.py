"""STRL with every option: joints in another order, absence of all kinds, one clip beside others, low precision."""

from typing import Any

import torch
from batches import COCO, M, N, T, V, batch, same_state, some_absent, unchanged
from strl_options import D, made, modes, options

from ossein.clip import Batch


@options
def test_permuting_the_joints_changes_no_score(option: dict[str, Any]):
    order = torch.randperm(V, generator=torch.Generator().manual_seed(0))
    given, model = batch(some_absent()), made(**option).eval()
    permuted = made(skeleton=COCO.permuted(order.tolist()), **option).eval()
    permuted.load_state_dict(model.state_dict())
    moved = given.change(x=given.x[..., order, :], score=given.score[..., order])
    torch.testing.assert_close(permuted(moved), model(given), rtol=1e-4, atol=1e-5)


@modes
@options
def test_what_has_score_zero_is_not_looked_at(option: dict[str, Any], training: bool):
    given = batch(some_absent())
    absent = ~given.present[..., None, None]
    wild = Batch(torch.where(absent, 77.0, given.x), given.score, COCO, given.label, given.index, given.size)
    models = [made(**option).train(training) for _ in range(2)]
    scores = [model(one) for model, one in zip(models, (given, wild))]
    assert torch.equal(scores[0], scores[1])
    same_state(models[0], models[1])


@modes
@options
def test_absent_frames_at_the_end_are_like_a_shorter_model(option: dict[str, Any], training: bool):
    long = made(**option).train(training)
    short = made(frames=T - 2, **option).train(training)
    short.load_state_dict({**long.state_dict(), "position": long.position[: T - 2]})
    score = torch.ones(N, M, T, V)
    score[:, :, T - 2 :] = 0
    given = batch(score)
    cut = given.change(x=given.x[:, :, : T - 2], score=given.score[:, :, : T - 2])
    torch.testing.assert_close(long(given), short(cut), rtol=1e-4, atol=1e-5)
    same_state(long.spatial, short.spatial)
    same_state(long.temporal, short.temporal)


@modes
@options
def test_an_absent_second_person_is_like_a_model_for_one(option: dict[str, Any], training: bool):
    two, one = made(**option).train(training), made(persons=1, **option).train(training)
    one.load_state_dict({name: two.state_dict()[name] for name in one.state_dict()})
    score = some_absent()
    score[:, 1] = 0
    given = batch(score)
    alone = given.change(x=given.x[:, :1], score=given.score[:, :1])
    torch.testing.assert_close(two(given), one(alone), rtol=1e-4, atol=1e-5)
    same_state(two, one)


def test_a_clip_is_scored_alone_in_eval_mode():
    model, given = made(interact=True).eval(), batch(some_absent())
    scores = model(given)
    for n in range(N):
        alone = model(given.take(slice(n, n + 1)))
        torch.testing.assert_close(alone, scores[n : n + 1], rtol=1e-4, atol=1e-5)


def test_persons_are_told_apart_unless_they_share_the_encoder():
    given = batch()
    swapped = given.change(x=given.x.flip(1), score=given.score.flip(1))
    for share in (False, True):
        model = made(share_encoders=share, interact=True).eval()
        assert torch.allclose(model(given), model(swapped), rtol=1e-4, atol=1e-5) is share


@modes
def test_nobody_present_is_fine(training: bool):
    model = made(interact=True).train(training)
    with unchanged(model):
        scores = model(batch(torch.zeros(N, M, T, V)))
        scores.sum().backward()
    torch.testing.assert_close(scores, model.head(torch.zeros(N, D)))
    assert all(value.grad is None or value.grad.isfinite().all() for value in model.parameters())


@modes
def test_bfloat16_is_finite_and_near_float32(training: bool):
    low, high = made(interact=True).train(training), made(interact=True).train(training)
    given = batch(some_absent())
    with torch.autocast("cpu", torch.bfloat16):
        scores = low(given).float()
    assert (scores - high(given)).norm() < 0.1 * high(given).norm()
    scores.sum().backward()
    assert all(value.grad is None or value.grad.isfinite().all() for value in low.parameters())
