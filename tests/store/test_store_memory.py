"""Clips in memory are sampled as they are from a file."""

import numpy as np
import pytest
import torch

from ossein.errors import DataError, SkeletonError
from ossein.skeleton import Skeleton
from ossein.store.memory import Memory
from ossein.store.sample import sample_test


def test_the_same_as_a_store(build, random_clip, triangle):
    clips = [random_clip(n, persons=1 + n % 2, frames=3 + n, label=n - 1, size=(10, 20)) for n in range(4)]
    store, memory = build(clips, classes=("a", "b", "c")), Memory.of(clips, triangle)
    assert memory.names == store.names
    assert memory.max_persons == store.max_persons == 2
    for name in ("x", "score", "start", "persons", "frames", "labels", "sizes"):
        np.testing.assert_array_equal(getattr(memory, name), getattr(store, name))
    one, other = (sample_test(rows, [3, 0, 2], 5, 0.8, 2) for rows in (memory, store))
    for name in ("x", "score", "label", "index", "size"):
        assert torch.equal(getattr(one, name), getattr(other, name))
        assert getattr(one, name).dtype == getattr(other, name).dtype


def test_sizes_that_are_not_known(random_clip, triangle):
    sizes = Memory.of([random_clip(0, size=(10, 20)), random_clip(1)], triangle).sizes
    np.testing.assert_array_equal(sizes, [[10, 20], [np.nan, np.nan]])


def test_no_clip(triangle):
    with pytest.raises(DataError, match=r"there is no clip. Give one or more"):
        Memory.of([], triangle)


def test_two_and_three_dimensions(random_clip, triangle):
    with pytest.raises(DataError, match=r"some clips are 2-D and some 3-D"):
        Memory.of([random_clip(0), random_clip(1, dims=3)], triangle)


def test_other_joints(random_clip):
    with pytest.raises(SkeletonError, match=r"3 joints, expected 17 \(coco-17\)"):
        Memory.of([random_clip(0)], Skeleton.of("coco-17"))
