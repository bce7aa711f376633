"""A teacher that is the average of its pupil: what it is asked, what its answers count, and how it follows."""

import math

import pytest
import torch
from torch import Tensor

from ossein.augment import AugmentSettings, build
from ossein.clip import UNKNOWN, Batch
from ossein.draw import Draw
from ossein.encoders import MixerSettings
from ossein.skeleton import Skeleton
from ossein.tasks import Reader, ReaderSettings, Recognise, Teach, TeachSettings

COCO = Skeleton.of("coco-17")
N, T, V, K = 8, 6, 17, 3
KNOWN = [0, 2, 5]
SPOIL = AugmentSettings(crop=0.5, mirror=0.5, jitter=0.05, occlude=0.3)


def made(smoothing: float = 0.1, dropout: float = 0.0, **fields: object) -> Teach:
    """A pupil and a teacher that has fallen behind."""
    torch.manual_seed(0)
    model = Reader(COCO, 2, T, 1, K, ReaderSettings(encoder=MixerSettings(width=8, depth=1), dropout=dropout))
    task = Teach(model, TeachSettings.read({"spoil": SPOIL.plain(), "sure": 0.42, **fields}), smoothing)
    with torch.no_grad():
        for value in [*model.parameters(), *task.teacher.parameters()]:
            value.add_(torch.randn_like(value) * 0.2)
        for model in (task.model, task.teacher):
            for head in model.head.each:
                head[1].weight.mul_(0.05)  # so that it is sure of some clips alone
    return task


def batch(known: list[int] = KNOWN) -> Batch:
    label = torch.full((N,), UNKNOWN)
    label[known] = torch.tensor(known, dtype=torch.long) % K
    x = torch.randn(N, 1, T, V, 2, generator=torch.Generator().manual_seed(1))
    return Batch(x, torch.ones(N, 1, T, V), COCO, label, torch.arange(N), torch.ones(N, 2))


def cross_entropy(answers: Tensor, label: int, smoothing: float) -> float:
    """The mean over those who answer."""
    return sum(one_cross_entropy(scores, label, smoothing) for scores in answers) / len(answers)


def one_cross_entropy(scores: Tensor, label: int, smoothing: float) -> float:
    wanted = [smoothing / K + (1 - smoothing) * (k == label) for k in range(K)]
    total = sum(math.exp(score) for score in scores.tolist())
    return -sum(q * math.log(math.exp(score) / total) for q, score in zip(wanted, scores.tolist()))


@torch.no_grad()
@pytest.mark.parametrize("progress", [0.0, 0.15, 0.3, 1.0])
def test_the_loss_clip_by_clip(progress: float):
    task, given = made(), batch()
    task.eval()
    task.done.fill_(progress)
    step = task(given, Draw.of(3))
    spoiled, ramp, total, right, sure = build(SPOIL)(given, Draw.of(3)), min(progress / 0.3, 1), 0.0, 0, 0
    for n in range(N):
        clip = torch.tensor([n])
        if n in KNOWN:
            total += cross_entropy(task.model.answers(given.take(clip))[:, 0], n % K, 0.1)
            right += int(task.model(given.take(clip))[0].argmax()) == n % K
        else:
            answer = task.teacher(given.take(clip)).softmax(1)[0]
            if answer.max() > 0.42:
                sure += 1
                total += ramp * cross_entropy(task.model.answers(spoiled.take(clip))[:, 0], int(answer.argmax()), 0)
    assert 0 < sure < N - len(KNOWN)
    assert step.loss.item() == pytest.approx(total / N, rel=1e-4)
    assert step.weight.item() == N
    assert step.log["accuracy"].item() == pytest.approx(right / len(KNOWN))
    assert step.log["sure"].item() == pytest.approx(sure / (N - len(KNOWN)))
    assert {name: number.item() for name, number in step.counts.items()} == {"accuracy": 3, "sure": 5}


@torch.no_grad()
def test_the_answer_is_the_product_of_the_teachers_and_the_second_opinion():
    task, given = made(sure=0.55), batch()
    task.eval()
    said = torch.rand(N, K, generator=torch.Generator().manual_seed(2))
    said[1] = torch.tensor([0.0, 1.0, 0.0])
    said[3] = 0  # nothing is said of it
    said = said / said.sum(1, keepdim=True).clamp(min=1e-9)
    # Clips are known by their numbers in the store, whatever their place in the batch.
    store = torch.zeros(3 * N, K)
    store[given.index + 5] = said
    other = Teach(task.model, task.settings, 0.1, store).eval()
    other.teacher.load_state_dict(task.teacher.state_dict())
    label, counts = other.ask(given.change(index=given.index + 5), given.label >= 0)
    own = task.teacher(given).softmax(1).tolist()
    surest = 0
    for n in range(N):
        if n in KNOWN:
            assert counts[n]
            assert label[n] == n % K
            continue
        both = [p * max(s, 1e-3) for p, s in zip(own[n], said[n].tolist(), strict=True)]
        best = max(range(K), key=both.__getitem__)
        sure = bool(said[n].any()) and both[best] / sum(both) > 0.55
        assert bool(counts[n]) == sure
        assert not sure or label[n] == best
        surest += sure and max(own[n]) <= 0.55
    assert counts[1]
    assert label[1] == 1
    assert not counts[3]
    assert 0 < surest < N - len(KNOWN)  # sure together, though the teacher by itself is not
    assert "second" not in other.state_dict()


@torch.no_grad()
def test_of_clips_without_a_second_opinion_nothing_is_taught():
    task, given = made(sure=0.0), batch()
    known = given.label >= 0
    assert task.ask(given, known)[1].all()  # the teacher by itself would be sure of each
    silent = Teach(task.model, task.settings, 0.1, torch.zeros(N, K))
    assert torch.equal(silent.ask(given, known)[1], known)


def test_the_teacher_is_asked_of_clips_without_label_alone(monkeypatch: pytest.MonkeyPatch):
    task, asked = made(), []
    answer = task.teacher.forward

    def listen(given: Batch) -> Tensor:
        assert not torch.is_grad_enabled()
        asked.append(given)
        return answer(given)

    monkeypatch.setattr(task.teacher, "forward", listen)
    given = batch()
    task(given, Draw.of(0))
    assert [one.index.tolist() for one in asked] == [[1, 3, 4, 6, 7]]
    assert torch.equal(asked[0].x, given.take(given.label < 0).x)  # as sampled, not as the pupil sees it
    task(batch(list(range(N))), Draw.of(0))
    assert len(asked) == 1


def test_the_pupil_sees_labelled_clips_as_they_are_and_others_spoiled(monkeypatch: pytest.MonkeyPatch):
    task, given, seen = made(), batch(), []
    answer = task.model.answers
    monkeypatch.setattr(task.model, "answers", lambda one: seen.append(one) or answer(one))
    task(given, Draw.of(4))
    spoiled = build(SPOIL)(given, Draw.of(4))
    for n in range(N):
        expected = given if n in KNOWN else spoiled
        assert torch.equal(seen[0].x[n], expected.x[n])
        assert torch.equal(seen[0].score[n], expected.score[n])
    assert torch.equal(seen[0].label, given.label)


def test_with_labels_alone_it_is_recognition():
    given = batch(list(range(N)))
    step, twin = made()(given, Draw.of(0)), made()
    plain = Recognise(twin.model, 0.1)(given, Draw.of(0))
    torch.testing.assert_close(step.loss, plain.loss)
    torch.testing.assert_close(step.log["accuracy"], plain.log["accuracy"])
    assert step.counts["sure"] == 0


def test_without_any_label_it_learns_from_the_teacher():
    task = made(sure=0)
    task.done.fill_(1)
    step = task(batch([]), Draw.of(0))
    assert step.log["sure"] == 1
    assert step.counts["accuracy"] == step.log["accuracy"] == 0
    step.loss.backward()
    assert any(value.grad is not None and value.grad.any() for value in task.model.parameters())


def test_processes_that_share_a_batch_average_to_the_whole():
    """The first holds most of what has labels, as the feed deals them out."""
    given, task = batch([0, 1, 2, 3, 4]), made()
    task.done.fill_(0.2)
    task.eval()
    whole = task(given, Draw.of(5))
    halves = [task(given.take(torch.arange(r * 4, r * 4 + 4)), Draw.of(5, rank=r, world=2)) for r in range(2)]
    torch.testing.assert_close(sum(half.loss * half.weight for half in halves) / N, whole.loss)
    for name, number in whole.log.items():
        shares = [half.counts[name] / whole.counts[name] for half in halves]
        torch.testing.assert_close(sum(half.log[name] * share for half, share in zip(halves, shares)), number)


def test_the_teacher_follows_by_the_exponential_average():
    task, settings = made(momentum=0.4), 0.4
    slow = {name: value.double() for name, value in task.teacher.state_dict().items()}
    before = {name: value.clone() for name, value in slow.items()}
    optimiser = torch.optim.SGD([value for value in task.parameters() if value.requires_grad], 0.1)
    task.train()
    for number in range(1, 7):
        task(batch(), Draw.of(number)).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        task.after_step(number / 6)
        keep = min(settings, (1 + number) / (10 + number))
        for name, value in task.model.state_dict().items():
            slow[name] = keep * slow[name] + (1 - keep) * value.double() if value.is_floating_point() else value
        for name, value in task.teacher.state_dict().items():
            torch.testing.assert_close(value.double(), slow[name].double(), msg=name)
    assert task.steps == 6
    assert task.done == 1
    assert all(not torch.equal(slow[name].double(), value) for name, value in before.items() if "weight" in name)


def test_the_teacher_learns_nothing_by_itself_and_is_what_is_left():
    task = made(dropout=0.5).train()
    assert task.training
    assert task.model.training
    assert not any(part.training for part in task.teacher.modules())
    before = {name: value.clone() for name, value in task.teacher.state_dict().items()}
    task(batch(), Draw.of(0)).loss.backward()
    assert all(torch.equal(value, before[name]) for name, value in task.teacher.state_dict().items())
    assert all(value.grad is None and not value.requires_grad for value in task.teacher.parameters())
    assert task.result is task.teacher


def test_where_it_stands_is_part_of_its_state():
    task, other = made(), made()
    for number in range(3):
        task.after_step(number / 3)
    other.load_state_dict(task.state_dict())
    assert (other.steps, other.done) == (3, task.done)
    assert other.weight() == task.weight() == 1


def test_without_a_ramp_taught_clips_count_from_the_start():
    assert made(ramp=0).weight() == 1
    assert made(ramp=0.5).weight() == 0
