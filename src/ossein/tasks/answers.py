"""Several answers to one question: their mean, and what each is asked in training."""

import math

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn


class Mean(nn.Module):
    """The logarithm of the mean of probabilities whose logarithms stand one after the other.

    Args:
        num: How many there are of each class.
    """

    def __init__(self, num: int) -> None:
        super().__init__()
        self.num = num

    def forward(self, told: Float[Tensor, "N D"]) -> Float[Tensor, "N K"]:
        """The logarithm of their mean."""
        return told.unflatten(1, (self.num, -1)).logsumexp(1) - math.log(self.num)


def named(answers: Float[Tensor, "S N K"]) -> Int[Tensor, " N"]:
    """The class of each clip that is most probable on the mean over those who answer."""
    return answers.detach().softmax(2).mean(0).argmax(1)


def cross_entropy(
    answers: Float[Tensor, "S N K"], label: Int[Tensor, " N"], smoothing: float = 0.0
) -> Float[Tensor, " N"]:
    """The cross-entropy of each clip, the mean over those who answer.

    Args:
        answers: The scores of each, see `Recogniser.answers`.
        label: Classes.
        smoothing: Share of the target that is spread evenly over all classes.
    """
    told, wanted = answers.flatten(0, 1), label.repeat(len(answers))
    each = F.cross_entropy(told, wanted, reduction="none", label_smoothing=smoothing)
    return each.view(len(answers), -1).mean(0)
