"""Streams of frames that say who is who: answers equal those of a recording in which each has a place of their own."""

import numpy as np
import pytest
from recordings import SIZE, offline, recording, same

from ossein.clip import Clip
from ossein.deploy import Predictor, Stream, load
from ossein.deploy.stream import SPARE
from ossein.deploy.windows import starts
from ossein.errors import DataError
from ossein.readers.tracks import assign_tracks


@pytest.fixture(scope="module")
def model(recogniser_run) -> Predictor:
    return load(recogniser_run)


def crowd(frames=40, alive=14, seed=0):
    """Detections of people who come and go, in an order of their own in each frame: poses [V 3] and who each is."""
    rng = np.random.default_rng(seed)
    x, score = recording(frames, persons=12, seed=seed)
    poses, ids = [], []
    for t in range(frames):
        # Two or three at a time; each is there for `alive` frames but for a blink.
        there = [m for m in range(12) if 5 * m - 10 <= t < 5 * m - 10 + alive and (t + m) % 7]
        rng.shuffle(there)
        poses.append([np.concatenate([x[m, t], score[m, t, :, None]], -1) for m in there])
        ids.append([f"track {m}" for m in there])
    return poses, ids


def pushed(stream, poses, ids, times=None):
    """All answers to detections with ids."""
    told = []
    for t, (some, who) in enumerate(zip(poses, ids, strict=True)):
        x = np.array([pose[:, :2] for pose in some]) if some else None
        score = np.array([pose[:, 2] for pose in some]) if some else None
        told.append(stream.push(x, score, None if times is None else times[t], ids=who if some else None))
    return [one for one in [*told, stream.finish()] if one]


@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("persons", [1, 2])
def test_persons_by_their_ids(model, persons, timed):
    """The windows of a recording in which tracks are slots, whatever the order of detections and however many tracks."""
    poses, ids = crowd()
    assert len({one for who in ids for one in who}) > persons + SPARE
    stream = Stream(model, window="1.2s", every="0.5s", fps=None if timed else 10, persons=persons, size=SIZE)
    answers = pushed(stream, poses, ids, np.arange(40) / 10 if timed else None)
    expected = []
    for t in starts(40, 12, 5):
        x, score = assign_tracks(poses[t : t + 12], 17, ids=ids[t : t + 12], most=persons)
        expected.append(dict(model.predict(Clip(x, score, size=SIZE))[0].top))
    same(answers, expected)


def test_an_id_is_worth_more_than_a_place(model):
    """Two people who swap places in the list of detections are the two of a recording in which they do not."""
    x, score = recording(10)
    (expected,) = offline(model, x[np.argsort(-score.sum((1, 2)))], score[np.argsort(-score.sum((1, 2)))], 10, 5)[1]
    stream = Stream(model, window=10, size=SIZE)
    orders = [[0, 1] if t % 2 else [1, 0] for t in range(10)]
    told = [stream.push(x[order, t], score[order, t], ids=order) for t, order in enumerate(orders)]
    same([told[-1]], [expected])
    stream = Stream(model, window=10, size=SIZE)
    mixed = [stream.push(x[order, t], score[order, t]) for t, order in enumerate(orders)][-1]
    assert abs(dict(mixed.top)[told[-1].top[0][0]] - told[-1].top[0][1]) > 1e-4


def test_more_people_at_once_than_places(model):
    x, score = recording(10, persons=12)
    stream = Stream(model, window=10, persons=2, size=SIZE)
    told = [stream.push(x[:, t], score[:, t], ids=range(12)) for t in range(10)]
    best = np.argsort(-score[: 2 + SPARE].sum((1, 2)), kind="stable")[:2]
    same([told[-1]], offline(model, x[best], score[best], 10, 5)[1])


def test_tracks_take_no_memory(model, monkeypatch):
    monkeypatch.setattr(Predictor, "scores", lambda self, clips: np.ones((1, 4), np.float32) / 4)
    x, score = recording(1)
    stream = Stream(model, window=50, every=40, size=SIZE)
    for n in range(3000):
        stream.push(x[:, 0], score[:, 0], ids=[f"track {n}", f"other {n}"])
    assert len(stream._places.who) == len(stream._ring.x) == stream.persons + SPARE
    assert f"track {n - 20}" not in stream._places.who


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ([1, 2], None, "some frames say who is who and some do not"),
        (None, [1, 2], "some frames say who is who and some do not"),
        ([1, 2], [1, 1], r"ids \[1, 1\] for 2 persons. Give one for each, and each once"),
        ([1, 2], [1], r"ids \[1\] for 2 persons"),
    ],
)
def test_ids_that_do_not_do(model, first, second, told):
    x, score = recording(2)
    stream = Stream(model, window=10, size=SIZE)
    stream.push(x[:, 0], score[:, 0], ids=first)
    with pytest.raises(DataError, match=told):
        stream.push(x[:, 1], score[:, 1], ids=second)
    stream.push(None)
