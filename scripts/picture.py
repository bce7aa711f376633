"""Draw the README's picture from what `ossein quickstart` left: hidden limbs of test clips, rebuilt.

    python scripts/picture.py quickstart docs/rebuilt.png

The same folder gives the same picture: masks and clips are chosen by rule.
"""

import sys
from pathlib import Path

import numpy as np
import torch

from ossein.clip import Batch
from ossein.deploy import load_pretrained
from ossein.draw import Draw
from ossein.pretrain import MaskedPretrainer
from ossein.store import Store, resolve
from ossein.train import fixed_batches
from ossein.view import Rebuilt, draw_rebuilt

ACTIONS = ("squat", "clap twice")
"""Actions in which the side of the body that is seen tells of the one that is hidden; one frame at a time, the model cannot
guess what an arm does on its own."""


def main(folder: Path, out: Path) -> None:
    """Draw, for each action, a test clip whose hidden joints are rebuilt as well as most."""
    store = Store.open(folder / "synthetic.clips")
    method, card = load_pretrained(folder / "pretrain")
    assert isinstance(method, MaskedPretrainer)
    test = resolve(store, card.data["split"]).test
    examples = []
    for action in ACTIONS:
        clips = test[store.labels[test] == store.classes.index(action)]
        batch = next(fixed_batches(store, clips, card.input, size=len(clips)))
        hidden = method.draw_hidden(batch, Draw.of(0))
        with torch.inference_mode():
            rebuilt = method.rebuild(batch, hidden)
        n = _typical(batch, rebuilt, hidden)
        parts = (part[n, 0].numpy() for part in (batch.x, rebuilt, hidden, batch.score))
        examples.append(Rebuilt(*parts, caption=action))
    draw_rebuilt(examples, store.skeleton, out, title="Hidden joints rebuilt from the others")


def _typical(batch: Batch, rebuilt: torch.Tensor, hidden: torch.Tensor) -> int:
    """The clip with the median error, of those in which nearly all joints were detected."""
    seen = batch.score[:, 0].numpy() > 0
    judged = hidden[:, 0].numpy() & seen
    far = np.linalg.norm((rebuilt - batch.x)[:, 0].numpy(), axis=-1)
    error = np.where(judged, far, 0).sum((1, 2)) / judged.sum((1, 2))
    whole = np.flatnonzero(seen.mean((1, 2)) > 0.97)
    return int(whole[np.argsort(error[whole])[len(whole) // 2]])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
