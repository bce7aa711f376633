"""Skeletons of one's own: files, plain data, and every way to write a bad one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ossein.errors import DataError, SkeletonError
from ossein.files import read_json, write_json, write_yaml
from ossein.skeleton import Skeleton, builtin_names

NAMES = builtin_names()


def make(**more: Any) -> Skeleton:
    return Skeleton.make("tiny", ["hip", "left_knee", "right_knee"], [(0, 1), (0, 2)], **more)


def test_a_yaml_file_may_give_joints_by_name_or_number(tmp_path: Path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "joints: [pole, arm_a, arm_b, tip]\nbones: [[pole, arm_a], [0, arm_b], [arm_a, 3]]\n"
        "parts: {all: [pole, 3], rest: [1, arm_b]}\npairs: [[arm_a, 2]]\ncentre: [pole]\n"
        "up: [[pole], [3]]\nacross: [[1], [arm_b]]\n"
    )
    s = Skeleton.of(path)
    assert s == Skeleton(
        name="mine",
        joints=("pole", "arm_a", "arm_b", "tip"),
        bones=((0, 1), (0, 2), (1, 3)),
        parts={"all": (0, 3), "rest": (1, 2)},
        pairs=((1, 2),),
        centre=(0,),
        up=((0,), (3,)),
        across=((1,), (2,)),
    )
    assert Skeleton.of(str(path)) == s


def test_what_a_file_leaves_out_is_read_off_the_names(tmp_path: Path):
    write_yaml(
        tmp_path / "a.yml",
        {"name": "legs", "joints": ["hips", "left_knee", "right_knee"], "bones": [["hips", 1], [0, "right_knee"]]},
    )
    s = Skeleton.of(tmp_path / "a.yml")
    assert (s.name, s.pairs, s.centre, list(s.parts)) == ("legs", ((1, 2),), (0,), ["torso", "left_leg", "right_leg"])


def test_a_file_may_say_that_there_are_no_pairs_and_axes():
    joints, bones = Skeleton.of("penn-13").joints, Skeleton.of("penn-13").bones
    s = Skeleton.make("flat", joints, bones, pairs=[], up=None, across=None)
    assert (s.pairs, s.up, s.across) == ((), None, None)


def test_the_centre_is_else_the_middle_of_the_graph():
    assert Skeleton.make("chain", list("abcde"), [(i, i + 1) for i in range(4)]).centre == (2,)


def test_bones_may_be_an_array():
    assert make() == Skeleton.make("tiny", np.array(["hip", "left_knee", "right_knee"]), np.array([[0, 1], [0, 2]]))
    assert type(make(centre=np.array([1])).centre[0]) is int


@pytest.mark.parametrize("name", NAMES)
def test_plain_data_and_back(name: str, tmp_path: Path):
    s = Skeleton.of(name)
    for one in (s, replace(s, up=None), replace(s, across=None), replace(s, pairs=(), up=None, across=None)):
        assert Skeleton.from_plain(one.plain()) == one
        write_json(tmp_path / "s.json", one.plain())
        back = Skeleton.from_plain(read_json(tmp_path / "s.json"))
        assert back == one
        assert hash(back) == hash(one)
        assert list(back.parts) == list(one.parts)


def test_a_skeleton_written_as_a_file_is_read_as_one(tmp_path: Path):
    write_json(tmp_path / "s.json", make().plain())
    assert Skeleton.of(tmp_path / "s.json") == make()


# What is wrong is said


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"joints": []}, r"joints \[\] are no list of names"),
        ({"joints": "abc"}, "joints 'abc' are no list of names"),
        ({"joints": 5}, "joints 5 are no list of names"),
        ({"joints": ["a"], "bones": []}, "1 joint, 1 different name; it needs two or more"),
        ({"joints": ["a", "b", "a"]}, "3 joints, 2 different names"),
        ({"bones": 3}, "lists of two joints each"),
        ({"bones": [[0, 1, 2]]}, "lists of two joints each"),
        ({"bones": [[0, 1], [0, 3]]}, "joint number 3 is out of range, joints are numbered 0 to 2"),
        ({"bones": [[0, 1], [0, -1]]}, "joint number -1 is out of range"),
        ({"bones": [[0, 1], [0, "left_kne"]]}, "no joint is called 'left_kne'. Did you mean 'left_knee'"),
        ({"bones": [[0, 1], [0, True]]}, "no joint is called True"),
        ({"bones": [[0, 1], [0, 1.5]]}, r"no joint is called 1\.5"),
        ({"bones": [[0, 1]]}, r"joint 2 \(right_knee\) hangs on no bone that leads to joint 0"),
        ({"bones": [[0, 1], [0, 2], [1, 1]]}, "a bone joins a joint with itself"),
        ({"parts": {"a": [0, 1]}}, "parts must hold every joint exactly once"),
        ({"parts": {"a": [0, 1], "b": [1, 2]}}, "parts must hold every joint exactly once"),
        ({"parts": [[0, 1], [2]]}, "have no names"),
        ({"parts": {"a": 0, "b": [1, 2]}}, "0 is no list of joints"),
        ({"pairs": [[1, 2], [0, 1]]}, "a joint stands in two left/right pairs"),
        ({"pairs": [[1, 1]]}, "a joint stands in two left/right pairs"),
        ({"pairs": [1, 2]}, "lists of two joints each"),
        ({"centre": []}, "no centre joint is given"),
        ({"centre": 0}, r"0 is no list of joints. Write it as \[0\]"),
        ({"centre": "hip"}, "'hip' is no list of joints"),
        ({"up": [[0], [1], [2]]}, "is no pair of lists of joints"),
        ({"up": [0, 1]}, "0 is no list of joints"),
        ({"across": "01"}, "'01' is no pair of lists"),
        ({"centr": [0]}, "unknown key 'centr'. Did you mean 'centre'?"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, fields: dict[str, Any], says: str):
    good = {"joints": ["hip", "left_knee", "right_knee"], "bones": [[0, 1], [0, 2]]}
    with pytest.raises(SkeletonError, match=says) as caught:
        Skeleton.make("mine", **{**good, **fields})
    assert str(caught.value).startswith("skeleton 'mine': ")
    write_yaml(tmp_path / "mine.yaml", {**good, **fields})
    with pytest.raises(SkeletonError, match=says):
        Skeleton.of(tmp_path / "mine.yaml")


def test_what_is_built_by_hand_is_checked_too():
    with pytest.raises(SkeletonError, match="joint number 7 is out of range"):
        replace(make(), up=((0,), (7,)))
    with pytest.raises(SkeletonError, match="no centre"):
        replace(make(), centre=())


@pytest.mark.parametrize("text", ["- 1", "joints: [a, b]", "nothing", ""])
def test_a_file_without_joints_and_bones_is_no_skeleton(tmp_path: Path, text: str):
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(SkeletonError, match=r"bad\.yaml: a skeleton file needs the keys 'joints' and 'bones'"):
        Skeleton.of(tmp_path / "bad.yaml")


def test_a_file_with_a_key_that_is_a_number(tmp_path: Path):
    (tmp_path / "bad.yaml").write_text("joints: [a, b]\nbones: [[0, 1]]\n3: 4")
    with pytest.raises(SkeletonError, match="unknown key '3'"):
        Skeleton.of(tmp_path / "bad.yaml")


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(DataError, match="cannot be read"):
        Skeleton.of(tmp_path / "none.yaml")


@pytest.mark.parametrize("data", [{"name": "a", "joints": ["b", "c"]}, {}, [1], "coco-17"])
def test_plain_data_that_is_no_skeleton(data: Any):
    with pytest.raises(SkeletonError, match=r"not a skeleton: .* It needs 'name', 'joints' and 'bones'"):
        Skeleton.from_plain(data)
