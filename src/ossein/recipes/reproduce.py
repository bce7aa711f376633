"""A paper's ablation tables, run on one's own data: plan, train (and go on), tabulate. Top to bottom."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ossein.errors import DataError, Diverged, SettingsError, SkeletonError, did_you_mean
from ossein.files import read_json, write_json, write_text
from ossein.recipes.ablation import METRICS, Budget, Plan, Source, Training
from ossein.recipes.base import Screen, Silent, check_input, labelled
from ossein.recipes.paper import ONE_PART, Kind
from ossein.recipes.tables import TABLES, Data, Scope
from ossein.recipes.tabulate import draw, markdown, plain
from ossein.recipes.turns import share, turn
from ossein.store import Store, draw_labels, resolve_many
from ossein.train import provenance
from ossein.words import count


def plan(
    store: Store,
    out: Path,
    *,
    tables: Sequence[str] = (),
    splits: Sequence[str] = (),
    target: Store | None = None,
    target_splits: Sequence[str] = (),
    kinds: Sequence[Kind] = ("gin", "gcn", "gat"),
    seeds: Sequence[int] = (0, 1, 2),
    budget: Budget | None = None,
) -> Plan:
    """What has to be trained for the paper's tables on a data set, checked before hours are spent on it.

    Args:
        store: The data.
        out: The folder to write to; what is done there already is kept.
        tables: Names in `TABLES`; all that can be made where none is given.
        splits: One split, or several as folds; none for the only one there is.
        target: The data to move to, for the table `transfer`.
        target_splits: Its split or folds.
        kinds: The graph networks of the tables `parts` and `backbone`.
        seeds: One pre-training and fine-tuning of each cell for each of these.
        budget: How much of everything; the paper's where not given.

    Raises:
        DataError: A split does not exist, or no clip of a half has a label.
        SkeletonError: The target has other joints, or the skeleton has one part only.
        SettingsError: There is no such table, seed, normalisation or amount of labels, or the transfer has no target.
    """
    known = [name for name in TABLES if target or name != "transfer"]
    for name in tables:
        if name not in TABLES:
            raise SettingsError(f"there is no table '{name}'. {did_you_mean(name, TABLES)}")
        if name not in known:
            raise SettingsError("table transfer needs other data to move to. Name them with --target.")
    if not seeds or min(seeds) < 0 or not kinds:
        raise SettingsError(
            f"seeds {list(seeds)}, backbones {list(kinds)}: expected at least one of each, seeds from 0."
        )
    if len(store.skeleton.parts) < 2:
        raise SkeletonError(
            f"{store.path.name}: {store.skeleton.name} is a single part, and hiding it would leave nothing. "
            "Prepare the data with a skeleton that names its parts."
        )
    sources: dict[Data, Source] = {"data": Source(store, tuple(resolve_many(store, list(splits) or None)))}
    if target:
        sources["target"] = Source(target, tuple(resolve_many(target, list(target_splits) or None)))
        _check_transfer(sources["data"], sources["target"])
    order: list[Kind] = [kind for kind in ONE_PART if kind in kinds]
    scope = Scope(store.skeleton, tuple(order))
    made = {name: TABLES[name](scope) for name in known if not tables or name in tables}
    ready = Plan(sources, made, tuple(dict.fromkeys(seeds)), budget or Budget(), out)
    for source in sources.values():
        _check_source(source, ready)
    return ready


def reproduce(plan: Plan, *, screen: Screen | None = None) -> dict[str, Any]:
    """Run what is not done yet, then tabulate; the same call goes on wherever it was stopped.

    Several copies of the call, on other GPUs or cores, share what is left, and each ends with the whole. `tables.md` and
    `tables.json` are renewed after every training, the figures are drawn at the end. A training that diverges is named in
    its cells, and the others go on.

    Args:
        plan: What to run.
        screen: Where to tell of progress.

    Returns:
        What is written to `tables.json`.

    Raises:
        SettingsError: The folder holds trainings with other settings or on other data.
        Stopped: Ctrl-C; the state is saved.
    """
    _check_out(plan)
    screen, clock, found = screen or Silent(), _Clock(), _Found(plan)
    share(lambda: found.left, lambda training: _take(plan, training, found, clock, screen), screen.note)
    for key, table in plan.tables.items():
        source = plan.sources["target" if key == "transfer" else "data"]
        unit, here = f"{METRICS[source.metric]}, %", f"here ({source.store.path.stem})"
        draw(table, found.values, plan.out / f"{key}.png", unit=unit, here=here)
    return _write(plan, found)


def _take(plan: Plan, training: Training, found: "_Found", clock: "_Clock", screen: Screen) -> bool:
    """Do a training, unless what it starts from is still to come or another copy of this call is at it; whether it was done."""
    if training.before and training.before.folder not in found.told:
        return False
    with turn(plan.out / ".turns" / training.folder.replace("/", ".")) as mine:
        if mine and plan.done(training):
            found.add(training, Silent())
        elif mine:
            todo = [one for one in found.left if not plan.done(one)]
            done = count(len(plan.trainings) - len(todo), "training")
            screen.say(f"{done} done, {len(todo)} left, {clock.left(todo)}; now {training.folder}")
            with clock.timing(training):
                found.add(training, screen)
            _write(plan, found)
        return mine


class _Found:
    """What the trainings have given so far.

    Attributes:
        told: The folders of the trainings that it knows of.
        values: Shares in [0, 1] by the name of the variant and the seed.
        diverged: What went wrong, by the folder of the training.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.told: set[str] = set()
        self.values: dict[str, dict[int, float]] = {}
        self.diverged: dict[str, str] = {}

    @property
    def left(self) -> list[Training]:
        """What is not known yet; first what is done, and with it whether the settings are still the same."""
        unknown = [training for training in self.plan.trainings if training.folder not in self.told]
        return sorted(unknown, key=lambda training: not self.plan.done(training))

    def add(self, training: Training, screen: Screen) -> None:
        """Do a training and keep what it gives."""
        before = training.before
        self.told.add(training.folder)
        if before and before.folder in self.diverged:
            self.diverged[training.folder] = f"its pre-training: {self.diverged[before.folder]}"
            return
        try:
            results = self.plan.run(training, screen)
        except Diverged as error:
            screen.say(f"{training.folder}: {error}")
            self.diverged[training.folder] = str(error)
            return
        if results:
            share = results[self.plan.source(training).metric]["mean"]
            self.values.setdefault(training.variant.name, {})[training.seed] = share

    @property
    def failed(self) -> dict[str, list[int]]:
        """The seeds with which a fine-tuning, or what it starts from, diverged; by the name of the variant."""
        out: dict[str, list[int]] = {}
        for training in self.plan.trainings:
            if training.tunes and training.folder in self.diverged:
                out.setdefault(training.variant.name, []).append(training.seed)
        return out


class _Clock:
    """How long there is still to go, by the trainings of each kind that have been timed."""

    def __init__(self) -> None:
        self.seconds: dict[bool, list[float]] = {True: [], False: []}

    @contextmanager
    def timing(self, training: Training) -> Iterator[None]:
        """Time a training."""
        began = time.perf_counter()
        yield
        self.seconds[training.tunes].append(time.perf_counter() - began)

    def left(self, trainings: Sequence[Training]) -> str:
        """The time that trainings will take, in words."""
        kinds = [training.tunes for training in trainings]
        if not all(self.seconds[kind] for kind in kinds):
            return "time not known yet"
        minutes = round(sum(float(np.mean(self.seconds[kind])) for kind in kinds) / 60)
        return f"about {minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"about {max(1, minutes)} min"


def _write(plan: Plan, found: _Found) -> dict[str, Any]:
    record = {
        "paper": "SkeletonMAE (arXiv 2307.08476), numbers on FineGym",
        "data": {role: source.plain() for role, source in plan.sources.items()},
        "seeds": list(plan.seeds),
        "changes": {key: list(both) for key, both in plan.changes().items()},
        "settings": plan.plain_settings(),
        "diverged": found.diverged,
        "tables": {key: plain(table, found.values) for key, table in plan.tables.items()},
        "made_by": provenance(),
    }
    write_json(plan.out / "tables.json", record)
    write_text(plan.out / "tables.md", "\n".join(_lines(plan, found)))
    return record


def _lines(plan: Plan, found: _Found) -> list[str]:
    lines = ["# SkeletonMAE: the paper's ablations", ""]
    for role, source in plan.sources.items():
        name = "Data" if role == "data" else "Target of the transfer"
        lines.append(f"{name}: {source.store.path.name}, {', '.join(source.words)}; {METRICS[source.metric]}.")
    lines += [
        "",
        "Ours: mean ± standard deviation in per cent over seeds (n), each with a pre-training and a fine-tuning of its own; "
        f"asked for: {', '.join(map(str, plan.seeds))}. The paper's: one training each, on FineGym. A direction holds "
        "(yes) or does not (no) where the 95 % interval of the differences, seed by seed, leaves out 0.",
        "",
    ]
    changes = [f"- {key}: {was} -> {now}" for key, (was, now) in plan.changes().items()]
    lines += ["Changed in the paper's recipe:", "", *changes, ""] if changes else ["The recipe is the paper's.", ""]
    for key, table in plan.tables.items():
        drawn = (plan.out / f"{key}.png").is_file()
        lines += markdown(key, table, found.values, found.failed, drawn=drawn)
    return lines


def _check_out(plan: Plan) -> None:
    """Refuse a folder of other halves: with several folds its trainings would stay beside those of this call."""
    file = plan.out / "tables.json"
    if not file.is_file():
        return
    before = read_json(file).get("data", {})
    for role, source in plan.sources.items():
        own, old = source.plain(), before.get(role)
        if old and (old["hash"], old["splits"]) != (own["hash"], own["splits"]):
            raise SettingsError(
                f"{plan.out}: holds tables of {old['store']}, {', '.join(old['splits'])}, and these are of {own['store']}, "
                f"{', '.join(own['splits'])}. Choose another --out."
            )


def _check_transfer(data: Source, target: Source) -> None:
    if target.store.hash == data.store.hash:
        raise DataError(f"{target.store.path}: is the data set itself. Name other data with --target.")
    if target.store.skeleton.joints != data.store.skeleton.joints or target.store.dims != data.store.dims:
        raise SkeletonError(
            f"{target.store.path}: holds {target.store.skeleton.name} in {target.store.dims}-D, {data.store.path.name} "
            f"{data.store.skeleton.name} in {data.store.dims}-D. Move to data with the same joints."
        )
    if len(data.splits) > 1:
        raise SettingsError(
            f"{data.store.path.name}: {len(data.splits)} folds to pre-train on, and none of them is that of the target. "
            "Name one --split."
        )


def _check_source(source: Source, plan: Plan) -> None:
    variant = Scope(source.store.skeleton).base
    try:
        check_input(plan.recognise_settings(variant, 0).input.normalise, source.store)
    except SettingsError as error:
        raise SettingsError(str(error).replace("--input.normalise", "--normalise")) from None
    labels = source.store.labels
    for split in source.splits:
        for half, clips in (("train", split.train), ("test", split.test)):
            labelled(source.store, clips, f"{half} clip of '{split.name}'")
        draw_labels(labels, split.train, plan.budget.labels, seed=0)
