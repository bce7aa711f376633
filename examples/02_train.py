"""Pre-train without labels, fine-tune with few, from Python.

    python examples/02_train.py gestures.clips runs/gestures
    python examples/02_train.py gestures.clips runs/gestures 5

The number is how many epochs to train; without it, as many as the presets say.
"""

import sys
from pathlib import Path

import ossein
from ossein.deploy import read_card
from ossein.recipes.presets import PRETRAIN, RECOGNISE, Facts
from ossein.recipes.pretrain import pretrain
from ossein.recipes.recognise import recognise
from ossein.store import protocols, resolve
from ossein.train import TrainSettings


def main(path: Path, out: Path, epochs: float | None = None) -> None:
    """Two runs below `out`, and what the second of them says of a clip that it has not seen."""
    store = ossein.Store.open(path)
    split = resolve(store, protocols(store)[0])

    def train(settings: TrainSettings) -> TrainSettings:
        return settings if epochs is None else settings.change(epochs=epochs, steps=0)

    # A preset is a function of the data. What it gives are complete settings, and any of them can be changed.
    facts = Facts.of(store, split.train)
    settings = PRETRAIN["ossein"](facts)
    settings = settings.change(train=train(settings.train))
    (run,) = pretrain("ossein", store, out / "pretrained", splits=[split.name], settings=settings)

    few = RECOGNISE["ossein"](facts, read_card(run.folder)[1])
    few = few.change(train=train(few.train))
    results = recognise(
        "ossein",
        store,
        out / "recogniser",
        splits=[split.name],
        pretrained=run.folder,
        labels="5-per-class",
        settings=few,
    )
    print(f"top-1 {results['top1']['mean']:.1%} of {len(split.test)} test clips, from 5 labels a class")

    model = ossein.load(out / "recogniser")
    clip = store.clip(int(split.test[0]))
    (answer,) = model.predict(clip, top=2)
    print(f"'{clip.name}' is {store.classes[clip.label]}: {answer.top}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *map(float, sys.argv[3:]))
