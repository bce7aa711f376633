"""What tests of models and methods share: batches of two persons, with absence of every kind, and weights to compare."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ossein.clip import Batch
from ossein.skeleton import Skeleton

COCO = Skeleton.of("coco-17")
N, M, T, V, C = 4, 2, 6, 17, 2


def batch(score: Tensor | None = None, seed: int = 1, skeleton: Skeleton = COCO, dims: int = C) -> Batch:
    """Four clips, labelled 0 to 3; everything present where no score is given."""
    x = torch.randn(N, M, T, len(skeleton), dims, generator=torch.Generator().manual_seed(seed))
    whole = Batch(x, torch.ones(x.shape[:-1]), skeleton, torch.arange(N), torch.arange(N), torch.ones(N, 2))
    return whole if score is None else whole.change(score=score)


def some_absent() -> Tensor:
    """Clip 1 has one person, clip 2 ends early, one frame of clip 0 is not detected and one has few joints."""
    score = torch.full((N, M, T, V), 0.7)
    score[1, 1] = 0
    score[2, :, 4:] = 0
    score[0, 0, 2] = 0
    score[0, 1, 3, :5] = 0
    return score


def stir(module: nn.Module) -> None:
    """No weight or statistic stays at its start, where mistakes hide."""
    for value in module.parameters():
        value.data.add_(torch.randn_like(value) * 0.2)
    for name, value in module.named_buffers():
        if name.endswith("running_mean"):
            value.normal_()
        if name.endswith("running_var"):
            value.uniform_(0.5, 2)


def same_state(model: nn.Module, other: nn.Module) -> None:
    """Weights and statistics are the same."""
    for name, value in other.state_dict().items():
        torch.testing.assert_close(model.state_dict()[name], value, msg=name)


@contextmanager
def unchanged(model: nn.Module) -> Iterator[None]:
    """What is done in this context leaves weights and statistics as they are, to the bit."""
    before = {name: value.clone() for name, value in model.state_dict().items()}
    yield
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
