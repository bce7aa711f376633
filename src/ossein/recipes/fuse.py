"""Fusing: finished recognisers of one split -> one that says the mean of what they say, tested like them. Top to bottom."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ossein.deploy import Card, load_recogniser, read_card, write_bundle
from ossein.errors import BundleError, DataError, SettingsError
from ossein.files import write_json
from ossein.recipes.base import Screen, Silent, judged, leaves, tested_on
from ossein.recipes.probe import check_joints, check_probe
from ossein.recipes.seen import pooled, readable, refuse_seen
from ossein.settings import diff
from ossein.store import Store, to_learn
from ossein.tasks import Fused, FusedSettings, MemberSettings
from ossein.train import Run, provenance
from ossein.words import count


def fuse(store: Store, folders: Sequence[Path], out: Path, *, screen: Screen | None = None) -> dict[str, Any]:
    """Make one recogniser of several: of other seeds, other streams (joints, bones, their motion), other presets.

    Nothing is trained. Members count alike, so that there is nothing to choose either.

    Args:
        store: The data that they learned from, to test them together on the test half of their split.
        folders: Finished runs, or folders of runs (folds, seeds); those of a split become one, each split for itself.
        out: The folder to write to: one run, or one below it for each split.
        screen: Where to tell of progress.

    Returns:
        What is written to `out/results.json`: a row for each split, with the numbers of the members and of all together.

    Raises:
        BundleError: There are fewer than two runs of a split, one is not finished, or they do not go together.
        DataError: They did not learn from this store, or one has seen test clips.
        SkeletonError: The store has other joints.
        SettingsError: `out` holds a run already.
    """
    screen = screen or Silent()
    found: dict[str, list[Run]] = {}
    for run in dict.fromkeys(run for folder in folders for run in leaves(folder)):
        found.setdefault(run.read()["data"]["split"], []).append(run)
    rows = []
    for split, runs in found.items():
        own = Run(out if len(found) == 1 else out / split.replace(":", "-"))
        screen.say(f"{split}: {count(len(runs), 'run')}")
        rows.append(_fuse_one(store, split, runs, own))
    results = {"rows": rows}
    write_json(out / "results.json", results)
    return results


def _fuse_one(store: Store, split: str, runs: list[Run], out: Run) -> dict[str, Any]:
    cards = [_card(run, store, split) for run in runs]
    _check(runs, cards, out)
    first, test = cards[0], tested_on(store, to_learn(store, [split])[0])
    input = first.input.change(stream="joint")
    members = tuple(MemberSettings(model=c.model, stream=c.input.stream, temperature=c.temperature) for c in cards)
    settings = FusedSettings(members=members)
    data = pooled([card.data for card in cards], store)
    model = Fused(store.skeleton, store.dims, input.frames, input.persons, len(store.classes), settings)
    for place, run in zip(model.members, runs, strict=True):
        place.load_state_dict(load_recogniser(run.folder)[0].state_dict())
    folders = [str(run.folder) for run in runs]
    plain = {"input": input.plain(), "model": settings.plain(), "members": folders}
    out.begin({"kind": "fuse", "preset": "fused", "data": readable(data), "settings": plain}, resume=False)
    metrics = judged(model.eval(), store, test, input)
    out.write_results({"split": split, **metrics})
    card = first.change(
        preset="fused",
        input=input,
        model=settings,
        data=data,
        made_by=provenance(),
        metrics=metrics,
        temperature=1.0,
        sure=0.0,
        calibration={},
    )
    write_bundle(out.bundle, card, model)
    told = [{"run": folder, "top1": card.metrics.get("top1")} for folder, card in zip(folders, cards, strict=True)]
    return {"run": str(out.folder), "split": split, "members": told, **metrics}


def _card(run: Run, store: Store, split: str) -> Card:
    if not run.done:
        raise BundleError(f"{run.folder}: is not finished. Go on with it: the same command, with --out and --resume.")
    card = read_card(run.folder)[1]
    if card.kind != "recogniser":
        raise BundleError(f"{run.folder}: is a pre-training, which names no classes. Name runs of 'ossein recognise'.")
    if card.data["hash"] != store.hash:
        raise DataError(
            f"{run.folder}: learned from {card.data['store']}, which is not what {store.path.name} holds. "
            "Name the store that it learned from."
        )
    check_joints(run, card, store)
    tested = to_learn(store, [split])[0]
    check_probe(run, card, store, tested, ["classes"] if len(tested.test) else [])
    refuse_seen(card.data, store, tested.test, f"the run in {run.folder}")
    return card


def _check(runs: list[Run], cards: list[Card], out: Run) -> None:
    if len(runs) < 2:
        raise BundleError(
            f"{runs[0].folder}: is the only run of '{cards[0].data['split']}', and fusing takes two. "
            "Train another, with --seeds or --input.stream bone."
        )
    for run, card in zip(runs[1:], cards[1:], strict=True):
        for name, (other, own) in diff(cards[0].input, card.input).items():
            if name != "stream":
                raise BundleError(
                    f"{run.folder}: has input.{name} {own}, {runs[0].folder} has {other}. "
                    "Clips are prepared once for all members; fuse runs that differ in the stream alone."
                )
    if (out.folder / "run.yaml").exists():
        raise SettingsError(f"{out.folder}: holds a run already. Choose another --out.")
