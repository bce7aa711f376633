"""A recogniser as one graph of fixed operations, from joints to probabilities, and the words that travel with it."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ossein.augment import normaliser, stream
from ossein.clip import UNKNOWN, Batch
from ossein.deploy.bundle import Card
from ossein.skeleton import Skeleton
from ossein.tasks import Recogniser

OUTPUT = "probability"
"""What the output of a graph is called."""


class Graph(nn.Module):
    """Joints as they were recorded -> class probabilities.

    What is left to the caller is to bring a clip to T frames, as the metadata say. Absent joints have score 0, and their
    coordinates do not matter. Normalisation, streams, the temperature of a calibration and the softmax are inside.

    Args:
        model: From a batch to scores, in evaluation mode.
        card: What the bundle says of it.
    """

    def __init__(self, model: Recogniser, card: Card) -> None:
        super().__init__()
        self.model, self.skeleton = model, Skeleton.from_plain(card.skeleton)
        self.temperature = card.temperature
        self.normalise, self.stream = normaliser(card.input.normalise), stream(card.input.stream)

    def forward(
        self, x: Float[Tensor, "N M T V C"], score: Float[Tensor, "N M T V"], size: Float[Tensor, "N 2"] | None = None
    ) -> Float[Tensor, "N K"]:
        """Class probabilities.

        Args:
            x: Coordinates in the unit and the axes of the data.
            score: Confidence; 0 is absent.
            size: Width and height of the image in that unit, for models that normalise by it.
        """
        unknown = torch.full(x.shape[:1], UNKNOWN, device=x.device)
        batch = Batch(x, score, self.skeleton, unknown, unknown, x.new_zeros(x.shape[0], 2) if size is None else size)
        # Through `change`, which blanks absent joints.
        scores = self.model(self.stream(self.normalise(batch.change(x=x))))
        return (scores / self.temperature).softmax(1)


def input_names(card: Card) -> tuple[str, ...]:
    """What the inputs of the graph of a model are called, in order."""
    return ("x", "score", "size") if card.input.normalise == "image" else ("x", "score")


def metadata(card: Card) -> dict[str, Any]:
    """What a program must know to use the graph of a model without its bundle, as plain data.

    Args:
        card: What the bundle says of the model.
    """
    said = card.plain()
    return {
        "format": "ossein-graph",
        "version": 1,
        "preset": card.preset,
        "classes": said["classes"],
        "skeleton": said["skeleton"],
        "dims": card.dims,
        "input": {key: said["input"][key] for key in ("frames", "persons", "share", "views", "normalise", "stream")},
        "inputs": list(input_names(card)),
        "output": OUTPUT,
        "clips": {"frames": card.frames, "rate": card.rate},
        "temperature": card.temperature,
        "sure": card.sure,
        "data": {key: value for key, value in said["data"].items() if key not in ("seen", "digests", "also")},
        "made_by": said["made_by"],
    }


def sample_inputs(card: Card, clips: int) -> tuple[Tensor, ...]:
    """Bodies of noise to trace and to check a graph with.

    The second clip lacks joints, frames and, where there can be several, its first person; the third lacks everyone; the
    others lack nothing.

    Args:
        card: What the bundle says of the model.
        clips: N, 3 or more.
    """
    generator = torch.Generator().manual_seed(0)
    shape = (clips, card.input.persons, card.input.frames, len(Skeleton.from_plain(card.skeleton)))
    body = torch.randn(clips, shape[1], 1, shape[3], card.dims, generator=generator)
    x = 2 + body + 0.3 * torch.randn(*shape, card.dims, generator=generator)
    score = 0.1 + 0.9 * torch.rand(shape, generator=generator)
    score[1][torch.rand(shape[1:], generator=generator) < 0.3] = 0
    score[1, :, :: max(2, shape[2] // 3)] = 0
    if shape[1] > 1:
        score[1, 0] = 0
    score[2] = 0
    x = x.masked_fill((score == 0).unsqueeze(-1), float("nan"))
    size = torch.tensor([[4.0, 3.0]]).expand(clips, 2).contiguous()
    return (x, score, size)[: len(input_names(card))]
