"""Tables of runs: every run is there, whatever state it is in, and what sets two apart is told."""

import json
import shutil

import pytest

from ossein.errors import BundleError
from ossein.files import read_yaml, write_yaml
from ossein.recipes.runs import HEADS, compare, run_rows


def rewritten(folder, change):
    """A run whose record and model are changed."""
    record = read_yaml(folder / "run.yaml")
    card = json.loads((folder / "bundle" / "bundle.json").read_text())
    change(record, card)
    write_yaml(folder / "run.yaml", record)
    (folder / "bundle" / "bundle.json").write_text(json.dumps(card))


def test_every_run_has_a_row(pretrained_run, recogniser_run, tmp_path):
    for name, source in (
        ("a", pretrained_run),
        ("deep/b", recogniser_run),
        ("cut", recogniser_run),
        ("torn", recogniser_run),
    ):
        shutil.copytree(source, tmp_path / name)

    def later(record, card):
        record["made_by"]["time"], card["made_by"]["time"] = "2031-05-01T10:00:00+00:00", "2031-05-01T10:09:00+00:00"

    rewritten(tmp_path / "deep" / "b", later)
    (tmp_path / "cut" / "bundle" / "bundle.json").unlink()
    (tmp_path / "torn" / "run.yaml").write_text("settings: [")
    rows = {row[0]: dict(zip(HEADS, row, strict=True)) for row in run_rows(tmp_path)}
    assert set(rows) == {"a", "deep/b", "cut", "torn"}
    assert [rows[name]["kind"] for name in rows if name != "torn"].count("recognise, not finished") == 1
    assert rows["torn"]["kind"] == "not readable"
    assert (rows["a"]["kind"], rows["a"]["preset"], rows["a"]["top-1 %"]) == ("pretrain", "skeletonmae", "-")
    top1 = json.loads((recogniser_run / "results.json").read_text())["runs"][0]["top1"]
    b = rows["deep/b"]
    assert (b["top-1 %"], b["minutes"], b["labels"], b["split"], b["seed"]) == (
        f"{100 * top1:.1f}",
        "9.0",
        "all",
        "half",
        "0",
    )
    assert (b["when"][:5], b["store"]) == ("2031-", "fixed.clips")
    assert run_rows(tmp_path)[-1][0] == "deep/b"
    assert run_rows(tmp_path / "a")[0][0] == "a"
    (tmp_path / "empty").mkdir()
    with pytest.raises(BundleError, match="holds no run"):
        run_rows(tmp_path / "empty")


def test_what_sets_two_runs_apart(recogniser_run, pretrained_run, tmp_path):
    shutil.copytree(recogniser_run, tmp_path / "b")

    def change(record, card):
        record["settings"]["optim"]["lr"] = 0.5
        record["data"]["labels"] = "10%"
        card["metrics"]["top1"], card["metrics"]["interval"] = 0.25, [0.1, 0.5]

    rewritten(tmp_path / "b", change)
    settings, numbers = compare(recogniser_run, tmp_path / "b")
    assert {row[0]: row[1:] for row in settings} == {"optim.lr": ("0.1", "0.5"), "data.labels": ("all", "10%")}
    told = {row[0]: row[1:] for row in numbers}
    assert told["top-1 %"][1] == "25.0 [10.0, 50.0]"
    assert told["top-5 %"][0] == told["top-5 %"][1]
    assert told["test clips"] == ("8", "8")
    assert compare(recogniser_run, recogniser_run)[0] == []
    other = {row[0]: row[1:] for row in compare(pretrained_run, recogniser_run)[1]}
    assert other["top-1 %"][0] == other["loss at the end"][1] == "-"


def test_several_runs_against_one(recogniser_run, tmp_path):
    for seed, top1 in ((0, 0.5), (1, 0.7)):
        shutil.copytree(recogniser_run, tmp_path / "s" / f"half-seed{seed}")

        def change(record, card, seed=seed, top1=top1):
            record["settings"]["train"]["seed"] = seed
            card["metrics"]["top1"] = top1

        rewritten(tmp_path / "s" / f"half-seed{seed}", change)
    settings, numbers = compare(recogniser_run, tmp_path / "s")
    assert ("train.seed", "0", "0 | 1") in settings
    assert {row[0]: row[2] for row in numbers}["top-1 %"] == "60.0 ± 14.1 (n=2)"
    assert {row[0]: row[1:] for row in numbers}["runs"] == ("1", "2")


def test_runs_on_the_command_line(cli, recogniser_run, pretrained_run, tmp_path):
    shutil.copytree(recogniser_run, tmp_path / "runs" / "mine")
    done = cli("runs")
    assert done.code == 0, done.err
    assert "mine" in done.out
    done = cli("runs", "diff", "runs/mine", pretrained_run)
    assert done.code == 0, done.err
    assert "preset" in done.out
    assert "No setting differs." in cli("runs", "diff", "runs/mine", "runs/mine").out
    assert "holds no run" in cli("runs", "nowhere").err
