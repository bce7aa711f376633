"""Recognition: labelled clips -> a model that names classes, tested on clips it has not seen. Top to bottom."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ossein.deploy import Card, read_card, write_bundle
from ossein.errors import SettingsError
from ossein.evaluate import spread
from ossein.files import write_json
from ossein.recipes.base import Screen, Silent, begin, check_input, judged, labelled, left_out, tested_on
from ossein.recipes.device import compile_reason, nearby
from ossein.recipes.opinion import second_opinion
from ossein.recipes.presets import RECOGNISE, Facts, RecogniseSettings, precision_reason
from ossein.recipes.seen import data_record, seen
from ossein.recipes.start import Start, start_from
from ossein.recipes.turns import each_once
from ossein.settings import Choice, settle
from ossein.store import Split, Store, draw_labels, to_learn
from ossein.tasks import Recognise, Recogniser, Teach, build_recogniser
from ossein.train import Feed, Run, all_processes, first_process, fit, provenance
from ossein.words import count


def recognise(
    preset: str,
    store: Store,
    out: Path,
    *,
    splits: list[str] | None = None,
    pretrained: Path | None = None,
    labels: str = "all",
    seeds: tuple[int, ...] = (),
    settings: Choice[RecogniseSettings] = None,
    resume: bool = False,
    screen: Screen | None = None,
) -> dict[str, Any]:
    """Train on the training half of each split with each seed, test once on the other half, where there is one.

    Args:
        preset: Where settings come from, such as `ssl`.
        store: The data.
        out: The folder to write to: one run, or one below it for each fold and seed.
        splits: Names of splits or patterns such as `split*`, or `all` for every clip, which leaves none to test on; None
            for the only one there is.
        pretrained: A pre-training run to start from (with a run for each fold, if there are several), or `user/name` on
            the hub; on other joints too, see `Encoder.onto`; None for random weights.
        labels: How many labels to learn from: `all`, a share of each class such as `10%`, or clips of each class such as
            `5-per-class`; drawn with the seed of the training.
        seeds: One training for each; where none is given, one with the seed of the settings.
        settings: Settings in place of the preset's, or a function that makes those of each fold from the preset's.
        resume: Go on with what is in `out`; several copies of such a call share the trainings.
        screen: Where to tell of progress.

    Returns:
        The results that are written to `out/results.json`: the numbers of each run, and their mean and spread, where clips
        were left to test on.

    Raises:
        DataError: A split does not exist, no clip of a half has a label, or pre-training has seen the test clips.
        BundleError: The pre-trained run cannot be read, or its encoder does not fit the model.
        SkeletonError: The pre-training knows too few of the joints, or clips of more or fewer dimensions.
        SettingsError: Settings contradict the data or the pre-training, `labels` is no amount, `out` holds another
            run, or another process is at one of several.
        Diverged: The loss is no longer finite.
        Stopped: Ctrl-C; the state is saved.
    """
    screen = screen or Silent()
    found = to_learn(store, splits)
    jobs: dict[str, Callable[[], dict[str, Any]]] = {}
    for split in found:
        start = start_from(pretrained, split, store, screen, several=len(found) > 1)
        base = settle(
            settings, lambda split=split, start=start: RECOGNISE[preset](Facts.of(store, split.train), start.card)
        )
        each = tuple(dict.fromkeys(seeds)) or (base.train.seed,)
        for seed in each:
            own = base.change(train=base.train.change(seed=seed))
            alone = len(found) * len(each) == 1
            name = f"{split.name.replace(':', '-')}-seed{seed}"
            run = Run(out if alone else out / name)
            jobs[name] = partial(
                _recognise_one, preset, store, split, start, labels, own, run, resume=resume, screen=screen
            )
    runs = each_once(jobs, out, screen.note, resume=resume)
    results = {"runs": runs, **_summary(runs)}
    if first_process():
        write_json(out / "results.json", results)
    return results


def _recognise_one(
    preset: str,
    store: Store,
    split: Split,
    start: Start,
    labels: str,
    settings: RecogniseSettings,
    run: Run,
    *,
    resume: bool,
    screen: Screen,
) -> dict[str, Any]:
    s = settings
    drawn = draw_labels(store.labels, split.train, labels, s.train.seed)
    train = labelled(store, drawn, f"train clip of '{split.name}'")
    test = tested_on(store, split)
    beside, num = train[:0], 0
    if s.teach and s.teach.beside:
        beside, num = np.setdiff1d(split.train, train), s.teach.beside
    _check(store, s, start)
    before = seen(start.card.data, store) if start.card else train[:0]
    data = data_record(store, split.name, train, np.union1d(np.union1d(train, beside), before))
    data |= {"labels": labels, **start.record(store)}
    torch.manual_seed(s.train.seed)
    model = build_recogniser(store.skeleton, store.dims, s.input.frames, s.input.persons, len(store.classes), s.model)
    if start.encoder:
        model.load_encoder(start.encoder)
    feed = Feed(store, train, s.input, s.augment, s.train.batch, s.train.seed, beside, num)
    record = {"kind": "recognise", "preset": preset, "from": start.origin, "data": data, "settings": s.plain()}
    record["precision"] = precision_reason(s.train)
    record |= {"compile": why} if (why := compile_reason(s.train, len(train))) else {}
    begin(run, record, s.train.device, resume=resume)
    if not run.done:
        origin = "pre-trained" if start.card else "random"
        title = f"{preset} from {origin} weights, {split.name}, {count(len(train), 'clip')}, seed {s.train.seed}"
        for line in (
            record["precision"],
            record.get("compile"),
            None if num else left_out(store, drawn, f"train clip of '{split.name}'"),
            left_out(store, split.test, f"test clip of '{split.name}'"),
        ):
            if line:
                screen.note(line)
        feed = replace(feed, store=nearby(store, s.train.device, screen))
        method = _objective(model, s, store, train, beside, start)
        with screen.training(title) as report:
            fit(method, feed, s.train, s.optim, run, report)
        model = method.result
        card = Card(
            kind="recogniser",
            preset=preset,
            skeleton=store.skeleton.plain(),
            dims=store.dims,
            classes=store.classes,
            input=s.input,
            model=s.model,
            data=data,
            made_by=provenance(),
            **_lengths(store, train),
        )
        if first_process():
            metrics = judged(model, store, test, s.input)
            run.write_results({"split": split.name, "seed": s.train.seed, **metrics})
            write_bundle(run.bundle, card.change(metrics=metrics), model)
        all_processes()
    return _results(run)


def _objective(
    model: Recogniser, settings: RecogniseSettings, store: Store, labelled: np.ndarray, others: np.ndarray, start: Start
) -> Recognise | Teach:
    """What is trained: the labels alone, or a teacher beside them, with a second opinion where there is something to say."""
    if settings.teach is None:
        return Recognise(model, settings.smoothing)
    asked = settings.teach.second and len(others) > 0
    second = second_opinion(store, labelled, others, start, settings.input) if asked else None
    return Teach(model, settings.teach, settings.smoothing, second)


def _results(run: Run) -> dict[str, Any]:
    card = read_card(run.folder)[1]
    seed = run.read()["settings"]["train"]["seed"]
    return {"run": run.folder.name, "split": card.data["split"], "seed": seed, **card.metrics}


def _lengths(store: Store, train: np.ndarray) -> dict[str, Any]:
    """How long the clips are that a model learns from, for those who will cut recordings for it."""
    rates = store.rates[train]
    known = rates[~np.isnan(rates)]
    return {"frames": int(np.median(store.frames[train])), "rate": float(np.median(known)) if len(known) else None}


def _check(store: Store, settings: RecogniseSettings, start: Start) -> None:
    check_input(settings.input.normalise, store)
    if start.card is None:
        return
    pairs = {
        "input.normalise": (start.card.input.normalise, settings.input.normalise),
        "input.stream": (start.card.input.stream, settings.input.stream),
    }
    for name, (old, new) in pairs.items():
        if old != new:
            raise SettingsError(
                f"{name} is {new}, the pre-training had {old}. Leave it out to keep the pre-training's."
            )


def _summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean over folds for each seed, then mean and spread over seeds; over folds where there is one seed."""
    seeds = sorted({run["seed"] for run in runs})
    out: dict[str, Any] = {}
    for key in [key for key in ("top1", "top5", "mean_class") if all(key in run for run in runs)]:
        each = [float(np.mean([run[key] for run in runs if run["seed"] == seed])) for seed in seeds]
        over = each if len(seeds) > 1 else [run[key] for run in runs]
        out[key] = {**spread(over).plain(), "over": "seeds" if len(seeds) > 1 else "folds"}
    return out
