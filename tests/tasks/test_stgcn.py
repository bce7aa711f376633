"""ST-GCN against the paper taken literally: joint by joint, neighbour by neighbour, frame by frame."""

from typing import Any

import pytest
import torch
from batches import COCO, C, M, N, T, V, batch, same_state, some_absent, stir
from torch import Tensor, nn

from ossein.encoders import EncoderSettings, build_encoder
from ossein.errors import BundleError, SettingsError
from ossein.tasks import STGCN, STGCNSettings
from ossein.tasks.stgcn import Block

K = 4
SMALL = STGCNSettings(widths=(6, 8), blocks=2, kernel=3)
modes = pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])


def made(frames: int = T, persons: int = M, **more: Any) -> STGCN:
    torch.manual_seed(0)
    model = STGCN(COCO, C, frames, persons, K, SMALL.change(**more))
    stir(model)
    return model


# One block


def normed(norm: nn.BatchNorm1d, values: dict[Any, Tensor]) -> dict[Any, Tensor]:
    """Batch norm over the places that exist, by torch's own."""
    twin = nn.BatchNorm1d(norm.num_features).double().train(norm.training)
    twin.load_state_dict(norm.state_dict())
    return dict(zip(values, twin(torch.stack(list(values.values())))))


def literal(block: Block, h: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
    """The block with every sum written out; h [V B T D], present [B T]."""
    B, frames, stride = h.shape[1], h.shape[2], block.stride
    layer, matrix = block.spatial, block.spatial.matrix * block.spatial.importance
    D = h.shape[3]
    there = [(v, b, t) for v in range(V) for b in range(B) for t in range(frames) if present[b, t]]
    heard = {}
    for v, b, t in there:
        total = layer.linear.bias.clone()
        for k in range(3):
            for u in range(V):
                if matrix[k, v, u]:
                    total += matrix[k, v, u] * (layer.linear.weight[:, k * D : (k + 1) * D] @ h[u, b, t])
        heard[v, b, t] = total
    heard = {at: value.relu() for at, value in normed(block.norm_in, heard).items()}
    kernel = block.temporal.conv.weight[..., 0]
    later = torch.stack([present[:, t : t + stride].any(1) for t in range(0, frames, stride)], 1)
    looked, matched = {}, {}
    for v in range(V):
        for b, t in later.nonzero().tolist():
            total = torch.zeros(len(kernel), dtype=torch.float64)
            for k in range(kernel.shape[2]):
                source = heard.get((v, b, t * stride + k - kernel.shape[2] // 2))
                if source is not None:
                    total += kernel[:, :, k] @ source
            looked[v, b, t] = total
            matched[v, b, t] = h[v, b, t * stride]
    looked = normed(block.norm_out, looked)
    if block.match is not None:
        assert block.norm_match is not None
        matched = normed(block.norm_match, {at: block.match.weight @ value for at, value in matched.items()})
    out = torch.zeros(V, B, later.shape[1], len(kernel), dtype=torch.float64)
    for v, b, t in looked:
        kept = matched[v, b, t] if block.residual else 0
        out[v, b, t] = (looked[v, b, t] + kept).relu()
    return out, later


@modes
@pytest.mark.parametrize("absent", [False, True])
@pytest.mark.parametrize(
    ("before", "after", "stride", "residual"), [(2, 6, 1, False), (6, 6, 1, True), (6, 8, 1, True), (6, 8, 2, True)]
)
@torch.no_grad()
def test_a_block_is_its_sums_written_out(
    before: int, after: int, stride: int, residual: bool, absent: bool, training: bool
):
    torch.manual_seed(0)
    blocks = [Block(COCO, before, after, stride, residual=residual, settings=SMALL) for _ in range(2)]
    stir(blocks[0])
    blocks[1].load_state_dict(blocks[0].state_dict())
    fast, slow = (block.double().train(training) for block in blocks)
    frames = 7  # odd, so that a stride of 2 has one left at the end
    present = torch.ones(2, frames, dtype=torch.bool)
    if absent:
        present[0, [0, 2, 3]] = False
        present[1, 4:] = False
    h = torch.randn(V, 2, frames, before, dtype=torch.float64) * present[..., None]
    out, later = fast(h, present)
    expected, there = literal(slow, h, present)
    torch.testing.assert_close(out, expected)
    assert torch.equal(later, there)


# The whole model


def test_blocks_and_their_strides():
    model = STGCN(COCO, C, 32, 1, K, STGCNSettings())
    assert [block.spatial.linear.out_features for block in model.blocks] == [32, 32, 64, 64, 96, 96]
    assert [block.stride for block in model.blocks] == [1, 1, 2, 1, 2, 1]
    assert [block.residual for block in model.blocks] == [False, True, True, True, True, True]
    assert [block.match is not None for block in model.blocks] == [False, False, True, False, True, False]
    assert all(block.temporal.conv.kernel_size == (9, 1) for block in model.blocks)
    deep = STGCN(COCO, C, 32, 1, K, STGCNSettings(widths=(8,), blocks=3))
    assert [block.stride for block in deep.blocks] == [1, 1, 1]


@torch.no_grad()
def test_every_coordinate_of_every_joint_is_normalised_first():
    model, given = made().train(), batch(some_absent())
    first: list[Tensor] = []
    model.blocks[0].register_forward_pre_hook(lambda module, args: first.append(args[0]))
    twin = nn.BatchNorm1d(V * C)
    twin.load_state_dict(model.norm.state_dict())
    model(given)
    expected = torch.zeros(N, M, T, V, C)
    expected[given.present] = twin(given.x[given.present].flatten(1)).view(-1, V, C)
    there = given.present.any(2)
    torch.testing.assert_close(first[0].permute(1, 2, 0, 3), expected[there])


@torch.no_grad()
def test_features_are_the_mean_over_joints_and_what_is_present_of_the_last_block():
    model, given = made().eval(), batch(some_absent())
    last: list[tuple[Tensor, Tensor]] = []
    model.blocks[-1].register_forward_hook(lambda module, args, out: last.append(out))
    features = model.features(given)
    h, present = last[0]
    owners = [n for n in range(N) for m in range(M) if given.present[n, m].any()]
    assert present.shape == (len(owners), 3)
    for n in range(N):
        seen = [h[:, b, t].mean(0) for b in range(len(owners)) for t in range(3) if owners[b] == n and present[b, t]]
        torch.testing.assert_close(features[n], torch.stack(seen).mean(0))


@modes
def test_absent_frames_at_the_end_are_like_a_shorter_model(training: bool):
    long, short = made().train(training), made(frames=T - 2).train(training)
    score = torch.ones(N, M, T, V)
    score[:, :, T - 2 :] = 0
    given = batch(score)
    cut = given.change(x=given.x[:, :, : T - 2], score=given.score[:, :, : T - 2])
    torch.testing.assert_close(long(given), short(cut), rtol=1e-4, atol=1e-5)
    same_state(long, short)


@modes
def test_an_absent_second_person_is_like_a_model_for_one(training: bool):
    two, one = made().train(training), made(persons=1).train(training)
    score = some_absent()
    score[:, 1] = 0
    given = batch(score)
    alone = given.change(x=given.x[:, :1], score=given.score[:, :1])
    torch.testing.assert_close(two(given), one(alone), rtol=1e-4, atol=1e-5)
    same_state(two, one)


@torch.no_grad()
def test_dropout_is_for_training_alone():
    model, given = made(dropout=0.5), batch()
    torch.manual_seed(1)
    assert not torch.allclose(model(given), model(given))
    model.eval()
    torch.testing.assert_close(model(given), model(given))
    never = made()
    never.load_state_dict(model.state_dict())
    torch.testing.assert_close(never.eval()(given), model(given))


def test_it_has_no_place_for_an_encoder():
    with pytest.raises(BundleError, match=r"STGCN has no place for a pre-trained encoder \(GIN\)\. Leave out --from"):
        made().load_encoder(build_encoder(COCO, C, EncoderSettings()))


@pytest.mark.parametrize(
    "field", [{"kernel": 4}, {"widths": ()}, {"widths": (0,)}, {"blocks": 0}, {"dropout": 1.0}, {"kind": "strl"}]
)
def test_settings_out_of_range_are_refused(field: dict[str, Any]):
    with pytest.raises(SettingsError, match=f"field '{next(iter(field))}"):
        STGCNSettings.read(field)
