"""Several stores are sampled as one store of the clips that they would hold on one skeleton."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from ossein.clip import UNKNOWN, Clip
from ossein.draw import Draw
from ossein.errors import DataError, SettingsError, SkeletonError
from ossein.mapping import joint_matrix
from ossein.skeleton import Skeleton
from ossein.store import Several, Store
from ossein.store.memory import Memory
from ossein.store.sample import sample_test, sample_train
from ossein.train import Feed, InputSettings

COCO, KINECT, NTU = (Skeleton.of(name) for name in ("coco-17", "kinect-20", "ntu-25"))


def some(skeleton: Skeleton, dims: int, num: int, seed: int = 0, **fields) -> list[Clip]:
    clips = []
    for n in range(num):
        rng = np.random.default_rng([seed, n])
        shape = (1 + n % 2, 4 + n % 5, len(skeleton))
        score = rng.uniform(0.01, 1, shape) * (rng.random(shape) > 0.2)
        clips.append(Clip(rng.normal(size=(*shape, dims)), score, f"clip {n}", label=n % 2, **fields))
    return clips


def put(clip: Clip, source: Skeleton, target: Skeleton) -> Clip:
    """A clip on another skeleton, joint by joint."""
    matrix = joint_matrix(source, target)
    x, score = np.zeros((*clip.x.shape[:2], len(target), clip.x.shape[3])), np.zeros((*clip.x.shape[:2], len(target)))
    for j, row in enumerate(matrix):
        ends = np.flatnonzero(row)
        if len(ends):
            x[:, :, j], score[:, :, j] = clip.x[:, :, ends].mean(2), clip.score[:, :, ends].min(2)
    return Clip(x, score, size=clip.size)


@pytest.fixture(scope="module")
def stores(build) -> list[Store]:
    """Five clips of COCO, seven of NTU, three of COCO: all 2-D."""
    kinds = [(COCO, 5, (640, 480)), (NTU, 7, None), (COCO, 3, (32, 24))]
    return [
        build(
            some(skeleton, 2, num, seed, size=size),
            skeleton=skeleton,
            classes=("a", "b"),
            facts={"license": f"L{seed}", **({"unit": "pixels"} if seed else {})},
        )
        for seed, (skeleton, num, size) in enumerate(kinds)
    ]


@pytest.fixture(scope="module")
def mixed(build, stores) -> Several:
    """Five 2-D clips and four of 3-D, each of them in three pictures."""
    return Several([stores[0], build(some(KINECT, 3, 4, 9), skeleton=KINECT)])


def equal(a, b) -> None:
    for key in ("x", "score", "label", "index", "size"):
        torch.testing.assert_close(getattr(a, key), getattr(b, key), equal_nan=True, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("target", [None, KINECT])
def test_batches_are_those_of_clips_mapped_one_by_one(stores, target):
    several = Several(stores, target)
    skeleton = target or COCO
    clips = [put(store.clip(i), store.skeleton, skeleton) for store in stores for i in range(len(store))]
    memory = Memory.of(clips, skeleton)
    assert several.skeleton == skeleton
    assert (len(several), several.max_persons, several.dims) == (15, 2, 2)
    for rows in (range(15), [14, 2, 2, 7], [3, 4]):
        equal(sample_train(several, rows, 6, Draw.of(3)), sample_train(memory, rows, 6, Draw.of(3)))
        equal(sample_test(several, rows, 6, 0.8, 2, 1), sample_test(memory, rows, 6, 0.8, 2, 1))
    assert (sample_test(several, range(15), 4).label == UNKNOWN).all()


def test_one_store_alone_is_itself(stores):
    several = Several(stores[:1])
    one, other = (sample_train(rows, [4, 0, 1], 8, Draw.of(1)) for rows in (several, stores[0]))
    assert torch.equal(one.x, other.x)
    assert torch.equal(one.score, other.score)
    assert several.has_sizes


def test_three_dims_join_two_as_pictures(mixed):
    assert (len(mixed), mixed.dims, mixed.has_sizes) == (5 + 3 * 4, 2, False)
    batch = sample_test(mixed, range(17), 7, 1.0)
    assert batch.x.shape == (17, 2, 7, 17, 2)
    assert (batch.score[:5] > 0).any()
    eyes = [COCO.joints.index(f"{side}_{part}") for side in ("left", "right") for part in ("eye", "ear")]
    assert (batch.score[5:, ..., eyes] == 0).all()
    # The pictures of a clip show one height and three breadths.
    for n in range(4):
        views = batch.x[mixed.numbers(1, [n])]
        assert torch.equal(views[0, ..., 1], views[1, ..., 1])
        breadth = views[..., 0]
        torch.testing.assert_close(breadth.sum(0), torch.zeros_like(breadth[0]), atol=1e-5, rtol=0)
        assert (breadth[0] - breadth[1]).abs().max() > 0.1


def test_training_feeds_on_several(mixed):
    from ossein.augment import AugmentSettings

    feed = Feed(
        mixed, mixed.pool(), InputSettings(frames=8, persons=2, normalise="centre"), AugmentSettings(), 6, seed=0
    )
    seen = torch.cat([feed.at(step)[0].index for step in range(3)])
    assert sorted(seen[:17].tolist()) == list(range(17))


def test_numbers_of_a_store_are_those_of_its_clips(stores, mixed):
    several = Several(stores)
    assert several.numbers(0).tolist() == [0, 1, 2, 3, 4]
    assert several.numbers(1, [6, 0]).tolist() == [11, 5]
    assert several.numbers(2, []).tolist() == []
    assert mixed.numbers(1, [0, 3]).tolist() == [5, 8, 9, 12, 13, 16]
    assert [mixed.names[n] for n in mixed.numbers(1, [3])] == [
        f"{mixed.stores[1].path.name}:clip 3@{v}" for v in range(3)
    ]
    assert several.names[11] == f"{stores[1].path.name}:clip 6"


def test_performers_are_those_of_their_store_alone(build):
    """Two stores count their performers from 0 each; the three pictures of a clip show the same one."""
    told = [(COCO, 2, [0, 2, UNKNOWN]), (KINECT, 3, [2, 0]), (NTU, 3, [UNKNOWN, UNKNOWN]), (COCO, 2, [1])]
    stores = [
        build(
            [replace(clip, subject=who) for clip, who in zip(some(skeleton, dims, len(people), seed), people)],
            skeleton=skeleton,
            classes=("a", "b"),
        )
        for seed, (skeleton, dims, people) in enumerate(told)
    ]
    several = Several(stores)
    seen: set[int] = set()
    for which, (_, _, people) in enumerate(told):
        views = several.subjects[several.numbers(which)].reshape(-1, len(people))
        assert len(views) == (1 if told[which][1] == 2 else 3)
        assert (views == views[0]).all()
        own = dict(zip(people, views[0].tolist()))
        assert own.pop(UNKNOWN, UNKNOWN) == UNKNOWN
        assert len(set(own.values())) == len(own)
        assert UNKNOWN not in own.values()
        assert not seen & set(own.values())
        seen |= set(own.values())
    assert Several(stores[:1]).subjects.tolist() == told[0][2]


@pytest.mark.parametrize(("which", "indices"), [(3, None), (-1, None), (1, [7]), (1, [-1])])
def test_numbers_that_are_not_there(stores, which, indices):
    with pytest.raises(DataError):
        Several(stores).numbers(which, indices)


def test_a_pool_leaves_out_what_an_earlier_store_holds(build, stores):
    old = [stores[0].clip(i) for i in range(5)]
    new = [Clip(clip.x, clip.score, f"new {n}") for n, clip in enumerate(some(COCO, 2, 2, 8))]
    last = [Clip(new[1].x, new[1].score, "again"), *some(COCO, 2, 1, 7)]
    more = [build(clips, skeleton=COCO, classes=("a", "b")) for clips in ([*old[1:4], *new], last)]
    several = Several([stores[0], *more])
    assert several.pool([0, 2]).tolist() == [0, 2, 8, 9, 11]
    copy = build(old[:2], skeleton=COCO, classes=("a", "b"))
    with pytest.raises(DataError, match="gives no clip that is not in a store before it"):
        Several([stores[0], copy]).pool()
    with pytest.raises(DataError, match="gives no clip"):
        several.pool([])


def test_weights_set_how_often_each_store_is_drawn(stores):
    several = Several(stores)
    assert several.pool().tolist() == list(range(15))
    assert several.pool(weights=[5, 7, 3]).tolist() == list(range(15))
    pool = several.pool([1, 3], weights=[2, 1, 1])
    counts = np.bincount(pool, minlength=15)
    # The second store sets the pace: its 7 clips once, so 14 draws of the first store and 7 of the third.
    assert counts[5:12].tolist() == [1] * 7
    assert counts[:5].tolist() == [0, 7, 0, 7, 0]
    assert sorted(counts[12:].tolist()) == [2, 2, 3]


@pytest.mark.parametrize("weights", [[1, 1], [1, 0, 1], [1, -1, 1], [1, np.nan, 1], [1, np.inf, 1], [1, 1e9, 1]])
def test_weights_that_make_no_sense(stores, weights):
    with pytest.raises(SettingsError, match="weights"):
        Several(stores).pool(weights=weights)


def test_what_a_run_notes_names_every_store(stores, mixed):
    several = Several(stores)
    assert [entry["hash"] for entry in several.record()] == [store.hash for store in stores]
    assert [entry["joints"] for entry in several.record()] == [17, 13, 17]
    assert [(entry["clips"], entry["views"]) for entry in mixed.record()] == [(5, 1), (4, 3)]
    name = stores[0].path.name
    assert several.path.name == f"{name}+{name}+{name}"
    assert several.facts == {
        "license": f"{name}: L0; {name}: L1; {name}: L2",
        "unit": f"{name}: pixels; {name}: pixels",
    }


def test_a_hash_names_the_content(stores, mixed):
    hashes = [several.hash for several in (Several(stores), Several(stores[::-1]), Several(stores, KINECT), mixed)]
    hashes += [Several(mixed.stores, views=1).hash]
    assert len(set(hashes)) == 5
    assert Several([Store.open(store.path) for store in stores]).hash == hashes[0]
    assert Several(stores, views=1).hash == hashes[0]  # nothing is pictured


def test_another_process_sees_the_same(mixed):
    equal(sample_test(pickle.loads(pickle.dumps(mixed)), range(17), 5), sample_test(mixed, range(17), 5))


def test_what_cannot_be_joined(build, stores, mixed, random_clip):
    with pytest.raises(DataError, match="no store"):
        Several([])
    with pytest.raises(DataError, match="holds the same as"):
        Several([stores[0], stores[1], Store.open(stores[0].path)])
    with pytest.raises(DataError, match="Put the 2-D store first"):
        Several(mixed.stores[::-1])
    with pytest.raises(SettingsError, match="odd"):
        Several(stores, views=2)
    with pytest.raises(SkeletonError, match="triangle"):
        Several([stores[0], build([random_clip(0)])])


def test_real_sets_learn_on_one_skeleton(real_data, tmp_path):
    from ossein.readers import reader_for
    from ossein.readers.base import Source
    from ossein.store import write_store

    opened = []
    for name in ("penn_action_coco17", "nw_ucla", "bandai_namco2"):
        path = real_data(name) / f"{name}.pkl"
        source = reader_for(path).read(path)
        clips = iter([clip for _, clip in zip(range(30), source.clips)])
        opened.append(
            write_store(Source(clips, skeleton=source.skeleton, classes=source.classes), tmp_path / f"{name}.clips")
        )
    several = Several(opened)
    batch = sample_test(several, several.pool(), 8)
    # People stand upright in every picture: the head above the hips, y down.
    head, hip = (COCO.joints.index(name) for name in ("nose", "left_hip"))
    seen = (batch.score[..., head] > 0) & (batch.score[..., hip] > 0)
    below = (batch.x[..., hip, 1] > batch.x[..., head, 1]) & seen
    for which in (1, 2):
        numbers = several.numbers(which)
        assert below[numbers].sum() > 0.95 * seen[numbers].sum() > 0
