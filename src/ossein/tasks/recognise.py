"""Recognition: cross-entropy on labelled clips, for any model from a batch to class scores."""

from torch import Tensor

from ossein.clip import Batch
from ossein.draw import Draw
from ossein.objective import Objective, Step
from ossein.tasks.answers import cross_entropy, named
from ossein.tasks.base import Recogniser


class Recognise(Objective):
    """Cross-entropy with label smoothing.

    Args:
        model: What learns to name classes.
        smoothing: Share of the target that is spread evenly over all classes (paper: 0.1).
    """

    def __init__(self, model: Recogniser, smoothing: float = 0.1) -> None:
        super().__init__()
        self.model = model
        self.smoothing = smoothing

    @property
    def result(self) -> Recogniser:
        """What training leaves: the model."""
        return self.model

    def forward(self, batch: Batch, draw: Draw) -> Step:
        """The mean loss of the batch, and the share of clips that are right as `accuracy`."""
        answers = self.model.answers(batch).float()
        loss = cross_entropy(answers, batch.label, self.smoothing).mean()
        right: Tensor = (named(answers) == batch.label).float().mean()
        return Step(loss, loss.new_tensor(float(len(batch))), {"accuracy": right})
