"""The quickstart from end to end: synthetic clips, one's own table, and a folder that is not its own."""

import json

import numpy as np
import pytest

from ossein.deploy import load, read_card
from ossein.errors import DataError, SettingsError
from ossein.evaluate import FLOOR_FRAMES, extra_trees, floor_features, top_k
from ossein.evaluate.model import class_scores
from ossein.recipes.evaluate import evaluate
from ossein.recipes.quickstart import QuickstartSettings, quickstart
from ossein.store import Store, draw_labels, resolve

SMALL = {"clips": 60, "labels": 1, "frames": 8, "pretrain_epochs": 0.3, "epochs": 1}
SETTINGS = QuickstartSettings(**SMALL, seeds=(0, 3))
LEFT = [
    *("pretrain", "pretrained", "quickstart.json", "quickstart.mark", "random", "rebuilt.png", "sample.npz"),
    "synthetic.clips",
]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A quickstart on synthetic clips: its folder and what it told."""
    out = tmp_path_factory.mktemp("quick") / "start"
    return out, quickstart(SETTINGS, out)


def test_what_is_left(done):
    out, told = done
    assert sorted(path.name for path in out.iterdir()) == sorted(LEFT)
    assert (out / "rebuilt.png").read_bytes()[:4] == b"\x89PNG"
    numbers = json.loads((out / "quickstart.json").read_text())
    assert numbers["top1"] == {name: value.plain() for name, value in told.scores.items()}
    assert numbers["settings"] == SETTINGS.plain()


def test_the_table(done):
    out, told = done
    names = [name for name, _ in told.rows()]
    assert names[:2] == ["ossein from pre-trained weights", "ossein from random weights"]
    assert "ExtraTrees" in names[2]
    for folder, name in (("pretrained", names[0]), ("random", names[1])):
        each = [json.loads((out / folder / f"xsub-seed{s}" / "results.json").read_text())["top1"] for s in (0, 3)]
        assert (told.scores[name].mean, told.scores[name].n) == (pytest.approx(np.mean(each)), 2)


def test_the_floor_has_the_same_labels(done):
    out, told = done
    store = Store.open(out / "synthetic.clips")
    split = resolve(store, "xsub")
    test = floor_features(store.sample_views(split.test, FLOOR_FRAMES, share=1.0))
    each = []
    for seed in (0, 3):
        train = draw_labels(store.labels, split.train, "1-per-class", seed)
        z = floor_features(store.sample_views(train, FLOOR_FRAMES, share=1.0))
        scores = extra_trees(z, store.labels[train], test, num_classes=18, seed=seed)
        each.append(top_k(scores, store.labels[split.test]))
        for folder in ("pretrained", "random"):
            data = read_card(out / folder / f"xsub-seed{seed}")[1].data
            assert data["clips"] == len(train)
    assert told.scores[told.rows()[2][0]].mean == pytest.approx(np.mean(each))


def test_pre_training_never_saw_a_test_clip(done):
    out, told = done
    store = Store.open(out / "synthetic.clips")
    evaluate(out / "pretrained", store)  # refuses runs that have
    assert read_card(out / "pretrained" / "xsub-seed0")[1].data["pretrained"]
    assert read_card(out / "random" / "xsub-seed0")[1].data["pretrained"] is None
    assert told.num_test == len(resolve(store, "xsub").test)


def test_the_sample_is_test_clips_to_the_bit(done):
    out, told = done
    store, model = Store.open(out / "synthetic.clips"), load(told.model)
    indices = resolve(store, "xsub").test[:3]
    answers = model.predict(told.sample, top=18)
    expected = class_scores(model.model, store, indices, model.card.input)
    assert [answer.name for answer in answers] == [store.names[i] for i in indices]
    for answer, row in zip(answers, expected, strict=True):
        assert {store.classes.index(name): p for name, p in answer.top} == pytest.approx(dict(enumerate(row)))


def test_again_in_the_same_folder(done):
    out, _ = done
    (out / "my notes.txt").write_text("keep")
    (out / "pretrained" / "old").mkdir()
    again = quickstart(SETTINGS.change(seeds=(0,), clips=72), out)
    assert (out / "my notes.txt").read_text() == "keep"
    assert not (out / "pretrained" / "old").exists()
    assert again.model == out / "pretrained"
    assert sorted(path.name for path in out.iterdir()) == sorted([*LEFT, "my notes.txt"])


@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_place_that_is_taken(tmp_path, what):
    out = tmp_path / "mine"
    file = out / "precious.txt" if what == "folder" else out
    file.parent.mkdir(exist_ok=True)
    file.write_text("precious")
    with pytest.raises(SettingsError, match=r"holds something else than a quickstart. Choose another --out"):
        quickstart(SETTINGS, out)
    assert file.read_text() == "precious"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [file]


def test_data_that_would_be_replaced(tmp_path):
    out = tmp_path / "quickstart"
    out.mkdir()
    (out / "quickstart.mark").touch()
    (out / "synthetic.clips").write_text("precious")
    with pytest.raises(SettingsError, match=r"lies in .*, whose content is to be replaced"):
        quickstart(SETTINGS, out, data=out / "synthetic.clips")
    assert (out / "synthetic.clips").read_text() == "precious"


def test_data_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"nowhere.csv: does not exist"):
        quickstart(SETTINGS, tmp_path / "out", data=tmp_path / "nowhere.csv")
    assert not (tmp_path / "out").exists()


def test_ones_own_table(tmp_path):
    """A table of three dimensions with names of joints, labels and splits in its columns, and a joint now and then."""
    rng = np.random.default_rng(0)
    rows = ["clip,frame,joint,x,y,z,label,split"]
    joints = ("hip", "left_knee", "left_foot", "right_knee", "right_foot")
    for n in range(16):
        for t in range(6):
            for v, joint in enumerate(joints):
                if rng.random() > 0.1:
                    x, y, z = rng.normal((v, t * (1 if n % 2 else -1), 0), 0.05)
                    rows.append(
                        f"c{n},{t},{joint},{x:.4f},{y:.4f},{z:.4f},{('up', 'down')[n % 2]},{'test' if n > 9 else 'train'}"
                    )
    (tmp_path / "mine.csv").write_text("\n".join(rows) + "\n")
    edges = [[0, 1], [1, 2], [0, 3], [3, 4]]
    (tmp_path / "meta.json").write_text(json.dumps({"joint_names": joints, "edges": edges}))
    told = quickstart(SETTINGS.change(labels=3, seeds=(0,)), tmp_path / "out", data=tmp_path / "mine.csv")
    assert told.num_test == 6
    assert {name for answer in load(told.model).predict(told.sample) for name, _ in answer.top} == {"up", "down"}
    store = tmp_path / "out" / "data.clips"
    again = quickstart(SETTINGS.change(labels=3, seeds=(0,)), tmp_path / "two", data=store, split="train")
    assert again.scores == told.scores
    assert store.exists()


def test_data_without_a_split(fixed_store, tmp_path):
    with pytest.raises(DataError, match=r"has 3 splits, name one with --split"):
        quickstart(SETTINGS, tmp_path / "out", data=fixed_store.path)


@pytest.mark.parametrize("fields", [{"seeds": ()}, {"labels": 0}, {"clips": 10}, {"epochs": 0}])
def test_settings_out_of_range(fields):
    with pytest.raises(SettingsError, match=next(iter(fields))):
        SETTINGS.change(**fields)


@pytest.mark.parametrize(
    ("clips", "subjects", "help"),
    [
        ("ab", "", "Add a column 'split'"),
        ("abcdef", "", "Use --split kfold5-1, for which"),
        ("abcdef", "334444", "Use --split loso-3 or kfold5-1, for which no list is needed; or add a column 'split'"),
    ],
)
def test_a_table_without_a_split(tmp_path, clips, subjects, help):
    joints = ("hip", "left_knee", "right_knee")
    who = dict(zip(clips, subjects or "3" * len(clips)))
    rows = [
        f"{c},{t},{joint},{ord(c) + t * v},{v},{c},{who[c]}"
        for c in clips
        for t in range(8)
        for v, joint in enumerate(joints)
    ]
    (tmp_path / "mine.csv").write_text("clip,frame,joint,x,y,label,subject\n" + "\n".join(rows) + "\n")
    meta = {"joint_names": joints, "edges": [[0, 1], [0, 2]]}
    (tmp_path / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(DataError, match=rf"mine.csv: does not say which clips train and which test\. {help}"):
        quickstart(SETTINGS, tmp_path / "out", data=tmp_path / "mine.csv")
