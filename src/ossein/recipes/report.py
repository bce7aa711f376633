"""One page for a run, or for a folder of runs: what was set, how training went, what came out, which clips are hard."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ossein.deploy import Card, load_pretrained, load_recogniser
from ossein.errors import DataError
from ossein.evaluate import spread
from ossein.evaluate.model import class_scores, encoder_features, model_features
from ossein.files import read_json, write_text
from ossein.pretrain import MaskedPretrainer
from ossein.recipes.base import Screen, Silent, leaves
from ossein.recipes.describe import evaluation_table
from ossein.recipes.origin import duration, provenance_rows, settings_of, when
from ossein.recipes.runs import Told
from ossein.recipes.seen import learned_of
from ossein.recipes.view import check_same, rebuilt
from ossein.settings import flat
from ossein.store import ALL, Store, resolve
from ossein.view.figures import Bar, bars, confusion, curves
from ossein.view.page import Html, Section, join, page, table, tag, tiles
from ossein.view.player import Film, Reel
from ossein.view.report import (
    Flat,
    Known,
    extreme_sections,
    facts_section,
    map_section,
    neighbours_section,
    rebuilt_film,
    settings_section,
)
from ossein.words import count, noun

MOST = 2000
"""Clips of each half that a report looks at; of more, so many are drawn."""
FRAMES = 32
"""Frames of the small players."""


def report(
    folder: Path,
    store: Store | None = None,
    out: Path | None = None,
    *,
    flat_map: Flat = "pca",
    screen: Screen | None = None,
) -> Path:
    """Write the report of a run; of a folder of runs one for each of them, and one with means and links to the others.

    Args:
        folder: A run, finished or not, or a folder of runs (folds, seeds).
        store: The data that it learned from, to show clips; without it the parts that need them are left out.
        out: The file; `report.html` in the folder where not given.
        flat_map: How features are brought to two dimensions.
        screen: Where to tell of progress.

    Returns:
        The file that was written.

    Raises:
        BundleError: There is no run, or one is damaged.
        DataError: The store is not what a run learned from, or a file cannot be written.
    """
    screen, out = screen or Silent(), out or folder / "report.html"
    told = [Told.of(run) for run in leaves(folder)]
    for one in told:
        _check(one, store)
    several = len(told) > 1 or told[0].run.folder != folder
    for one in told:
        own = one.run.folder / "report.html" if several else out
        screen.say(f"report of {one.run.folder}")
        write_text(own, _page(one, store, flat_map))
    if several:
        write_text(out, _summary(folder, told, out))
    return out


def _check(told: Told, store: Store | None) -> None:
    if store is None:
        return
    if learned_of(told.record["data"], store) is None:
        raise DataError(
            f"{told.run.folder}: learned from {told.record['data']['store']}, which is not what {store.path.name} holds. "
            "Name the store that it learned from, or leave the store out."
        )
    if told.card:
        check_same(told.run.folder, told.card, store)


def _page(told: Told, store: Store | None, flat_map: Flat) -> str:
    reel = Reel(store.skeleton) if store else None
    sections = [Section("Result", _result(told), _missing(told, store))]
    log = told.run.log_lines()
    if log:
        sections.append(Section("Learning curves", curves({told.run.folder.name: log})))
    if told.card and "confusion" in told.metrics:
        sections += _by_class([told])
    if reel and store and told.card:
        sections += _clips(told, told.card, store, reel, flat_map)
    if (told.run.folder / "evaluation.json").is_file():
        sections.append(_evaluation(told.run.folder / "evaluation.json"))
    settings, preset, note = settings_of(told, store)
    sections += [settings_section(settings, preset, note), facts_section("Where it comes from", provenance_rows(told))]
    if reel:
        last = sections[-1]
        sections[-1] = Section(last.title, join([last.body, reel.data()]), last.note)
    title = f"{told.run.folder.name}: {told.record.get('preset', 'run')} on {told.record['data']['store']}"
    return page(title, sections, lead=_lead(told), scripts=["player.js", "tip.js"] if reel else ["tip.js"])


def _lead(told: Told) -> str:
    data, kind = told.record["data"], told.record.get("kind", "run")
    labels = f", labels: {data['labels']}" if "labels" in data else ""
    seed = "" if told.seed is None else f", seed {told.seed}"
    return f"{kind}, split {data['split']}, {count(data['clips'], 'clip')} to learn from{labels}{seed}, {when(told)}"


def _missing(told: Told, store: Store | None) -> str:
    if told.card is None:
        return "The run is not finished: numbers, and what is made of clips, are not there yet."
    if store is None:
        return (
            "Made without the data: the map of features, neighbours, single clips and reconstructions are left out. "
            "'ossein report RUN STORE' shows them."
        )
    return ""


def _result(told: Told) -> Html:
    m = told.metrics
    facts: list[tuple[str, str]] = []
    if "top1" in m:
        low, high = m["interval"]
        facts = [
            (f"{100 * m['top1']:.1f} %", f"top-1, 95 % interval {100 * low:.1f} to {100 * high:.1f}"),
            (f"{100 * m['top5']:.1f} %", "top-5"),
            (f"{100 * m['mean_class']:.1f} %", "mean class accuracy"),
            (f"{m['num_clips']}", "test clips"),
        ]
    elif "loss" in m:
        facts = [(f"{m['loss']:.4g}", "loss at the end")]
    log, seconds = told.run.log_lines(), told.seconds
    if log:
        facts.append((f"{log[-1]['step']}", f"{noun(log[-1]['step'], 'step')}, {log[-1]['epoch']:.1f} epochs"))
    if seconds is not None:
        facts.append((duration(seconds), "from begin to model"))
    return tiles(facts)


def _by_class(told: Sequence[Told]) -> list[Section]:
    """Confusion and recall of one run or, as means, of several on the same classes."""
    cards = [one.card for one in told if one.card]
    classes = cards[0].classes
    total = np.sum([card.metrics["confusion"] for card in cards], axis=0)
    # A clip that several seeds were tested on is one clip: intervals go by the number of clips, not of answers.
    seeds = len({one.seed for one in told})
    mean = total / seeds
    note = f"Sums over {len(cards)} runs. " if len(cards) > 1 else ""
    means = f"Means over {seeds} seeds. " if seeds > 1 else ""
    each = [Bar(name, float(mean[k, k]), float(mean[k].sum())) for k, name in enumerate(classes)]
    return [
        Section(
            "Confusion",
            confusion(total, classes),
            f"{note}Rows are true classes; blue is right, orange is wrong, stronger is a larger share of the row. "
            "Point at a cell, or touch it, for its classes and count.",
        ),
        Section(
            "Class by class",
            bars(each),
            f"{means}Share of the clips of each class that was recognised, the lowest first, with 95 % Wilson intervals.",
        ),
    ]


def _clips(told: Told, card: Card, store: Store, reel: Reel, flat_map: Flat) -> list[Section]:
    """The parts that need clips."""
    split = None if card.data["split"] == ALL else resolve(store, card.data["split"])
    test = _few(np.arange(len(store)) if split is None else split.test)
    known = _known(told, card, store, test)
    place = map_section(known, flat_map)
    half = f"{count(len(test), 'clip')} of the test half. "
    which = half if split else f"{len(test)} of all clips, which it learned from. "
    sections = [Section(place.title, place.body, which + place.note)]
    if split:
        sections.append(neighbours_section(known, _known(told, card, store, _few(split.train), scores=False), reel))
    if known.p is not None and (known.labels >= 0).all():
        sections += extreme_sections(known, reel)
    if card.kind == "pretrained" and isinstance(load_pretrained(told.run.folder)[0], MaskedPretrainer):
        chosen = test[np.unique(np.linspace(0, len(test) - 1, 3).round().astype(int))]
        examples = rebuilt(told.run.folder, store, chosen)
        films = [reel.add(rebuilt_film(example, store.skeleton)) for example in examples]
        note = "Joints hidden as in training; frames and coordinates as the model sees them."
        sections.append(Section("Hidden joints rebuilt", join(films), note))
    return sections


def _known(told: Told, card: Card, store: Store, indices: np.ndarray, *, scores: bool = True) -> Known:
    folder, p = told.run.folder, None
    if card.kind == "recogniser":
        model = load_recogniser(folder)[0]
        z = model_features(model, store, indices, card.input)
        p = class_scores(model, store, indices, card.input) if scores else None
    else:
        z = encoder_features(load_pretrained(folder)[0].encoder, store, indices, card.input)

    def film(i: int, caption: str) -> Film:
        return Film.of(store.clip(int(indices[i])), store.skeleton, caption=caption, most=FRAMES)

    names = [store.names[i] for i in indices]
    return Known(names, store.classes, store.labels[indices], z, p, film)


def _few(indices: np.ndarray) -> np.ndarray:
    if len(indices) <= MOST:
        return indices
    return np.sort(np.random.default_rng(0).choice(indices, MOST, replace=False))


def _evaluation(file: Path) -> Section:
    try:
        results = read_json(file)
        heads, rows = evaluation_table(results)
    except (DataError, KeyError, TypeError, AttributeError) as error:
        return Section("Evaluation", Html(""), f"{file.name} cannot be read ({error}); evaluate the run again.")
    return Section("Evaluation", table(heads, rows), f"What 'ossein evaluate' found on {results['store']}.")


@dataclass(frozen=True)
class _Column:
    key: str
    name: str


_COLUMNS = (_Column("top1", "top-1 %"), _Column("top5", "top-5 %"), _Column("mean_class", "mean class %"))


def _summary(folder: Path, told: Sequence[Told], out: Path) -> str:
    """The page of several runs: mean and spread, each run with a link."""
    done = [one for one in told if one.card]
    columns = [c for c in _COLUMNS if all(c.key in one.metrics for one in done)] if done else []
    rows = [_line(one, columns, out) for one in told]
    means = _means(folder, done, columns)
    heads = ("run", "split", "seed", *(column.name for column in columns), "loss at the end", "time")
    missing = len(told) - len(done)
    unfinished = f"{missing} of {count(len(told), 'run')} {noun(missing, 'is', 'are')} not finished"
    note = f"{unfinished} and not in the means." if missing else ""
    sections = [
        Section("Result", join([tiles(means), table(heads, rows)]), note),
        Section("Learning curves", curves({one.run.folder.name: one.run.log_lines() for one in told})),
    ]
    if columns and len({one.card.classes for one in done if one.card}) == 1:
        sections += _by_class(done)
    if (folder / "evaluation.json").is_file():
        sections.append(_evaluation(folder / "evaluation.json"))
    both = [flat(one.record["settings"]) for one in told]
    shared = {key: value for key, value in both[0].items() if all(one.get(key) == value for one in both)}
    sections += [
        settings_section(
            shared, None, "Settings that all runs share; the page of each run compares them with the preset."
        ),
        facts_section("Where it comes from", provenance_rows(told[0]), f"Of the first run, {told[0].run.folder.name}."),
    ]
    title = f"{folder.resolve().name}: {count(len(told), 'run')} of {told[0].record.get('preset', '-')}"
    return page(title, sections, lead=f"on {told[0].record['data']['store']}", scripts=["tip.js"])


def _line(one: Told, columns: Sequence[_Column], out: Path) -> tuple[str, ...]:
    page_of = os.path.relpath(one.run.folder / "report.html", out.parent)
    numbers = (f"{100 * one.metrics[c.key]:.1f}" if c.key in one.metrics else "-" for c in columns)
    return (
        tag("a", one.run.folder.name, href=Path(page_of).as_posix()),
        str(one.record["data"]["split"]),
        str(one.record["settings"].get("train", {}).get("seed", "-")),
        *numbers,
        f"{one.metrics['loss']:.4g}" if "loss" in one.metrics else "-",
        duration(one.seconds) if one.seconds is not None else "-",
    )


def _means(folder: Path, done: Sequence[Told], columns: Sequence[_Column]) -> list[tuple[str, str]]:
    """Mean and spread as the recipe that made the runs wrote them down; over runs where it has not."""
    file, written = folder / "results.json", {}
    if file.is_file() and (results := read_json(file)) and isinstance(results, dict):
        written = results
    out = []
    for column in columns:
        own = written.get(column.key)
        if isinstance(own, dict) and len(written.get("runs", ())) == len(done):
            std = "" if own["std"] is None else f" ± {100 * own['std']:.1f}"
            value, over = f"{100 * own['mean']:.1f}{std} %", count(own["n"], own["over"].removesuffix("s"))
        else:
            mean = spread([one.metrics[column.key] for one in done])
            value, over = f"{str(mean).split(' (')[0]} %", count(mean.n, "run")
        out.append((value, f"{column.name[:-2]}, mean over {over}"))
    return out
