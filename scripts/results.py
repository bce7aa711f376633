"""Make docs/results.md: real data sets, every method of the library on the same splits, with seeds and spread.

    python scripts/results.py run penn                      # every method on one task; goes on where it was stopped
    python scripts/results.py run penn-5 --methods ossein   # or only some of them
    python scripts/results.py write                         # write the tables of all that is done

Data are found through OSSEIN_DATA, else ../shared/data. Nothing here is chosen on a test split: settings are the
presets, and for the preset of the paper the overrides of `paper_pretrain` and `paper_recognise`, one choice for all sets.
"""

import argparse
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from results_tables import write
from tasks import CORPORA, METHODS, TASKS, Method, Task

from ossein.cli.allocator import hold_memory
from ossein.cli.screen import Terminal
from ossein.evaluate import FLOOR_FRAMES, extra_trees, floor_features, linear_svm, spread, top_k
from ossein.files import read_json, write_json
from ossein.recipes.evaluate import evaluate
from ossein.recipes.fuse import fuse
from ossein.recipes.pool import Also
from ossein.recipes.prepare import prepare
from ossein.recipes.presets import PretrainSettings, RecogniseSettings
from ossein.recipes.pretrain import pretrain
from ossein.recipes.recognise import recognise
from ossein.store import Store, draw_labels, resolve_many
from ossein.train import provenance

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("OSSEIN_DATA", ROOT.parent / "shared" / "data"))
SEEDS = (0, 1, 2)
UNTRAINED = "untrained"
"""Named among the methods: probes of an encoder with random weights."""
BATCHES = 60
"""From which the batch norm of random weights takes its statistics."""


def run(name: str, methods: list[str], out: Path) -> None:
    """Run some methods on one task; everything that is done already is kept."""
    task = TASKS[name]
    store = stored(task.data, out)
    if UNTRAINED in methods and task.labels == "all":
        found = untrained(task, store, out)
        write_json(out / name / f"{UNTRAINED}.json", {"probes": found, "made_by": provenance()})
    for key in [key for key in methods if key != UNTRAINED and (task.corpus or not METHODS[key].wide)]:
        method, file = METHODS[key], out / name / key / "table.json"
        began, before = time.process_time(), read_json(file)["cost"] if file.exists() else 0.0
        results = trained(task, method, store, out, out / name / key)
        cost = before + time.process_time() - began
        write_json(file, {**results, "cost": cost, "made_by": provenance()})
        if method.preset == "ossein" and task.labels == "all":
            write_json(out / name / key / "fused.json", fused(store, out / name / key, out / "fused" / f"{name}-{key}"))
    write_json(out / name / "floor.json", floor(task, store))


def trained(task: Task, method: Method, store: Store, out: Path, folder: Path) -> dict[str, Any]:
    """The numbers of one method on one task."""
    screen, splits = Terminal(), list(task.splits)
    origin = encoder(task, method, store, out) if method.pretrained else None

    def settings(preset: RecogniseSettings) -> RecogniseSettings:
        own = paper_recognise(preset, method, task)
        return own.change(teach=own.teach.change(beside=0)) if method.alone and own.teach else own

    results = recognise(
        method.preset,
        store,
        folder,
        splits=splits,
        pretrained=origin,
        labels=task.labels,
        seeds=SEEDS,
        settings=settings,
        resume=True,
        screen=screen,
    )
    numbers = {"top1": results["top1"]}
    if task.also:
        numbers["also"] = evaluate(folder, store, split=task.also)["mean"]["classes"]["top1"]
    if origin and task.labels == "all":
        numbers["probes"] = probes(origin, store, splits[0] if method.wide else None)
    return numbers


def fused(store: Store, folder: Path, out: Path) -> dict[str, Any]:
    """Top-1 of all seeds of a method as one recogniser, the mean over folds."""
    if not (out / "results.json").exists():
        fuse(store, [folder], out, screen=Terminal())
    rows = read_json(out / "results.json")["rows"]
    return {"top1": float(np.mean([row["top1"] for row in rows])), "made_by": provenance()}


def encoder(task: Task, method: Method, store: Store, out: Path) -> Path:
    """The pre-training on the clips of a task's training halves, or of its corpus; tasks that differ in labels share it."""
    if method.wide:
        return corpus_encoder(task.corpus, method.pretrained, out)
    preset = method.pretrained
    folder = out / "encoders" / f"{preset}-{task.data}-{'-'.join(task.splits)}"

    def settings(own: PretrainSettings) -> PretrainSettings:
        return paper_pretrain(own, preset)

    pretrain(preset, store, folder, splits=list(task.splits), settings=settings, resume=True, screen=Terminal())
    return folder


def corpus_encoder(corpus: str, preset: str, out: Path) -> Path:
    """One pre-training on the training halves of several data sets."""
    (data, split), *others = CORPORA[corpus]
    for other, _ in others:
        stored(other, out)
    also = [Also.read(f"{out / other}.clips:{half}") for other, half in others]
    folder = out / "encoders" / f"{preset}-{corpus}"
    store = stored(data, out)
    pretrain(preset, store, folder, splits=[split], also=also, resume=True, screen=Terminal())
    return folder


def untrained(task: Task, store: Store, out: Path) -> dict[str, Any]:
    """What probes read off the encoder of `ossein` with random weights: what pre-training has to beat.

    Batch norm has seen the clips; the weights stay what they were, to all digits that count.
    """
    splits = list(task.splits)

    def settings(own: PretrainSettings) -> PretrainSettings:
        train = own.train.change(epochs=1, steps=BATCHES)
        return own.change(train=train, optim=own.optim.change(lr=1e-12, weight_decay=0))

    folder = out / "encoders" / f"untrained-{task.data}-{'-'.join(splits)}"
    pretrain("ossein", store, folder, splits=splits, settings=settings, resume=True, screen=Terminal())
    return probes(folder, store)


def probes(encoder: Path, store: Store, split: str | None = None) -> dict[str, Any]:
    """Top-1 of a linear probe and of the nearest neighbours on frozen features; of the split learned on unless one is named."""
    found = evaluate(encoder, store, split=split, protocols=("linear", "knn"))["mean"]
    return {key: value["top1"] for key, value in found.items()}


def paper_pretrain(settings: PretrainSettings, preset: str) -> PretrainSettings:
    """The paper's preset with bodies centred and scaled in 2-D, and 32 frames; ours as it is."""
    return settings.change(input=paper_input(settings.input)) if preset == "skeletonmae" else settings


def paper_recognise(settings: RecogniseSettings, method: Method, task: Task) -> RecogniseSettings:
    """Likewise, and 30 epochs of batches of 32 in place of 110 of 128: these sets are small. With few labels 600 steps."""
    if method.preset != "ssl":
        return settings
    train = settings.train.change(epochs=30, batch=32, steps=0 if task.labels == "all" else 600)
    return settings.change(input=paper_input(settings.input), train=train)


def paper_input(input: Any) -> Any:
    """32 frames, and the body's own scale in place of the image's."""
    return input.change(frames=32, normalise="centre" if input.normalise == "image" else input.normalise)


def stored(data: str, out: Path) -> Store:
    """The data set as a store, prepared where it is not there yet."""
    path = out / f"{data}.clips"
    return Store.open(path) if path.exists() else prepare("pyskl", DATA / data / f"{data}.pkl", path)


def floor(task: Task, store: Store) -> dict[str, Any]:
    """Top-1 of ExtraTrees and of a linear SVM over seeds (and draws of labels), each the mean over folds."""
    found: dict[str, list[float]] = {"extra_trees": [], "linear_svm": []}
    splits = resolve_many(store, list(task.splits))
    z = {split.name: [_floor_features(store, half) for half in (split.train, split.test)] for split in splits}
    for seed in SEEDS:
        each: dict[str, list[float]] = {name: [] for name in found}
        for split in splits:
            drawn = draw_labels(store.labels, split.train, task.labels, seed)
            train, test = z[split.name][0][_places(split.train, drawn)], z[split.name][1]
            y, truth, num = store.labels[drawn], store.labels[split.test], len(store.classes)
            each["extra_trees"].append(top_k(extra_trees(train, y, test, num_classes=num, seed=seed), truth))
            each["linear_svm"].append(top_k(linear_svm(train, y, test, num_classes=num), truth))
        for name, values in each.items():
            found[name].append(float(np.mean(values)))
    return {name: spread(values).plain() for name, values in found.items()}


def _places(all_: np.ndarray, some: np.ndarray) -> np.ndarray:
    order = np.argsort(all_)
    return order[np.searchsorted(all_[order], some)]


def _floor_features(store: Store, indices: np.ndarray) -> np.ndarray:
    return floor_features(store.sample_views(indices, FLOOR_FRAMES, share=1.0))


def main() -> None:
    """Run tasks, or write what is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "write"))
    parser.add_argument("tasks", nargs="*", help="which tasks to run; all by default")
    parser.add_argument("--methods", nargs="*", default=[*METHODS, UNTRAINED], choices=[*METHODS, UNTRAINED])
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "results")
    parser.add_argument("--threads", type=int, default=0, help="threads of the machine to use; 0 for all")
    args = parser.parse_args()
    if unknown := set(args.tasks) - set(TASKS):
        parser.error(f"no task is called {sorted(unknown)[0]}; they are {', '.join(TASKS)}")
    if args.threads:
        torch.set_num_threads(args.threads)
    if args.what == "write":
        write(args.out)
        return
    hold_memory()
    for name in args.tasks or TASKS:
        run(name, args.methods, args.out)


if __name__ == "__main__":
    main()
