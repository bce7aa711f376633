"""Runs and stores as rows of text, for tables."""

from typing import Any

import numpy as np

from ossein.evaluate import Spread
from ossein.store import Store, families, protocols, resolve
from ossein.words import count


def fact_rows(store: Store) -> list[tuple[str, str]]:
    """What a store holds as (what, value)."""
    frames = store.frames
    subjects = np.unique(store.subjects[store.subjects >= 0])
    rows = [
        ("clips", f"{len(store)}"),
        ("frames per clip", f"{frames.min()} to {frames.max()}, median {np.median(frames):.0f}"),
        ("persons per clip", f"up to {store.max_persons}"),
        ("subjects", f"{len(subjects)}" if len(subjects) else "not known"),
        ("skeleton", f"{store.skeleton.name}, {len(store.skeleton)} joints, {store.dims}-D"),
        ("parts", ", ".join(f"{i} {name}" for i, name in enumerate(store.skeleton.parts))),
        ("image sizes", "known" if store.has_sizes else "not known"),
        ("numbers", f"{store.x.dtype}"),
        ("content", store.hash[:16]),
    ]
    return rows + [(key, value) for key, value in store.facts.items() if key != "name"]


def split_rows(store: Store) -> list[tuple[str, str, str, str]]:
    """For each split its name, its sizes, and how many test clips are identical to training clips.

    Then the words for splits that follow from what is known of the clips, each with the sizes of its folds; none of these
    tests on a copy of a training clip.
    """
    rows = []
    for name in protocols(store):
        split = resolve(store, name)
        twins = len({i for i, _ in store.identical(split.test, split.train)})
        rows.append((name, f"{len(split.train)}", f"{len(split.test)}", f"{twins}" if twins else "-"))
    for word, members in families(store).items():
        folds = [resolve(store, member) for member in members]
        sizes = [_range([len(half) for half in halves]) for halves in zip(*((fold.train, fold.test) for fold in folds))]
        rows.append((f"{word} ({len(folds)} folds)", *sizes, "-"))
    return rows


def _range(numbers: list[int]) -> str:
    low, high = min(numbers), max(numbers)
    return f"{low}" if low == high else f"{low} to {high}"


def class_rows(store: Store) -> list[tuple[str, str, str]]:
    """For each class its number, name and clips."""
    rows = [(str(k), name, str((store.labels == k).sum())) for k, name in enumerate(store.classes)]
    unlabelled = int((store.labels < 0).sum())
    return rows + ([("-", "no label", str(unlabelled))] if unlabelled else [])


def result_lines(results: dict[str, Any]) -> list[str]:
    """The results of `recognise` as lines: each run, then the mean where there are several."""
    lines = []
    for run in results["runs"]:
        if "top1" not in run:
            lines.append(f"{run['split']}, seed {run['seed']}: no clip was left to test on")
            continue
        low, high = run["interval"]
        lines.append(
            f"{run['split']}, seed {run['seed']}: top-1 {100 * run['top1']:.1f} % [{100 * low:.1f}, {100 * high:.1f}], "
            f"top-5 {100 * run['top5']:.1f} %, mean class {100 * run['mean_class']:.1f} % "
            f"({count(run['num_clips'], 'clip')})"
        )
    if len(lines) > 1 and "top1" in results:
        numbers = ", ".join(f"{name} {_spread(results[key])} %" for key, name in _NAMES)
        lines.append(f"mean over {results['top1']['over']}: {numbers}")
    return lines


def evaluation_table(results: dict[str, Any]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The results of `evaluate` as heads and rows: each run and protocol, means where there are several, gains.

    Ranks of a retrieval stand in the columns of their like: rank-1 is the top-1 of the nearest neighbour.
    """
    rows = [_evaluation_row(row) for row in results["rows"]]
    for name, mean in results["mean"].items():
        if next(iter(mean.values()))["n"] > 1:
            rows.append({"run": "mean", "protocol": name, **{_COLUMNS[key]: _spread(mean[key]) for key in mean}})
    for name, gain in results["gain"].items():
        text = f"{'+' if gain['mean'] >= 0 else ''}{_spread(gain)}"
        rows.append({"run": "gain of pre-training", "protocol": name, "top-1 %": text})
    heads = ("run", "protocol", "split", "clips", "top-1 %", "95 % interval", "top-5 %", "mean class %", "mAP %")
    used = tuple(head for head in heads if any(head in row for row in rows))
    return used, [tuple(row.get(head, "") for head in used) for row in rows]


def fused_table(results: dict[str, Any]) -> list[tuple[str, ...]]:
    """The results of `fuse` as rows: each member, then all of them together."""
    rows = []
    for row in results["rows"]:
        rows += [(one["run"], row["split"], _share(one.get("top1"))) for one in row["members"]]
        rows.append((f"all {len(row['members'])} together", row["split"], _share(row.get("top1"))))
    return rows


def protocol_name(row: dict[str, Any]) -> str:
    """What a row of `evaluate` is called and averaged under: its protocol, and its weights where they are the control's."""
    return row["protocol"] + (", random weights" if row.get("weights") == "random" else "")


def _evaluation_row(row: dict[str, Any]) -> dict[str, str]:
    low, high = row["interval"]
    return {
        "run": row["run"] + (f", seed {row['seed']}" if "seed" in row else ""),
        "protocol": protocol_name(row),
        "split": row["split"],
        "clips": str(row["num_clips"]),
        "95 % interval": f"{100 * low:.1f} to {100 * high:.1f}",
        **{head: f"{100 * row[key]:.1f}" for key, head in _COLUMNS.items() if key in row},
    }


_COLUMNS = {
    "top1": "top-1 %",
    "top5": "top-5 %",
    "mean_class": "mean class %",
    "rank1": "top-1 %",
    "rank5": "top-5 %",
    "map": "mAP %",
}
"""Where the numbers of a row stand."""

_NAMES = (("top1", "top-1"), ("top5", "top-5"), ("mean_class", "mean class"))


def _share(value: float | None) -> str:
    """In per cent; a dash where nothing was tested."""
    return "-" if value is None else f"{100 * value:.1f}"


def _spread(plain: dict[str, Any]) -> str:
    std = plain["std"]
    return str(Spread(plain["mean"], float("nan") if std is None else std, plain["n"]))
