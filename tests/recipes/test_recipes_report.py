"""Reports: the numbers are those of the run, what is missing is said, names cannot break the page."""

import json
import shutil

import numpy as np
import pytest
from markup import read

from ossein.errors import DataError
from ossein.files import read_yaml, write_yaml
from ossein.readers.base import Source
from ossein.recipes.recognise import recognise
from ossein.recipes.report import report
from ossein.store import resolve, write_store
from ossein.train import Run


def copied(run, folder):
    shutil.copytree(run, folder)
    return folder


def headings(markup):
    return [h.text for h in markup.all("h2")]


def test_a_recogniser_with_its_clips(fixed_store, recogniser_run, tmp_path):
    run = copied(recogniser_run, tmp_path / "run")
    out = report(run, fixed_store)
    assert out == run / "report.html"
    markup = read(out.read_text())
    assert headings(markup) == [
        *("Result", "Learning curves", "Confusion", "Class by class", "Map of features", "Nearest neighbours"),
        *("Hardest clips", "Easiest clips", "Settings", "Where it comes from"),
    ]
    metrics = json.loads((run / "results.json").read_text())["runs"][0]
    large = [b.text for b in markup.all("b")][:4]
    assert large == [*(f"{100 * metrics[key]:.1f} %" for key in ("top1", "top5", "mean_class")), "8"]
    tips = [cell.attributes["data-tip"] for cell in markup.all("rect") if "data-tip" in cell.attributes]
    assert sum(int(tip.rsplit(": ")[-1].split(" of ")[0]) for tip in tips) == metrics["num_clips"]
    recall = np.diag(metrics["confusion"]) / np.sum(metrics["confusion"], 1)
    assert [v.text for v in markup.all("span", "value")] == [f"{100 * share:.1f} %" for share in sorted(recall)]
    test = resolve(fixed_store, "half").test
    dots = [dot.attributes["data-tip"] for dot in markup.all("circle")]
    assert [dot.split(":")[0] for dot in dots] == [fixed_store.names[i] for i in test]
    wrong = round((1 - metrics["top1"]) * len(test))
    assert len(markup.all("circle", "missed")) == sum("taken for" in dot for dot in dots) == wrong
    assert (
        len(markup.reel["films"]) == len(markup.all("canvas")) == 5 * 5 + 6 + len(np.unique(fixed_store.labels[test]))
    )
    assert out.stat().st_size < 300_000


def test_settings_that_differ_from_the_preset_stand_out(fixed_store, recogniser_run, tmp_path):
    run = copied(recogniser_run, tmp_path / "run")
    for store in (fixed_store, None):
        markup = read(report(run, store).read_text())
        codes = [code.text for code in markup.all("code")]
        marked = set(codes[: len(markup.all("tr", "marked"))])
        assert {"input.frames", "train.epochs", "train.batch", "model.layers"} <= marked
        assert not {"model.encoder.width", "optim.lr", "smoothing", "input.persons", "input.normalise"} & marked


def test_without_the_data_what_needs_it_is_left_out(recogniser_run, tmp_path):
    run = copied(recogniser_run, tmp_path / "run")
    markup = read(report(run, out=tmp_path / "there" / "r.html").read_text())
    assert headings(markup) == [
        *("Result", "Learning curves", "Confusion", "Class by class", "Settings", "Where it comes from")
    ]
    assert "Made without the data" in markup.all("section")[0].text
    assert not (run / "report.html").exists()


def test_a_pre_training(fixed_store, pretrained_run, tmp_path):
    run = copied(pretrained_run, tmp_path / "run")
    markup = read(report(run, fixed_store, flat_map="tsne").read_text())
    assert {"Map of features", "Nearest neighbours", "Hidden joints rebuilt"} <= set(headings(markup))
    assert "Confusion" not in headings(markup)
    assert markup.all("b")[0].text == f"{Run(run).log_lines()[-1]['loss']:.4g}"
    assert [panel["look"] for panel in markup.reel["films"][-1]["panels"]] == ["given", "rebuilt", "true"]
    assert "versions" in {cell.text for cell in markup.all("td")}


def test_a_run_that_is_not_finished(fixed_store, recogniser_run, tmp_path):
    run = copied(recogniser_run, tmp_path / "run")
    shutil.rmtree(run / "bundle")
    for store in (None, fixed_store):
        markup = read(report(run, store).read_text())
        assert headings(markup) == ["Result", "Learning curves", "Settings", "Where it comes from"]
        assert "not finished" in markup.all("section")[0].text
    (run / "log.jsonl").unlink()
    assert "Learning curves" not in headings(read(report(run).read_text()))


def test_other_data_are_refused(synthetic_store, recogniser_run, tmp_path):
    run = copied(recogniser_run, tmp_path / "run")
    with pytest.raises(DataError, match=r"learned from fixed\.clips, which is not what tiny\.clips holds"):
        report(run, synthetic_store())
    assert not (run / "report.html").exists()


def test_several_runs(fixed_store, tiny_recognise, tmp_path):
    settings = tiny_recognise(fixed_store, epochs=0.3)
    results = recognise("ssl", fixed_store, tmp_path / "runs", splits=["a?"], seeds=(0, 1), settings=settings)
    out = report(tmp_path / "runs", out=tmp_path / "all.html")
    markup = read(out.read_text())
    links = [a.attributes["href"] for a in markup.all("a") if a.attributes["href"].endswith(".html")]
    assert links == [f"runs/{run['run']}/report.html" for run in results["runs"]]
    for link in links:
        read((tmp_path / link).read_text())
    top1 = results["top1"]
    assert markup.all("b")[0].text == f"{100 * top1['mean']:.1f} ± {100 * top1['std']:.1f} %"
    total = np.sum([run["confusion"] for run in results["runs"]], axis=0)
    tips = [bar.attributes["data-tip"] for bar in markup.all("div", "bar")]
    assert any(f"{total[0, 0] / 2:g} of {total[0].sum() / 2:g} clips" in tip for tip in tips)


def test_names_cannot_break_the_page(fixed_store, tiny_recognise, tmp_path):
    nasty = ("<script>alert(1)</script>", "a & b", 'quote " quote', "</svg>")
    clips = [fixed_store.clip(i) for i in range(len(fixed_store))]
    clips = [type(c)(c.x, c.score, f"<b>{c.name}", c.label, size=c.size) for c in clips]
    splits = {"half_train": tuple(c.name for c in clips[:12]), "half_test": tuple(c.name for c in clips[12:])}
    store = write_store(
        Source(iter(clips), skeleton=fixed_store.skeleton, classes=nasty, splits=splits), tmp_path / "n.clips"
    )
    recognise("ssl", store, tmp_path / "<run>", settings=tiny_recognise(store, epochs=0.3))
    markup = read(report(tmp_path / "<run>", store).read_text())
    assert {name.text for name in markup.all("span", "name")} == set(nasty)
    assert len(markup.all("script")) == 3
    assert any(tip.attributes["data-tip"].startswith("<b>clip 12: ") for tip in markup.all("circle"))


def test_a_run_whose_preset_or_pre_training_is_gone(recogniser_run, tmp_path):
    run = copied(recogniser_run, tmp_path / "run")
    record = read_yaml(run / "run.yaml")
    write_yaml(run / "run.yaml", {**record, "from": "gone"})
    assert "gone, is not there" in report(run).read_text()
    write_yaml(run / "run.yaml", {**record, "preset": "mine"})
    markup = read(report(run).read_text())
    assert markup.all("tr", "marked") == []
    (run / "evaluation.json").write_text('{"rows": 5}')
    assert "cannot be read" in report(run).read_text()


def test_reports_on_the_command_line(cli, recogniser_run, fixed_store, tmp_path):
    run = copied(recogniser_run, tmp_path / "run")
    done = cli("report", run, fixed_store.path, "--map", "tsne")
    assert done.code == 0, done.err
    assert f"report: {run / 'report.html'}" in done.out
    assert cli("report", tmp_path).code == 0
    assert "holds no run" in cli("report", tmp_path / "nowhere").err
