"""What recipes share: checks before anything is written."""

import numpy as np
import pytest

from ossein.clip import Clip
from ossein.errors import BundleError, SettingsError
from ossein.readers.base import Source
from ossein.recipes.base import Silent, check_input, leaves
from ossein.skeleton import Skeleton
from ossein.store import write_store


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Stores of one clip by number of dimensions: no image size, a skeleton without axes."""
    skeleton = Skeleton.make("bare", ["a", "b"], [(0, 1)])

    def make(dims):
        clip = Clip(np.ones((1, 3, 2, dims)), np.ones((1, 3, 2)), "one")
        source = Source(clips=iter([clip]), skeleton=skeleton)
        return write_store(source, tmp_path_factory.mktemp("bare") / f"bare{dims}.clips")

    return {dims: make(dims) for dims in (2, 3)}


@pytest.mark.parametrize(
    ("normalise", "dims", "told"),
    [
        ("image", 2, "not every clip says the size of its image"),
        ("image", 3, "3-D clips, --input.normalise image is for 2-D"),
        ("facing", 2, "2-D clips, --input.normalise facing is for 3-D"),
        ("facing", 3, "does not say 'up' and 'across'"),
    ],
)
def test_what_cannot_be_normalised_is_told_at_once(bare, normalise, dims, told):
    with pytest.raises(SettingsError, match=told) as error:
        check_input(normalise, bare[dims])
    assert "Use --input.normalise centre" in str(error.value)
    check_input("centre", bare[dims])
    check_input("none", bare[dims])


def test_leaves(tmp_path):
    with pytest.raises(BundleError, match=r"holds no run"):
        leaves(tmp_path)
    for name in ("b", "a", "c/d"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "run.yaml").touch()
    assert [run.folder.name for run in leaves(tmp_path)] == ["a", "b"]
    (tmp_path / "run.yaml").touch()
    assert [run.folder for run in leaves(tmp_path)] == [tmp_path]


def test_a_silent_screen(capsys):
    with Silent().training("title") as report:
        report(None)
    Silent().say("text")
    assert capsys.readouterr() == ("", "")
