"""Streams: the answers of the same windows of a recording, at any frame rate, in memory that does not grow."""

import tracemalloc

import numpy as np
import pytest
from recordings import SIZE, offline, recording, run, same

import ossein
from ossein.clip import Clip
from ossein.deploy import Predictor, Stream, load
from ossein.deploy.stream import MOST
from ossein.deploy.windows import evenly
from ossein.errors import DataError, SettingsError, SkeletonError


@pytest.fixture(scope="module")
def model(recogniser_run) -> Predictor:
    return load(recogniser_run)


@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("rate", [10.0, 29.97, 120.0])
@pytest.mark.parametrize("hop", [5, 12])
def test_the_same_as_the_windows_of_a_recording(model, rate, timed, hop):
    x, score = recording()
    first, expected = offline(model, x, score, 12, hop)
    if timed:
        stream = Stream(model, window=f"{12 / rate:.6f}s", every=f"{hop / rate:.6f}s", size=SIZE)
        begin = 1.7e9
        answers = run(stream, x, score, begin + np.arange(40) / rate)
    else:
        stream = Stream(model, fps=rate, window=f"{12 / rate:.6f}s", every=f"{hop / rate:.6f}s", size=SIZE)
        begin = 0
        answers = run(stream, x, score)
    same(answers, expected)
    for answer, at in zip(answers, first):
        assert answer.unit == "s"
        assert (answer.start - begin, answer.end - begin) == pytest.approx((at / rate, (at + 12) / rate), abs=1e-4)


def test_in_frames_where_no_rate_is_known(model):
    x, score = recording(30)
    answers = run(Stream(model, window=10, every=4, size=SIZE), x, score)
    first, expected = offline(model, x, score, 10, 4)
    same(answers, expected)
    assert [(one.start, one.end, one.unit) for one in answers] == [(at, at + 10, "frames") for at in first]
    # As long as the clips that the model learned from, where nothing is said.
    n = model.card.frames
    answers = run(Stream(model, size=SIZE), x, score)
    same(answers, offline(model, x, score, n, n // 4)[1])


def test_a_recording_shorter_than_a_window(model):
    x, score = recording(7)
    answers = run(Stream(model, window=10, size=SIZE), x, score)
    same(answers, offline(model, x, score, 10, 4)[1])
    assert (answers[0].start, answers[0].end) == (0, 7)
    assert Stream(model, window=10, size=SIZE).finish() is None


def test_answers_come_when_they_are_due(model):
    x, score = recording(40)
    stream = Stream(model, window=10, every=6, size=SIZE)
    due = [t for t in range(40) if stream.push(x[:, t], score[:, t])]
    assert due == [9, 15, 21, 27, 33, 39]
    assert stream.finish() is None  # there is nothing that was not answered for
    assert run(stream, x[:, :12], score[:, :12])[0].end - 40 == 10  # and it may be used again


def test_frames_at_times_of_their_own(model):
    x, score = recording(60)
    times = np.delete(np.arange(90) / 30, np.random.default_rng(3).choice(np.arange(1, 89), 30, replace=False))
    stream, last = Stream(model, window="1s", every="0.5s", size=SIZE), None
    for t, time in enumerate(times):
        last = stream.push(x[:, t], score[:, t], float(time))
        if last:
            inside = np.flatnonzero((times > time - 1 + 1e-6) & (times <= time))
            clip = Clip(*evenly(x[:, inside], score[:, inside], times[inside]), size=SIZE)
            same([last], [dict(model.predict(clip)[0].top)])
            assert last.start == times[inside[0]]


def test_a_gap_begins_anew(model):
    x, score = recording(40)
    nobody = score.copy()
    nobody[:, 18:27] = 0
    first, second = (offline(model, x[:, part], nobody[:, part], 10, 5)[1] for part in (slice(0, 18), slice(27, 40)))
    stream = Stream(model, window=10, every=5, gap=6, size=SIZE)
    told = [stream.push(x[:, t] if nobody[:, t].any() else None, nobody[:, t]) for t in range(40)]
    answers = [one for one in [*told, stream.finish()] if one]
    assert [one.end for one in answers] == [10, 15, 20, 37, 40]
    same(answers[:2], first[:2])
    same(answers[3:], second)
    # Frames that do not come are like frames with nobody.
    times = np.r_[0:18, 27:40] / 10.0
    stream = Stream(model, window="1s", every="0.5s", gap="0.6s", size=SIZE)
    answers = run(stream, x[:, np.r_[0:18, 27:40]], score[:, np.r_[0:18, 27:40]], times)
    assert [round(one.end, 3) for one in answers] == [1.0, 1.5, 3.7, 4.0]


def test_a_short_absence_does_not(model):
    x, score = recording(30)
    score[:, 12:16] = 0
    answers = run(Stream(model, window=10, every=5, gap=5, size=SIZE), x, score)
    same(answers, offline(model, x, score, 10, 5)[1])


def test_nobody_is_no_answer(model):
    stream = Stream(model, window=3, every=1, size=SIZE)
    assert [stream.push(None) for _ in range(9)] == [None] * 9
    x, score = recording(4)
    answers = run(stream, x, score)
    assert [(one.start, one.end) for one in answers] == [(9, 12), (10, 13)]


def test_persons_by_their_place(model):
    x, score = recording(10, persons=3)
    two = offline(model, x[:2], score[:2], 10, 5)[1]
    same(run(Stream(model, window=10, persons=2, size=SIZE), x, score), two)
    (alone,) = offline(model, x[:1], score[:1], 10, 5)[1]
    stream = Stream(model, window=10, size=SIZE)
    told = [stream.push(x[0, t], score[0, t]) for t in range(10)]
    same([told[-1]], [alone])


def test_joints_that_are_not_finite_are_absent(model):
    x, score = recording(10, persons=1)
    holes = np.where(score[..., None] > 0, x, np.nan)
    expected = offline(model, x, (score > 0).astype(np.float32), 10, 5)[1]
    stream = Stream(model, window=10, size=SIZE)
    told = [stream.push(holes[:, t]) for t in range(10)]
    same([told[-1]], expected)


def test_memory_does_not_grow(model, monkeypatch):
    monkeypatch.setattr(Predictor, "scores", lambda self, clips: np.ones((1, 4), np.float32) / 4)
    for times in (False, True):
        stream = Stream(model, window="1s", every="0.9s", fps=None if times else 100.0, size=SIZE)
        x, score = recording(1)
        clock = iter(range(10**6))

        def push(num, stream=stream, times=times, clock=clock, x=x, score=score):
            for _ in range(num):
                # Ten times as many frames as are kept of a second.
                stream.push(x[:, 0], score[:, 0], next(clock) / (10 * MOST) if times else None)

        push(1200)
        held = stream._ring.x
        tracemalloc.start()
        push(200)
        before = tracemalloc.get_traced_memory()[0]
        push(1000)
        assert tracemalloc.get_traced_memory()[0] - before < 20_000
        tracemalloc.stop()
        assert stream._ring.x is held


def test_more_frames_than_are_kept(model):
    """A camera of 4 kHz: the window is still the last second, in fewer frames."""
    x, score = recording(1, persons=1)
    stream = Stream(model, window="1s", every="1s", size=SIZE)
    told = [stream.push(x[:, 0], score[:, 0], n / 4000) for n in range(8000)]
    answers = [one for one in told if one]
    assert [round(one.end, 2) for one in answers] == [1.0, 2.0]
    assert answers[1].start == pytest.approx(1.0, abs=2e-3)
    assert stream._ring.num <= MOST


def test_what_is_known(model):
    x, score = recording(10)
    (answer,) = run(Stream(model, window=10, size=SIZE, sure=1.0, top=2), x, score)
    assert (answer.known, answer.sure, len(answer.top)) == (None, False, 2)
    (answer,) = run(Stream(model, window=10, size=SIZE, sure=0.0), x, score)
    assert answer.known == answer.top[0][0]


def test_frames_that_are_refused_change_nothing(model):
    x, score = recording(10)
    expected = offline(model, x, score, 10, 5)[1]
    stream = Stream(model, window="1s", size=SIZE)
    told = []
    for t in range(10):
        told.append(stream.push(x[:, t], score[:, t], t / 10))
        with pytest.raises(DataError, match=r"time .* is not after"):
            stream.push(x[:, t], score[:, t], t / 10)
        with pytest.raises(DataError, match=r"time nan is not after"):
            stream.push(x[:, t], score[:, t], float("nan"))
        with pytest.raises(SkeletonError, match=r"a frame \[2, 5, 2\], expected \[M 17 2\] \(coco-17\)"):
            stream.push(x[:, t, :5], None, t / 10 + 0.01)
        with pytest.raises(DataError, match="a score is not in 0 to 1"):
            stream.push(x[:, t], score[:, t] + 9, t / 10 + 0.01)
        with pytest.raises(DataError, match=r"score .* for 2 persons"):
            stream.push(x[:, t], score[:, t, :3], t / 10 + 0.01)
        with pytest.raises(DataError, match="has no finite place"):
            stream.push(np.full_like(x[:, t], np.nan), np.ones((2, 17)), t / 10 + 0.01)
        with pytest.raises(DataError, match="some frames say their time and some do not"):
            stream.push(x[:, t], score[:, t])
    same([told[-1]], expected)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"size": None}, "the model needs the width and height of the image"),
        ({"top": 0}, "top 0"),
        ({"persons": 0}, "persons 0"),
        ({"fps": -1}, "fps -1"),
        ({"sure": 2}, "sure is 2"),
        ({"window": "soon"}, "'soon' is no length of time"),
    ],
)
def test_settings_that_are_wrong(model, how, told):
    with pytest.raises(SettingsError, match=told):
        Stream(model, **{"size": SIZE, **how})


@pytest.mark.parametrize(
    ("how", "time", "told"),
    [
        ({"window": 10, "gap": 10}, None, "a gap of 10 is not shorter than a window"),
        ({"window": "1s"}, None, "1s cannot be told in frames, the frame rate is not known"),
        ({"window": 10}, 0.0, "10 frames cannot be told in seconds"),
        ({"window": 10, "every": "1s"}, None, "1s cannot be told in frames"),
    ],
)
def test_settings_that_do_not_fit_the_frames(model, how, time, told):
    with pytest.raises(SettingsError, match=told):
        Stream(model, size=SIZE, **how).push(None, None, time)


def test_a_stream_from_a_folder(recogniser_run):
    x, score = recording(10)
    assert len(run(ossein.Stream(recogniser_run, window=10, size=SIZE), x, score)) == 1
