"""Whole runs through the command line, from data to answers, repeated from their records."""

import json
import re
import shlex
import shutil

import pytest
from runs import SHORT, SMALL, equal, same_run, weights

from ossein.files import read_yaml
from ossein.recipes import presets


def test_from_data_to_answers(cli, tmp_path):
    """The verbs one after another, each with what the one before told."""
    done = cli("data", "synthetic", "demo.clips", "--clips", 36, "--persons", 6, "--frames", 8, 12)
    assert done.code == 0
    assert "circle counter-clockwise" in done.out
    assert "100 %  demo.clips: 36 clips" in done.out
    assert cli("data", "info", "demo.clips").code == 0
    assert "demo.clips" in (listed := cli("data", "list").out)
    assert "coco-17" in listed
    assert cli("data", "synthetic", "demo.clips").code == 1  # it exists

    done = cli("pretrain", "skeletonmae", "demo.clips", *SHORT)
    assert done.code == 0, done.err
    assert "pre-train skeletonmae on 24 clips" in done.out
    told = shlex.split(done.out.partition("next: ossein ")[2])
    assert told == ["recognise", "ssl", "demo.clips", "--from", "runs/pretrain-skeletonmae-demo-1"]
    done = cli(*told, "--input.frames", 8, *SHORT[6:], "--labels", "1-per-class", "--seeds", 0, 1)
    assert done.code == 0, done.err
    assert re.search(r"mean over seeds: top-1 [\d.]+ ± [\d.]+ \(n=2\) %", done.out)
    run = "runs/recognise-ssl-demo-1"
    assert f"model in {run}" in done.out

    done = cli("evaluate", run, "demo.clips", "--protocol", "classes", "linear", "--confusion", "c.png")
    assert done.code == 0, done.err
    assert (tmp_path / "c.png").read_bytes()[:4] == b"\x89PNG"
    assert len(json.loads((tmp_path / run / "evaluation.json").read_text())["rows"]) == 4
    assert cli("evaluate", "runs/pretrain-skeletonmae-demo-1", "demo.clips").code == 0


def sample(path, store, indices):
    """A table of some clips of a store."""
    rows = ["clip,frame,joint,x,y,score,person,width,height"]
    for i in indices:
        clip = store.clip(i)
        for m, t, v in zip(*clip.score.nonzero()):
            x, y = clip.x[m, t, v]
            rows.append(f"{clip.name},{t},{v},{x},{y},{clip.score[m, t, v]},{m},640,480")
    path.write_text("\n".join(rows) + "\n")
    return path


def test_predict(cli, recogniser_run, fixed_store, tmp_path):
    files = [sample(tmp_path / "a.csv", fixed_store, [0, 2]), sample(tmp_path / "b.csv", fixed_store, [4])]
    done = cli("predict", recogniser_run, *files)
    assert done.code == 0, done.err
    assert [len(json.loads(line)["top"]) for line in done.out.splitlines()] == [3, 3, 3]
    words = ("--output", "jsonl", "--top", 4)
    lines = [json.loads(line) for line in cli("predict", recogniser_run, *files, *words).out.splitlines()]
    assert [(line["file"], line["clip"]) for line in lines] == [
        (str(files[0]), "clip 0"),
        (str(files[0]), "clip 2"),
        (str(files[1]), "clip 4"),
    ]
    for line in lines:
        assert sum(one["probability"] for one in line["top"]) == pytest.approx(1, abs=1e-4)
        assert {one["class"] for one in line["top"]} == set(fixed_store.classes)
    assert cli("predict", recogniser_run, *files, "--format", "table").out == done.out
    assert cli("predict", recogniser_run, files[0], "--top", 0).code == 1


def test_class_names_that_look_like_markup(cli, tmp_path):
    rows = [
        f"c{n},{t},{v},{t},{n},{label}"
        for n in range(2)
        for t in (0, 1)
        for v in (0, 1)
        for label in [("[b]x", ":cat:")[n]]
    ]
    (tmp_path / "mine.csv").write_text("clip,frame,joint,x,y,label\n" + "\n".join(rows) + "\n")
    (tmp_path / "two.yaml").write_text("joints: [a, b]\nbones: [[0, 1]]\n")
    done = cli("data", "prepare", "auto", "mine.csv", "mine.clips", "--skeleton", "two.yaml")
    assert done.code == 0, done.err
    assert "[b]x" in done.out
    assert ":cat:" in done.out


def test_a_run_yaml_repeats_the_run(cli, fixed_store, pretrained_run, tmp_path):
    words = [
        "recognise",
        "ssl",
        fixed_store.path,
        "--split",
        "half",
        "--from",
        pretrained_run,
        "--labels",
        "2-per-class",
    ]
    small = ("--input.frames", 8, "--model.layers", 1, "--train.precision", "fp32", "--train.batch", 5)
    first = cli(*words, *small, "--train.epochs", 2, "--train.seed", 3, "--optim.lr", 0.03, "--out", "a")
    assert first.code == 0, first.err
    assert cli("recognise", "ssl", fixed_store.path, "--config", "a/run.yaml", "--out", "b").code == 0
    assert same_run(tmp_path / "a", tmp_path / "b")
    one, other = (read_yaml(tmp_path / name / "run.yaml") for name in "ab")
    assert {**one, "made_by": None} == {**other, "made_by": None}
    # What is said beside it wins.
    done = cli(
        "recognise",
        "ssl",
        fixed_store.path,
        "--config",
        "a/run.yaml",
        "--train.epochs",
        1,
        "--labels",
        "50%",
        "--out",
        "c",
    )
    assert done.code == 0, done.err
    third = read_yaml(tmp_path / "c" / "run.yaml")
    assert third["settings"]["train"] == {**one["settings"]["train"], "epochs": 1}
    assert third["settings"]["optim"]["lr"] == 0.03
    assert third["data"]["labels"] == "50%"


def test_a_run_yaml_brings_the_settings_of_its_own_model(cli, fixed_store, pretrained_run, tmp_path):
    words = ["recognise", "stgcn", fixed_store.path]
    small = ("--input.frames", 8, "--model.widths", 8, 12, "--train.batch", 5, "--train.epochs", 1)
    first = cli(*words, "--split", "half", *small, "--out", "a")
    assert first.code == 0, first.err
    again = cli(*words, "--config", "a/run.yaml", "--model.kernel", 3, "--out", "b")
    assert again.code == 0, again.err
    one, other = (read_yaml(tmp_path / name / "run.yaml")["settings"] for name in "ab")
    assert one["model"]["widths"] == [8, 12]
    assert other == {**one, "model": {**one["model"], "kernel": 3}}
    done = cli("evaluate", "a", fixed_store.path, "--protocol", "classes", "linear")
    assert done.code == 0, done.err
    # Neither does it fit another preset, nor does an encoder fit it.
    done = cli("recognise", "ssl", fixed_store.path, "--config", "a/run.yaml", "--out", "c")
    assert done.code == 1
    assert "a/run.yaml: its settings are for 'stgcn', this preset is 'strl'." in done.err
    done = cli(*words, "--split", "half", "--from", pretrained_run, "--out", "c")
    assert done.code == 1
    assert "STGCN has no place for a pre-trained encoder" in done.err
    assert not (tmp_path / "c").exists()


def test_settings_from_a_file_of_ones_own(cli, fixed_store, pretrained_run, tmp_path):
    record = read_yaml(pretrained_run / "run.yaml")
    (tmp_path / "mine.yaml").write_text(json.dumps(record["settings"]))
    words = ["pretrain", "skeletonmae", fixed_store.path, "--split", "half"]
    assert cli(*words, "--config", "mine.yaml", "--out", "a").code == 0
    assert same_run(tmp_path / "a", pretrained_run)
    record["settings"]["train"]["epohcs"] = record["settings"]["train"].pop("epochs")
    (tmp_path / "mine.yaml").write_text(json.dumps(record["settings"]))
    done = cli(*words, "--config=mine.yaml", "--out", "b")
    assert done.code == 1
    assert "mine.yaml: unknown field 'train.epohcs'. Did you mean 'epochs'?" in done.err
    (tmp_path / "mine.yaml").write_text("[1, 2]")
    assert cli(*words, "--config", "mine.yaml", "--out", "b").code == 1


def test_the_same_folder_twice(cli, fixed_store, tmp_path):
    words = ["pretrain", "skeletonmae", fixed_store.path, "--split", "half", *SHORT, "--out", "a"]
    assert cli(*words).code == 0
    before = weights(tmp_path / "a")
    done = cli(*words)
    assert done.code == 1
    assert "a: holds a run already. Add --resume to go on with it, or choose another --out." in done.err
    done = cli(*words, "--resume")
    assert done.code == 0
    assert "a: done already" in done.out
    assert equal(weights(tmp_path / "a"), before)
    assert cli(*words, "--resume", "--train.seed", 4).code == 1


def test_a_damaged_checkpoint(cli, fixed_store, pretrained_run, tmp_path):
    shutil.copytree(pretrained_run, tmp_path / "a")
    shutil.rmtree(tmp_path / "a" / "bundle")
    file = tmp_path / "a" / "checkpoint.safetensors"
    file.write_bytes(file.read_bytes()[:-9])
    words = ["pretrain", "skeletonmae", fixed_store.path, "--config", "a/run.yaml", "--out", "a", "--resume"]
    done = cli(*words)
    assert done.code == 1
    assert "checkpoint.safetensors: cannot be read" in done.err


def test_quickstart(cli, tmp_path):
    small = ("--clips", 60, "--labels", 1, "--frames", 8, "--pretrain-epochs", 0.3, "--epochs", 1, "--seeds", 0)
    done = cli("quickstart", "--out", "q", *small)
    assert done.code == 0, done.err
    assert "ossein from pre-trained weights" in done.out
    assert "ExtraTrees" in done.out
    assert done.out.count("precision ") == 1
    told = shlex.split(done.out.partition("try it: ossein ")[2])
    done = cli(*told)
    assert done.code == 0, done.err
    assert len(done.out.splitlines()) == 3
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    assert cli("quickstart", "--out", "mine", *small).code == 1


@pytest.mark.parametrize("splits", [("a1", "a2"), ("a2", "a1")])
@pytest.mark.parametrize("verb", ["pretrain", "recognise"])
def test_what_follows_from_a_training_half_is_that_of_each_fold(cli, fixed_store, tmp_path, monkeypatch, verb, splits):
    """Whatever else is changed, and whichever fold is named first: of the one the training half is the other's test half."""
    monkeypatch.setattr(presets, "handedness", lambda store, train, subjects: 0.8 if 0 in train else 0.3)
    words = (verb, "ossein", fixed_store.path, "--split", *splits, *SMALL, "--train.steps", 1, "--train.epochs", 0.1)
    assert cli(*words, "--out", "runs").code == 0
    found = {path.parent.name[:2]: read_yaml(path)["settings"] for path in (tmp_path / "runs").glob("*/run.yaml")}
    assert {name: one["augment"]["mirror"] for name, one in found.items()} == {"a1": 0.0, "a2": 0.5}
    one = next((tmp_path / "runs").glob("a1*/run.yaml"))
    assert cli(verb, "ossein", fixed_store.path, "--config", one, "--split", *splits, "--out", "again").code == 0
    again = [read_yaml(path)["settings"]["augment"]["mirror"] for path in (tmp_path / "again").glob("*/run.yaml")]
    assert again == [0.0, 0.0]


def test_what_to_do_with_a_pre_training_of_every_clip(cli, fixed_store):
    """None of its own clips is left to test on."""
    done = cli("pretrain", "skeletonmae", fixed_store.path, "--split", "all", *SHORT, "--out", "every")
    assert "that it has not seen: ossein recognise ssl OTHER.clips --from every" in done.out


@pytest.mark.parametrize("verb", ["pretrain", "recognise"])
def test_help_before_a_split_is_named(cli, fixed_store, verb):
    done = cli(verb, "ossein", fixed_store.path, "--help")
    assert (done.code, "--train.epochs" in done.out) == (0, True)
    done = cli(verb, "ossein", fixed_store.path)
    assert done.code == 1
    assert "has 3 splits, name one with --split" in " ".join(done.err.split())
    assert "use --split all" in " ".join(done.err.split())
