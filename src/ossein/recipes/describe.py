"""Runs and stores as rows of text, for tables."""

from typing import Any

import numpy as np

from ossein.evaluate import Spread
from ossein.store import Store, protocols, resolve


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
    """For each split its name, its sizes, and how many test clips are identical to training clips."""
    rows = []
    for name in protocols(store):
        split = resolve(store, name)
        twins = len({i for i, _ in store.identical(split.test, split.train)})
        rows.append((name, f"{len(split.train)}", f"{len(split.test)}", f"{twins}" if twins else "-"))
    return rows


def class_rows(store: Store) -> list[tuple[str, str, str]]:
    """For each class its number, name and clips."""
    rows = [(str(k), name, str((store.labels == k).sum())) for k, name in enumerate(store.classes)]
    unlabelled = int((store.labels < 0).sum())
    return rows + ([("-", "no label", str(unlabelled))] if unlabelled else [])


def result_lines(results: dict[str, Any]) -> list[str]:
    """The results of `recognise` as lines: each run, then the mean where there are several."""
    lines = []
    for run in results["runs"]:
        low, high = run["interval"]
        lines.append(
            f"{run['split']}, seed {run['seed']}: top-1 {100 * run['top1']:.1f} % [{100 * low:.1f}, {100 * high:.1f}], "
            f"top-5 {100 * run['top5']:.1f} %, mean class {100 * run['mean_class']:.1f} % ({run['num_clips']} clips)"
        )
    if len(lines) > 1:
        numbers = ", ".join(f"{name} {_spread(results[key])} %" for key, name in _NAMES)
        lines.append(f"mean over {results['top1']['over']}: {numbers}")
    return lines


def evaluation_rows(results: dict[str, Any]) -> list[tuple[str, ...]]:
    """The results of `evaluate` as rows: each run and protocol, then means where there are several runs."""
    rows = [
        (
            row["run"],
            row["protocol"],
            row["split"],
            str(row["num_clips"]),
            f"{100 * row['top1']:.1f}",
            f"{100 * row['interval'][0]:.1f} to {100 * row['interval'][1]:.1f}",
            f"{100 * row['top5']:.1f}",
            f"{100 * row['mean_class']:.1f}",
        )
        for row in results["rows"]
    ]
    for kind, mean in results["mean"].items():
        if mean["top1"]["n"] > 1:
            texts = {key: _spread(mean[key]) for key in mean}
            rows.append(("mean", kind, "", "", texts["top1"], "", texts["top5"], texts["mean_class"]))
    return rows


_NAMES = (("top1", "top-1"), ("top5", "top-5"), ("mean_class", "mean class"))


def _spread(plain: dict[str, Any]) -> str:
    std = plain["std"]
    return str(Spread(plain["mean"], float("nan") if std is None else std, plain["n"]))
