import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ossein.clip import Clip
from ossein.draw import Draw
from ossein.errors import DataError, SettingsError
from ossein.store import sample
from ossein.store.memory import Memory
from ossein.store.sample import sample_train

LENGTHS = (1, 2, 3, 9, 40, 7, 1, 16)


@pytest.fixture(scope="module", params=[2, 3])
def clips(random_clip, request):
    return [
        random_clip(i, 1 + i % 3, length, request.param, label=i, size=(8, i + 1)) for i, length in enumerate(LENGTHS)
    ]


@pytest.fixture(scope="module")
def store(build, clips):
    return build(clips)


def slow(clip: Clip, start: float, width: float, frames: int, persons: int):
    """One window of one clip, joint by joint."""
    V, C = clip.x.shape[2:]
    x, score = np.zeros((persons, frames, V, C)), np.zeros((persons, frames, V))
    for m in range(min(persons, clip.num_persons)):
        for t in range(frames):
            at = start + (width - 1) * (t / (frames - 1) if frames > 1 else 0.5)
            low = min(math.floor(at), clip.num_frames - 1)
            high = min(low + 1, clip.num_frames - 1)
            for v in range(V):
                weights = [(low, low + 1 - at), (high, at - low)]
                there = [(f, w) for f, w in weights if w > 1e-6 and clip.score[m, f, v] > 0]
                total = sum(w for _, w in there)
                x[m, t, v] = sum((w / total * clip.x[m, f, v].astype(float) for f, w in there), np.zeros(C))
                score[m, t, v] = sum(w / total * float(clip.score[m, f, v]) for f, w in there)
    return x, score


def check(batch, clips, windows, frames, persons):
    assert batch.x.dtype == batch.score.dtype == torch.float32
    assert batch.x.shape[:3] == (len(windows), persons, frames)
    for n, (i, start, width) in enumerate(windows):
        x, score = slow(clips[i], start, width, frames, persons)
        np.testing.assert_allclose(batch.x[n], x, atol=1e-5)
        np.testing.assert_allclose(batch.score[n], score, atol=1e-5)
        assert ((batch.score[n] > 0).numpy() == (score > 0)).all()
        assert (batch.x[n][batch.score[n] == 0] == 0).all()
        assert (batch.index[n], batch.label[n]) == (i, clips[i].label)
        assert tuple(batch.size[n].tolist()) == clips[i].size


@settings(max_examples=25, deadline=None)
@given(
    frames=st.integers(1, 12),
    seed=st.integers(0, 99),
    crop=st.tuples(st.floats(0.05, 1), st.floats(0.05, 1)).map(sorted),
    persons=st.none() | st.integers(1, 4),
    indices=st.lists(st.integers(0, len(LENGTHS) - 1), max_size=5),
)
def test_training_batches_are_what_a_slow_loop_gives(store, clips, frames, seed, crop, persons, indices):
    batch = store.sample(indices, frames, draw=Draw.of(seed), crop=crop, persons=persons)
    draw, windows = Draw.of(seed), []
    shares, places = draw.uniform((len(indices),)).tolist(), draw.uniform((len(indices),)).tolist()
    for i, share, place in zip(indices, shares, places, strict=True):
        width = max(1.0, (crop[0] + (crop[1] - crop[0]) * share) * LENGTHS[i])
        windows.append((i, place * (LENGTHS[i] - width), width))
    check(batch, clips, windows, frames, persons or 3)


@settings(max_examples=25, deadline=None)
@given(
    frames=st.integers(1, 12),
    share=st.floats(0.05, 1),
    views=st.integers(1, 4),
    persons=st.none() | st.integers(1, 4),
    indices=st.lists(st.integers(0, len(LENGTHS) - 1), min_size=1, max_size=4),
)
def test_test_batches_are_what_a_slow_loop_gives(store, clips, frames, share, views, persons, indices):
    batch = store.sample_views(indices, frames, share=share, views=views, persons=persons)
    windows = []
    for i in indices:
        width = max(1.0, share * LENGTHS[i])
        room = LENGTHS[i] - width
        windows += [(i, room / 2 if views == 1 else room * k / (views - 1), width) for k in range(views)]
    check(batch, clips, windows, frames, persons or 3)


def test_whole_frames_come_out_as_they_were_stored(store, clips):
    for i, clip in enumerate(clips):
        for repeat in (1, 2):
            T = (clip.num_frames - 1) * repeat + 1
            batch = store.sample_views([i], T, share=1.0, persons=clip.num_persons)
            assert (batch.x[0, :, ::repeat].numpy() == clip.x).all()
            assert (batch.score[0, :, ::repeat].numpy() == clip.score).all()


def test_a_clip_of_one_frame_gives_that_frame_each_time(store, clips):
    for batch in (store.sample([0], 5, draw=Draw.of(1)), store.sample_views([0], 5, views=2)):
        assert (batch.x[:, :1].numpy() == clips[0].x).all()
        assert (batch.score[:, :1].numpy() == clips[0].score).all()


def test_a_clip_that_does_not_move_does_not_move(build):
    rng = np.random.default_rng(0)
    x = np.broadcast_to(rng.normal(size=(1, 1, 3, 3)) * 1000, (1, 11, 3, 3))
    score = np.broadcast_to(rng.uniform(0.1, 1, (1, 1, 3)), (1, 11, 3)) * (rng.random((1, 11, 3)) > 0.3)
    batch = build([Clip(x, score, "still")]).sample([0] * 50, 16, draw=Draw.of(2))
    seen = batch.score > 0
    assert 0 < seen.float().mean() < 1
    assert (
        batch.x[seen]
        == torch.from_numpy(x.astype(np.float32)).expand(50, 1, 11, 3, 3)[:, :, :1].expand(50, 1, 16, 3, 3)[seen]
    ).all()
    assert set(batch.score[seen].tolist()) <= set(score.astype(np.float32)[score > 0].tolist())


def test_scores_stay_in_range(build):
    rng = np.random.default_rng(1)
    score = rng.choice([1.0, 1 - 6e-8, 1e-30, 0.3], (1, 50, 3))
    batch = build([Clip(np.ones((1, 50, 3, 2)), score, "a")]).sample([0] * 200, 37, draw=Draw.of(0))
    assert batch.score.max() <= 1
    assert batch.score.min() > 0
    assert (batch.x == 1).all()


def test_two_processes_see_what_one_would(store):
    indices = [3, 4, 5, 7, 2, 1]
    whole = store.sample(indices, 8, draw=Draw.of(5, 1))
    parts = [store.sample(indices[3 * r : 3 * r + 3], 8, draw=Draw.of(5, 1, rank=r, world=2)) for r in range(2)]
    for key in ("x", "score", "label", "index", "size"):
        joined = torch.cat([getattr(part, key) for part in parts])
        torch.testing.assert_close(joined, getattr(whole, key), rtol=0, atol=0)


def test_without_a_draw_every_number_is_the_middle_of_its_range(store, clips):
    batch = store.sample([4], 6, crop=(0.2, 0.6))
    check(batch, clips, [(4, 12.0, 16.0)], 6, 3)


def test_draws_differ_and_cover_the_clip(build):
    x = np.broadcast_to(np.arange(101.0)[None, :, None, None], (1, 101, 3, 2))
    store = build([Clip(x, np.ones((1, 101, 3)), "clock")])
    at = store.sample([0] * 2000, 2, draw=Draw.of(0), crop=(0.25, 0.75)).x[:, 0, :, 0, 0]
    width = at[:, 1] - at[:, 0] + 1
    assert 0.25 * 101 <= width.min() < 0.26 * 101
    assert 0.74 * 101 < width.max() <= 0.75 * 101
    assert at.min() < 0.5
    assert at.max() > 99.5
    place = at[:, 0] / (101 - width)
    np.testing.assert_allclose(torch.histc(place, 10, 0, 1), 200, atol=60)


def test_a_batch_does_not_share_memory_with_the_store(store):
    before = store.clip(3).x.copy()
    batch = store.sample_views([3], 9, share=1.0)
    batch.x.add_(1)
    batch.label.add_(1)
    assert (store.clip(3).x == before).all()
    assert store.labels[3] == 3


@pytest.mark.parametrize(
    "settings",
    [
        {"frames": 0},
        {"persons": 0},
        {"crop": (0, 1)},
        {"crop": (0.6, 0.5)},
        {"crop": (0.5, 1.1)},
        {"crop": (math.nan, 1)},
    ],
)
def test_settings_out_of_range(store, settings):
    with pytest.raises(SettingsError):
        store.sample([0], **{"frames": 4, **settings})


@pytest.mark.parametrize("settings", [{"frames": 0}, {"share": 0}, {"share": 1.01}, {"views": 0}, {"persons": -1}])
def test_view_settings_out_of_range(store, settings):
    with pytest.raises(SettingsError):
        store.sample_views([0], **{"frames": 4, **settings})


@pytest.mark.parametrize("indices", [[0, len(LENGTHS)], [-1]])
def test_clips_that_are_not_there(store, indices):
    with pytest.raises(DataError, match=f"store of {len(LENGTHS)} clips"):
        store.sample(indices, 4)


@settings(max_examples=20, deadline=None)
@given(frames=st.integers(1, 12), crop=st.floats(0.05, 1), indices=st.lists(st.integers(0, 3), min_size=1, max_size=4))
def test_what_lacks_nothing_is_the_same_beside_what_does(random_clip, triangle, frames, crop, indices):
    clips = [random_clip(i, 2, 3 + 4 * i, absent=0.0, label=i, size=(8, i + 1)) for i in range(4)]
    rows = Memory.of([*clips, random_clip(4, 2, absent=0.5)], triangle)
    alone, beside = (sample_train(rows, some, frames, crop=(crop, crop)) for some in (indices, [*indices, 4]))
    widths = [max(1.0, crop * clips[i].num_frames) for i in indices]
    windows = [(i, (clips[i].num_frames - width) / 2, width) for i, width in zip(indices, widths, strict=True)]
    check(alone, clips, windows, frames, 2)
    assert torch.equal(alone.x, beside.x[:-1])
    assert torch.equal(alone.score, beside.score[:-1])


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75, 1 - 2**-24])
def test_where_one_of_two_frames_lacks_a_joint_the_other_is_taken_to_the_last_bit(share):
    rng = np.random.default_rng(0)
    x, score = torch.from_numpy(rng.normal(300, 50, (2, 1, 1, 3, 2))).float(), torch.full((2, 1, 1, 3), 0.7)
    score[0, ..., 1] = score[1, ..., 2] = 0
    x = x * (score > 0)[..., None]
    out, sure = sample._between(x.clone(), score.clone(), torch.tensor([[share]]))
    for joint, frame in ((1, 1), (2, 0)):
        assert torch.equal(out[..., joint, :], x[frame, ..., joint, :])
        assert torch.equal(sure[..., joint], score[frame, ..., joint])
    torch.testing.assert_close(out[..., 0, :], x[0, ..., 0, :] * (1 - share) + x[1, ..., 0, :] * share)


@pytest.mark.parametrize("absent", [False, True])
def test_rows_that_do_not_lie_in_one_piece(absent):
    """Interpolation writes into what it is given, which must not go astray where that has to be copied first."""
    rng = np.random.default_rng(0)
    x, score = torch.from_numpy(rng.normal(size=(2, 4, 5, 3, 2))).float(), torch.ones(2, 4, 5, 3)
    score[1, 2] = float(not absent)
    share = torch.from_numpy(rng.random((4, 5))).float()
    apart = [a.transpose(1, 2).contiguous().transpose(1, 2) for a in (x, score)]
    for one, other in zip(sample._between(*apart, share=share), sample._between(x, score, share), strict=True):
        assert torch.equal(one, other)
