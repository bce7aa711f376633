"""The ablation runner: tables with verdicts, trainings that diverge, and going on after a kill."""

import json
from collections import Counter

import numpy as np
import pytest
from runs import Watched, equal, remade, weights

from ossein.errors import Diverged, SettingsError
from ossein.recipes import ablation, turns
from ossein.recipes.ablation import Budget
from ossein.recipes.reproduce import plan, reproduce
from ossein.recipes.turns import turn

TINY = Budget(pretrain_epochs=1, epochs=1, frames=4, batch=6)


# With trainings that are made up


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
    record = reproduce(ready, screen=(screen := Watched()))
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
    record = reproduce(ready, screen=(screen := Watched()))
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
    reproduce(plan(fixed_store, tmp_path, tables=["backbone"], seeds=(0,), **call), screen=(first := Watched()))
    reproduce(plan(fixed_store, tmp_path, tables=["layers"], seeds=(0, 1), **call), screen=(then := Watched()))
    assert (len(first.lines), len(then.lines)) == (2, 3 + 5)


def test_what_another_copy_is_at_is_left_to_it(fixed_store, tmp_path, made_up, monkeypatch):
    ready = plan(fixed_store, tmp_path, splits=["half"], tables=["layers"], kinds=["gin"], seeds=(0, 1))
    monkeypatch.setattr(turns, "_PATIENCE", 0)
    other = turn(tmp_path / ".turns" / "pretrain.gin3-parts3-beta2.seed0")

    class Other(Watched):
        """The other copy ends as soon as it is waited for."""

        def note(self, text):
            super().note(text)
            made_up.append("waited")
            ready.run(next(one for one in ready.trainings if one.folder == "pretrain/gin3-parts3-beta2/seed0"), self)
            other.__exit__(None, None, None)

    assert other.__enter__()
    record = reproduce(ready, screen=(screen := Other()))
    at = made_up.index("waited")
    assert all(call.endswith("seed1") for call in made_up[:at])
    assert all(call.endswith("seed0") for call in made_up[at + 1 :])
    # What the other copy has done is only asked for its settings.
    held = str(tmp_path / "pretrain" / "gin3-parts3-beta2" / "seed0")
    assert Counter(made_up) == Counter([str(tmp_path / one.folder) for one in ready.trainings] + ["waited", held])
    assert "other copies of this command are at 5 trainings; waiting for them" in screen.lines
    assert [cell["n"] for cell in record["tables"]["layers"]["cells"]] == [2, 2, 2, 2]


def test_folds_are_done_each_by_itself_and_others_want_another_folder(fixed_store, tmp_path, made_up):
    call = {"tables": ["loss"], "seeds": (0,)}
    folds = plan(fixed_store, tmp_path, splits=["a1", "a2"], **call)
    training = folds.trainings[-1]
    for name in ("a1", "half"):
        (tmp_path / training.folder / f"{name}-seed0" / "bundle").mkdir(parents=True)
        (tmp_path / training.folder / f"{name}-seed0" / "bundle" / "bundle.json").touch()
        assert not folds.done(training)
    (tmp_path / training.folder / f"{name}-seed0").rename(tmp_path / training.folder / "a2-seed0")
    assert folds.done(training)
    reproduce(plan(fixed_store, tmp_path / "one", splits=["half"], **call))
    with pytest.raises(
        SettingsError, match=r"one: holds tables of fixed.clips, half, and these are of fixed.clips, a1"
    ):
        reproduce(plan(fixed_store, tmp_path / "one", splits=["a1"], **call))


# With trainings of a step or two


def without_origin(record):
    return {key: value for key, value in record.items() if key != "made_by"}


def test_killed_and_gone_on_with_is_as_never_stopped(fixed_store, tmp_path):
    def run(out, screen, budget=TINY):
        call = {"tables": ["backbone"], "kinds": ["gin", "gcn"], "splits": ["half"], "seeds": (3,), "budget": budget}
        return reproduce(plan(fixed_store, tmp_path / out, **call), screen=screen)

    whole = run("whole", screen := Watched())
    assert (screen.steps, len(screen.titles)) == (8, 4)  # two pre-trainings and two fine-tunings of two steps
    for stop_at in (2, 4):  # within the first pre-training; within the first fine-tuning
        with pytest.raises(KeyboardInterrupt):
            run("cut", Watched(stop_at))
    left = json.loads((tmp_path / "cut" / "tables.json").read_text())
    assert [cell["n"] for cell in left["tables"]["backbone"]["cells"]] == [0, 0]
    again = run("cut", last := Watched())
    assert (last.steps, len(last.titles)) == (6, 3)
    assert without_origin(again) == without_origin(whole)
    for name in ("tables.md", "backbone.png"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    for folder in (tmp_path / "whole").glob("*/*/seed3"):
        assert equal(weights(folder), weights(tmp_path / "cut" / folder.relative_to(tmp_path / "whole")))
    assert without_origin(run("cut", done := Watched())) == without_origin(whole)
    assert done.lines == done.titles == []
    with pytest.raises(SettingsError, match=r"'settings.train.epochs' was 1.0 and is now 2.0"):
        run("cut", Watched(), TINY.change(pretrain_epochs=2))


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
