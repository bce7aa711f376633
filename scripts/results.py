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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ossein.cli.screen import Terminal
from ossein.deploy import read_card
from ossein.evaluate import FLOOR_FRAMES, Spread, extra_trees, floor_features, linear_svm, spread, top_k
from ossein.files import read_json, read_text, write_json, write_text
from ossein.recipes.base import leaves
from ossein.recipes.evaluate import evaluate
from ossein.recipes.prepare import prepare
from ossein.recipes.presets import PRETRAIN, RECOGNISE, Facts, PretrainSettings, RecogniseSettings
from ossein.recipes.pretrain import pretrain
from ossein.recipes.recognise import recognise
from ossein.store import Store, draw_labels, resolve_many
from ossein.train import provenance

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("OSSEIN_DATA", ROOT.parent / "shared" / "data"))
SEEDS = (0, 1, 2)
START, END = "<!-- results -->", "<!-- /results -->"
"""Between these the README holds its table."""


@dataclass(frozen=True)
class Task:
    """One protocol of one data set.

    Args:
        title: What to call it in the table.
        data: The data set.
        splits: Its folds; the mean over them is one number per seed.
        labels: How many labels to learn from; pre-training has all clips of the training half, always.
        also: A further test split for the same models, where there is one.
        published: A number to compare with, and whose.
    """

    title: str
    data: str
    splits: tuple[str, ...]
    labels: str = "all"
    also: str = ""
    published: str = ""


TASKS = {
    "penn": Task("Penn Action", "penn_action_coco17", ("train",), published="97.9 UNIK (estimated poses)"),
    "penn-10": Task("Penn Action, 10 % of the labels", "penn_action_coco17", ("train",), labels="10%"),
    "penn-5": Task("Penn Action, 5 % of the labels", "penn_action_coco17", ("train",), labels="5%"),
    "jhmdb": Task(
        "JHMDB, mean of 3 splits",
        "jhmdb_coco17",
        ("split1", "split2", "split3"),
        published="77.2 DD-Net (longer training lists)",
    ),
    "ucla": Task(
        "NW-UCLA, view 3 (official)",
        "nw_ucla",
        ("xview",),
        also="xview_train:xview_val_nodup",
        published="96.5 CTR-GCN (4 streams)",
    ),
    "ucla1": Task("NW-UCLA, view 1 (no leak)", "nw_ucla", ("xview1",)),
    "utd": Task("UTD-MHAD, cross-subject", "utd_mhad", ("xsub",)),
    "msr": Task("MSR-Action3D, cross-subject", "msr_action3d", ("xsub557",)),
}


@dataclass(frozen=True)
class Method:
    """One column of the table.

    Args:
        title: What to call it.
        preset: The recognition preset.
        pretrained: The pre-training preset to start from; random weights without one.
    """

    title: str
    preset: str
    pretrained: str = ""


METHODS = {
    "ossein": Method("ossein, pre-trained", "ossein", "ossein"),
    "ossein-random": Method("ossein, random weights", "ossein"),
    "ssl": Method("SSL, pre-trained", "ssl", "skeletonmae"),
    "ssl-random": Method("SSL, random weights", "ssl"),
    "stgcn": Method("ST-GCN", "stgcn"),
}


def run(name: str, methods: list[str], out: Path) -> None:
    """Run some methods on one task; everything that is done already is kept."""
    task = TASKS[name]
    store = stored(task.data, out)
    for key in methods:
        method, file = METHODS[key], out / name / key / "table.json"
        began, before = time.process_time(), read_json(file)["cost"] if file.exists() else 0.0
        results = trained(task, method, store, out, out / name / key)
        cost = before + time.process_time() - began
        write_json(file, {**results, "cost": cost, "made_by": provenance()})
    write_json(out / name / "floor.json", floor(task, store))


def trained(task: Task, method: Method, store: Store, out: Path, folder: Path) -> dict[str, Any]:
    """The numbers of one method on one task."""
    screen, splits = Terminal(), list(task.splits)
    facts = Facts.of(store, len(resolve_many(store, splits)[0].train))
    origin = encoder(task, method.pretrained, store, out) if method.pretrained else None
    card = read_card(leaves(origin)[0].folder)[1] if origin else None
    settings = paper_recognise(RECOGNISE[method.preset](facts, card), method, task)
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
        probes = evaluate(origin, store, protocols=("linear", "knn"))["mean"]
        numbers["probes"] = {key: value["top1"] for key, value in probes.items()}
    return numbers


def encoder(task: Task, preset: str, store: Store, out: Path) -> Path:
    """The pre-training on the clips of a task's training halves; tasks that differ in labels share it."""
    folder = out / "encoders" / f"{preset}-{task.data}-{'-'.join(task.splits)}"
    facts = Facts.of(store, len(resolve_many(store, list(task.splits))[0].train))
    settings = paper_pretrain(PRETRAIN[preset](facts), preset)
    pretrain(preset, store, folder, splits=list(task.splits), settings=settings, resume=True, screen=Terminal())
    return folder


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


def write(out: Path) -> None:
    """Write docs/results.md, and the README's short table, from all that is done."""
    done = {
        name: {
            key: read_json(out / name / key / "table.json")
            for key in METHODS
            if (out / name / key / "table.json").exists()
        }
        for name in TASKS
    }
    done = {name: tables for name, tables in done.items() if tables and (out / name / "floor.json").exists()}
    if not done:
        raise SystemExit(f"{out}: nothing is done yet. Run some first: python scripts/results.py run")
    floors = {name: read_json(out / name / "floor.json") for name in done}
    columns: list[tuple[str, Callable[[str], str]]] = [
        ("data set", lambda name: TASKS[name].title),
        *((METHODS[key].title, lambda name, key=key: cell(done[name].get(key))) for key in METHODS),
        ("ExtraTrees", lambda name: text_of(floors[name]["extra_trees"])),
        ("linear SVM", lambda name: text_of(floors[name]["linear_svm"])),
        ("published", lambda name: TASKS[name].published or "-"),
    ]
    made = [table["made_by"] for tables in done.values() for table in tables.values()]
    text = read_text(ROOT / "scripts" / "results_text.md").format(
        table=markdown(columns, list(done)),
        probes=markdown(probe_columns(done), [name for name in done if probed(done[name])]),
        cost=markdown(cost_columns(done), list(done)),
        commits="; ".join(f"{method.title}: {commits_of(done, key)}" for key, method in METHODS.items()),
        versions=", ".join(f"{name} {number}" for name, number in made[0]["versions"].items()),
    )
    write_text(ROOT / "docs" / "results.md", text)
    before, _, rest = read_text(ROOT / "README.md").partition(START)
    after = rest.partition(END)[2]
    short = [
        columns[0],
        *(columns[1 + list(METHODS).index(key)] for key in ("ossein", "ossein-random", "ssl")),
        columns[-3],
    ]
    write_text(ROOT / "README.md", f"{before}{START}\n{markdown(short, list(done))}\n{END}{after}")


def commits_of(done: dict[str, Any], key: str) -> str:
    """The commits that a column was made with."""
    found = {tables[key]["made_by"]["commit"] for tables in done.values() if key in tables}
    return ", ".join(sorted(found)) or "-"


def probed(tables: dict[str, Any]) -> bool:
    """Whether any method of a task was probed with frozen weights."""
    return any("probes" in table for table in tables.values())


def probe_columns(done: dict[str, Any]) -> list[tuple[str, Callable[[str], str]]]:
    """Frozen encoders: a linear probe and the nearest neighbour."""

    def of(name: str, key: str, probe: str) -> str:
        return text_of(done[name][key]["probes"][probe]) if "probes" in done[name].get(key, {}) else "-"

    pairs = [(key, probe) for key in ("ossein", "ssl") for probe in ("linear", "knn (k=1)")]
    titles = {"ossein": "ossein", "ssl": "SkeletonMAE"}
    return [
        ("data set", lambda name: TASKS[name].title),
        *((f"{titles[key]}, {probe}", lambda name, key=key, probe=probe: of(name, key, probe)) for key, probe in pairs),
    ]


def cost_columns(done: dict[str, Any]) -> list[tuple[str, Callable[[str], str]]]:
    """CPU minutes of each column, all seeds and folds, pre-training counted where it was first needed."""

    def of(name: str, key: str) -> str:
        return f"{done[name][key]['cost'] / 60:.0f}" if key in done[name] else "-"

    return [
        ("data set", lambda name: TASKS[name].title),
        *((METHODS[key].title, lambda name, key=key: of(name, key)) for key in METHODS),
    ]


def cell(table: dict[str, Any] | None) -> str:
    """One number with its spread."""
    if table is None:
        return "-"
    also = f"; {text_of(table['also'])} without the duplicates" if "also" in table else ""
    return text_of(table["top1"]) + also


def markdown(columns: list[tuple[str, Callable[[str], str]]], names: list[str]) -> str:
    """A table with a line for each task."""
    rows = [[title for title, _ in columns], *([of(name) for _, of in columns] for name in names)]
    lines = ["| " + " | ".join(cells) + " |" for cells in rows]
    return "\n".join([lines[0], "|---" * len(columns) + "|", *lines[1:]])


def text_of(plain: dict[str, Any]) -> str:
    """A mean and spread as text."""
    return str(Spread(plain["mean"], float("nan") if plain["std"] is None else plain["std"], plain["n"]))


def main() -> None:
    """Run tasks, or write what is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "write"))
    parser.add_argument("tasks", nargs="*", help="which tasks to run; all by default")
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=list(METHODS), help="which methods")
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
    for name in args.tasks or TASKS:
        run(name, args.methods, args.out)


if __name__ == "__main__":
    main()
