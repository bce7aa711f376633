"""Recognition: cross-entropy with label smoothing by its formula."""

import math

import pytest
import torch
from torch import Tensor, nn

from ossein.clip import Batch
from ossein.draw import Draw
from ossein.skeleton import Skeleton
from ossein.tasks import Recognise, Recogniser
from ossein.tasks.answers import cross_entropy

COCO = Skeleton.of("coco-17")
N, K = 6, 4


class Fixed(Recogniser):
    """A model that has made up its mind."""

    def __init__(self) -> None:
        super().__init__(COCO, 2, 1, 1, K, None)
        self.head = nn.Identity()
        self.scores = nn.Parameter(torch.randn(N, K, generator=torch.Generator().manual_seed(0)))

    def features(self, batch: Batch) -> Tensor:
        return self.scores.bfloat16() if batch.x.dtype == torch.bfloat16 else self.scores


def batch(dtype: torch.dtype = torch.float32) -> Batch:
    label = torch.tensor([0, 1, 2, 3, 0, 1])
    x, score = torch.zeros(N, 1, 1, 17, 2, dtype=dtype), torch.ones(N, 1, 1, 17)
    return Batch(x, score, COCO, label, torch.arange(N), torch.zeros(N, 2))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_the_loss_is_cross_entropy_with_the_smoothed_label(smoothing: float):
    model = Fixed()
    step = Recognise(model, smoothing)(batch(), Draw.of(0))
    losses = []
    for n, row in enumerate(model.scores.tolist()):
        total = sum(math.exp(score) for score in row)
        wanted = [smoothing / K + (1 - smoothing) * (k == int(batch().label[n])) for k in range(K)]
        losses.append(-sum(q * math.log(math.exp(score) / total) for q, score in zip(wanted, row)))
    assert step.loss.item() == pytest.approx(sum(losses) / N, rel=1e-5)
    assert step.weight.item() == N
    step.loss.backward()
    assert model.scores.grad is not None
    # d loss / d score = (softmax - wanted label) / N.
    first = torch.softmax(model.scores[0].detach(), 0)
    first -= torch.tensor([smoothing / K + (1 - smoothing) * (k == 0) for k in range(K)])
    torch.testing.assert_close(model.scores.grad[0], first / N)


def test_of_several_answers_each_is_asked_by_itself():
    """The mean of their losses, not the loss of their mean."""
    answers = torch.randn(3, N, K, generator=torch.Generator().manual_seed(1))
    loss = cross_entropy(answers, batch().label, 0.1)
    each = [[cross_entropy(one[None, n, None], batch().label[[n]], 0.1).item() for n in range(N)] for one in answers]
    assert loss.tolist() == pytest.approx([sum(losses) / 3 for losses in zip(*each, strict=True)], rel=1e-5)
    assert cross_entropy(answers.mean(0, keepdim=True), batch().label, 0.1).mean() < loss.mean()


def test_smoothing_is_the_papers_unless_said():
    assert Recognise(Fixed()).smoothing == 0.1


def test_accuracy_is_the_share_of_clips_that_are_right():
    model = Fixed()
    accuracy = Recognise(model)(batch(), Draw.of(0)).log["accuracy"]
    right = [max(range(K), key=row.__getitem__) == label for row, label in zip(model.scores.tolist(), batch().label)]
    assert accuracy.item() == pytest.approx(sum(right) / N)
    assert 0 < sum(right) < N
    assert not accuracy.requires_grad


def test_the_loss_is_in_full_precision():
    step = Recognise(Fixed())(batch(torch.bfloat16), Draw.of(0))
    assert step.loss.dtype == torch.float32
