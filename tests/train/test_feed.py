"""Batches: each clip once an epoch, known by the step alone, and the same clips however many processes share them."""

import numpy as np
import pytest
import torch

from ossein.augment import AugmentSettings, normaliser, stream
from ossein.clip import UNKNOWN
from ossein.errors import DataError, SettingsError
from ossein.store.sample import sample_test
from ossein.train import Feed, InputSettings, fixed_batches

EVERYTHING = AugmentSettings(
    crop=0.3, mirror=0.5, rotate=0.3, scale=0.1, shear=0.1, move=0.1, jitter=0.02, drop_joints=0.2, drop_frames=0.2
)


def feed(store, num=20, batch=5, seed=0, augment=EVERYTHING, beside=(), beside_batch=0, **input):
    settings = InputSettings(**{"frames": 8, "persons": 2, **input})
    others = np.array(beside, np.int64)
    return Feed(store, np.arange(num), settings, augment, batch, seed, others, beside_batch)


def test_every_clip_once_an_epoch_in_another_order(fixed_store):
    feeds = feed(fixed_store, num=17)
    assert feeds.steps_per_epoch == 17 / 5
    batches = [feeds.at(step)[0].index.tolist() for step in range(17)]
    assert all(len(batch) == 5 for batch in batches)
    clips = [clip for batch in batches for clip in batch]
    epochs = [clips[first : first + 17] for first in range(0, 85, 17)]
    assert all(sorted(epoch) == list(range(17)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 5


@pytest.mark.parametrize("num", [1, 4, 5])
def test_fewer_clips_than_a_batch_are_all_in_every_step(fixed_store, num):
    feeds = feed(fixed_store, num=num)
    assert feeds.steps_per_epoch == 1
    assert all(sorted(feeds.at(step)[0].index.tolist()) == list(range(num)) for step in range(4))


def test_what_is_random_in_one_way_is_not_in_another(fixed_store):
    """Orders of clips with labels, of those beside and the draws of a step come from streams of their own."""
    feeds = feed(fixed_store, num=20, batch=20, beside=range(20), beside_batch=20)
    for step in range(3):
        batch, draw = feeds.at(step)
        orders = batch.index.view(2, 20)
        third = torch.randperm(20, generator=torch.Generator().manual_seed(draw.generator.initial_seed()))
        assert len({tuple(order.tolist()) for order in (*orders, third)}) == 3


def test_a_step_is_known_by_its_number_and_the_seed(fixed_store):
    one, again, other = feed(fixed_store), feed(fixed_store), feed(fixed_store, seed=1)
    for k in (9, 0, 5):  # in any order, as after going on with a run
        one.at(k + 1)
        assert torch.equal(one.at(k)[0].x, again.at(k)[0].x)
        assert not torch.equal(one.at(k)[0].x, other.at(k)[0].x)


@pytest.mark.parametrize("world", [2, 3, 4])
@pytest.mark.parametrize("num", [20, 17, 3])
def test_processes_share_what_one_would_have_seen(fixed_store, world, num):
    feeds = feed(fixed_store, num=num)
    for step in range(8):
        alone, draw = feeds.at(step)
        shares = [feeds.at(step, rank, world) for rank in range(world)]
        sizes = [len(batch) for batch, _ in shares]
        if len(alone) < world:
            assert all(torch.equal(batch.x, alone.x) for batch, _ in shares)
            continue
        assert max(sizes) - min(sizes) <= 1
        assert sum(sizes) == len(alone)
        for name in ("index", "x", "score", "label", "size"):
            assert torch.equal(torch.cat([getattr(batch, name) for batch, _ in shares]), getattr(alone, name)), name
        # What is drawn next, a mask for instance, is shared alike.
        parts = [own.normal((len(batch), 17)) for batch, own in shares]
        assert torch.equal(torch.cat(parts), draw.normal((len(alone), 17)))


@pytest.mark.parametrize("beside_batch", [1, 3, 8, 20])  # 20: more than there are
def test_clips_beside_come_in_turn_and_without_their_labels(fixed_store, beside_batch):
    others = [3, 4, 7, 12, 13, 14, 18]
    feeds = feed(fixed_store, num=8, batch=5, beside=others, beside_batch=beside_batch)
    assert feeds.steps_per_epoch == 8 / 5  # of the labelled ones
    seen, labelled = [], []
    num = 5
    for step in range(16):
        batch, _ = feeds.at(step)
        assert len(batch) == num + beside_batch
        assert batch.label[:num].tolist() == fixed_store.labels[batch.index[:num].numpy()].tolist()
        assert (batch.label[num:] == UNKNOWN).all()
        labelled += batch.index[:num].tolist()
        seen += batch.index[num:].tolist()
    assert all(sorted(labelled[first : first + 8]) == list(range(8)) for first in range(0, 80, 8))
    rounds = [seen[first : first + 7] for first in range(0, len(seen) - 6, 7)]
    assert all(sorted(one) == others for one in rounds)
    assert len({tuple(one) for one in rounds}) > len(rounds) / 2


@pytest.mark.parametrize("nothing", [{"beside": [3, 4]}, {"beside_batch": 4}])
def test_nothing_beside(fixed_store, nothing):
    plain, other = feed(fixed_store), feed(fixed_store, **nothing)
    for step in range(5):
        assert torch.equal(plain.at(step)[0].x, other.at(step)[0].x)
        assert torch.equal(plain.at(step)[0].label, other.at(step)[0].label)


@pytest.mark.parametrize("world", [2, 3])
def test_processes_share_what_is_beside_too(fixed_store, world):
    feeds = feed(fixed_store, num=8, beside=range(20), beside_batch=6)
    for step in range(4):
        alone, _ = feeds.at(step)
        shares = [feeds.at(step, rank, world)[0] for rank in range(world)]
        for name in ("index", "x", "label"):
            assert torch.equal(torch.cat([getattr(batch, name) for batch in shares]), getattr(alone, name)), name


def test_nothing_to_train_on(fixed_store):
    with pytest.raises(DataError, match=r"the split is empty"):
        feed(fixed_store, num=0)


@pytest.mark.parametrize("views", [1, 3])
def test_fixed_batches_are_the_clips_in_order(fixed_store, views):
    settings = InputSettings(frames=8, persons=2, normalise="centre", stream="bone", views=views)
    indices = [7, 3, 19, 0, 4]
    batches = list(fixed_batches(fixed_store, indices, settings, size=2 * views))
    assert [len(batch) for batch in batches] == [2 * views, 2 * views, views]
    whole = sample_test(fixed_store, indices, 8, 0.95, views, 2)
    expected = stream("bone")(normaliser("centre")(whole))
    assert torch.equal(torch.cat([batch.x for batch in batches]), expected.x)
    assert torch.cat([batch.index for batch in batches]).tolist() == np.repeat(indices, views).tolist()


def test_more_views_than_the_size_of_a_batch(fixed_store):
    batches = list(fixed_batches(fixed_store, [0, 1], InputSettings(frames=8, views=5), size=2))
    assert [len(batch) for batch in batches] == [5, 5]


@pytest.mark.parametrize("crop", [(0.0, 1.0), (0.6, 0.5), (0.5, 1.1)])
def test_a_crop_that_makes_no_sense(crop):
    with pytest.raises(SettingsError, match=r"crop.*least <= most"):
        InputSettings.read({"crop": crop})


def test_the_same_preparation_in_training_and_test(fixed_store):
    """With the whole clip as window and nothing random, both ways give the same numbers."""
    still = AugmentSettings(jitter=0)
    feeds = feed(fixed_store, num=4, batch=4, augment=still, crop=(1, 1), share=1)
    trained, _ = feeds.at(0)
    tested = torch.cat([batch.x for batch in fixed_batches(fixed_store, trained.index.numpy(), feeds.input)])
    torch.testing.assert_close(trained.x, tested, rtol=0, atol=0)
