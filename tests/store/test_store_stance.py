"""Stance: the way up and the handedness of a space are read off bodies that stand in it."""

from itertools import permutations, product

import numpy as np
import pytest

from ossein.clip import Clip
from ossein.readers import reader_for
from ossein.readers.base import Source
from ossein.skeleton import Skeleton
from ossein.store import write_store
from ossein.store.stance import Stance

JOINTS = [f"{side}_{limb}" for limb in ("shoulder", "hip", "ankle", "foot") for side in ("left", "right")]
BODY = Skeleton.make("body", JOINTS, [(0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 7)])
# Looking along +z, so that, in this right-handed space with y up, +x is to the left.
STANDING = np.array(
    [[side * x, y, z] for x, y, z in ([0.2, 1.4, 0], [0.1, 0.9, 0], [0.1, 0.1, 0], [0.1, 0, 0.15]) for side in (1, -1)]
)
SPACES = [
    np.eye(3)[list(order)] * np.array(signs)[:, None]
    for order in permutations(range(3))
    for signs in product((1, -1), repeat=3)
]


def people(space: np.ndarray, score: float = 1.0) -> Clip:
    """Twenty frames of people who turn around, bend and fidget, in coordinates `space @ (x, y, z)`."""
    rng = np.random.default_rng(0)
    angle = rng.uniform(-2, 2, 20)
    turn = np.zeros((20, 3, 3))
    turn[:, 0, 0] = turn[:, 2, 2] = np.cos(angle)
    turn[:, 0, 2], turn[:, 2, 0], turn[:, 1, 1] = np.sin(angle), -np.sin(angle), 1
    x = STANDING @ turn.transpose(0, 2, 1) + rng.normal(0, 0.01, (20, 8, 3)) + [3, 1, -2]
    seen = np.full((1, 20, 8), score)
    seen[:, ::3, rng.integers(0, 8)] = 0
    return Clip((x @ space.T)[None], seen, "people")


@pytest.fixture(scope="module")
def stance(build):
    return lambda clip, skeleton=BODY: Stance.of(build([clip], skeleton=skeleton))


def test_every_space_is_told(stance):
    for space in SPACES:
        up = space @ [0, 1, 0]
        wanted = Stance(int(np.abs(up).argmax()), bool(up.sum() < 0), bool(np.linalg.det(space) < 0))
        assert stance(people(space)) == wanted


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("down", [False, True])
def test_a_frame_is_right_handed_and_ends_with_up(axis, down):
    frame = Stance(axis, down).frame()
    assert np.linalg.det(frame) == pytest.approx(1)
    assert (frame[2] == np.eye(3)[axis] * (-1 if down else 1)).all()


def test_turning_brings_up_to_up_and_hands_to_hands():
    for a, b in product(product(range(3), (False, True), (False, True)), repeat=2):
        one, other = Stance(*a), Stance(*b)
        turn = one.turn_to(other)
        np.testing.assert_array_equal(one.frame()[2] @ turn, other.frame()[2])
        assert np.linalg.det(turn) == pytest.approx(-1 if one.left_handed != other.left_handed else 1)
        np.testing.assert_array_equal(one.turn_to(one), np.eye(3))


def test_what_bodies_do_not_tell_is_assumed(stance):
    hand = Skeleton.make("arm", ["base", "elbow", "hand"], [(0, 1), (1, 2)])
    assert stance(Clip(np.ones((1, 2, 3, 3)), np.ones((1, 2, 3))), hand) == Stance()
    footless = Skeleton.make("legs", [*JOINTS[:6], "a", "b"], BODY.bones)
    left = np.diag([-1, 1, 1])
    assert stance(people(left), footless) == Stance(left_handed=None)
    assert stance(people(left, score=0)) == Stance()
    # A space of unknown hands is taken as it is.
    assert np.linalg.det(Stance(left_handed=None).turn_to(Stance(left_handed=True))) == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "left_handed"),
    [("nw_ucla", False), ("utd_mhad", False), ("bandai_namco2", False), ("ui_prmd", False), ("msr_action3d", True)],
)
def test_real_sets_stand_as_their_makers_say(name, left_handed, real_data, tmp_path):
    path = real_data(name) / f"{name}.pkl"
    source = reader_for(path).read(path)
    some = [clip for _, clip in zip(range(60), source.clips)]
    store = write_store(Source(clips=iter(some), skeleton=source.skeleton), tmp_path / "some.clips")
    assert Stance.of(store) == Stance(axis=1, down=False, left_handed=left_handed)
