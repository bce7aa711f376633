"""`ossein pretrain --also` and going to other joints, from the command line."""

import re
import shlex

import numpy as np
import pytest
from runs import SHORT, equal, weights

from ossein.clip import Clip
from ossein.files import read_yaml
from ossein.readers.base import Source
from ossein.skeleton import Skeleton
from ossein.store import write_store

TINY = (*SHORT, "--input.normalise", "centre")


@pytest.fixture
def ntu(tmp_path):
    """Eight 2-D clips of NTU's joints in the working folder, four of them the training half of `part`."""
    rng = np.random.default_rng(0)
    clips = [Clip(rng.normal(size=(1, 6, 25, 2)), np.ones((1, 6, 25)), f"n{i}", i % 2) for i in range(8)]
    splits = {"part_train": ("n0", "n1", "n2", "n3"), "part_test": ("n4", "n5", "n6", "n7")}
    source = Source(iter(clips), skeleton=Skeleton.of("ntu-25"), classes=("x", "y"), splits=splits)
    return write_store(source, tmp_path / "ntu.clips")


def test_from_several_stores_to_another_skeleton(cli, fixed_store, ntu, tmp_path):
    words = ["pretrain", "skeletonmae", fixed_store.path, "--split", "half", "--also", "ntu.clips:part"]
    done = cli(*words, *TINY, "--out", "pre")
    assert done.code == 0, done.err
    assert "fixed.clips: 12 of 12 clips, 17 of the 17 joints of coco-17" in done.out
    assert "ntu.clips: 4 of 4 clips, 13 of the 17 joints of coco-17" in done.out
    assert "pre-train skeletonmae on 16 clips" in done.out
    assert read_yaml(tmp_path / "pre" / "run.yaml")["also"] == ["ntu.clips:part"]

    small = ("--input.frames", 8, "--train.epochs", 0.5, "--train.batch", 5, "--model.layers", 1)
    done = cli("recognise", "ssl", "ntu.clips", "--split", "part", "--from", "pre", "--out", "run", *small)
    assert done.code == 0, done.err
    assert "pre: 13 of the 25 joints of ntu.clips (ntu-25) have a counterpart" in done.out
    done = cli("evaluate", "pre", "ntu.clips", "--protocol", "knn")
    assert done.code == 0, done.err
    assert re.search(r"pre\W+knn \(k=1\)\W+part", done.out)

    done = cli("recognise", "ssl", "ntu.clips", "--split", "part_test:part_train", "--from", "pre", "--out", "x")
    assert done.code == 1
    assert "has seen 4 of the 4 test clips" in done.err
    assert "the training half of 'part' of ntu.clips too; pre-train without these" in done.err
    assert not (tmp_path / "x").exists()


def test_a_run_yaml_brings_its_other_stores(cli, fixed_store, ntu, tmp_path):
    words = ["pretrain", "skeletonmae", fixed_store.path]
    done = cli(*words, "--split", "half", "--also", "ntu.clips", *TINY, "--out", "a")
    assert done.code == 0, done.err
    assert cli(*words, "--config", "a/run.yaml", "--out", "b").code == 0
    one, other = (read_yaml(tmp_path / name / "run.yaml") for name in "ab")
    assert {**one, "made_by": None} == {**other, "made_by": None}
    assert equal(weights(tmp_path / "a"), weights(tmp_path / "b"))
    # What is said beside it wins.
    assert cli(*words, "--config", "a/run.yaml", "--also", "ntu.clips:part", "--out", "c").code == 0
    assert read_yaml(tmp_path / "c" / "run.yaml")["data"]["also"][0]["clips"] == 4


def test_going_on_wants_the_same_stores(cli, fixed_store, ntu, tmp_path):
    words = ["pretrain", "skeletonmae", fixed_store.path, "--split", "half", *TINY, "--out", "a"]
    assert cli(*words, "--also", "ntu.clips").code == 0
    done = cli(*words, "--also", "ntu.clips", "--resume")
    assert done.code == 0
    assert "a: done already" in done.out
    for other in ((), ("--also", "ntu.clips:part")):
        done = cli(*words, *other, "--resume")
        assert done.code == 1
        assert "a: cannot go on, 'data.also' was" in done.err


def test_presets_see_what_the_other_stores_change(cli, fixed_store, ntu):
    """They know no image sizes, so that the preset does not go by these; and help shows what would be used."""
    alone = cli("pretrain", "skeletonmae", fixed_store.path, "--split", "half", "--help").out
    both = cli("pretrain", "skeletonmae", fixed_store.path, "--split", "half", "--also", "ntu.clips", "--help").out
    assert [("(default: image)" in text, "(default: centre)" in text) for text in (alone, both)] == [
        (True, False),
        (False, True),
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--also nowhere.clips", "nowhere.clips: "),
        ("--also ntu.clips:prat", "no split is called 'prat'. Did you mean 'part'?"),
        ("--also ntu.clips ntu.clips", "holds the same as ntu.clips. Name each store once."),
        ("--also ntu.clips --input.normalise image", "fixed.clips+ntu.clips: not every clip says the size"),
    ],
)
def test_wrong_words(cli, fixed_store, ntu, tmp_path, words, told):
    done = cli("pretrain", "skeletonmae", fixed_store.path, "--split", "half", *shlex.split(words), "--out", "run")
    assert done.code == 1
    assert told in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_flag_is_given_once(cli, fixed_store, ntu, tmp_path):
    words = ("--also", "ntu.clips", "--split", "half", "--also=nowhere.clips", "--out", "run")
    done = cli("pretrain", "skeletonmae", fixed_store.path, *words)
    assert done.code == 2
    assert done.err == "ossein: --also is given 2 times. Give it once; several values stand behind one: --also A B.\n"
    assert not (tmp_path / "run").exists()
