import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.image import imread

from ossein.clip import Clip
from ossein.errors import DataError, SettingsError, SkeletonError
from ossein.skeleton import Skeleton
from ossein.view import Rebuilt, draw_clip, draw_rebuilt
from ossein.view.base import BLUE, GREY, ORANGE, PALE, front, pick, sides

COCO, NTU = Skeleton.of("coco-17"), Skeleton.of("ntu-25")
LEFT, RIGHT = [list(side) for side in zip(*COCO.pairs)]
_LEFT_HALF = [(0.2, 0.8), (0.5, 1), (1.5, 3), (3, 5), (3.5, 7), (1, 7), (1.2, 10), (1.4, 13)]
BODY = np.array([(0, 1), *((side * x, y) for x, y in _LEFT_HALF for side in (1, -1))])  # COCO-17, y down


def bodies(frames=6):
    """[T V C]: a body that stretches its arms and wanders off to the right."""
    x = np.repeat(BODY[None], frames, 0).astype(np.float32)
    x[:, [9, 10], 1] -= np.linspace(0, 6, frames)[:, None]
    x[..., 0] += 50 * np.arange(frames)[:, None]
    return x


def clip(x, score=None, name="a body"):
    x = x if x.ndim == 4 else x[None]
    return Clip(x, np.ones(x.shape[:3]) if score is None else score, name=name)


def pixels(path):
    """How many pixels have exactly each of the picture's colours, and its size."""
    image = (imread(path)[..., :3] * 255).round().astype(int)
    rgb = {name: [int(colour[i : i + 2], 16) for i in (1, 3, 5)] for name, colour in COLOURS.items()}
    return {name: int((image == value).all(2).sum()) for name, value in rgb.items()}, image.shape[1::-1]


COLOURS = {"left": BLUE, "right": ORANGE, "middle": GREY, "pale": PALE}
PLAIN = Skeleton.make("plain", [f"j{i}" for i in range(17)], COCO.bones, pairs=[])


def test_a_clip_is_a_small_wide_png(tmp_path):
    draw_clip(clip(bodies()), COCO, tmp_path / "new" / "clip.png")
    found, (width, height) = pixels(tmp_path / "new" / "clip.png")
    assert width == 1590
    assert 300 < height < 800
    assert 5_000 < (tmp_path / "new" / "clip.png").stat().st_size < 300_000
    assert found["left"] == pytest.approx(found["right"], rel=0.1)
    assert found["left"] > 2000
    assert [entry.name for entry in (tmp_path / "new").iterdir()] == ["clip.png"]


def test_the_same_clip_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        draw_clip(clip(bodies()), COCO, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_absent_joints_are_not_drawn(tmp_path):
    score = np.ones((1, 6, 17))
    score[..., LEFT] = 0
    draw_clip(clip(bodies()), COCO, tmp_path / "all.png")
    draw_clip(clip(bodies(), score), COCO, tmp_path / "right.png")
    draw_clip(clip(bodies(), np.zeros((1, 6, 17))), COCO, tmp_path / "none.png")
    whole, half, none = (pixels(tmp_path / f"{name}.png")[0] for name in ("all", "right", "none"))
    assert half["left"] == none["left"] < 100  # the legend's dot alone
    assert half["right"] > 0.8 * whole["right"]
    assert none["right"] < 100


def test_a_skeleton_without_sides_is_grey(tmp_path):
    draw_clip(clip(bodies()), PLAIN, tmp_path / "clip.png")
    found, _ = pixels(tmp_path / "clip.png")
    assert found["left"] == found["right"] == 0
    assert found["middle"] > 2000


def test_every_person_is_drawn(tmp_path):
    two = np.stack([bodies(), bodies() + np.array([30, 0])])
    draw_clip(clip(two), COCO, tmp_path / "two.png")
    one = np.ones((2, 6, 17))
    one[1, :, :] = 0
    one[1, :, RIGHT] = 1  # two dots of the second person keep the scale
    draw_clip(clip(two, one), COCO, tmp_path / "one.png")
    assert pixels(tmp_path / "two.png")[0]["left"] > 1.5 * pixels(tmp_path / "one.png")[0]["left"]


def test_odd_clips_draw_without_warnings(tmp_path):
    for name, odd in {
        "one frame": clip(bodies(1)),
        "one place": clip(np.full((3, 17, 2), 7.0)),
        "$mathtext$ ^ {broken": clip(bodies(), name="$mathtext$ ^ {broken"),
        "gaps": clip(bodies(), np.arange(6)[None, :, None] % 2 * np.ones((1, 6, 17))),
    }.items():
        draw_clip(odd, COCO, tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_bad_requests_leave_no_file(tmp_path):
    with pytest.raises(SkeletonError, match="17 joints, expected 25"):
        draw_clip(clip(bodies()), NTU, tmp_path / "clip.png")
    with pytest.raises(SettingsError, match="1 or more"):
        draw_clip(clip(bodies()), COCO, tmp_path / "clip.png", frames=0)
    with pytest.raises(DataError, match=r"\[16\] joints"):
        draw_rebuilt(Rebuilt(BODY[None, :16], BODY[None, :16], np.zeros((1, 16), bool)), COCO, tmp_path / "clip.png")
    assert not list(tmp_path.iterdir())


def example(shift=0.5, hidden=("left_arm",), **more):
    x = bodies()
    mask = np.zeros((6, 17), bool)
    for part in hidden:
        mask[:, list(COCO.parts[part])] = True
    return Rebuilt(x, x + np.float32(shift), mask, **more)


def test_rebuilt_shows_orange_where_it_filled_in_and_blue_where_it_was_hidden(tmp_path):
    draw_rebuilt(example(), COCO, tmp_path / "arm.png")
    draw_rebuilt(example(hidden=()), COCO, tmp_path / "none.png")
    draw_rebuilt(example(hidden=("left_arm", "right_leg")), COCO, tmp_path / "both.png")
    arm, none, both = (pixels(tmp_path / f"{name}.png")[0] for name in ("arm", "none", "both"))
    assert none["left"] < 100  # the legend's dots alone
    assert none["right"] < 100
    assert arm["right"] == pytest.approx(arm["left"], rel=0.15)
    assert both["left"] > 1.5 * arm["left"] > 1000
    assert both["middle"] < arm["middle"] < none["middle"]


def test_rebuilt_draws_only_the_hidden_joints_of_the_model(tmp_path):
    draw_rebuilt(example(), COCO, tmp_path / "one.png")
    wild = example()
    wild.rebuilt[~wild.hidden] = np.nan
    draw_rebuilt(wild, COCO, tmp_path / "two.png")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_rebuilt_leaves_absent_joints_out(tmp_path):
    score = np.ones((6, 17))
    score[:, list(COCO.parts["left_arm"])] = 0
    draw_rebuilt(example(score=score), COCO, tmp_path / "absent.png")
    found, _ = pixels(tmp_path / "absent.png")
    assert found["left"] < 100
    assert found["right"] < 100


@pytest.mark.parametrize("num", [1, 3])
def test_examples_stand_side_by_side(tmp_path, num):
    draw_rebuilt([example(caption="left arm")] * num, COCO, tmp_path / "some.png", frames=4, title="Rebuilt")
    found, (width, height) = pixels(tmp_path / "some.png")
    assert width == 1590
    assert 500 < height < 1300
    assert (tmp_path / "some.png").stat().st_size < 300_000
    assert found["right"] > 1000


def test_bad_examples_are_refused(tmp_path):
    x = bodies()
    with pytest.raises(DataError, match=r"hidden \[17, 6\]"):
        Rebuilt(x, x, np.zeros((17, 6), bool))
    with pytest.raises(DataError, match="expected"):
        Rebuilt(x[None], x[None], np.zeros((1, 6), bool))
    with pytest.raises(DataError, match="not finite"):
        Rebuilt(x, x * np.nan, np.ones((6, 17), bool))
    with pytest.raises(DataError, match="one or more"):
        draw_rebuilt([], COCO, tmp_path / "none.png")


def test_pick_spreads_and_repeats_nothing():
    assert pick(40, 8).tolist() == [0, 6, 11, 17, 22, 28, 33, 39]
    assert pick(3, 8).tolist() == [0, 1, 2]
    assert pick(5, 1).tolist() == [0]


def upright():
    """NTU-25 in space: y up, the body's left at +x, so that it looks at +z."""
    x = np.random.default_rng(0).normal(size=(4, 25, 3)) * 0.02
    for joints, place in ((("left_shoulder",), (0.2, 1.4)), (("right_shoulder",), (-0.2, 1.4))):
        x[:, [NTU.joints.index(j) for j in joints], :2] += place
    x[:, [NTU.joints.index("left_hip"), NTU.joints.index("right_hip")], :2] += [(0.1, 0.9), (-0.1, 0.9)]
    return x


def test_the_front_view_has_left_on_the_right_and_up_on_top():
    x = upright()
    flat = x @ front(x, np.ones((4, 25), bool), NTU)
    left, right, hip = (flat[:, NTU.joints.index(j)] for j in ("left_shoulder", "right_shoulder", "left_hip"))
    assert (left[:, 0] > right[:, 0] + 0.3).all()
    assert (left[:, 1] < hip[:, 1] - 0.3).all()


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 6.28), st.floats(0.1, 1000))
def test_the_front_view_does_not_depend_on_where_the_camera_stood(angle, size):
    x, seen = upright(), np.ones((4, 25), bool)
    c, s = np.cos(angle), np.sin(angle)
    turned = size * x @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    np.testing.assert_allclose(turned @ front(turned, seen, NTU), size * (x @ front(x, seen, NTU)), atol=1e-6 * size)


def test_absent_joints_do_not_turn_the_view():
    hand = Skeleton.of("hand-21")
    x = np.random.default_rng(1).normal(size=(3, 21, 3)) + 5
    seen = np.random.default_rng(2).random((3, 21)) > 0.3
    seen[:, [0, 9]] = True
    np.testing.assert_array_equal(
        front(np.where(seen[..., None], x, 0), seen, hand), front(np.where(seen[..., None], x, -900), seen, hand)
    )


def test_any_front_view_is_a_projection():
    hand = Skeleton.of("hand-21")
    x = np.random.default_rng(1).normal(size=(2, 3, 21, 3))
    for seen in (np.ones((2, 3, 21), bool), np.zeros((2, 3, 21), bool)):
        flat = front(x, seen, hand)
        np.testing.assert_allclose(flat.T @ flat, np.eye(2), atol=1e-9)
    assert (front(x[..., :2], seen, hand) == np.eye(2)).all()


def test_bones_have_the_side_of_both_their_ends():
    joints, bones = sides(COCO)
    assert joints[0] == GREY
    assert (joints[9], joints[10]) == (BLUE, ORANGE)
    named = dict(zip(COCO.bones, bones))
    assert (named[9, 7], named[10, 8], named[5, 6], named[5, 0]) == (BLUE, ORANGE, GREY, GREY)


def test_nothing_global_is_touched(tmp_path):
    code = f"""
import sys, numpy as np
import ossein.view
assert "matplotlib" not in sys.modules and "torch" not in sys.modules
import matplotlib
rc = lambda: {{key: matplotlib.rcParams[key] for key in matplotlib.rcParams if key != "backend"}}
before = rc()
from ossein.clip import Clip
from ossein.skeleton import Skeleton
from ossein.view import draw_clip, draw_confusion
draw_clip(Clip(np.random.rand(1, 3, 17, 2), np.ones((1, 3, 17))), Skeleton.of("coco-17"), {str(tmp_path / "clip.png")!r})
draw_confusion(np.eye(2, dtype=int), ["sit", "stand"], {str(tmp_path / "confusion.png")!r})
assert "matplotlib.pyplot" not in sys.modules and rc() == before
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(list(Path(tmp_path).iterdir())) == 2
