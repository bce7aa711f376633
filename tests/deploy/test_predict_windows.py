"""Long recordings and several persons: the answers of the same pieces alone, in their order, with their times."""

import json
import shutil

import numpy as np
import pytest

from ossein.clip import Clip
from ossein.deploy import Predictor, load, read_card
from ossein.errors import BundleError, DataError, SettingsError
from ossein.evaluate.calibration import probabilities
from ossein.evaluate.model import class_logits
from ossein.files import write_json
from ossein.store.memory import Memory


@pytest.fixture(scope="module")
def model(recogniser_run) -> Predictor:
    return load(recogniser_run)


@pytest.fixture(scope="module")
def clip(fixed_store) -> Clip:
    """Two persons, one of them absent at first."""
    rng = np.random.default_rng(5)
    x = 200 + 40 * rng.normal(size=(2, 1, 17, 2)) + rng.normal(size=(2, 30, 17, 2)).cumsum(1)
    score = np.ones((2, 30, 17))
    score[1, :12] = 0
    return Clip(x, score, "long", size=(640, 480))


def alone(model, clip, frames, person=None):
    who = slice(None) if person is None else slice(person, person + 1)
    part = Clip(clip.x[who, slice(*frames)], clip.score[who, slice(*frames)], size=clip.size)
    return pytest.approx(dict(model.predict(part)[0].top), abs=1e-6)


def test_windows_are_answered_for_as_clips_of_their_own(model, clip):
    answers = model.predict(clip, window=12, hop=8)
    assert [(one.start, one.end, one.unit) for one in answers] == [
        (0, 12, "frames"),
        (8, 20, "frames"),
        (16, 28, "frames"),
        (18, 30, "frames"),
    ]
    for one in answers:
        assert dict(one.top) == alone(model, clip, (int(one.start), int(one.end)))
    assert [one.start for one in model.predict(clip, window=12)] == [0, 6, 12, 18]


def test_times_are_seconds_where_the_rate_is_known(model, clip):
    answers = model.predict(clip, window="0.5s", hop="0.25s", fps=24)
    assert [(one.start, one.end, one.unit) for one in answers][:2] == [(0, 0.5, "s"), (0.25, 0.75, "s")]
    assert dict(answers[1].top) == alone(model, clip, (6, 18))
    with pytest.raises(SettingsError, match=r"0.5s cannot be told in frames, the frame rate is not known\. Say it"):
        model.predict(clip, window="0.5s")


def test_each_person_gets_an_answer(model, clip):
    answers = model.predict(clip, window=10, hop=10, each_person=True)
    assert [(one.start, one.person) for one in answers] == [
        (0, None),
        (0, 0),
        (10, None),
        (10, 0),
        (10, 1),
        (20, None),
        (20, 0),
        (20, 1),
    ]
    for one in answers:
        assert dict(one.top) == alone(model, clip, (int(one.start), int(one.end)), one.person)
    whole = model.predict(clip, each_person=True)
    assert [(one.person, one.start) for one in whole] == [(None, None), (0, None), (1, None)]


def test_more_windows_than_are_held_at_once(model, clip, monkeypatch):
    expected = model.predict(clip, window=12, hop=1)
    monkeypatch.setattr("ossein.deploy.windows._AT_ONCE", 4)
    held = []
    scores = Predictor.scores
    monkeypatch.setattr(Predictor, "scores", lambda self, clips: held.append(len(clips)) or scores(self, clips))
    for one, other in zip(model.predict(clip, window=12, hop=1), expected, strict=True):
        assert (one.start, one.end) == (other.start, other.end)
        assert dict(one.top) == pytest.approx(dict(other.top), abs=1e-6)
    assert held == [4, 4, 4, 4, 3]


def test_what_is_not_sure_is_not_known(model, clip):
    (answer,) = model.predict(clip)
    p = answer.top[0][1]
    assert (answer.sure, answer.known) == (True, answer.top[0][0])
    assert model.predict(clip, sure=p)[0].sure
    (doubtful,) = model.predict(clip, sure=min(1.0, p + 1e-3))
    assert (doubtful.sure, doubtful.known, doubtful.top) == (False, None, answer.top)


def test_where_nobody_is_seen_nothing_is_known(model, clip):
    gone = Clip(clip.x, 0 * clip.score, "empty", size=clip.size)
    (answer,) = model.predict(gone, sure=0)
    assert (answer.sure, answer.known) == (False, None)
    assert [one.sure for one in model.predict([clip, gone], sure=0)] == [True, False]


def test_the_card_says_what_is_sure_and_how_hot_the_scores_are(recogniser_run, clip, tmp_path):
    folder = shutil.copytree(recogniser_run / "bundle", tmp_path / "bundle")
    card = read_card(folder)[1]
    write_json(folder / "bundle.json", card.change(temperature=2.5, sure=0.9).plain())
    model, before = load(folder), load(recogniser_run)
    assert [answer.known for answer in model.predict(clip)] == [None]
    assert model.predict(clip, sure=0)[0].known
    logits = class_logits(before.model, Memory.of([clip], before.skeleton), [0], card.input)
    np.testing.assert_allclose(model.scores([clip]), probabilities(logits, 2.5), rtol=1e-5)
    np.testing.assert_allclose(before.scores([clip]), probabilities(logits), rtol=1e-5)


@pytest.mark.parametrize(
    "fields",
    [{"temperature": 0}, {"temperature": float("inf")}, {"sure": 1.1}, {"frames": 0}, {"rate": 0}, {"calibration": []}],
)
def test_a_card_with_wrong_numbers(recogniser_run, tmp_path, fields):
    folder = shutil.copytree(recogniser_run / "bundle", tmp_path / "bundle")
    card = json.loads((folder / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps({**card, **fields}))
    with pytest.raises(BundleError, match=next(iter(fields))):
        load(folder)


def test_a_card_from_before(recogniser_run, tmp_path):
    folder = shutil.copytree(recogniser_run / "bundle", tmp_path / "bundle")
    card = json.loads((folder / "bundle.json").read_text())
    for key in ("temperature", "sure", "frames", "rate", "calibration"):
        del card[key]
    (folder / "bundle.json").write_text(json.dumps(card))
    model = load(folder)
    assert (model.card.temperature, model.card.sure, model.card.frames) == (1.0, 0.0, None)


def test_a_model_knows_how_long_its_clips_were(model, fixed_store):
    train = fixed_store.splits["half_train"]
    assert model.card.frames == int(np.median(fixed_store.frames[train]))
    assert model.card.rate is None


def test_a_timeline_from_windows(model, clip, monkeypatch):
    """Two things one after the other, as a model that sees them plainly tells them."""
    steps = np.arange(30) < 15

    def scores(self, clips):
        share = [(one.x[0, one.score[0, :, 0] > 0, 0, 0] > 500).mean() for one in clips]
        return np.array([[0.02, 0.95 * p + 0.01, 0.95 * (1 - p) + 0.01, 0.01] for p in share], np.float32)

    monkeypatch.setattr(Predictor, "scores", scores)
    x = np.where(steps[None, :, None, None], 600.0, 100.0) * np.ones((1, 30, 17, 2))
    seen = np.ones((1, 30, 17))
    one = Clip(x, seen, "two things", size=(640, 480))
    (line,) = model.timeline(one, window=6, hop=2)
    assert line.name == "two things"
    assert [(s.start, s.name) for s in line.segments] == [(0, "walk"), (line.segments[0].end, "run")]
    assert line.segments[0].end == pytest.approx(15, abs=2)
    assert (line.segments[1].end, line.unit) == (30, "frames")
    (line,) = model.timeline(one, window=6, hop=2, fps=10, sure=0.97)
    assert [(s.start, s.end, s.name) for s in line.segments] == [(0, 3, None)]
    assert line.unit == "s"
    seen[:, 8:22] = 0
    (line,) = model.timeline(Clip(x, seen, size=(640, 480)), window=6, hop=2)
    assert [(s.start, s.end, s.name) for s in line.segments] == [(0, 12, "walk"), (18, 30, "run")]
    (line,) = model.timeline(Clip(x, 0 * seen, size=(640, 480)))
    assert line.segments == ()


def test_a_timeline_in_windows_of_the_usual_length(model, clip):
    n = model.card.frames
    (usual,) = model.timeline(clip)
    assert usual == model.timeline(clip, window=n, hop=n // 4)[0]
    assert (usual.segments[0].start, usual.segments[-1].end) == (0, 30)
    (short,) = model.timeline(Clip(clip.x[:, :3], clip.score[:, :3], size=clip.size))
    assert [(s.start, s.end) for s in short.segments] == [(0, 3)]
    bare = Predictor(model.model, model.card.change(frames=None))
    with pytest.raises(SettingsError, match=r"does not say how long its clips were\. Name the length with --window"):
        bare.timeline(clip)


def test_a_store_and_its_clips_agree(model, fixed_store):
    answers = model.predict(fixed_store.path)
    assert [one.name for one in answers] == list(fixed_store.names)
    assert answers[3] == model.predict([fixed_store.clip(i) for i in range(20)])[3]


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"hop": 3}, "a hop without a window"),
        ({"sure": -0.1}, "sure is -0.1"),
        ({"window": "a while"}, "'a while' is no length of time"),
        ({"fps": 0}, "fps is 0"),
    ],
)
def test_arguments_that_are_wrong(model, clip, how, told):
    with pytest.raises(SettingsError, match=told):
        model.predict(clip, **how)


def test_a_switch_that_is_no_cost(model, clip):
    with pytest.raises(SettingsError, match="switch is -1"):
        model.timeline(clip, switch=-1)
    with pytest.raises(DataError, match="does not say the size of its image"):
        model.timeline(Clip(clip.x, clip.score), window=10)
