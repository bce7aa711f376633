"""What is true of every recogniser, tested of each the day it is registered."""

from typing import Any

import pytest
import torch
from batches import COCO, C, M, N, T, batch, same_state, some_absent, unchanged
from pydantic import TypeAdapter

from ossein.clip import Batch
from ossein.deploy import Card, load_recogniser, write_bundle
from ossein.draw import Draw
from ossein.encoders import EncoderSettings, build_encoder
from ossein.errors import BundleError, DataError
from ossein.skeleton import Skeleton
from ossein.tasks import RECOGNISERS, Recognise, Recogniser, RecogniserSettings, build_recogniser
from ossein.train import InputSettings

K = 5
SMALL: dict[str, dict[str, Any]] = {
    "strl": {"encoder": {"width": 8, "depth": 2}, "layers": 2},
    "stgcn": {"widths": (8, 12), "kernel": 3},
    "reader": {"encoder": {"width": 8, "depth": 2}, "dropout": 0},
    "fused": {
        "members": [
            {"model": {"kind": "reader", "encoder": {"width": 8, "depth": 1}, "dropout": 0}, "stream": "bone"},
            {"model": {"kind": "stgcn", "widths": (8,), "kernel": 3}, "temperature": 2.0},
        ]
    },
}
"""Settings to test with, where the defaults are too large."""

each = pytest.mark.parametrize("kind", RECOGNISERS)
modes = pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])


def settings(kind: str) -> Any:
    return TypeAdapter(RecogniserSettings).validate_python({"kind": kind, **SMALL.get(kind, {})})


def made(kind: str, skeleton: Skeleton = COCO, dims: int = C) -> Recogniser:
    """A recogniser that has seen a little, so that no statistic or weight is at its start."""
    torch.manual_seed(0)
    model = build_recogniser(skeleton, dims, T, M, K, settings(kind))
    with torch.no_grad():
        for value in model.parameters():
            value.add_(torch.randn_like(value) * 0.1)
    for seed in range(3):
        model(batch(seed=seed, skeleton=skeleton, dims=dims))
    return model


@each
def test_the_kind_names_it_and_comes_first(kind: str):
    s = settings(kind)
    assert s.kind == kind
    assert next(iter(type(s).model_fields)) == "kind"
    assert type(made(kind)) is RECOGNISERS[kind]


@each
def test_scores_are_what_the_head_says_of_the_features(kind: str):
    model, given = made(kind).eval(), batch(some_absent())
    assert model.shape == (M, T, len(COCO), C)
    features = model.features(given)
    assert len(features) == N
    assert model(given).shape == (N, K)
    torch.testing.assert_close(model(given), model.head(features))


@each
@pytest.mark.parametrize(("skeleton", "dims"), [("ntu-25", 3), ("hand-21", 2), ("penn-13", 2)])
def test_it_takes_any_skeleton_and_coordinates(kind: str, skeleton: str, dims: int):
    of = Skeleton.of(skeleton)
    assert made(kind, of, dims)(batch(skeleton=of, dims=dims)).shape == (N, K)


@each
def test_a_batch_of_another_shape_is_refused(kind: str):
    model, given = made(kind), batch()
    fewer_persons = given.change(x=given.x[:, :1], score=given.score[:, :1])
    fewer_frames = given.change(x=given.x[:, :, :-1], score=given.score[:, :, :-1])
    for wrong in (fewer_persons, fewer_frames, batch(skeleton=Skeleton.of("penn-13")), batch(dims=3)):
        for call in (model, model.features):
            with pytest.raises(DataError, match=r"batch of \[M T V C\] .*, the model takes \[2, 6, 17, 2\]"):
                call(wrong)


@each
@modes
def test_what_has_score_zero_is_not_looked_at(kind: str, training: bool):
    given = batch(some_absent())
    absent = ~given.present[..., None, None]
    wild = Batch(torch.where(absent, 77.0, given.x), given.score, COCO, given.label, given.index, given.size)
    a, b = made(kind).train(training), made(kind).train(training)
    assert torch.equal(a(given), b(wild))
    same_state(a, b)
    seen = Batch(torch.where(absent, given.x, 77.0), given.score, COCO, given.label, given.index, given.size)
    assert not torch.allclose(made(kind).eval()(given), made(kind).eval()(seen), atol=1e-3)


@each
@modes
def test_clips_without_anyone_change_nothing_for_the_others(kind: str, training: bool):
    score = some_absent()
    score[-1] = 0
    a, b = made(kind).train(training), made(kind).train(training)
    torch.testing.assert_close(a(batch(score))[:-1], b(batch(score).take(slice(0, N - 1))), rtol=1e-4, atol=1e-5)
    same_state(a, b)


@each
def test_a_clip_is_scored_alone_in_eval_mode(kind: str):
    model, given = made(kind).eval(), batch(some_absent())
    scores = model(given)
    assert not torch.allclose(scores[0], scores[3], atol=1e-3)
    for n in range(N):
        alone = model(given.take(slice(n, n + 1)))
        torch.testing.assert_close(alone, scores[n : n + 1], rtol=1e-4, atol=1e-5)


@each
@modes
def test_nobody_present_is_fine(kind: str, training: bool):
    model = made(kind).train(training)
    with unchanged(model):
        scores = model(batch(torch.zeros(N, M, T, len(COCO))))
        scores.sum().backward()
    torch.testing.assert_close(scores, scores[:1].expand(N, K))
    assert all(value.grad is None or value.grad.isfinite().all() for value in model.parameters())


@each
def test_gradient_flows_to_every_weight(kind: str):
    # In train mode a batch norm takes away the constant before it, and with it the gradient of a bias.
    model = made(kind).eval()
    model(batch(some_absent())).square().sum().backward()
    for name, value in model.named_parameters():
        assert value.grad is not None, name
        assert value.grad.isfinite().all(), name
        assert value.grad.any(), name


@each
def test_a_step_against_the_gradient_lowers_the_loss(kind: str):
    task, given = Recognise(made(kind)), batch(some_absent())
    first = task(given, Draw.of(0)).loss
    first.backward()
    torch.optim.SGD(task.parameters(), 1e-3).step()
    assert task(given, Draw.of(0)).loss < first


@each
@modes
def test_scores_are_near_in_bfloat16(kind: str, training: bool):
    a, b, given = made(kind).train(training), made(kind).train(training), batch(some_absent())
    with torch.autocast("cpu", torch.bfloat16):
        low = a(given).float()
    high = b(given)
    assert (low - high).norm() < 0.1 * high.norm()
    low.sum().backward()
    assert all(value.grad is None or value.grad.isfinite().all() for value in a.parameters())


@each
def test_a_seed_gives_the_same_weights(kind: str):
    same_state(made(kind), made(kind))


@each
def test_it_goes_into_a_bundle_and_comes_back(kind: str, tmp_path):
    model, given = made(kind).eval(), batch(some_absent())
    card = Card(
        kind="recogniser",
        preset="mine",
        skeleton=COCO.plain(),
        dims=C,
        classes=tuple("abcde"),
        input=InputSettings(frames=T, persons=M),
        model=settings(kind),
        data={"store": "s", "hash": "h", "split": "all", "seen": "0-3"},
        made_by={},
    )
    write_bundle(tmp_path, card, model)
    again, same = load_recogniser(tmp_path)
    assert same.plain() == card.plain()
    assert torch.equal(again(given), model(given))


@each
@pytest.mark.parametrize("width", [8, 12])
def test_a_pre_trained_encoder_is_taken_or_refused_whole(kind: str, width: int):
    model = made(kind)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    encoder = build_encoder(COCO, C, EncoderSettings(width=width, depth=2))
    try:
        model.load_encoder(encoder)
    except BundleError:
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
        return
    own = list(model.parameters())
    for name, value in encoder.named_parameters():
        if name != "token":  # what stands for hidden joints is of no use where none are hidden
            assert any(value.shape == one.shape and torch.equal(value, one) for one in own), name
            assert all(value is not one for one in own), name
