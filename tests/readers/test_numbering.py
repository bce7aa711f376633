from pathlib import Path

import pytest

from ossein.clip import UNKNOWN
from ossein.errors import DataError
from ossein.readers.numbering import number_groups, number_labels

MINE = Path("mine.csv")
NOTHING = ["", " ", "nan", "NaN", "None", "NULL", "<NA>", "-1", "-1.0"]


def test_labels_as_texts_numbers_and_both():
    assert number_labels(MINE, ["2", "0", ""], ()) == ({"0": 0, "2": 2, "": UNKNOWN}, ())
    assert number_labels(MINE, ["wave", "1"], ("bow", "wave")) == ({"1": 1, "wave": 1}, ("bow", "wave"))
    assert number_labels(MINE, ["wave", "bow"], ("wave", "bow"))[0] == {"bow": 1, "wave": 0}
    with pytest.raises(DataError, match=r"mine\.csv: no class is called 'wav'. Did you mean 'wave'"):
        number_labels(MINE, ["wav"], ("bow", "wave"))


@pytest.mark.parametrize("nothing", NOTHING)
def test_what_says_that_there_is_no_label_is_no_class(nothing):
    assert number_labels(MINE, ["wave", nothing, "bow"], ()) == (
        {"bow": 0, "wave": 1, nothing: UNKNOWN},
        ("bow", "wave"),
    )
    assert number_labels(MINE, ["1", nothing], ()) == ({"1": 1, nothing: UNKNOWN}, ())
    assert number_labels(MINE, [nothing], ("bow", "wave"))[0] == {nothing: UNKNOWN}


def test_a_known_class_may_be_called_none():
    assert number_labels(MINE, ["None", "nan"], ("wave", "None")) == ({"None": 1, "nan": UNKNOWN}, ("wave", "None"))


def test_whole_numbers_written_as_floats():
    assert number_labels(MINE, ["0.0", "12.", "nan"], ()) == ({"0.0": 0, "12.": 12, "nan": UNKNOWN}, ())
    assert number_labels(MINE, ["1.0"], ("bow", "wave"))[0] == {"1.0": 1}
    assert number_labels(MINE, ["1.0", "1.5"], ()) == ({"1.0": 0, "1.5": 1}, ("1.0", "1.5"))


def groups(*subjects, key: str = "subject") -> list[int | None]:
    told = number_groups(MINE, {f"clip {n}": {key: one} for n, one in enumerate(subjects)})
    return [told[f"clip {n}"].get(key) for n in range(len(subjects))]


@pytest.mark.parametrize("key", ["subject", "camera", "setup"])
def test_groups_as_texts_and_numbers(key):
    assert groups("P02", "P01", "P02", "P10", key=key) == [1, 0, 1, 2]
    assert groups(3, 3.0, "3", "4.0", key=key) == [3, 3, 3, 4]
    assert groups("7", "ann", "12", key=key) == [1, 2, 0]  # one is a name, so all are


@pytest.mark.parametrize("nothing", [*NOTHING, None, float("nan"), -1, -1.0])
def test_a_group_that_is_not_said_is_left_out(nothing):
    assert groups("P02", nothing, "P01") == [1, None, 0]
    assert groups(5, nothing) == [5, None]


def test_keys_are_numbered_apart_and_others_passed_over():
    told = {"a": {"subject": "x", "camera": "x", "label": "q"}, "b": {"subject": "a"}}
    assert number_groups(MINE, told) == {"a": {"subject": 1, "camera": 0}, "b": {"subject": 0}}


@pytest.mark.parametrize("wild", [3.5, True, [3], (1, 2), b"P01", float("inf"), 2**31, "20230512101500"])
def test_what_is_neither_whole_number_nor_text_is_named(wild):
    with pytest.raises(
        DataError, match=r"mine\.csv: clip 'clip 1': subject .*, expected a text, or a whole number up to"
    ):
        groups(1, wild)


def test_a_number_among_texts_is_named():
    with pytest.raises(DataError, match=r"mine\.csv: clip 'clip 1': camera 3, but 'left' in another clip"):
        groups("left", 3, key="camera")
