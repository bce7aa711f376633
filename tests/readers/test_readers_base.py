import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossein.errors import DataError, OsseinError, SkeletonError
from ossein.readers.base import damage, filled, make_clip, near_zero, ntu_name, within
from ossein.skeleton import Skeleton

COCO = Skeleton.of("coco-17")


def pose(persons: int = 2, frames: int = 3, dtype=np.float32) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).uniform(1, 9, (persons, frames, 17, 2)).astype(dtype)
    return x, np.ones(x.shape[:3], np.float32)


def test_absent_persons_are_dropped_but_one():
    x, score = pose(3)
    score[0] = 0
    assert np.array_equal(make_clip("f", x, score).x, x[1:])
    score[:] = 0
    assert make_clip("f", x, score).x.shape == (1, 3, 17, 2)


def test_of_many_persons_those_seen_most_come_first():
    x, score = pose(4)
    score[0, 1:] = 0
    score[2] *= 0.5
    assert np.array_equal(make_clip("f", x, score).x[:2], x[[1, 3]])  # as sure as each other: in their order
    assert np.array_equal(make_clip("f", x, score).score, score[[1, 3, 2, 0]])


def test_two_persons_keep_their_order():
    x, score = pose(3)
    score[0] *= 0.1
    score[2] = 0  # who is nowhere present does not count
    clip = make_clip("f", x, score)
    assert np.array_equal(clip.x, x[:2])
    assert np.array_equal(clip.score, score[:2])


def test_scores_a_little_above_1_are_cut_and_others_refused():
    x, score = pose()
    score[0, 0, 0] = 1.02
    assert make_clip("f", x, score).score[0, 0, 0] == 1
    score[0, 0, 0] = 2
    with pytest.raises(DataError, match=r"f: clip 'a': score 2\.0 of person 0"):
        make_clip("f", x, score, name="a")


def test_half_precision_is_widened_and_inputs_are_left_alone():
    x, score = pose(dtype=np.float16)
    score[0, 0, 0] = 1.2
    before = x.copy(), score.copy()
    assert make_clip("f", x, score).x.dtype == np.float32
    assert np.array_equal(before[0], x)
    assert np.array_equal(before[1], score)


def test_labels_and_joints_are_checked():
    x, score = pose()
    assert make_clip("f", x, score, COCO, ["a", "b"], label=1).label == 1
    assert make_clip("f", x, score, COCO, ["a", "b"]).label == -1
    for label, classes in ((2, ["a", "b"]), (-2, ()), (-2, ["a"])):
        with pytest.raises(DataError, match=rf"f: clip 'c': label {label}, expected 0 to"):
            make_clip("f", x, score, COCO, classes, name="c", label=label)
    with pytest.raises(SkeletonError, match="f: clip 'c': 17 joints, expected 25"):
        make_clip("f", x, score, Skeleton.of("ntu-25"), name="c")


@pytest.mark.parametrize("shape", [(0, 3, 17), (2, 3), (2, 3, 16)])
def test_wrong_shapes_reach_the_clip_s_own_check(shape):
    x, _ = pose()
    with pytest.raises(DataError, match="f: clip"):
        make_clip("f", x[: shape[0]], np.zeros(shape))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_filled_and_near_zero_against_loops(seed):
    rng = np.random.default_rng(seed)
    x = rng.choice([0, 1e-7, -1e-6, 0.5, -3], size=(2, 3, 2, 2))
    for m, t in np.ndindex(2, 3):
        assert filled(x)[m, t] == any(abs(number) >= 1e-5 for number in x[m, t].ravel())
        for v in range(2):
            assert near_zero(x)[m, t, v] == all(abs(number) < 1e-5 for number in x[m, t, v])


@pytest.mark.parametrize(
    "name", ["", "a01_s01_e00", "S01C002P003R002A013", "S001C002P003R002A0134", "xS001C002P003R002A013"]
)
def test_other_names_tell_nothing(name):
    assert ntu_name(name) is None


def test_a_suffix_does_not_hide_the_name():
    assert ntu_name("S017C003P020R001A060.skeleton") == {"setup": 17, "camera": 3, "subject": 20, "label": 59}


def test_within_keeps_the_kind_of_error_and_lets_others_pass():
    with pytest.raises(SkeletonError, match=r"^file: bad$"), within("file"):
        raise SkeletonError("bad")
    with pytest.raises(KeyError), within("file"):
        raise KeyError("bug")


def test_damage_tells_the_file_and_lets_ossein_s_own_errors_pass(tmp_path):
    with pytest.raises(DataError, match=r"a\.npz: is no whole archive"), damage(tmp_path / "a.npz"):
        raise EOFError("5 bytes are missing")
    with pytest.raises(DataError, match=r"a\.npz: cannot be read"), damage(tmp_path / "a.npz"):
        (tmp_path / "a.npz").open()
    with pytest.raises(OsseinError, match=r"^mine$"), damage(tmp_path):
        raise OsseinError("mine")
