"""Handedness: on clips that have a side, on ones that have not, against a slow reference."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ossein.augment import Mirror, normaliser
from ossein.clip import Batch, Clip
from ossein.draw import Draw
from ossein.evaluate.handed import handedness
from ossein.readers.base import Source
from ossein.skeleton import Skeleton
from ossein.store import Store, write_store
from ossein.store.memory import Memory
from ossein.store.sample import sample_test

BODY = Skeleton.of("coco-17")
WRISTS = {"right": BODY.joints.index("right_wrist"), "left": BODY.joints.index("left_wrist")}


def wave(rng: np.random.Generator, side: str, subject: int, pose: np.ndarray, speed: float) -> Clip:
    """A body that stands still but for one hand."""
    x = np.tile(pose, (1, 20, 1, 1)) + rng.normal(0, 0.02, (1, 20, 17, 2))
    x[0, :, WRISTS[side], 1] += np.sin(np.linspace(0, speed, 20))
    return Clip(x, np.ones((1, 20, 17)), label=0, name=f"{side}-{subject}-{rng.integers(1 << 40)}", subject=subject)


def symmetric_pose(rng: np.random.Generator) -> np.ndarray:
    pose = rng.normal(0, 1, (17, 2))
    return (pose + pose[list(BODY.mirror())] * [-1, 1]) / 2


def waves(sides: tuple[str, ...], num: int = 40) -> list[Clip]:
    rng = np.random.default_rng(0)
    pose = symmetric_pose(rng)
    return [wave(rng, sides[i % len(sides)], i, pose, rng.uniform(5, 9)) for i in range(num)]


def test_everybody_waves_with_the_right_hand() -> None:
    clips = Memory.of(waves(("right",)), BODY)
    assert handedness(clips, np.arange(40)) == pytest.approx(45 / 50)


def test_both_hands_alike_have_no_side() -> None:
    clips = Memory.of(waves(("right", "left")), BODY)
    assert 0.25 < handedness(clips, np.arange(40)) < 0.75


def test_few_clips_decide_nothing() -> None:
    clips = Memory.of(waves(("right",)), BODY)
    assert handedness(clips, np.arange(4)) == pytest.approx(9 / 14)
    assert handedness(clips, np.arange(1)) == 0.5


def test_only_the_named_clips_count_whatever_their_order() -> None:
    clips = Memory.of(waves(("right",)) + waves(("left",)), BODY)
    some = np.arange(30)
    assert (
        handedness(clips, some) == handedness(clips, some[::-1]) == handedness(Memory.of(waves(("right",)), BODY), some)
    )


def test_a_person_is_not_compared_with_himself() -> None:
    """Each person repeats his wave: right-handed against himself, undecided against others."""
    rng = np.random.default_rng(1)
    pose = symmetric_pose(rng)
    clips = [wave(rng, ("right", "left")[who % 2], who, pose, 5 + who / 2) for who in range(10) for _ in range(6)]
    memory, people = Memory.of(clips, BODY), np.array([clip.subject for clip in clips])
    # With unknown people the nearest clip is always one of the same side.
    assert handedness(memory, np.arange(60), None) == handedness(memory, np.arange(60), np.full(60, -1))
    one, other = people == 0, people == 1
    pair = np.flatnonzero(one | other)
    assert handedness(memory, pair, None) > 0.7 > 0.5 > handedness(memory, pair, people)


def test_it_is_what_a_loop_over_pairs_finds() -> None:
    rng = np.random.default_rng(2)
    clips = [Clip(rng.normal(size=(1, 9, 17, 2)), rng.uniform(size=(1, 9, 17)) > 0.1) for _ in range(12)]
    memory, people = Memory.of(clips, BODY), rng.integers(-1, 3, 12)
    batch = normaliser("centre")(sample_test(memory, np.arange(12), 16, 1.0, persons=1))
    mirrored = Mirror(1.0)(batch, Draw.of(0))

    def feature(of: Batch, n: int) -> torch.Tensor:
        x = of.x[n, 0] * (of.score[n, 0] > 0).unsqueeze(-1)
        return torch.cat([x.flatten(), 3 * (x[1:] - x[:-1]).flatten()])

    nearer = known = 0
    for i in range(12):
        others = [j for j in range(12) if j != i and (people[i] != people[j] or people[i] < 0)]
        near, far = (
            min(float((feature(of, i) - feature(batch, j)).norm()) for j in others) for of in (batch, mirrored)
        )
        nearer, known = nearer + (near < far), known + 1
    assert handedness(memory, np.arange(12), people) == pytest.approx((nearer + 5) / (known + 10))


def test_bodies_in_space_are_compared_along_their_own_axes() -> None:
    """Everybody waves with the right hand, and each looks another way."""
    rng = np.random.default_rng(4)
    pose = symmetric_pose(rng)
    clips = []
    for i in range(40):
        flat = wave(rng, "right", i, pose, rng.uniform(5, 9))
        cos, sin = np.cos(turn := rng.uniform(0, 2 * np.pi)), np.sin(turn)
        x = np.concatenate([flat.x, rng.normal(0, 0.02, (1, 20, 17, 1))], -1)
        clips.append(replace(flat, x=x @ np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])))
    assert handedness(Memory.of(clips, BODY), np.arange(40)) == pytest.approx(45 / 50)


def test_a_store_of_bodies_in_space(tmp_path: Path) -> None:
    body = Skeleton.of("kinect-20")
    rng = np.random.default_rng(3)
    clips = [Clip(rng.normal(size=(1, 12, 20, 3)), np.ones((1, 12, 20)), name=str(i), label=0) for i in range(30)]
    store: Store = write_store(Source(iter(clips), skeleton=body, classes=("a",)), tmp_path / "some.clips")
    assert 0.2 < handedness(store, np.arange(30), store.subjects) < 0.8


@pytest.mark.parametrize(
    ("name", "split", "sided"),
    [("msr_action3d", "xsub557", True), ("utd_mhad", "xsub", True), ("penn_action_coco17", "train", False)],
)
def test_real_sets(real_data, tmp_path: Path, name: str, split: str, sided: bool) -> None:
    from ossein.recipes.prepare import prepare
    from ossein.store import resolve

    store = prepare("pyskl", real_data(name) / f"{name}.pkl", tmp_path / "real.clips")
    assert (handedness(store, resolve(store, split).train, store.subjects) > 0.75) == sided
