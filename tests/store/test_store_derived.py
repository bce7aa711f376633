"""Subjects left out, folds, validation cuts: what they hold out, what they keep apart, and which word wins."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossein.clip import Clip
from ossein.errors import DataError
from ossein.store import families, resolve, resolve_many, training
from ossein.store.derived import validation


@pytest.fixture(scope="module")
def made(build, random_clip):
    """A store of clips given as (label, subject, camera, content); clips of one content are identical."""

    def make(*clips, **lists):
        def clip(i, label=-1, subject=-1, camera=-1, content=None):
            like: Clip = random_clip(i if content is None else 1000 + content)
            return Clip(like.x, like.score, f"clip {i}", label=label, subject=subject, camera=camera)

        splits = {name: tuple(f"clip {i}" for i in members) for name, members in lists.items()}
        classes = tuple(f"class {k}" for k in range(1 + max(clip[0] for clip in clips)))
        return build([clip(i, *fields) for i, fields in enumerate(clips)], classes=classes, splits=splits)

    return make


@pytest.fixture(scope="module")
def people(made):
    """Twelve clips: three of each of the subjects 2, 7 and 10, of them one unlabelled, two of unknown ones, one of 3."""
    clips = [(i % 2, subject) for subject in (2, 7, 10) for i in range(3)]
    return made(*clips[:8], (-1, 10), (0, -1), (1, -1), (-1, 3))


def halves(split):
    return split.name, split.train.tolist(), split.test.tolist()


def test_each_subject_is_left_out_once(people):
    folds = resolve_many(people, ["loso"])
    # The unlabelled clips are learned from but test nothing; so subject 3 is no fold. Unknown subjects are in no half.
    assert [halves(split) for split in folds] == [
        ("loso-2", [3, 4, 5, 6, 7, 8, 11], [0, 1, 2]),
        ("loso-7", [0, 1, 2, 6, 7, 8, 11], [3, 4, 5]),
        ("loso-10", [0, 1, 2, 3, 4, 5, 11], [6, 7]),
    ]
    for word in ("loso*", "loso-*"):
        assert [split.name for split in resolve_many(people, [word])] == ["loso-2", "loso-7", "loso-10"]
    assert [split.name for split in resolve_many(people, ["loso-1?", "loso-7", "loso-07"])] == ["loso-10", "loso-7"]
    assert halves(resolve(people, "loso-7")) == halves(folds[1])
    assert training(people, "loso-7").tolist() == folds[1].train.tolist()


def test_lists_of_the_store_win(made):
    clips = [(0, i % 3) for i in range(6)]
    lists = {
        "loso-1_train": [0, 3],
        "loso-1_test": [5],
        "kfold2_train": [0],
        "kfold2_test": [1],
        "a.val": [4],
        "a": [2],
    }
    store = made(*clips, **lists, a_train=[0, 1], a_test=[2])
    assert halves(resolve(store, "loso-1")) == ("loso-1", [0, 3], [5])
    assert [halves(split)[2] for split in resolve_many(store, ["loso"])] == [[0, 3], [5], [2, 5]]
    assert [split.name for split in resolve_many(store, ["loso*"])] == ["loso-1"]
    assert halves(resolve_many(store, ["kfold2"])[0]) == ("kfold2", [0], [1])
    assert halves(resolve(store, "a:a.val")) == ("a:a.val", [2], [4])
    assert training(store, "a.val").tolist() == [4]
    # A stored protocol called `loso` stands for itself, and the store's only one is still the one without a word.
    other = made(*clips, loso_train=[0], loso_test=[1])
    assert [halves(split) for split in resolve_many(other)] == [("loso", [0], [1])]
    assert [halves(split) for split in resolve_many(other, ["loso"])] == [("loso", [0], [1])]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("loso-5", "no split is called 'loso-5'. Did you mean 'loso-"),
        ("loso-x", "no split is called 'loso-x'"),
        ("loso", "'loso' stands for 3 splits. Name one, such as 'loso-2'."),
        ("kfold3", "'kfold3' stands for 3 splits. Name one, such as 'kfold3-1'."),
        ("kfold3-0", "no split is called 'kfold3-0'"),
        ("kfold3-4", "no split is called 'kfold3-4'. Did you mean"),
        ("kfold1-1", "kfold1 of 10 different labelled clips, expected 2 to 10 folds"),
        ("kfold11-1", "kfold11 of 10 different labelled clips, expected 2 to 10 folds"),
        ("nothing.val", "no split is called 'nothing'"),
        ("nothing", "Folds are made by --split loso or kfold5. Lists are named TRAIN:TEST; None are known."),
        ("a:b.val", "no list is called 'a'"),
    ],
)
def test_words_that_stand_for_nothing(people, text, words):
    with pytest.raises(DataError, match=re.escape(words)):
        resolve(people, text)


@pytest.mark.parametrize("text", ["loso-2?", "loso2*", "kfold*", "kfold3-9*"])
def test_patterns_that_match_nothing(people, text):
    with pytest.raises(DataError, match=re.escape(f"no split matches '{text}'")):
        resolve_many(people, [text])


def test_unknown_subjects_are_told(made):
    store = made((0, -1), (1, -1), (0, 4), (1, 4), (-1, 5))
    for text in ("loso", "loso*", "loso-4"):
        with pytest.raises(DataError, match=r"needs labelled clips of 2 or more known subjects, found 1\. .*kfold5"):
            resolve_many(store, [text])
    assert families(store) == {}
    assert families(made(*((0, -1),) * 5)) == {"kfold5": [f"kfold5-{i}" for i in range(1, 6)]}


@pytest.mark.parametrize("text", ["kfold5", "kfold5-1", "kfold2", "loso"])
def test_clips_without_labels_are_told_what_lacks(build, random_clip, text):
    store = build([random_clip(n, subject=n) for n in range(6)])
    with pytest.raises(DataError, match=r"needs .*labelled clips .*found 0\. Label the clips, or .* --split all\."):
        resolve_many(store, [text])
    assert training(store, "all").tolist() == [0, 1, 2, 3, 4, 5]
    one = build([random_clip(n, label=0 if n == 3 else -1) for n in range(6)])
    with pytest.raises(DataError, match=r"kfold5 needs 2 or more different labelled clips to test on, found 1\."):
        resolve_many(one, ["kfold5"])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 2), st.integers(0, 12)), min_size=6, max_size=40), st.integers(2, 4))
def test_folds_are_stratified_and_keep_copies_together(made, rows, num):
    """Every labelled clip tests once; a class has the same number of different clips in every fold, give or take one."""
    labels = {content: label for label, content in rows}  # copies are of one class
    labels |= {100: 0, 101: 1, 102: 2, 103: 0}
    contents = [content for _, content in rows] + [100, 101, 102, 103]
    store = made(*((labels[content], -1, -1, content) for content in contents))
    splits = resolve_many(store, [f"kfold{num}"])
    tested = np.concatenate([split.test for split in splits])
    assert sorted(tested.tolist()) == np.flatnonzero(store.labels >= 0).tolist()
    sizes = [len({contents[i] for i in split.test}) for split in splits]
    assert max(sizes) - min(sizes) <= 1
    for split in splits:
        assert sorted([*split.train, *split.test]) == list(range(len(store)))
        assert not {contents[i] for i in split.train} & {contents[i] for i in split.test}
        assert halves(split) == halves(resolve(store, split.name))
        for label in range(3):
            there = len({content for content in contents if labels[content] == label})
            held = len({contents[i] for i in split.test if store.labels[i] == label})
            assert there // num <= held <= -(-there // num)


def test_an_unlabelled_copy_goes_with_its_labelled_twin(made):
    store = made((-1, -1, -1, 1), (0, -1, -1, 1), (0, -1, -1, 2), (0, -1, -1, 3))
    for split in resolve_many(store, ["kfold3"]):
        if 1 in split.test:
            assert halves(split)[1:] == ([2, 3], [1])
        else:
            assert {0, 1} <= set(split.train.tolist())


def test_validation_holds_out_subjects(made):
    """Ten subjects train and two test: two of the ten are held out whole, and the test half is left alone."""
    clips = [(i % 2, subject) for subject in range(12) for i in range(3)]
    store = made(*clips, x_train=range(30), x_test=range(30, 36))
    whole, part = resolve(store, "x"), resolve(store, "x.val")
    assert part.name == "x.val"
    assert sorted([*part.train, *part.test]) == whole.train.tolist()
    assert len(np.unique(store.subjects[part.test])) == 2
    assert not np.isin(store.subjects[part.train], store.subjects[part.test]).any()
    assert halves(part) == halves(resolve(store, "x_train.val")) == halves(resolve_many(store, ["?.val"])[0])
    again = resolve(store, "x.val.val")
    assert len(np.unique(store.subjects[again.test])) == 2
    assert set(again.test.tolist()) <= set(part.train.tolist())


def test_validation_of_subjects_left_out(made):
    """Of four labelled subjects three train, and one of these is held out; the fifth has no label to test with."""
    store = made(*((i % 2, i // 4) for i in range(16)), (-1, 4), (-1, 0))
    for split in resolve_many(store, ["loso.val"]):
        whole = resolve(store, split.name.removesuffix(".val"))
        assert len(split.test) == 4
        assert {16} <= set(split.train.tolist()) <= set(whole.train.tolist())
        parts = [set(store.subjects[part].tolist()) for part in (split.train, split.test, whole.test)]
        assert [len(part) for part in parts] == [3, 1, 1]
        assert set.union(*parts) == {0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    ("clips", "held"),
    [
        # Two subjects are too few, so cameras; one camera is too few or one unknown says nothing, so a fifth of each class.
        ([(i % 2, i % 2, 1 + i % 3) for i in range(30)] + [(0, 9, 9)], "cameras"),
        ([(i % 2, -1, i % 2) for i in range(30)] + [(0, 0, 9)], "cameras"),
        ([(i % 2, i % 5, i % 2) for i in range(30)] + [(0, 0, 9)], "cameras"),
        ([(i % 2, i % 5, 1) for i in range(30)] + [(0, 0, 9)], None),
        ([(i % 2, i % 5, 1 + i % 2) for i in range(30)] + [(0, 0, 1)], None),
        ([(i % 2, i % 5 - 1, 1) for i in range(30)] + [(0, 9, 1)], None),
        ([(i % 2, i % 5, 1) for i in range(30)] + [(0, -1, 1)], None),
        ([(i % 2, i % 5, 1) for i in range(30)] + [(0, 9, 1)], "subjects"),
    ],
)
def test_validation_differs_as_the_split_itself(made, clips, held):
    store = made(*clips, x_train=range(30), x_test=[30])
    part = resolve(store, "x.val")
    assert sorted([*part.train, *part.test]) == list(range(30))
    if held:
        of = getattr(store, held)
        assert len(np.unique(of[part.test])) == 1
        assert not np.isin(of[part.train], of[part.test]).any()
    else:
        assert np.bincount(store.labels[part.test]).tolist() == [3, 3]


def test_a_fifth_of_each_class(made):
    """At least one of a class with two or more different clips, none of a class with one, copies on one side."""
    labels = [0] * 10 + [1] * 2 + [2] + [3] * 4 + [-1]
    contents = [*range(13), 50, 50, 50, 50, 60]
    store = made(*((label, -1, -1, content) for label, content in zip(labels, contents)), x_train=range(18), x_test=[0])
    train, test = validation(store, np.arange(18), np.array([0]))
    assert np.bincount(store.labels[test], minlength=4).tolist() == [2, 1, 0, 0]
    assert sorted([*train, *test]) == list(range(18))


def test_a_copy_under_another_subject_is_dropped(made):
    """Three subjects train; each has a copy of one and the same clip, so that two copies fall out."""
    store = made(*((i % 2, i // 3, -1, 7 if i % 3 == 0 else i) for i in range(9)), (0, 5), x_train=range(9), x_test=[9])
    part = resolve(store, "x.val")
    assert len(part.test) == 3
    assert len(part.train) == 4
    assert not store.identical(part.train, part.test)


def test_what_cannot_be_split_again(made):
    store = made((0,), (1,), (0,), x_train=[0, 1], x_test=[2])
    with pytest.raises(DataError, match=re.escape("split 'x.val': the test half is an empty split")):
        resolve(store, "x.val")
