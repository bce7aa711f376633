"""Model cards: what they say is what the bundle holds, in a form that the hub's own library reads."""

import json
import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import yaml

from ossein.deploy import Card, model_card, read_card, save
from ossein.deploy.figure import draw_skeleton
from ossein.deploy.modelcard import find_results
from ossein.skeleton import Skeleton, builtin_names

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def card(recogniser_run) -> Card:
    return read_card(recogniser_run)[1]


@pytest.fixture
def three(recogniser_run, card, tmp_path) -> Path:
    """Three seeds of which the first is that of the bundle."""
    own = {
        "split": "half",
        **{key: card.metrics[key] for key in ("top1", "top5", "mean_class", "num_clips", "interval")},
    }
    runs = [{"run": f"half-seed{seed}", **own, "seed": seed} for seed in range(3)]
    means = {key: {"mean": 0.5, "std": 0.02, "n": 3, "over": "seeds"} for key in ("top1", "top5", "mean_class")}
    shutil.copytree(recogniser_run / "bundle", tmp_path / "three" / "half-seed0" / "bundle")
    (tmp_path / "three" / "results.json").write_text(json.dumps({"runs": runs, **means}))
    return tmp_path / "three" / "half-seed0" / "bundle"


def head(text: str) -> dict:
    return yaml.safe_load(text.split("---\n")[1])


def rows(text: str, section: str) -> list[list[str]]:
    lines = text.partition(f"## {section}\n")[2].partition("\n## ")[0].splitlines()
    return [line.strip("| ").split(" | ") for line in lines if line.startswith("| ") and "---" not in line]


def test_the_hubs_library_reads_it(card):
    from huggingface_hub import ModelCard

    read = ModelCard(model_card(card, name="me/penn"))
    assert read.data.library_name == "ossein"
    assert {"skeleton", "strl", "coco-17"} <= set(read.data.tags or ())
    result = read.data.eval_results[0]
    assert (result.dataset_name, result.metric_type) == ("fixed", "accuracy")
    assert result.metric_value == pytest.approx(card.metrics["top1"], abs=1e-4)


def test_the_same_bundle_gives_the_same_card(card):
    assert model_card(card) == model_card(Card.read(json.loads(json.dumps(card.plain()))))


def test_every_class_with_what_it_is_taken_for(card):
    counts = np.array([[3, 0, 1, 0], [0, 0, 0, 0], [1, 2, 0, 0], [0, 0, 0, 2]])
    table = rows(model_card(card.change(metrics={**card.metrics, "confusion": counts.tolist()})), "Classes")
    assert table[1:] == [
        ["jump", "2", "100 %", "-"],
        ["rest", "4", "75 %", "run (1)"],
        ["run", "3", "0 %", "walk (2)"],
    ]


def test_of_many_classes_the_best_and_the_worst(card):
    right = np.arange(20)
    counts = np.diag(right) + np.roll(np.diag(20 - right), 1, axis=1)
    many = card.change(
        classes=tuple(f"c{k:02d}" for k in range(20)), metrics={**card.metrics, "confusion": counts.tolist()}
    )
    names = [row[0] for row in rows(model_card(many), "Classes")[1:]]
    assert names == [f"c{k:02d}" for k in range(19, 13, -1)] + ["..."] + [f"c{k:02d}" for k in range(5, -1, -1)]


def test_the_spread_over_seeds(three, card):
    text = model_card(card, find_results(three, card))
    own = f"{100 * card.metrics['top1']:.1f} %"
    assert rows(text, "Scores")[1] == ["Top-1 accuracy", own, "50.0 ± 2.0 (n=3)"]
    assert "3 runs: seeds 0, 1, 2; splits `half`" in text
    assert head(text)["model-index"][0]["results"][0]["metrics"][-1] == {
        "type": "accuracy",
        "name": "Top-1 accuracy, mean of 3 runs",
        "value": 0.5,
    }


def test_the_spread_travels_with_the_bundle(three, card, tmp_path):
    first = save(three, tmp_path / "first")
    (first / "README.md").unlink()
    again = save(first, tmp_path / "again")
    assert "50.0 ± 2.0 (n=3)" in (again / "README.md").read_text()
    assert (again / "results.json").read_bytes() == (first / "results.json").read_bytes()


@pytest.mark.parametrize("data", [[], {}, {"runs": []}, {"runs": [{"split": "half"}]}, {"split": "half", "top1": 1}])
def test_results_of_something_else_are_left_alone(three, card, data):
    (three.parent.parent / "results.json").write_text(json.dumps(data))
    assert find_results(three, card) is None
    other = card.change(metrics={**card.metrics, "top1": 0.123})
    assert find_results(three, other) is None


def test_a_card_that_someone_wrote_is_kept(recogniser_run, tmp_path):
    bundle = shutil.copytree(recogniser_run / "bundle", tmp_path / "bundle")
    (bundle / "README.md").write_text("mine\n")
    assert (save(bundle, tmp_path / "saved") / "README.md").read_text() == "mine\n"


@pytest.mark.parametrize(
    ("licence", "told"),
    [
        ("CC BY-NC 4.0", {"license": "cc-by-nc-4.0"}),
        ("MIT", {"license": "mit"}),
        ("research only: ask", {"license": "other", "license_name": "terms-of-the-data"}),
        (None, {"license": "unknown"}),
    ],
)
def test_the_licence_is_that_of_the_data(card, licence, told):
    facts = {"licence": licence} if licence else {}
    text = model_card(card.change(data={**card.data, "facts": facts}))
    assert {key: value for key, value in head(text).items() if key.startswith("license")} == told
    assert f"- fixed.clips: {licence or 'not known'}" in text


def test_all_stores_are_named(card):
    also = [
        {"store": "ntu.clips", "hash": "b", "split": "all", "seen": "0-8", "clips": 9, "facts": {"license": "theirs"}}
    ]
    text = model_card(card.change(data={**card.data, "also": also}))
    assert head(text)["datasets"] == ["fixed", "ntu"]
    assert "- seen in pre-training: ntu.clips, 9 clips, all of it" in text
    assert "- ntu.clips: theirs" in text


def test_words_of_the_data_are_no_markup(card):
    wild = ("<b>&", "a|b", "`x`", "[l](http://e)\n# h")
    text = model_card(card.change(classes=wild, data={**card.data, "facts": {"licence": "<script>"}}))
    body = text.split("---\n", 2)[2]
    assert not re.search(r"(?<!\\)<(b|script)>", body)
    assert "\n# h" not in body
    assert {len(re.split(r"(?<!\\)\|", line)) for line in body.splitlines() if line.startswith("| class")} == {6}
    listed = [
        line for line in body.partition("## Classes")[2].partition("## How")[0].splitlines() if line.startswith("|")
    ]
    assert {len(re.split(r"(?<!\\)\|", line)) for line in listed} == {6}


@pytest.mark.parametrize(
    "metrics",
    [{}, {"top1": "x"}, {"confusion": "x"}, {"confusion": [[1]]}, {"confusion": [["a"] * 4] * 4}, {"interval": [1]}],
)
def test_numbers_that_are_none_are_left_out(card, metrics):
    text = model_card(card.change(metrics=metrics))
    assert "## Scores" not in text
    assert "## Classes" not in text
    assert "model-index" not in head(text)


def test_a_pretraining_has_a_card_too(pretrained_run):
    text = model_card(read_card(pretrained_run)[1], name="me/pre")
    assert "ossein recognise ssl mine.clips --from me/pre" in text
    assert "ossein.load" not in text
    assert "metrics" not in head(text)


@pytest.mark.parametrize("name", builtin_names())
def test_the_picture_of_a_skeleton(name):
    skeleton = Skeleton.of(name)
    root = ET.fromstring(draw_skeleton(skeleton))
    at = np.array([[float(one.get("cx", "")), float(one.get("cy", ""))] for one in root.iter(f"{SVG}circle")])
    assert [one.findtext(f"{SVG}title") for one in root.iter(f"{SVG}circle")] == list(skeleton.joints)
    assert len(list(root.iter(f"{SVG}line"))) == len(skeleton.bones)
    width, height = float(root.get("width", "")), float(root.get("height", ""))
    assert (at >= 0).all()
    assert (at <= [width, height]).all()
    assert len(np.unique(at, axis=0)) == len(skeleton)
    if skeleton.across and skeleton.up:  # it faces us and stands: its left is on our right, y points down
        (left, right), (low, high) = skeleton.across, skeleton.up
        assert at[list(left), 0].mean() > at[list(right), 0].mean()
        assert at[list(low), 1].mean() > at[list(high), 1].mean()


def test_any_graph_has_a_picture():
    arm = Skeleton.make("<arm>", ["base", "elbow", "a&b"], [(0, 1), (1, 2)])
    assert draw_skeleton(arm) == draw_skeleton(arm)
    at = [
        [float(one.get("cx", "")), float(one.get("cy", ""))]
        for one in ET.fromstring(draw_skeleton(arm)).iter(f"{SVG}circle")
    ]
    bones = np.linalg.norm(np.diff(at, axis=0), axis=1)
    assert bones[0] == pytest.approx(bones[1], rel=0.01)


def test_the_command_line(cli, recogniser_run, tmp_path):
    bundle = shutil.copytree(recogniser_run, tmp_path / "run") / "bundle"
    text = cli("card", "run", "--print", "--name", "me/penn").out
    assert 'ossein.load("me/penn")' in text
    assert not (bundle / "README.md").exists()
    assert cli("card", "run", "--name", "me/penn").code == 0
    assert (bundle / "README.md").read_text() == text
    assert (bundle / "skeleton.svg").is_file()
    again = cli("card", "run")
    assert (again.code, "README.md: exists already" in again.err) == (1, True)
    assert cli("card", "run", "--overwrite").code == 0
    assert "USER/NAME" in (bundle / "README.md").read_text()
