"""Recognition: cross-entropy on labelled clips, for any model from a batch to class scores."""

import torch.nn.functional as F
from torch import Tensor, nn

from ossein.clip import Batch
from ossein.draw import Draw
from ossein.objective import Objective, Step


class Recognise(Objective):
    """Cross-entropy with label smoothing.

    Args:
        model: From a batch to scores [N K].
        smoothing: Share of the target that is spread evenly over all classes (paper: 0.1).
    """

    def __init__(self, model: nn.Module, smoothing: float = 0.1) -> None:
        super().__init__()
        self.model = model
        self.smoothing = smoothing

    @property
    def result(self) -> nn.Module:
        """What training leaves: the model."""
        return self.model

    def forward(self, batch: Batch, draw: Draw) -> Step:
        """The mean loss of the batch, and the share of clips that are right as `accuracy`."""
        scores = self.model(batch).float()
        loss = F.cross_entropy(scores, batch.label, label_smoothing=self.smoothing)
        right: Tensor = (scores.detach().argmax(1) == batch.label).float().mean()
        return Step(loss, loss.new_tensor(float(len(batch))), {"accuracy": right})
