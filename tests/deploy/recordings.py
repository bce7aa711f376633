"""Recordings to stream, and their answers in the slow way."""

import numpy as np
import pytest

from ossein.clip import Clip
from ossein.deploy.windows import starts

SIZE = (640, 480)


def recording(frames=40, persons=2, seed=0):
    """Two persons who wander, with joints and whole persons missing now and then."""
    rng = np.random.default_rng(seed)
    x = 200 + 40 * rng.normal(size=(persons, 1, 17, 2)) + rng.normal(size=(persons, frames, 17, 2)).cumsum(1) * 3
    score = rng.uniform(0.2, 1, (persons, frames, 17)) * (rng.random((persons, frames, 17)) > 0.2)
    score[-1, 5:9] = 0
    x, score = x.astype(np.float32), score.astype(np.float32)
    return np.where(score[..., None] > 0, x, 0), score


def run(stream, x, score, times=None):
    """All answers to a recording, the last of them of its end."""
    told = [stream.push(x[:, t], score[:, t], None if times is None else times[t]) for t in range(x.shape[1])]
    return [one for one in [*told, stream.finish()] if one]


def offline(model, x, score, window, hop):
    """The answers to the windows of a recording, in the slow way."""
    first = starts(x.shape[1], window, hop)
    clips = [Clip(x[:, t : t + window], score[:, t : t + window], size=SIZE) for t in first]
    return first, [dict(model.predict(clip)[0].top) for clip in clips]


def same(answers, expected):
    assert [set(dict(one.top)) for one in answers] == [set(one) for one in expected]
    for answer, one in zip(answers, expected, strict=True):
        for name, p in answer.top:
            assert p == pytest.approx(one[name], abs=1e-6)
