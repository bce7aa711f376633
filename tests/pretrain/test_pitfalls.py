"""The four pitfalls of a naive SkeletonMAE, each shown on small poses: what goes wrong, and that ours does not.

The poses are walkers whose arms and legs swing together, at any place of the image; right arm and leg are hidden.
"""

import math
from dataclasses import dataclass
from functools import cache

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from ossein.clip import UNKNOWN, Batch
from ossein.draw import Draw
from ossein.encoders import to_graphs
from ossein.pretrain import SkeletonMAE, SkeletonMAESettings, cosine_error
from ossein.skeleton import Skeleton

COCO = Skeleton.of("coco-17")
WRIST, ELBOW, ANKLE, KNEE = 10, 8, 16, 14
HEAD = [(0, -0.75), (0.04, -0.8), (-0.04, -0.8), (0.08, -0.77), (-0.08, -0.77)]
SIDES = [(0.18, -0.55), (0.2, -0.3), (0.2, -0.05), (0.12, 0), (0.12, 0.35), (0.12, 0.7)]
REST = torch.tensor(HEAD + [(sign * x, y) for x, y in SIDES for sign in (1, -1)])
SWING = {(5, 7, 9): -1, (6, 8, 10): 1, (11, 13, 15): 1, (12, 14, 16): -1}


def walkers(num: int, seed: int, frames: int = 6) -> Batch:
    of = torch.Generator().manual_seed(seed)

    def even(low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(*shape, generator=of) * (high - low) + low

    phase = even(0, 2 * math.pi, num, 1, 1) + torch.arange(frames) * even(0.2, 0.6, num, 1, 1)
    angle = even(0.4, 0.9, num, 1, 1) * phase.sin()
    x = REST.repeat(num, 1, frames, 1, 1)
    for (root, middle, end), sign in SWING.items():
        for joint, parent, bend in ((middle, root, 0.0), (end, middle, 0.3)):
            a = sign * angle + bend * angle.abs()
            bone = (REST[joint] - REST[parent]).norm()
            x[..., joint, :] = x[..., parent, :] + bone * torch.stack([a.sin(), a.cos()], -1)
    x = x * even(0.8, 1.1, num, 1, 1, 1, 1) + even(-0.5, 0.5, num, 1, 1, 1, 2)
    x = x + 0.005 * torch.randn(x.shape, generator=of)
    size = torch.full((num, 2), float("nan"))
    return Batch(x, torch.ones(x.shape[:-1]), COCO, torch.full((num,), UNKNOWN), torch.arange(num), size)


TRAIN, TEST = walkers(32, seed=0), walkers(32, seed=1)


def made(seed: int = 0, **more: bool) -> SkeletonMAE:
    torch.manual_seed(seed)
    return SkeletonMAE(COCO, 2, 8, 1, SkeletonMAESettings.read({"encoder": {"width": 16, "depth": 2}, **more}))


def spread(method: SkeletonMAE) -> float:
    """Mean of 1 - cos between the embedded joints of two poses."""
    with torch.no_grad():
        directions = normalize(method.encoder.embed(to_graphs(TEST.x)), dim=-1)
    return float(1 - directions.mean((0, 1)).square().sum())


def error(rebuilt: Tensor) -> float:
    """Root mean squared error of the hidden joints, in half image widths."""
    hidden = made().draw_hidden(TEST, Draw.of(0))
    return float((rebuilt - TEST.x)[hidden].square().sum(-1).mean().sqrt())


def constant() -> float:
    """The error of the best answer that does not look: each joint's mean."""
    return error(TRAIN.x.mean((0, 1, 2)).expand_as(TEST.x))


@dataclass(frozen=True)
class Trained:
    method: SkeletonMAE
    shrunk: float
    loss: float


@cache
def trained(detach: bool) -> Trained:
    method = made(detach=detach)
    before = spread(method)
    optimiser = torch.optim.Adam(method.parameters(), 0.02)
    decay = torch.optim.lr_scheduler.LinearLR(optimiser, 1, 0.3, total_iters=300)
    losses = []
    for step in range(300):
        out = method(TRAIN, Draw.of(0, step)).loss
        optimiser.zero_grad()
        out.backward()
        optimiser.step()
        decay.step()
        losses.append(out.item())
    return Trained(method.eval(), spread(method) / before, sum(losses[-20:]) / 20)


# 1. Gradients through the target


# The bounds below leave room: over six seeds the embedding kept at most 0.37 of its spread without detaching and at
# least 0.87 with it, and the error of hidden joints was at most 0.57 of the constant's.


def test_with_gradients_through_the_target_the_embedding_shrinks():
    assert trained(detach=False).shrunk < 0.5


def test_with_the_target_detached_it_keeps_its_spread():
    assert trained(detach=True).shrunk > 0.75


def test_with_gradients_through_the_target_the_loss_looks_better_and_the_joints_are_worse():
    naive, ours = trained(detach=False), trained(detach=True)
    assert naive.loss < 0.7 * ours.loss
    hidden = ours.method.draw_hidden(TEST, Draw.of(0))
    assert error(ours.method.rebuild(TEST, hidden)) < 0.85 * error(naive.method.rebuild(TEST, hidden))


# 2. Re-masking before the decoder


@pytest.mark.parametrize("remask", [True, False])
def test_with_remask_the_decoder_says_the_same_for_wrists_and_ankles_of_all_poses(remask: bool):
    method = made(remask=remask)
    if method.decoder.token is not None:
        nn.init.normal_(method.decoder.token)
    hidden = to_graphs(method.draw_hidden(TEST, Draw.of(0)))
    with torch.no_grad():
        y = method.rebuild_features(method.encoder.embed(to_graphs(TEST.x)), hidden)
    over_graphs = (y - y[:, :1]).square().mean((1, 2))
    for joint in (WRIST, ANKLE):
        assert over_graphs[joint] < 1e-12 if remask else over_graphs[joint] > 1e-3
    for joint in (ELBOW, KNEE):
        assert over_graphs[joint] > 1e-3


# 3. Cosine on raw coordinates


def test_raw_coordinates_leave_the_radius_free_and_the_affine_embedding_does_not():
    x, all_hidden = to_graphs(TEST.x), torch.ones(17, 32 * 6, dtype=torch.bool)
    assert cosine_error(x, 3 * x, all_hidden)[0] < 1e-9
    method = made()
    target, other = method.encoder.embed(x), method.encoder.embed(3 * x)
    assert cosine_error(target, other, all_hidden)[0] > 1e-4
    nn.init.zeros_(method.encoder.embed.bias)
    assert cosine_error(method.encoder.embed(x), method.encoder.embed(3 * x), all_hidden)[0] < 1e-9


def test_decoding_after_training_on_raw_coordinates_is_worse_than_a_constant():
    method = made()
    readout = nn.Linear(16, 2)
    optimiser = torch.optim.Adam([*method.parameters(), *readout.parameters()], 0.02)
    hidden = to_graphs(method.draw_hidden(TRAIN, Draw.of(0)))

    def rebuilt(x: Tensor) -> Tensor:
        return readout(method.rebuild_features(method.encoder.embed(x), hidden))

    x = to_graphs(TRAIN.x)
    for _ in range(150):
        loss = cosine_error(x, rebuilt(x), hidden)[0]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    method.eval()
    with torch.no_grad():
        assert error(rebuilt(to_graphs(TEST.x)).transpose(0, 1).view(TEST.x.shape)) > 1.3 * constant()


def test_decoding_from_the_affine_embedding_is_better_than_a_constant():
    method = trained(detach=True).method
    assert error(method.rebuild(TEST, method.draw_hidden(TEST, Draw.of(0)))) < 0.75 * constant()


# 4. Absent persons and undetected frames


def test_absent_persons_and_frames_enter_neither_loss_nor_statistics():
    """The same graphs without any padding give the same loss, gradients and running statistics."""
    score = torch.ones(32, 1, 6, 17)
    score[::3, :, 4:] = 0
    score[1::5, :, :2] = 0
    padded = Batch(
        x=torch.cat([TRAIN.x, torch.full_like(TRAIN.x, 50.0)], 1),
        score=torch.cat([score, torch.zeros_like(score)], 1),
        skeleton=COCO,
        label=TRAIN.label,
        index=TRAIN.index,
        size=TRAIN.size,
    )
    graphs = TRAIN.x[score[..., 0] > 0][:, None, None]
    num = len(graphs)
    dense = Batch(
        graphs, torch.ones(num, 1, 1, 17), COCO, TRAIN.label.new_zeros(num), torch.arange(num), torch.zeros(num, 2)
    )
    methods, steps = (made(), made()), []
    for method, batch in zip(methods, (padded, dense)):
        step = method(batch, Draw.of(0))
        step.loss.backward()
        steps.append(step)
    torch.testing.assert_close(steps[0].loss, steps[1].loss)
    assert steps[0].weight == steps[1].weight == num < 2 * 32 * 6
    for name, value in methods[0].named_parameters():
        torch.testing.assert_close(value.grad, methods[1].get_parameter(name).grad, rtol=1e-4, atol=1e-6, msg=name)
    for name, value in methods[0].named_buffers():
        torch.testing.assert_close(value, methods[1].get_buffer(name), msg=name)
