"""Sequence-level masked autoencoding: what is hidden, what is counted, and which frame a rebuilt one is."""

import pytest
import torch
from torch import Tensor

from ossein.augment import AugmentSettings, Occlude
from ossein.clip import Batch
from ossein.draw import Draw
from ossein.encoders import MixerSettings, read_clips, thin
from ossein.errors import SettingsError
from ossein.pretrain import ContrastSettings, TubeMAE, TubeMAESettings
from ossein.skeleton import Skeleton

COCO = Skeleton.of("coco-17")
N, M, T, V, C = 3, 2, 7, 17, 2


REBUILD = ContrastSettings(weight=0)


def method(stride: int = 2, contrast: ContrastSettings = REBUILD, **mask: float) -> TubeMAE:
    torch.manual_seed(0)
    encoder = MixerSettings(width=8, depth=2, stride=stride)
    fields = {"encoder": encoder.plain(), "decoder": 6, "mask": mask}
    settings = TubeMAESettings.read({**fields, "contrast": contrast.plain()})
    return TubeMAE(COCO, C, T, M, settings).eval()


def batch() -> Batch:
    """Clip 1 has one person, clip 2 ends early, and of clip 0 some joints are lacking."""
    generator = torch.Generator().manual_seed(1)
    x, score = torch.randn(N, M, T, V, C, generator=generator), torch.full((N, M, T, V), 0.7)
    score[1, 1], score[2, :, 5:], score[0, 0, :, :5] = 0, 0, 0
    whole = Batch(x, torch.ones(N, M, T, V), COCO, torch.full((N,), -1), torch.arange(N), torch.ones(N, 2))
    return whole.change(score=score)


def test_what_is_hidden_is_drawn_for_each_clip_and_the_same_for_its_persons():
    made = method(share=0.3, least=0.2, most=0.5)
    hidden = made.draw_hidden(batch(), Draw.of(4))
    for m in range(M):
        assert torch.equal(hidden[:, m], Occlude(0.3, 0.2, 0.5).hidden(batch(), Draw.of(4)))


@torch.no_grad()
def test_the_loss_is_the_mean_over_clips_of_the_square_error_of_what_was_hidden_and_is_there():
    made, given = method(), batch()
    step, hidden = made(given, Draw.of(2)), made.draw_hidden(given, Draw.of(2))
    y, errors = made.decode(given, hidden), [[] for _ in range(N)]
    for n, m, t, v in torch.nonzero(hidden).tolist():
        if given.score[n, m, t, v] > 0:
            errors[n].append(sum(float(y[n, m, t, v, c] - given.x[n, m, t, v, c]) ** 2 for c in range(C)) / C)
    assert 0 < sum(map(len, errors)) < int(hidden.sum())
    assert step.loss.item() == pytest.approx(sum(sum(one) / len(one) for one in errors) / N, rel=1e-5)
    assert step.weight.item() == N


@torch.no_grad()
def test_telling_clips_apart_is_weighed_and_told_beside_rebuilding():
    plain, both = method(), method(contrast=ContrastSettings(weight=0.5))
    a, b = plain(batch(), Draw.of(2)), both(batch(), Draw.of(2))
    assert set(b.log) == {"rebuild", "contrast"}
    torch.testing.assert_close(b.log["rebuild"], a.loss)
    torch.testing.assert_close(b.loss, a.loss + 0.5 * b.log["contrast"])


@torch.no_grad()
def test_two_views_are_told_apart_of_which_neither_hides_what_is_to_be_rebuilt(monkeypatch: pytest.MonkeyPatch):
    made, given = method(contrast=ContrastSettings(spoil=AugmentSettings(move=3, jitter=0))), batch()
    encode, told = made.encoder.forward, []

    def spy(x: Tensor, hidden: Tensor, present: Tensor) -> Tensor:
        told.append((x, hidden))
        return encode(x, hidden, present)

    monkeypatch.setattr(made.encoder, "forward", spy)
    step = made(given, Draw.of(2))
    (rebuilt, hidden), *views = told
    assert torch.equal(rebuilt, given.x)
    there = given.score > 0
    for x, lacking in views:
        assert hidden.sum() > lacking.sum()
        assert torch.equal(lacking, ~there)
        assert not torch.isclose(x[there], given.x[there]).any(-1).all()
    (first, _), (second, _) = views
    assert not torch.isclose(first[there], second[there]).any(-1).all()
    read = [made.read(encode(x, ~there, given.present), given) for x in (first, second)]
    exist = given.present.flatten(1).any(1)
    each = [one(*views, exist) for one, *views in zip(made.contrast, *read, strict=True)]
    assert len(each) == 2
    assert step.log["contrast"] == sum(each) / 2


@torch.no_grad()
def test_what_a_clip_is_known_by_is_what_it_was_told_apart_by():
    given, plain, both = batch(), method(), method(contrast=ContrastSettings(width=4))
    read = both.read(both.encode(given), given)
    assert both.signature(given).shape == (N, 8)
    for at, (contrast, told) in enumerate(zip(both.contrast, read, strict=True)):
        own = both.signature(given)[:, 4 * at : 4 * at + 4]
        assert torch.equal(own, contrast.project(told, torch.ones(N, dtype=torch.bool)))
    assert torch.equal(plain.signature(given), read_clips(plain.encode(given), thin(given.present, 2)))


@torch.no_grad()
@pytest.mark.parametrize("stride", [1, 2, 4])
def test_a_step_of_the_encoder_stands_for_the_frames_it_saw(stride: int):
    made, given = method(stride), batch()
    hidden = made.draw_hidden(given, Draw.of(0))
    z, y = made.encoder(given.x, hidden | (given.score == 0), given.present), made.decode(given, hidden)
    assert y.shape == given.x.shape
    for t in range(T):
        within = slice(t % stride * C, t % stride * C + C)
        torch.testing.assert_close(y[:, :, t], made.decoder(z[:, :, t // stride])[..., within])


def test_absent_joints_are_hidden_from_the_encoder(monkeypatch: pytest.MonkeyPatch):
    made, given, told = method(), batch(), []

    def encode(x: Tensor, hidden: Tensor, present: Tensor) -> Tensor:
        told.append((hidden, present))
        return torch.zeros(N, M, 4, V, 16)

    monkeypatch.setattr(made.encoder, "forward", encode)
    hidden = made.draw_hidden(given, Draw.of(0))
    made.decode(given, hidden)
    assert torch.equal(told[0][0], hidden | (given.score == 0))
    assert torch.equal(told[0][1], given.present)


@pytest.mark.parametrize(
    ("fields", "named"),
    [({"share": 0}, "share"), ({"least": 0.6, "most": 0.5}, "least <= most"), ({"most": 1.1}, "most")],
)
def test_settings_that_make_no_sense(fields: dict[str, float], named: str):
    with pytest.raises(SettingsError, match=named):
        TubeMAESettings.read({"mask": fields})
