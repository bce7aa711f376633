from pathlib import Path

import pytest

from ossein.clip import UNKNOWN
from ossein.errors import DataError
from ossein.readers.numbering import number_labels

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
