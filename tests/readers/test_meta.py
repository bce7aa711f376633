import json
from pathlib import Path

import pytest

from ossein.errors import DataError, SkeletonError
from ossein.readers.meta import Meta, read_meta
from ossein.skeleton import Skeleton

COCO = Skeleton.of("coco-17")


def written(folder: Path, **data) -> Path:
    (folder / "meta.json").write_text(json.dumps(data))
    return folder / "poses.pkl"


def test_a_missing_file_tells_nothing(tmp_path):
    assert read_meta(tmp_path / "poses.pkl") == Meta()


def test_beside_a_file_and_inside_a_folder(tmp_path):
    path = written(tmp_path, class_names=["bow", "wave"], unit="metres", clips=3, split={"train": ["a"], "val": 7})
    assert read_meta(path) == read_meta(tmp_path)
    assert read_meta(path) == Meta(None, ("bow", "wave"), {"train": ("a",)}, {"unit": "metres"})


def test_built_in_skeletons_are_recognised_by_text_and_by_names(tmp_path):
    path = written(tmp_path, joint_names="COCO-17 order; eyes and ears absent", edges="COCO-17")
    assert read_meta(path).skeleton is COCO
    spelled = [joint.replace("_", " ").title() for joint in COCO.joints]
    assert read_meta(written(tmp_path, joint_names=spelled)).skeleton is COCO


def test_one_s_own_skeleton(tmp_path):
    found = read_meta(written(tmp_path, name="mine", joint_names=["a", "b", "c"], edges=[[0, 1], ["b", "c"]])).skeleton
    assert found is not None
    assert (found.name, found.bones) == ("mine", ((0, 1), (1, 2)))


def test_what_does_not_tell_a_skeleton_is_none(tmp_path):
    assert read_meta(written(tmp_path, joint_names="something else")).skeleton is None
    assert read_meta(written(tmp_path, joint_names=["a", "b"])).skeleton is None


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        ({"class_names": ["a", "a"]}, DataError, "'a' twice"),
        ({"class_names": [1, 2]}, DataError, "'class_names' is not a list of texts"),
        ({"joint_names": 5}, DataError, "'joint_names' is not a list"),
        ({"joint_names": ["a", "b"], "edges": 3}, DataError, "'edges' is a int"),
        ({"joint_names": ["a", "b"], "edges": [[0, 5]]}, SkeletonError, "joint number 5"),
        ({"joint_names": ["a", "b"], "edges": [[0]]}, SkeletonError, "lists of two"),
    ],
)
def test_errors_name_the_file_and_the_key(data, error, words, tmp_path):
    with pytest.raises(error, match=words) as caught:
        read_meta(written(tmp_path, **data))
    assert "meta.json" in str(caught.value)


def test_a_list_is_no_meta(tmp_path):
    (tmp_path / "meta.json").write_text("[1]")
    with pytest.raises(DataError, match=r"meta\.json: holds a list"):
        read_meta(tmp_path)


def test_what_is_given_wins_over_the_file_and_the_file_over_the_format():
    ntu, hand = Skeleton.of("ntu-25"), Skeleton.of("hand-21")
    said = Meta(skeleton=COCO, classes=("a",))
    assert said.settle(ntu, ("b", "c"), hand) == Meta(ntu, ("b", "c"))
    assert said.settle(None, (), hand) == said
    assert Meta().settle(None, (), hand).skeleton is hand
