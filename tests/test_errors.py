"""Errors: each is what a caller would expect, and help names the near words."""

import pytest

from ossein import errors
from ossein.errors import OsseinError, did_you_mean


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("DataError", ValueError),
        ("SkeletonError", ValueError),
        ("SettingsError", ValueError),
        ("BundleError", ValueError),
        ("Diverged", RuntimeError),
        ("MissingExtra", ImportError),
    ],
)
def test_each_error_is_an_ossein_error_and_the_builtin_a_caller_expects(name: str, builtin: type[Exception]):
    error = getattr(errors, name)
    assert issubclass(error, OsseinError)
    assert issubclass(error, builtin)
    assert error.__doc__


def test_no_error_of_the_module_is_left_out_above():
    found = {name for name, thing in vars(errors).items() if isinstance(thing, type) and issubclass(thing, Exception)}
    assert found == {
        "BundleError",
        "DataError",
        "Diverged",
        "MissingExtra",
        "OsseinError",
        "SettingsError",
        "SkeletonError",
    }


def test_near_words_are_offered_best_first():
    assert did_you_mean("shar", ["beta", "shard", "share"]).startswith("Did you mean 'sha")
    assert did_you_mean("widht", ["depth", "width"]) == "Did you mean 'width'?"
    assert did_you_mean("left_hnd", ["left_hand", "right_hand"]).startswith("Did you mean 'left_hand'")


def test_the_known_words_are_listed_when_none_is_near():
    assert did_you_mean("zzz", ["a", "b"]) == "Known: a, b."
    assert did_you_mean("zzz", [str(i) for i in range(15)], most=3) == "Known: 0, 1, 2, and 12 more."
    assert did_you_mean("zzz", [str(i) for i in range(3)], most=3) == "Known: 0, 1, 2."
    assert did_you_mean("zzz", iter(["a"])) == "Known: a."
    assert did_you_mean("zzz", []) == "None are known."
