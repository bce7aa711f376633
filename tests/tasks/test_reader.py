"""The reader: what its head reads, person by person and joint by joint."""

import pytest
import torch
from torch import Tensor

from ossein.clip import Batch
from ossein.encoders import EncoderSettings, Mixer, MixerSettings, build_encoder
from ossein.errors import BundleError
from ossein.skeleton import Skeleton
from ossein.tasks import Reader, ReaderSettings

COCO = Skeleton.of("coco-17")
N, T, V, C, K, D = 4, 6, 17, 2, 3, 8
ENCODER = MixerSettings(width=D, depth=1)
BRANCHES = len(ENCODER.reads)


def made(persons: int, dropout: float = 0.5) -> Reader:
    torch.manual_seed(0)
    return Reader(COCO, C, T, persons, K, ReaderSettings(encoder=ENCODER, dropout=dropout)).eval()


def batch(persons: int) -> Batch:
    """Clip 1 lacks its last person, clip 2 ends early, clip 3 has nobody."""
    score = torch.ones(N, persons, T, V)
    score[1, -1], score[2, :, 3:], score[3], score[0, 0, :, 9] = 0, 0, 0, 0
    x = torch.randn(N, persons, T, V, C, generator=torch.Generator().manual_seed(1))
    whole = Batch(x, torch.ones_like(score), COCO, torch.arange(N) % K, torch.arange(N), torch.ones(N, 2))
    return whole.change(score=score)


def person(model: Reader, given: Batch, n: int, m: int) -> Tensor | None:
    """Mean and maximum over time of every joint of a person, who is encoded alone, for each branch; None for nobody."""
    one = slice(n, n + 1), slice(m, m + 1)
    here = given.present[one]
    if not here.any():
        return None
    z = model.encoder(given.x[one], given.score[one] == 0, here)[0, 0]
    there = [z[t] for t in range(T // 2) if here[0, 0, 2 * t : 2 * t + 2].any()]
    each = [torch.stack(there)[..., at : at + D] for at in range(0, BRANCHES * D, D)]
    return torch.stack([torch.cat([one.mean(0), one.amax(0)], -1).flatten() for one in each])


@torch.no_grad()
@pytest.mark.parametrize("persons", [1, 2, 3])
def test_the_head_reads_mean_and_maximum_of_every_joint(persons: int):
    model, given = made(persons), batch(persons)
    model.norm.running_mean += 0.5
    read = model.features(given)
    assert read.shape == (N, (1 if persons == 1 else 2) * 2 * V * D * BRANCHES)
    for n in range(N):
        each = [one for m in range(persons) if (one := person(model, given, n, m)) is not None]
        if not each:
            assert not read[n].any()
            continue
        expected = torch.stack(each).mean(0)
        if persons > 1:
            expected = torch.cat([expected, torch.stack(each).amax(0)], 1)
        torch.testing.assert_close(read[n], model.norm(expected.flatten()[None])[0], rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_each_branch_answers_for_itself_and_the_model_with_their_mean():
    model, given = made(2), batch(2)
    read, answers = model.features(given), model.answers(given)
    assert answers.shape == (BRANCHES, N, K)
    half = read.shape[1] // BRANCHES
    for at in range(BRANCHES):
        other = read.clone()
        other[:, [i for i in range(read.shape[1]) if not at * half <= i < (at + 1) * half]] += 9
        assert torch.equal(model.head.answers(other)[at], answers[at])
        assert not torch.allclose(model.head.answers(other)[1 - at], answers[1 - at])
    torch.testing.assert_close(model(given).exp(), answers.softmax(2).mean(0))


@torch.no_grad()
def test_the_order_of_persons_makes_no_difference():
    model, given = made(3), batch(3)
    other = given.change(x=given.x[:, [2, 0, 1]], score=given.score[:, [2, 0, 1]])
    torch.testing.assert_close(model(other), model(given))


def test_something_is_left_out_in_training_alone():
    model, given = made(1), batch(1)
    assert torch.equal(model(given), model(given))
    model.head.train()
    assert not torch.equal(model(given), model(given))
    sure = made(1, dropout=0)
    sure.head.train()
    assert torch.equal(sure(given), sure(given))


def test_it_starts_from_a_mixer_like_its_own():
    model = made(1)
    torch.manual_seed(1)
    encoder = Mixer(COCO, C, ENCODER)
    model.load_encoder(encoder)
    for name, value in encoder.state_dict().items():
        assert torch.equal(model.encoder.state_dict()[name], value), name
    others = [
        Mixer(COCO, C, ENCODER.change(width=12)),
        Mixer(COCO, C, ENCODER.change(stride=1)),
        Mixer(COCO, 3, ENCODER),
        build_encoder(COCO, C, EncoderSettings(width=D, depth=1)),
    ]
    for other in others:
        with pytest.raises(BundleError, match=r"differs from the model's in kind, size or coordinates"):
            model.load_encoder(other)
