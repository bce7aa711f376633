"""Recognition that goes on learning from clips without labels: the model's own moving average teaches it on them."""

import copy

import torch
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor

from ossein.augment import AugmentSettings, build
from ossein.clip import Batch
from ossein.draw import Draw
from ossein.objective import Objective, Step
from ossein.settings import Settings
from ossein.tasks.answers import cross_entropy, named
from ossein.tasks.base import Recogniser

_LEAST = 1e-3
"""What a class has of the second opinion at the least: labels that did not spread so far rule nothing out."""


class TeachSettings(Settings):
    """How a model teaches itself on clips without labels."""

    beside: int = Field(default=32, ge=0)
    """Clips without label per step beside the labelled ones, where there are any; 0 for the moving average alone."""
    second: bool = True
    """Whether its answer is weighed by a second opinion: what the labels say, spread from clip to clip."""
    momentum: float = Field(default=0.99, ge=0, lt=1)
    """How slowly the teacher follows: the share of its weights that each step leaves."""
    sure: float = Field(default=0.8, ge=0, lt=1)
    """Probability above which the teacher's answer is taken for a label."""
    ramp: float = Field(default=0.3, ge=0, lt=1)
    """Share of training over which taught clips come to count as much as labelled ones."""
    spoil: AugmentSettings = AugmentSettings(crop=0.5, occlude=0.3)
    """What is done to those clips before the pupil sees them."""


class Teach(Objective):
    """Cross-entropy on labelled clips, and on others with the answers of a teacher that sees more of them.

    The teacher is the moving average of the model's weights (mean teacher, Tarvainen and Valpola 2017). On a clip without
    a label it sees the clip as sampled; its answer, where it is sure of it, is the label of the same clip for the pupil, who
    sees a stretch of it with parts out of sight (FixMatch, Sohn et al. 2020). The teacher is what is left at the end.

    L = (sum over labelled of CE(y) + r sum over sure ones of CE(teacher's answer)) / clips, r rising from 0 to 1.

    A teacher that learned from a handful of labels is soon sure of much that is wrong, and its pupil makes it surer. So
    where there is a second opinion s that owes the teacher's p nothing, the answer is that of both, a product of experts
    (Hinton 2002), q = p s / sum over classes of p s: neither is taken at its word, and each can be sure where the other
    is not.

    Args:
        model: What learns to name classes.
        settings: How to teach.
        smoothing: Share of the target that is spread evenly over all classes, for true labels.
        second: The second opinion on every clip of the store, [clips K], rows sum to 1; a row of zeros is none, and of
            such a clip nothing is taught. None to take the teacher at its word.
    """

    second: Tensor | None

    def __init__(
        self, model: Recogniser, settings: TeachSettings, smoothing: float = 0.1, second: Tensor | None = None
    ) -> None:
        super().__init__()
        self.register_buffer("second", second, persistent=False)
        self.model, self.settings, self.smoothing = model, settings, smoothing
        self.teacher = copy.deepcopy(model).requires_grad_(False)
        self.spoil = build(settings.spoil)
        self.register_buffer("done", torch.zeros(()))
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))
        self.done: Tensor
        self.steps: Tensor

    @property
    def result(self) -> Recogniser:
        """What training leaves: the teacher."""
        return self.teacher

    def train(self, mode: bool = True) -> "Teach":
        """Training mode for the model; the teacher's statistics are never those of a batch."""
        super().train(mode)
        self.teacher.eval()
        return self

    def forward(self, batch: Batch, draw: Draw) -> Step:
        """The loss of a batch; clips without label are taught. `accuracy` is that on labelled clips."""
        known = batch.label >= 0
        label, sure, seen = batch.label, known, batch
        if not bool(known.all()):
            label, sure = self.ask(batch, known)
            seen = self.spoiled(batch, known, draw)
        answers = self.model.answers(seen).float()
        true = cross_entropy(answers, label, self.smoothing)
        taught = cross_entropy(answers, label) * self.weight()
        loss = (torch.where(known, true, taught) * sure).sum() / len(batch)
        weight, num = loss.new_tensor(float(len(batch))), known.sum().float()
        right = (named(answers) == batch.label).sum() / num.clamp(min=1)
        share = (sure & ~known).sum() / (weight - num).clamp(min=1)
        return Step(loss, weight, {"accuracy": right, "sure": share}, {"accuracy": num, "sure": weight - num})

    @torch.no_grad()
    def ask(self, batch: Batch, known: Bool[Tensor, " N"]) -> tuple[Tensor, Bool[Tensor, " N"]]:
        """The label of every clip, the answer where there is none, and whether it counts."""
        shares = self.teacher(batch.take(~known)).float().softmax(1)
        if self.second is not None:
            said = self.second[batch.index[~known]]
            shares = shares * said.clamp(min=_LEAST) * said.any(1, keepdim=True)
            shares = shares / shares.sum(1, keepdim=True).clamp(min=torch.finfo(shares.dtype).tiny)
        probability, answer = shares.max(1)
        label, sure = batch.label.clone(), known.clone()
        label[~known], sure[~known] = answer, probability > self.settings.sure
        return label, sure

    def spoiled(self, batch: Batch, known: Bool[Tensor, " N"], draw: Draw) -> Batch:
        """The batch as the pupil sees it: clips without label cut to a stretch, with noise and with joints hidden."""
        other, mine = self.spoil(batch, draw), known[:, None, None, None]
        x = torch.where(mine.unsqueeze(-1), batch.x, other.x)
        return batch.change(x=x, score=torch.where(mine, batch.score, other.score))

    def weight(self) -> Float[Tensor, ""]:
        """How much a taught clip counts now."""
        return (self.done / self.settings.ramp).clamp(max=1) if self.settings.ramp else torch.ones_like(self.done)

    @torch.no_grad()
    def after_step(self, progress: float) -> None:
        """Let the teacher follow the model: quickly at first, when the average would still be mostly the start."""
        self.steps += 1
        self.done.fill_(progress)
        steps = int(self.steps)
        follow = 1 - min(self.settings.momentum, (1 + steps) / (10 + steps))
        for old, new in zip(self.teacher.state_dict().values(), self.model.state_dict().values(), strict=True):
            if old.is_floating_point():
                old.lerp_(new, follow)
            else:
                old.copy_(new)
