"""Near-identical clips: what is one, what is none, and how bad it is."""

from dataclasses import replace

import numpy as np
from faults import COCO, Set, copy_jittered

from ossein.clip import Clip
from ossein.readers.base import Source
from ossein.store import write_store
from ossein.store.checks import near
from ossein.store.checks.base import body_of


def test_copies_are_not_called_near_when_they_are_identical(examine):
    assert near.KIND not in examine(lambda s: s.like(20, 2))[0]


def test_the_main_person_counts_wherever_it_stands(examine):
    def beside(data: Set) -> None:
        copy_jittered(data)
        clip = data.clips[20]
        stranger = np.random.default_rng(5).normal(size=clip.x.shape)
        score = np.concatenate([clip.score, clip.score])
        score[0, 3:] = 0  # seen for three frames alone
        data.change(20, x=np.concatenate([stranger, clip.x]), score=score)

    assert [one.clip for one in examine(beside)[0][near.KIND].examples] == ["clip 20"]


def test_the_nearest_of_several_copies_is_named(examine):
    def twice(data: Set) -> None:
        x, rng = data.clips[0].x, np.random.default_rng(6)
        for n, jitter in ((1, 0.006), (20, 0.001), (2, 0.006)):
            data.change(n, x=x + rng.normal(0, jitter, x.shape), score=data.clips[0].score)

    assert [(one.clip, one.says) for one in examine(twice)[0][near.KIND].examples] == [("clip 20", "like 'clip 0'")]


def test_people_who_stand_still_alike_are_no_copies(examine):
    def still(data: Set) -> None:
        for n, seed in ((0, 1), (20, 2)):
            jitter = np.random.default_rng(seed).normal(0, 0.003, (1, 14, 17, 3))
            data.change(n, x=data.clips[0].x[:, :1] + jitter, score=np.ones((1, 14, 17)))

    assert near.KIND not in examine(still)[0]


def test_a_part_of_the_test_half_makes_it_an_error(examine):
    """One near copy in 18 is an error; among many it is a warning."""

    def among_many(data: Set) -> None:
        copy_jittered(data)
        rng = np.random.default_rng(3)
        for n in range(36, 60):
            x = rng.normal(size=(1, 10, 17, 3)).cumsum(1)
            data.clips.append(Clip(x, np.ones(x.shape[:3]), f"clip {n}", label=n % 3, subject=5))
        data.splits["xsub_val"] += tuple(f"clip {n}" for n in range(36, 60))

    assert examine(among_many)[0][near.KIND].level == "warning"


def test_sketches_are_never_further_apart_than_outlines(people, tmp_path):
    store = write_store(Source(clips=iter(people[3][:8]), skeleton=COCO), tmp_path / "s.clips")
    bodies = [body_of(store, n) for n in range(8)]
    for a in bodies:
        for b in bodies:
            full = np.linalg.norm(near.outline(a) - near.outline(b))
            assert np.linalg.norm(near.sketch(a) - near.sketch(b)) <= full + 1e-4


def test_an_outline_knows_no_place_size_or_rate(people, tmp_path):
    clip = people[3][0]
    twice = np.repeat(clip.x, 2, 1)
    other = replace(clip, name="other", x=5 * twice + 7, score=np.ones(twice.shape[:3]))
    store = write_store(Source(clips=iter([clip, other]), skeleton=COCO), tmp_path / "s.clips")
    a, b = (near.outline(body_of(store, n)) for n in range(2))
    assert np.abs(a - b).max() < 0.05 * np.abs(a).max()
