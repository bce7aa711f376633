"""A pre-training method of your own in one file, trained by ossein's loop and measured by nearest neighbours.

    python examples/03_method.py gestures.clips runs/arrow

The method tells clips that run backwards from those that do not (Wei et al. 2018, "Learning and Using the Arrow of Time").
"""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

import ossein
from ossein.draw import Draw
from ossein.encoders import Encoder, Mixer, MixerSettings, read_joints, thin
from ossein.evaluate import knn
from ossein.evaluate.model import encoder_features
from ossein.objective import Objective, Step
from ossein.recipes.presets import PRETRAIN, Facts
from ossein.store import Split, protocols, resolve
from ossein.train import Feed, InputSettings, Run, fit


class Arrow(Objective):
    """Cross-entropy of the direction of time, from what the encoder says of every joint."""

    def __init__(self, encoder: Encoder, joints: int) -> None:
        super().__init__()
        self.encoder, self.head = encoder, nn.Linear(2 * joints * encoder.width, 1)

    def forward(self, batch: ossein.Batch, draw: Draw) -> Step:
        """Whatever is random comes from the draw, so that a run that was stopped goes on exactly."""
        back = (draw.uniform((len(batch),)) < 0.5).to(batch.x.device)
        turn = back[:, None, None, None]
        x = torch.where(turn[..., None], batch.x.flip(2), batch.x)
        batch = batch.change(x=x, score=torch.where(turn, batch.score.flip(2), batch.score))
        z = self.encoder(batch.x, batch.score <= 0, batch.present)
        told = self.head(read_joints(z, thin(batch.present, self.encoder.stride)).mean(1)).squeeze(1)
        loss = F.binary_cross_entropy_with_logits(told.float(), back.float())
        right = ((told.detach() > 0) == back).float().mean()
        return Step(loss, loss.new_tensor(float(len(batch))), {"accuracy": right})


def neighbour(encoder: Encoder, store: ossein.Store, split: Split, input: InputSettings) -> float:
    """The share of test clips whose nearest training clip, by frozen features, is of their class."""
    train, test = (encoder_features(encoder, store, half, input) for half in (split.train, split.test))
    labels = store.labels[split.train]
    scores = knn(train, labels, test, num_classes=len(store.classes), k=1)[1]
    return float((scores.argmax(1) == store.labels[split.test]).mean())


def main(path: Path, out: Path, epochs: float = 10) -> None:
    """Train on the clips of the first split, labels unseen; nearest neighbours before and after."""
    store = ossein.Store.open(path)
    split = resolve(store, protocols(store)[0])
    preset = PRETRAIN["ossein"](Facts.of(store, split.train))
    train = preset.train.change(epochs=epochs, steps=0)
    feed = Feed(store, split.train, preset.input, preset.augment, train.batch, train.seed)
    torch.manual_seed(train.seed)
    method = Arrow(Mixer(store.skeleton, store.dims, MixerSettings()), len(store.skeleton))
    before = neighbour(method.encoder, store, split, preset.input)
    run = Run(out)
    run.begin({"method": "arrow", "data": store.hash, "settings": train.plain()}, resume=False)
    fit(method, feed, train, preset.optim, run, lambda progress: None)
    after = neighbour(method.encoder, store, split, preset.input)
    print(f"loss {run.log_lines()[-1]['loss']:.3f}; nearest neighbour right {before:.1%} before, {after:.1%} after")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *map(float, sys.argv[3:]))
