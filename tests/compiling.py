"""Compiles training steps in a process of its own, where annotated shapes are not checked: checks are no part of a program.

    python tests/compiling.py STORE FOLDER

With the backends `eager` and, where the gradient is traced too, `aot_eager`, which need no C compiler: what is traced is
the same, only no kernel is written. Prints a line of JSON: for each objective how far apart steps are and how many graphs there were after each, and for each training
its losses and how many graphs there were.
"""

import copy
import json
import signal
import sys
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch._dynamo.utils
from batches import COCO, C, M, N, T, V, batch, some_absent

from ossein.augment import AugmentSettings
from ossein.clip import Batch
from ossein.draw import Draw
from ossein.encoders import EncoderSettings, MixerSettings
from ossein.objective import Objective
from ossein.pretrain import ContrastSettings, SkeletonMAESettings, TubeMAESettings, build_method
from ossein.store import Store
from ossein.tasks import (
    ReaderSettings,
    Recognise,
    STGCNSettings,
    STRLSettings,
    Teach,
    TeachSettings,
    build_recogniser,
)
from ossein.train import Feed, InputSettings, OptimSettings, Run, Stopped, TrainSettings, fit
from ossein.train.compiled import compiled

GRAPH, MIXER = EncoderSettings(width=8, depth=2), MixerSettings(width=8, depth=2)
VIEW = AugmentSettings(crop=0.5, mirror=0.5, rotate=0.2, scale=0.1, shear=0.2, reshape=0.1)
METHODS = {
    "skeletonmae": SkeletonMAESettings(encoder=GRAPH),
    "remask": SkeletonMAESettings(encoder=EncoderSettings(kind="gat", width=8, depth=1), remask=True),
    "tube-mae": TubeMAESettings(encoder=MIXER, contrast=ContrastSettings(spoil=VIEW)),
}
RECOGNISERS = {
    "strl": STRLSettings(encoder=GRAPH, interact=True),
    "stgcn": STGCNSettings(widths=(8, 16), blocks=1),
    "reader": ReaderSettings(encoder=MIXER, dropout=0),
}


def num_graphs() -> int:
    """Since the start of this process, or since `clear`."""
    return torch._dynamo.utils.counters["stats"]["unique_graphs"]


def objective(name: str) -> Objective:
    """A small one; the same every time."""
    torch.manual_seed(1)
    if name in METHODS:
        return build_method(COCO, C, T, M, METHODS[name])
    model = build_recogniser(COCO, C, T, M, N, RECOGNISERS.get(name, RECOGNISERS["reader"]))
    if name == "teach":
        return Teach(model, TeachSettings(sure=0, spoil=AugmentSettings(crop=0.5, occlude=0.3)))
    return Recognise(model)


def clips(step: int, name: str) -> Batch:
    """Everything is there at first; then ever other joints and frames are not, and once a whole clip."""
    drawn = torch.rand(N, M, T, V, generator=torch.Generator().manual_seed(step))
    score = torch.where(drawn < 0.1, 0.0, some_absent()) if step else torch.ones(N, M, T, V)
    if step == 3:
        score[1] = 0
    some = batch(score, seed=step)
    return some.change(label=torch.tensor([0, 1, -1, -1])) if name == "teach" else some


def apart(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> float:
    """The most that two sets of tensors differ, as a share of what they are where that is above 1."""
    assert a.keys() == b.keys()
    return max([float(((a[k] - b[k]).abs() / b[k].abs().clamp(min=1)).max()) for k in a], default=0.0)


def steps(name: str) -> dict[str, list[float]]:
    """Some steps of an objective with and without compilation, side by side."""
    torch._dynamo.utils.counters.clear()
    plain = objective(name).train()
    model = copy.deepcopy(plain)
    quick, told = compiled(model), {"loss": [], "grad": [], "state": [], "graphs": []}
    for step in range(5):
        out, expected = quick(clips(step, name), Draw.of(0, step)), plain(clips(step, name), Draw.of(0, step))
        for loss in (out.loss, expected.loss):
            loss.backward()
        scalars = [
            {"loss": one.loss.detach(), "weight": one.weight, **one.log, **one.counts} for one in (out, expected)
        ]
        grads = [{k: p.grad for k, p in m.named_parameters() if p.grad is not None} for m in (model, plain)]
        told["loss"].append(apart(*scalars))
        told["grad"].append(apart(*grads))
        told["state"].append(apart(model.state_dict(), plain.state_dict()))
        told["graphs"].append(num_graphs())
        for one in (model, plain):
            one.after_step(0.5)
            one.zero_grad()
    return told


def train(store: Store, folder: Path, stop_at: int = 0, **settings) -> dict[str, list[float]]:
    """Ten steps of 6 of 20 clips, stopped once where asked for; leaves a run in the folder."""
    torch._dynamo.utils.counters.clear()
    settings = TrainSettings(epochs=3, batch=6, save_every=1, **settings)
    feed = Feed(store, np.arange(20), InputSettings(frames=T, persons=M), AugmentSettings(), 6, 0)
    graphs: list[float] = []

    def report(progress):
        graphs.append(num_graphs())
        if len(graphs) == stop_at:
            signal.raise_signal(signal.SIGINT)

    folder.mkdir()
    for _ in range(2 if stop_at else 1):
        try:
            fit(objective("skeletonmae"), feed, settings, OptimSettings(lr=1e-3, clip=1.0), Run(folder), report)
        except Stopped:
            continue
    return {"losses": [line["loss"] for line in Run(folder).log_lines()], "graphs": graphs}


def main() -> None:
    """Everything, in one process: to start one takes longer."""
    torch.set_num_threads(1)
    store, folder = Store.open(sys.argv[1]), Path(sys.argv[2])
    whole, said = torch.compile, {}
    for name in [*METHODS, *RECOGNISERS, "teach"]:
        torch.compile = partial(whole, backend="aot_eager" if name in ("skeletonmae", "reader") else "eager")
        said[name] = steps(name)
    runs = {
        "plain": train(store, folder / "plain"),
        "compiled": train(store, folder / "compiled", compile=True),
        "stopped": train(store, folder / "stopped", 7, compile=True),
        "bf16": train(store, folder / "bf16", precision="bf16"),
        "compiled bf16": train(store, folder / "compiled bf16", compile=True, precision="bf16"),
    }
    print(json.dumps({"steps": said, "runs": runs}))


if __name__ == "__main__":
    main()
