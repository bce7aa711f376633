import re

import numpy as np
import pytest

from ossein.errors import DataError
from ossein.store import Split, protocols, resolve, resolve_many, training


@pytest.fixture(scope="module")
def made(build, random_clip):
    """A store of six clips with the named lists; each list holds the clips whose digits are given."""

    def make(**lists: str):
        splits = {name: tuple(f"clip {digit}" for digit in digits) for name, digits in lists.items()}
        return build([random_clip(i) for i in range(6)], splits=splits)

    return make


@pytest.fixture(scope="module")
def many(made):
    return made(
        xsub_train="012", xsub_val="345", xview_train="01", xview_val="23", xview_val_nodup="2",
        loso10_train="01", loso10_val="2", loso2_train="34", loso2_val="5", train1="0", test1="1", train2="1", test2="0",
        both_train="0", both_val="1", both_test="2", bad_train="012", bad_val="234", lone_train="0", extra="45",
    )  # fmt: skip


def halves(split):
    return split.name, split.train.tolist(), split.test.tolist()


def test_every_training_list_with_a_counterpart_is_a_protocol(many, made):
    assert protocols(many) == ["bad", "both", "loso2", "loso10", "train1", "train2", "xsub", "xview"]
    assert protocols(made(train="0", val="1")) == ["train"]
    assert protocols(made(a_train3="0", a_test3="1", a_train4="0", a_test5="1", strain="0", sval="1")) == ["a3"]


@pytest.mark.parametrize(
    ("text", "split"),
    [
        ("xsub", ("xsub", [0, 1, 2], [3, 4, 5])),
        ("xsub_train", ("xsub", [0, 1, 2], [3, 4, 5])),
        ("train1", ("train1", [0], [1])),
        ("both", ("both", [0], [2])),
        ("both_train:both_val", ("both_train:both_val", [0], [1])),
        ("xview_train:xview_val_nodup", ("xview_train:xview_val_nodup", [0, 1], [2])),
        ("lone_train:extra", ("lone_train:extra", [0], [4, 5])),
    ],
)
def test_words_for_a_split(many, text, split):
    assert halves(resolve(many, text)) == split


@pytest.mark.parametrize("word", ["val", "test"])
def test_bare_lists_are_called_train(made, word):
    assert halves(resolve(made(**{"train": "02", word: "1"}), "train")) == ("train", [0, 2], [1])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("xsbu", "no split is called 'xsbu'. Did you mean 'xsub'"),
        ("lone_train", "no split is called 'lone_train'"),
        ("xsub_val", "no split is called 'xsub_val'"),
        ("xsub_train:extr", "no list is called 'extr'. Did you mean 'extra'?"),
        ("xsub_train:", "no list is called ''"),
        ("bad", "split 'bad': 1 clip is in both halves, clip 'clip 2' is the first"),
        ("xsub_train:xsub_train", "3 clips are in both halves"),
    ],
)
def test_words_that_are_no_split(many, text, words):
    with pytest.raises(DataError, match=re.escape(words)):
        resolve(many, text)


def test_a_store_without_protocols_says_how_to_name_lists(made):
    with pytest.raises(DataError, match=r"Lists are named TRAIN:TEST; Known: mine, yours."):
        resolve(made(mine="0", yours="1"), "xsub")


def test_several_words_and_patterns(many, made):
    assert [split.name for split in resolve_many(many, ["xsub", "loso*", "train?", "xsub_train"])] == [
        "xsub",
        "loso2",
        "loso10",
        "train1",
        "train2",
    ]
    assert [split.name for split in resolve_many(made(a_train="0", a_val="1"))] == ["a"]
    with pytest.raises(DataError, match=r"has 8 splits, name one with --split. Known: bad, both"):
        resolve_many(many)
    with pytest.raises(DataError, match="has 0 splits"):
        resolve_many(made())
    with pytest.raises(DataError, match=re.escape("no split matches 'fold*'")):
        resolve_many(many, ["fold*"])


def test_what_to_pretrain_on(many):
    assert training(many, "all").tolist() == [0, 1, 2, 3, 4, 5]
    assert training(many, "xsub").tolist() == training(many, "xsub_train").tolist() == [0, 1, 2]
    assert training(many, "xview_train:extra").tolist() == [0, 1]
    assert training(many, "extra").tolist() == [4, 5]
    assert training(many, "lone_train").tolist() == [0]
    for word in ("xsub_val", "bad", "nothing"):
        with pytest.raises(DataError):
            training(many, word)


def test_a_split_proves_itself():
    with pytest.raises(DataError, match="training half is an empty split"):
        Split("s", np.array([], int), np.array([1]))
    with pytest.raises(DataError, match="test half is an empty split"):
        Split("s", np.array([1]), np.array([], int))
    with pytest.raises(DataError, match="1 clip is in both halves, clip number 3 is the first"):
        Split("s", np.array([1, 3]), np.array([3, 2]))
