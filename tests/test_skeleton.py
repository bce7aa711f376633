"""Skeletons: facts checked by hand for the built-in ones, laws for all, and those of real data sets."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossein.errors import SkeletonError
from ossein.readers.meta import named_skeleton
from ossein.skeleton import Skeleton, builtin_names, same_joints

NAMES = builtin_names()
SIZES = {
    "coco-17": (17, 19),
    "openpose-18": (18, 17),
    "openpose-25": (25, 24),
    "ntu-25": (25, 24),
    "kinect-20": (20, 19),
    "mediapipe-33": (33, 35),
    "halpe-26": (26, 25),
    "hand-21": (21, 20),
    "penn-13": (13, 14),
    "jhmdb-15": (15, 14),
}
LIMBS = ("left_arm", "right_arm", "left_leg", "right_leg")


def test_the_built_in_ones_are_those_with_their_joints_and_bones():
    assert {name: (len(Skeleton.of(name)), len(Skeleton.of(name).bones)) for name in NAMES} == SIZES


@pytest.mark.parametrize("name", NAMES)
def test_adjacency_and_hops_are_those_of_a_graph(name: str):
    s = Skeleton.of(name)
    a, hops = s.adjacency(), s.hops()
    assert a.dtype == np.float32
    assert (a == a.T).all()
    assert not a.diagonal().any()
    assert a.sum() == 2 * len({frozenset(bone) for bone in s.bones}) == 2 * len(s.bones)
    # The slow way: a joint is k hops away if k is the first power of A + I that reaches it.
    reach, slow = np.eye(len(s)), np.zeros_like(hops)
    for _ in range(len(s)):
        slow += reach == 0
        reach = reach @ (a + np.eye(len(s)))
        reach = (reach > 0).astype(float)
    assert (hops == slow).all()


@pytest.mark.parametrize("name", NAMES)
def test_every_way_along_the_parents_ends_at_the_centre(name: str):
    s = Skeleton.of(name)
    parents, hops = s.parents(), s.hops()
    for j in range(len(s)):
        away = min(hops[j, c] for c in s.centre)
        for _ in range(away):
            assert s.adjacency()[j, parents[j]] == 1
            j = parents[j]
        assert j in s.centre
        assert parents[j] == j


@pytest.mark.parametrize("name", NAMES)
def test_a_mirrored_body_has_mirrored_bones_parts_and_parents(name: str):
    s = Skeleton.of(name)
    mirror, parents = s.mirror(), s.parents()
    assert tuple(mirror[j] for j in mirror) == tuple(range(len(s)))
    assert {frozenset((mirror[a], mirror[b])) for a, b in s.bones} == {frozenset(bone) for bone in s.bones}
    groups = {frozenset(group) for group in s.parts.values()}
    if s.pairs:
        assert {frozenset(mirror[j] for j in group) for group in groups} == groups
    for left, right in s.pairs:
        assert parents[right] == mirror[parents[left]]
        assert "left" in s.joints[left]
        assert s.joints[right] == s.joints[left].replace("left", "right")


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"hand-21"}))
def test_every_body_has_limbs_pairs_and_axes(name: str):
    s = Skeleton.of(name)
    assert set(LIMBS) <= set(s.parts)
    assert list(s.parts)[:2] == ["head", "torso"]
    assert {j for limb in LIMBS for j in s.parts[limb]} <= {j for pair in s.pairs for j in pair}
    named = [[s.joints[j] for j in end] for axis in (s.up, s.across) if axis for end in axis]
    assert named == [
        ["left_hip", "right_hip"],
        ["left_shoulder", "right_shoulder"],
        ["left_hip", "left_shoulder"],
        ["right_hip", "right_shoulder"],
    ]


def test_coco_is_that_of_the_paper():
    s = Skeleton.of("coco-17")
    assert s.parts == {
        "head": (0, 1, 2, 3, 4),
        "torso": (5, 6, 11, 12),
        "left_arm": (7, 9),
        "right_arm": (8, 10),
        "left_leg": (13, 15),
        "right_leg": (14, 16),
    }
    assert list(s.parts)[3] == "right_arm"
    assert list(s.parts)[5] == "right_leg"
    pyskl = "15-13 13-11 16-14 14-12 11-5 12-6 9-7 7-5 10-8 8-6 5-0 6-0 1-0 3-1 2-0 4-2"
    edges = {frozenset(map(int, edge.split("-"))) for edge in f"{pyskl} 5-6 11-12 1-2".split()}
    assert {frozenset(bone) for bone in s.bones} == edges
    assert s.centre == (11, 12)
    assert s.mirror() == (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)
    assert s.parents() == (5, 0, 0, 1, 2, 11, 12, 5, 6, 7, 8, 11, 12, 11, 12, 13, 14)
    assert s.hops()[9, 10] == 5


def test_ntu_is_that_of_the_data_set():
    s = Skeleton.of("ntu-25")
    # The parents of Shahroudy et al. 2016, from 1; 21 is the spine between the shoulders.
    official = "1-2 2-21 3-21 4-3 5-21 6-5 7-6 8-7 9-21 10-9 11-10 12-11 13-1 14-13 15-14 16-15 17-1 18-17 19-18 20-19"
    official += " 22-8 23-8 24-12 25-12"
    edges = {frozenset(int(end) - 1 for end in edge.split("-")) for edge in official.split()}
    assert {frozenset(bone) for bone in s.bones} == edges
    assert s.joints[20] == "spine_shoulder"
    assert s.centre == (1,)
    assert s.parents()[21] == 7
    assert (4, 8) in s.pairs
    assert s.parts["left_arm"] == (5, 6, 7, 21, 22)


def test_the_hand_has_five_fingers_and_a_wrist():
    s = Skeleton.of("hand-21")
    assert [len(group) for group in s.parts.values()] == [1, 4, 4, 4, 4, 4]
    assert s.pairs == ()
    assert s.parents()[:6] == (0, 0, 1, 2, 3, 0)


def test_names_are_read_in_any_case():
    assert Skeleton.of("COCO-17") is Skeleton.of("coco-17")


def test_a_wrong_name_is_answered_with_the_near_one():
    with pytest.raises(SkeletonError, match=r"no skeleton is called 'coco17'\. Did you mean 'coco-17'\?"):
        Skeleton.of("coco17")


def test_parents_of_a_body_with_rings_are_mirrored_even_if_names_say_nothing():
    # 1 and 2 reach the centre by the middle (3) as well as by their own side (4, 5).
    bones = [(0, 4), (0, 5), (0, 3), (1, 4), (1, 3), (2, 5), (2, 3)]
    for names in ("c x y m a b", "c x y a m z", "c x y z b a"):
        s = Skeleton.make("ring", names.split(), bones, pairs=[[1, 2], [4, 5]], centre=[0])
        assert s.parents() == (0, 4, 5, 0, 0, 0)


# Laws


@settings(max_examples=20, deadline=None)
@given(name=st.sampled_from(NAMES), data=st.data())
def test_permuting_the_joints_changes_nothing_but_their_order(name: str, data: st.DataObject):
    s = Skeleton.of(name)
    order = data.draw(st.permutations(range(len(s))))
    p = s.permuted(order)
    new = np.argsort(order)
    assert p.joints == tuple(s.joints[j] for j in order)
    assert (p.adjacency() == s.adjacency()[np.ix_(order, order)]).all()
    assert (p.hops() == s.hops()[np.ix_(order, order)]).all()
    assert p.parents() == tuple(int(new[s.parents()[j]]) for j in order)
    assert p.mirror() == tuple(int(new[s.mirror()[j]]) for j in order)
    assert list(p.parts) == list(s.parts)
    for key, group in s.parts.items():
        assert {p.joints[j] for j in p.parts[key]} == {s.joints[j] for j in group}
    assert replace(p.permuted(new.tolist()), name=s.name) == s


@pytest.mark.parametrize("order", [[0, 1], [0, 1, 1], [1, 2, 3], [0, 1, 2, 3]])
def test_only_a_permutation_permutes(order: list[int]):
    with pytest.raises(SkeletonError, match="is no permutation of 3 joints"):
        Skeleton.make("three", list("abc"), [(0, 1), (1, 2)]).permuted(order)


def test_joints_are_known_again_however_they_are_spelled():
    assert same_joints(Skeleton.of("ntu-25").joints) is Skeleton.of("ntu-25")
    assert same_joints(["".join(w.title() for w in j.split("_")) for j in Skeleton.of("coco-17").joints]) is (
        Skeleton.of("coco-17")
    )
    behind = [f"{j[5:]}_l" if j.startswith("left_") else j for j in Skeleton.of("penn-13").joints]
    assert same_joints(behind) is None
    assert same_joints(Skeleton.of("coco-17").joints[::-1]) is None
    assert same_joints([]) is None


def test_a_skeleton_is_a_key():
    s = Skeleton.of("penn-13")
    assert {s: 1}[Skeleton.from_plain(s.plain())] == 1
    assert s != replace(s, centre=(1,))


# Real data sets

DATA_SETS = {
    "bandai_namco2": 22,
    "hrnet16": 17,
    "jhmdb": 15,
    "jhmdb_coco17": 17,
    "msr_action3d": 20,
    "nw_ucla": 20,
    "penn_action_coco17": 17,
    "sfinge3d": 20,
    "ui_prmd": 22,
    "utd_mhad": 20,
}


@pytest.mark.parametrize("name", DATA_SETS)
def test_the_joints_of_a_real_data_set_make_a_good_skeleton(real_data, name: str):
    meta = json.loads((real_data(name) / "meta.json").read_text())
    s = named_skeleton(name, meta["joint_names"], meta["edges"])
    assert s is not None
    assert len(s) == DATA_SETS[name]
    assert Skeleton.from_plain(s.plain()) == s
    parents, mirror = s.parents(), s.mirror()
    for left, right in s.pairs:
        assert parents[right] == mirror[parents[left]]
    if name == "sfinge3d":
        assert [len(group) for group in s.parts.values()] == [1, 3, 4, 4, 4, 4]
    else:
        assert len(s.pairs) >= 6
        assert set(LIMBS) <= set(s.parts)
        assert s.up
        assert s.across
