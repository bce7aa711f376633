"""The ablation runner: the paper's numbers, every training once, going on after a kill, verdicts by the spread."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossein.clip import UNKNOWN, Clip
from ossein.errors import DataError, Diverged, SettingsError, SkeletonError
from ossein.readers.base import Source as Read
from ossein.recipes import ablation, paper
from ossein.recipes.ablation import Budget, Training
from ossein.recipes.reproduce import plan, reproduce
from ossein.recipes.tables import TABLES, Claim, Scope, Variant
from ossein.recipes.tabulate import Verdict, judge, judge_claim, together
from ossein.skeleton import Skeleton
from ossein.store import write_store
from ossein.train import read_tensors

COCO = Scope(Skeleton.of("coco-17"))
TINY = Budget(pretrain_epochs=1, epochs=1, frames=4, batch=6)


def remade(store, path, *, label=None, facts=None, skeleton=None):
    clips = [store.clip(i) for i in range(len(store))]
    clips = [Clip(c.x, c.score, c.name, c.label if label is None else label, size=c.size) for c in clips]
    splits = {name: tuple(store.names[i] for i in members) for name, members in store.splits.items()}
    return write_store(
        Read(iter(clips), skeleton=skeleton or store.skeleton, classes=store.classes, splits=splits, facts=facts or {}),
        path,
    )


# The paper


def numbers(text):
    return tuple(map(float, text.split()))


def test_the_papers_numbers():
    """As the paper's tables are read in a row, typed a second time."""
    assert numbers("89.6 90.7 91.2 90.9") == paper.DEPTH
    assert numbers("89.1 90.6 91.2 91.0") == paper.LAYERS
    assert numbers("88.6 89.5 90.2 91.2 90.3 91.2") == paper.ONE_PART["gin"]
    assert numbers("87.6 88.9 89.3 90.6 89.5 90.5") == paper.ONE_PART["gcn"]
    assert numbers("86.8 88.1 88.9 89.5 89.4 90.0") == paper.ONE_PART["gat"]
    assert numbers("89.7 90.3 89.9 90.1") == paper.RANDOM_JOINTS
    assert numbers("91.8 91.2 91.0 90.8") == paper.BEST_PARTS
    assert numbers("91.1 90.1 91.0 90.2") == paper.WORST_PARTS
    assert paper.RANDOM_WEIGHTS == 86.3
    assert (paper.BEST_PARTS[0], paper.BEST_SETS[0]) == (91.8, ("right_arm", "right_leg"))  # the headline


def test_one_training_has_one_number_in_all_tables_of_the_paper():
    cells = [cell for name in TABLES for cell in TABLES[name](COCO).cells if cell.paper]
    told = {}
    for cell in cells:
        assert told.setdefault(cell.variant.name, cell.paper) == cell.paper, cell
    assert told[COCO.base.name] == paper.BASE == 91.2
    assert Counter(cell.variant.name for cell in cells)[COCO.base.name] == 5  # depth, layers, parts, backbone, loss


def test_the_papers_own_numbers_agree_with_its_conclusions():
    """A conclusion that the paper's own numbers contradict would be misread."""
    for name in set(TABLES) - {"transfer"}:
        table = TABLES[name](COCO)
        told = {cell.variant: cell.paper for cell in table.cells if cell.paper}
        assert table.claims
        for claim in table.claims:
            better, worse = (np.mean([told[v] for v in group]) for group in (claim.better, claim.worse))
            assert better > worse, (name, claim.text)


def test_what_is_hidden_is_what_the_paper_hides():
    sizes = {(c.series, c.at): c.note.rpartition(", ")[2] for c in TABLES["joints"](COCO).cells}
    assert [sizes["best parts", at] for at in ("30 %", "50 %", "70 %")] == [f"{n} of 17 joints" for n in (4, 9, 12)]
    assert [c.at for c in TABLES["parts"](COCO).cells][:6] == [f"V{i} {part}" for i, part in enumerate(paper.PARTS)]
    assert COCO.skeleton.parts["right_arm"] == (8, 10)
    assert COCO.base == Variant((3,))


@pytest.mark.parametrize("name", ["ntu-25", "penn-13", "hand-21", "mediapipe-33"])
def test_parts_are_known_by_their_names(name):
    scope = Scope(Skeleton.of(name))
    table = TABLES["parts"](scope)
    assert [c.at for c in table.cells][: len(scope.parts)] == [f"V{i} {part}" for i, part in enumerate(scope.parts)]
    assert {c.at.partition(" ")[2]: c.paper for c in table.cells if c.series == "GIN"} == {
        part: dict(zip(paper.PARTS, paper.ONE_PART["gin"])).get(part) for part in scope.parts
    }
    assert len(table.left_out) == len(set(paper.PARTS) - set(scope.parts))


def test_cells_that_do_not_exist_are_left_out_and_told():
    legless = Skeleton.make(
        "legless",
        ["nose", "left_shoulder", "right_shoulder", "left_wrist", "right_wrist"],
        [(0, 1), (0, 2), (1, 3), (2, 4)],
    )
    scope = Scope(legless)
    assert scope.parts == ["head", "torso", "left_arm", "right_arm"]
    joints = TABLES["joints"](scope)
    assert {(c.series, c.at) for c in joints.cells} == {
        *(("random joints", f"{n} %") for n in (30, 50, 70, 90)),
        ("worst parts", "50 %"),
    }
    assert "best parts at 30 % (paper 91.8): legless has no part right_leg" in joints.left_out
    assert joints.claims == ()
    assert [claim.text for claim in TABLES["parts"](scope).claims] == [
        "GIN is better than GCN over all parts",
        "GCN is better than GAT over all parts",
    ]
    assert Scope(Skeleton.of("hand-21")).base.hidden == (3,)
    two = Skeleton.make("two", ["a", "b"], [(0, 1)], parts={"x": ["a"], "y": ["b"]})
    assert Scope(two).base.hidden == (1,)
    assert [c.at for c in TABLES["joints"](Scope(two)).cells] == ["30 %", "50 %", "70 %"]
    assert "random joints at 90 % (paper 90.1): 2 of 2 joints would be hidden" in TABLES["joints"](Scope(two)).left_out


# Verdicts


def slow_verdict(differences):
    """By Student's table, for two to four seeds."""
    n = len(differences)
    around = {2: 12.7062, 3: 4.30265, 4: 3.18245}[n] * np.std(differences, ddof=1) / np.sqrt(n)
    return (
        "yes" if np.mean(differences) - around > 0 else "no" if np.mean(differences) + around < 0 else "cannot be told"
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=2, max_size=4))
def test_the_verdict_is_that_of_students_table(pairs):
    better, worse = ([one[i] / 1000 for one in pairs] for i in (0, 1))
    verdict = judge(better, worse)
    differences = np.array(better) - np.array(worse)
    if np.std(differences) > 1e-9 and min(abs(verdict.low), abs(verdict.high)) > 1e-4:
        assert verdict.holds == slow_verdict(differences)
    opposite = {"yes": "no", "no": "yes"}
    assert judge(worse, better).holds == opposite.get(verdict.holds, verdict.holds)


@pytest.mark.parametrize(
    ("better", "worse", "holds"),
    [
        ([0.91, 0.92, 0.915], [0.86, 0.862, 0.87], "yes"),
        ([0.86, 0.862, 0.87], [0.91, 0.92, 0.915], "no"),
        ([0.90, 0.95, 0.85], [0.89, 0.90, 0.91], "cannot be told"),
        ([0.95], [0.5], "cannot be told"),
        ([], [], "cannot be told"),
        ([0.5, 0.6], [0.5, 0.6], "cannot be told"),
        ([0.7, 0.8], [0.5, 0.6], "yes"),
        ([0.1, 0.2, 0.3], [0.4, 0.5, 0.6], "no"),
    ],
)
def test_verdicts_on_made_up_numbers(better, worse, holds):
    assert judge(better, worse).holds == holds


def test_a_claim_is_judged_by_the_seeds_that_all_its_cells_have():
    a, b, c = (Variant((number,)) for number in range(3))
    values = {a.name: {0: 0.9, 1: 0.8, 2: 0.1}, b.name: {0: 0.7, 1: 0.6}, c.name: {1: 0.5, 0: 0.6}}
    verdict = judge_claim(Claim("text", (a, b), (c,)), values)
    assert verdict.n == 2
    assert verdict.mean == pytest.approx(np.mean([0.8 - 0.6, 0.7 - 0.5]))
    assert verdict.holds == "yes"
    assert str(verdict) == "+20.0 [+20.0, +20.0] (n=2)"
    assert judge_claim(Claim("text", (a,), (Variant((9,)),)), values).n == 0


@pytest.mark.parametrize(
    ("holds", "told"),
    [
        ((), None),
        (("yes", "yes"), "yes"),
        (("yes", "cannot be told"), "cannot be told"),
        (("yes", "cannot be told", "no"), "no"),
    ],
)
def test_the_verdict_on_a_table(holds, told):
    assert together(Verdict(one, 0.0, 0.0, 0.0, 3) for one in holds) == told


# The plan


def test_trainings_that_are_the_same_are_done_once(fixed_store, synthetic_store, tmp_path):
    """Names of folders and settings stand for each other: no two trainings with one name, no training with two."""
    ready = plan(fixed_store, tmp_path, splits=["half"], target=synthetic_store(), target_splits=["xsub"], seeds=(0, 1))
    assert len({training.folder for training in ready.trainings}) == len(ready.trainings)
    told = {}
    for table in ready.tables.values():
        for cell in table.cells:
            own, start = ready.recognise_settings(cell.variant, 0), Training(cell.variant, 0, False)
            first = ready.pretrain_settings(cell.variant, 0).plain() if cell.variant.pretraining else None
            both = json.dumps([own.plain(), first, first and start.data, cell.variant.tuned_on])
            assert told.setdefault(cell.variant.name, both) == both
    assert len(set(told.values())) == len(told)
    per_seed = Counter((training.tunes, training.seed) for training in ready.trainings)
    assert per_seed == {(True, 0): 40, (True, 1): 40, (False, 0): 34, (False, 1): 34}
    order = [training.folder for training in ready.trainings]
    assert [training.seed for training in ready.trainings] == sorted(training.seed for training in ready.trainings)
    for training in ready.trainings:
        if training.before:
            assert order.index(training.before.folder) < order.index(training.folder)


def test_layers_share_one_pre_training_and_the_base_cell_is_one(fixed_store, tmp_path):
    ready = plan(fixed_store, tmp_path, tables=["layers", "backbone"], kinds=["gin"], splits=["half"], seeds=(5,))
    assert [training.folder for training in ready.trainings] == [
        "pretrain/gin3-parts3-beta2/seed5",
        *(f"recognise/gin3-parts3-beta2-strl{layers}/seed5" for layers in (1, 2, 3, 4)),
    ]


def test_settings_are_the_papers_with_what_a_cell_changes(fixed_store, tmp_path):
    ready = plan(fixed_store, tmp_path, splits=["half"])
    variant = replace(COCO.base, kind="gat", depth=2, layers=4, beta=3.0, detach=False)
    first, then = ready.pretrain_settings(variant, 7), ready.recognise_settings(variant, 7)
    model = first.model.plain()
    assert model["encoder"] == then.model.plain()["encoder"] == {"kind": "gat", "width": 64, "depth": 2}
    assert (model["mask"]["parts"], model["beta"], model["detach"], model["remask"]) == ([3], 3.0, False, False)
    assert (first.train.epochs, first.train.seed, first.optim.lr, first.input.frames) == (50, 7, 1.5e-4, 64)
    assert (then.train.epochs, then.train.seed, then.model.plain()["layers"]) == (110, 7, 4)
    assert ready.changes() == {}
    assert ready.pretrain_settings(Variant(0.5), 0).model.plain()["mask"]["kind"] == "random-joints"
    assert ready.pretrain_settings(Variant(0.5), 0).model.plain()["mask"]["share"] == 0.5


def test_the_budget_changes_what_it_says(fixed_store, tmp_path):
    budget = Budget(pretrain_epochs=2, epochs=3, frames=16, batch=4, normalise="centre", labels="2-per-class")
    ready = plan(fixed_store, tmp_path, splits=["half"], budget=budget)
    assert {key: now for key, (_, now) in ready.changes().items()} == {
        "pre-training input.frames": 16,
        "pre-training input.normalise": "centre",
        "pre-training train.batch": 4,
        "pre-training train.epochs": 2.0,
        "fine-tuning input.frames": 16,
        "fine-tuning input.normalise": "centre",
        "fine-tuning train.batch": 4,
        "fine-tuning train.epochs": 3.0,
        "labels": "2-per-class",
    }


@pytest.mark.parametrize(
    ("facts", "file", "metric"),
    [
        ({"metric": "mean_class"}, "a.clips", "mean_class"),
        ({"metric": "rank1"}, "a.clips", "top1"),
        ({"metric": "top1"}, "finegym.clips", "top1"),
        ({}, "gym-hrnet.clips", "mean_class"),
        ({}, "a.clips", "top1"),
    ],
)
def test_the_data_sets_own_metric(fixed_store, tmp_path, facts, file, metric):
    store = remade(fixed_store, tmp_path / file, facts=facts)
    assert plan(store, tmp_path / "out", splits=["half"]).sources["data"].metric == metric


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"tables": ["dephts"]}, "there is no table 'dephts'. Did you mean 'depth'"),
        ({"tables": ["transfer"]}, "Name them with --target"),
        ({"seeds": ()}, "expected at least one of each"),
        ({"seeds": (0, -1)}, "seeds from 0"),
        ({"kinds": ()}, "expected at least one of each"),
        ({"splits": ["halv"]}, "Did you mean 'half'"),
        ({"splits": []}, "has 3 splits"),
        ({"budget": Budget(labels="few")}, "no amount of labels"),
        ({"budget": Budget(normalise="facing")}, "Use --normalise centre"),
    ],
)
def test_what_cannot_be_run_is_refused_at_once(fixed_store, tmp_path, fields, told):
    with pytest.raises((SettingsError, DataError), match=told):
        plan(fixed_store, tmp_path / "out", **{"splits": ["half"], **fields})
    assert not (tmp_path / "out").exists()


def test_data_that_cannot_be_run_are_refused_at_once(fixed_store, synthetic_store, tmp_path):
    unlabelled = remade(fixed_store, tmp_path / "unlabelled.clips", label=UNKNOWN)
    with pytest.raises(DataError, match=r"20 clips of 'half' have no label"):
        plan(unlabelled, tmp_path / "out", splits=["half"])
    plain = fixed_store.skeleton.plain()
    whole = Skeleton.from_plain({**plain, "parts": {"body": list(range(17))}})
    with pytest.raises(SkeletonError, match="is a single part"):
        plan(remade(fixed_store, tmp_path / "whole.clips", skeleton=whole), tmp_path / "out", splits=["half"])
    call = {"splits": ["half"], "target_splits": ["xsub"]}
    with pytest.raises(DataError, match="is the data set itself"):
        plan(fixed_store, tmp_path / "out", target=fixed_store, splits=["half"], target_splits=["half"])
    with pytest.raises(SkeletonError, match=r"in 3-D.*Move to data with the same joints"):
        plan(fixed_store, tmp_path / "out", target=synthetic_store(dims=3, clips=18), **call)
    with pytest.raises(SettingsError, match="2 folds to pre-train on"):
        plan(fixed_store, tmp_path / "out", target=synthetic_store(), **{**call, "splits": ["a?"]})


# The run, with trainings that are made up


class Screen:
    """Counts trainings and steps; interrupts in some step, as a kill would, with nothing saved."""

    def __init__(self, stop_at=0):
        self.stop_at, self.steps, self.titles, self.lines = stop_at, 0, [], []

    def say(self, text):
        self.lines.append(text)

    def training(self, title):
        self.titles.append(title)
        return self

    def __enter__(self):
        return self.report

    def __exit__(self, *_): ...

    def report(self, progress):
        self.steps += 1
        if self.steps == self.stop_at:
            raise KeyboardInterrupt


@pytest.fixture
def made_up(monkeypatch):
    """Trainings that take no time: accuracy follows from the folder's name; where `bad` is in it, they diverge."""
    calls = []

    def train(folder):
        calls.append(str(folder))
        if "gat3" in str(folder):
            raise Diverged("the loss was nan in step 3.")
        (folder / "bundle").mkdir(parents=True, exist_ok=True)
        (folder / "bundle" / "bundle.json").touch()

    def pretrain(preset, store, folder, *, splits, settings, resume, screen):
        assert resume
        train(folder)

    def recognise(preset, store, folder, *, seeds, pretrained, **_):
        assert pretrained is None or (pretrained / "bundle" / "bundle.json").exists()
        train(folder)
        share = (0.5 if pretrained is None else 0.9 - 0.01 * abs(settings_layers(folder) - 3)) + 0.001 * seeds[0] ** 2
        return {"top1": {"mean": share}, "mean_class": {"mean": share / 2}}

    def settings_layers(folder):
        return int(folder.parent.name.partition("strl")[2][0])

    monkeypatch.setattr(ablation, "pretrain", pretrain)
    monkeypatch.setattr(ablation, "recognise", recognise)
    return calls


def test_tables_of_made_up_trainings(fixed_store, tmp_path, made_up):
    ready = plan(fixed_store, tmp_path, splits=["half"], tables=["layers", "loss"], seeds=(0, 1, 2))
    record = reproduce(ready, screen=(screen := Screen()))
    assert record == json.loads((tmp_path / "tables.json").read_text())
    layers = record["tables"]["layers"]
    assert [cell["mean"] for cell in layers["cells"]] == pytest.approx([x + 0.005 / 3 for x in (0.88, 0.89, 0.9, 0.89)])
    assert [(cell["at"], cell["paper"], cell["n"]) for cell in layers["cells"]] == [
        ("1", 89.1, 3),
        ("2", 90.6, 3),
        ("3", 91.2, 3),
        ("4", 91.0, 3),
    ]
    assert layers["cells"][0]["values"] == pytest.approx({"0": 0.88, "1": 0.881, "2": 0.884})
    assert (layers["holds"], record["tables"]["loss"]["holds"]) == ("yes", "yes")
    assert layers["claims"][0]["low"] == pytest.approx(0.02)
    assert {"command", "commit", "versions"} <= set(record["made_by"])
    assert record["settings"]["pretrain"]["model"]["mask"]["parts"] == [3]
    text = (tmp_path / "tables.md").read_text()
    assert "| 3 | 90.2 ± 0.2 (n=3) | 91.2 |" in text
    assert "| random weights | 50.2 ± 0.2 (n=3) | 86.3 |" in text
    assert "The paper's direction holds here: **yes**." in text
    assert all((tmp_path / f"{key}.png").read_bytes().startswith(b"\x89PNG") for key in ("layers", "loss"))
    assert "![Layers of STRL](layers.png)" in text
    assert screen.lines[0] == "0 trainings done, 36 left, time not known yet; now pretrain/gin3-parts3-beta2/seed0"
    assert screen.lines[-1].startswith(
        "35 trainings done, 1 left, about 1 min; now recognise/gin3-parts3-beta2-attached"
    )


def test_the_metric_of_the_data_set_is_what_is_told(fixed_store, tmp_path, made_up):
    store = remade(fixed_store, tmp_path / "a.clips", facts={"metric": "mean_class"})
    record = reproduce(plan(store, tmp_path / "out", splits=["half"], tables=["backbone"], kinds=["gin"], seeds=(0,)))
    assert record["tables"]["backbone"]["cells"][0]["mean"] == pytest.approx(0.45)
    assert "mean class accuracy" in (tmp_path / "out" / "tables.md").read_text()


def test_a_training_that_diverges_does_not_stop_the_others(fixed_store, tmp_path, made_up):
    ready = plan(fixed_store, tmp_path, splits=["half"], tables=["backbone"], seeds=(0, 1))
    record = reproduce(ready, screen=(screen := Screen()))
    assert [cell["n"] for cell in record["tables"]["backbone"]["cells"]] == [2, 2, 0]
    assert set(record["diverged"]) == {
        f"{kind}/gat3-parts3-beta2{end}/seed{seed}"
        for seed in (0, 1)
        for kind, end in (("pretrain", ""), ("recognise", "-strl3"))
    }
    assert "| GAT | -; diverged with seed 0, 1 | 89.5 |" in (tmp_path / "tables.md").read_text()
    assert record["tables"]["backbone"]["claims"][1]["n"] == 0
    assert "pretrain/gat3-parts3-beta2/seed0: the loss was nan in step 3." in screen.lines
    assert sum("recognise/gat3" in call for call in made_up) == 0


def test_more_tables_and_seeds_go_on_with_what_is_there(fixed_store, tmp_path, made_up):
    call = {"splits": ["half"], "kinds": ["gin"]}
    reproduce(plan(fixed_store, tmp_path, tables=["backbone"], seeds=(0,), **call), screen=(first := Screen()))
    reproduce(plan(fixed_store, tmp_path, tables=["layers"], seeds=(0, 1), **call), screen=(then := Screen()))
    assert (len(first.lines), len(then.lines)) == (2, 3 + 5)


# The run itself


def without_origin(record):
    return {key: value for key, value in record.items() if key != "made_by"}


def test_killed_and_gone_on_with_is_as_never_stopped(fixed_store, tmp_path):
    def run(out, screen, budget=TINY):
        call = {"tables": ["backbone"], "kinds": ["gin", "gcn"], "splits": ["half"], "seeds": (3,), "budget": budget}
        return reproduce(plan(fixed_store, tmp_path / out, **call), screen=screen)

    whole = run("whole", screen := Screen())
    assert (screen.steps, len(screen.titles)) == (8, 4)  # two pre-trainings and two fine-tunings of two steps
    for stop_at in (2, 4):  # within the first pre-training; within the first fine-tuning
        with pytest.raises(KeyboardInterrupt):
            run("cut", Screen(stop_at))
    left = json.loads((tmp_path / "cut" / "tables.json").read_text())
    assert [cell["n"] for cell in left["tables"]["backbone"]["cells"]] == [0, 0]
    again = run("cut", last := Screen())
    assert (last.steps, len(last.titles)) == (6, 3)
    assert without_origin(again) == without_origin(whole)
    for name in ("tables.md", "backbone.png"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    for folder in (tmp_path / "whole").glob("*/*/seed3"):
        one, other = (
            read_tensors(tmp_path / out / folder.relative_to(tmp_path / "whole") / "bundle" / "model.safetensors")[0]
            for out in ("whole", "cut")
        )
        assert all(bool((one[key] == other[key]).all()) for key in one)
    assert without_origin(run("cut", done := Screen())) == without_origin(whole)
    assert done.lines == done.titles == []
    with pytest.raises(SettingsError, match=r"'settings.train.epochs' was 1.0 and is now 2.0"):
        run("cut", Screen(), TINY.change(pretrain_epochs=2))


def test_a_transfer_and_folds(fixed_store, synthetic_store, tmp_path):
    target = synthetic_store()
    budget = TINY.change(labels="1-per-class", pretrain_epochs=0.1, epochs=0.1)
    ready = plan(
        target,
        tmp_path,
        tables=["transfer"],
        splits=["xsub"],
        target=fixed_store,
        target_splits=["a?"],
        seeds=(0,),
        budget=budget,
    )
    record = reproduce(ready)
    assert [cell["n"] for cell in record["tables"]["transfer"]["cells"]] == [1, 1, 1]
    assert record["data"]["target"]["splits"] == {"a1": [12, 8], "a2": [12, 8]}
    folders = sorted(str(path.parent.relative_to(tmp_path)) for path in tmp_path.rglob("run.yaml"))
    both = ["a1-seed0", "a2-seed0"]
    names = ("gin3-parts3-beta2", "random-gin3", "target-gin3-parts3-beta2")
    assert folders == [
        "pretrain/gin3-parts3-beta2/seed0",
        *(f"pretrain/target-gin3-parts3-beta2/seed0/{fold}" for fold in ("a1", "a2")),
        *(f"recognise/{name}-strl3-to-target/seed0/{fold}" for name in names for fold in both),
    ]
    results = json.loads((tmp_path / "recognise/random-gin3-strl3-to-target/seed0/results.json").read_text())
    assert record["tables"]["transfer"]["cells"][0]["mean"] == pytest.approx(
        np.mean([run["top1"] for run in results["runs"]])
    )
    assert all(ready.done(training) for training in ready.trainings)
