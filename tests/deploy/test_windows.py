"""Windows: spans as people say them, pieces that cover a recording, and frames brought to even steps."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossein.clip import Clip
from ossein.deploy.windows import Span, evenly, persons, pieces, rated, starts, usual
from ossein.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "amount", "seconds"),
    [("48", 48, False), (48, 48, False), ("1.5s", 1.5, True), (" 2s ", 2, True), (".25s", 0.25, True)],
)
def test_lengths_of_time(text, amount, seconds):
    assert Span.read(text) == Span(amount, seconds)
    assert Span.read(Span(amount, seconds)) == Span.read(str(Span(amount, seconds)))


@pytest.mark.parametrize("text", ["", "s", "0", "0s", "-3", "1.5", 2.5, "2 m", "1e3s", "nan", "inf", "9" * 12])
def test_what_is_no_length_of_time(text):
    with pytest.raises(SettingsError, match=r"is no length of time\. Give"):
        Span.read(text)


def test_seconds_and_frames():
    assert [Span.read("1s").frames(rate) for rate in (30.0, 29.97, 0.1)] == [30, 30, 1]
    assert (Span.read("7").frames(None), Span.read("7").time(2.0), Span.read("7s").time(None)) == (7, 3.5, 7)
    with pytest.raises(SettingsError, match="the frame rate is not known"):
        Span.read("1s").frames(None)
    with pytest.raises(SettingsError, match="the frame rate is not known"):
        Span.read("30").time(None)


@pytest.mark.parametrize(
    ("frames", "learned", "used", "span"),
    [(48, 24.0, 30.0, "2s"), (48, 24.0, None, "48"), (48, None, 30.0, "48"), (48, None, None, "48")],
)
def test_the_length_of_the_clips_a_model_learned_from(frames, learned, used, span):
    """In seconds where both rates are known."""
    assert usual(SimpleNamespace(frames=frames, rate=learned), used) == Span.read(span)


def test_a_bundle_that_does_not_say_how_long_its_clips_were():
    with pytest.raises(SettingsError, match="does not say how long its clips were"):
        usual(SimpleNamespace(frames=None, rate=24.0), 30.0)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 60), st.integers(1, 20), st.integers(1, 25))
def test_windows_cover_a_recording(frames, window, hop):
    found = starts(frames, window, hop)
    length = min(window, frames)
    assert found[0] == 0
    assert found[-1] + length == frames
    assert found == sorted(set(found))
    assert all(b - a <= hop for a, b in pairwise(found))
    assert all(at % hop == 0 for at in found[:-1])


@pytest.fixture
def clip():
    rng = np.random.default_rng(0)
    score = np.ones((2, 10, 3))
    score[1, :4] = 0
    return Clip(rng.normal(size=(2, 10, 3, 2)), score, "c", label=1, size=(4, 3), rate=5.0)


def test_pieces_in_their_order(clip):
    found = list(pieces(clip, Span(4), None, each_person=True))
    assert [(piece.frames, piece.person) for piece in found] == [
        ((0, 4), None),
        ((0, 4), 0),
        ((2, 6), None),
        ((2, 6), 0),
        ((2, 6), 1),
        ((4, 8), None),
        ((4, 8), 0),
        ((4, 8), 1),
        ((6, 10), None),
        ((6, 10), 0),
        ((6, 10), 1),
    ]
    one = found[4].clip
    np.testing.assert_array_equal(one.x, clip.x[1:, 2:6])
    np.testing.assert_array_equal(one.score, clip.score[1:, 2:6])
    assert (one.name, one.label, one.size, one.rate) == ("c", 1, (4, 3), 5.0)
    assert [piece.frames for piece in pieces(clip, Span(1, seconds=True), Span(9), each_person=False)] == [
        (0, 5),
        (5, 10),
    ]
    (whole,) = pieces(clip, None, None, each_person=False)
    assert whole.clip is clip
    assert [m for m, _ in persons(clip)] == [0, 1]


def test_a_rate_for_clips_that_do_not_say(clip):
    other = Clip(clip.x, clip.score)
    assert [one.rate for one in rated([clip, other], 30.0)] == [5.0, 30.0]
    with pytest.raises(SettingsError, match="fps is 0"):
        rated([clip], 0)


def test_even_frames_stay_as_they_are():
    rng = np.random.default_rng(1)
    for rate in (10, 24, 29.97, 120):
        x, score = rng.normal(size=(2, 33, 4, 3)).astype(np.float32), rng.random((2, 33, 4)).astype(np.float32)
        for begin in (0.0, 1.7e9):
            even, sure = evenly(x, score, begin + np.arange(33) / rate)
            np.testing.assert_array_equal(even, x)
            np.testing.assert_array_equal(sure, score)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_uneven_frames_against_interpolation(seed):
    rng = np.random.default_rng(seed)
    time = np.delete(np.arange(30), rng.choice(np.arange(1, 29), 5, replace=False)) / 30
    x = rng.normal(size=(1, 25, 2, 2)).astype(np.float32)
    even, score = evenly(x, np.ones((1, 25, 2), np.float32), time)
    assert even.shape[1] == 30
    for v in range(2):
        for c in range(2):
            expected = np.interp(np.arange(30) / 30, time, x[0, :, v, c])
            np.testing.assert_allclose(even[0, :, v, c], expected, atol=2e-3)
    np.testing.assert_allclose(score, 1)


def test_a_burst_of_frames_and_a_pause_make_no_endless_clip():
    x, score = np.arange(10, dtype=np.float32)[None, :, None, None].repeat(2, 3), np.ones((1, 10, 1), np.float32)
    even, sure = evenly(x, score, np.append(np.arange(9) / 1000, 60.0))
    assert even.shape[1] == sure.shape[1] == 20
    assert (even[0, 0, 0, 0], even[0, -1, 0, 0]) == (0, 9)


def test_an_absent_joint_beside_a_seen_one():
    x = np.array([1.0, 0.0, 3.0, 4.0], np.float32)[None, :, None, None].repeat(2, 3)
    score = np.array([1.0, 0.0, 1.0, 1.0], np.float32)[None, :, None]
    even, sure = evenly(x, score, np.array([0.0, 1.0, 2.0, 4.0]))
    assert even[0, :, 0, 0].tolist() == [1, 0, 3, 3.5, 4]
    assert sure[0, :, 0].tolist() == [1, 0, 1, 1, 1]
    even, sure = evenly(x, score, np.array([0.0, 0.5, 2.0, 3.0]))  # an absent frame is never mixed in
    assert set(sure.ravel().tolist()) == {0.0, 1.0} or set(sure.ravel().tolist()) == {1.0}
    assert ((sure[..., None] == 0) | (even >= 1)).all()
