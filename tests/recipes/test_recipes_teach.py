"""Recognition with a teacher: which clips it sees, that labels it must not know change nothing, and going on."""

import numpy as np
import pytest
import torch
from runs import Watched, equal, losses, remade, weights, with_label

from ossein.clip import UNKNOWN, Clip
from ossein.deploy import read_card
from ossein.errors import DataError
from ossein.evaluate import propagate
from ossein.recipes.opinion import second_opinion
from ossein.recipes.presets import PRETRAIN, RECOGNISE, Facts
from ossein.recipes.pretrain import pretrain
from ossein.recipes.recognise import recognise
from ossein.recipes.start import Start, start_from
from ossein.store import draw_labels, resolve
from ossein.train import Run, read_tensors


def tiny(preset, store, **train):
    """The settings of a preset made small: of our own, with a teacher and dropout."""
    s = (
        preset(Facts.of(store, np.arange(12)), None)
        if preset is RECOGNISE["ossein"]
        else preset(Facts.of(store, np.arange(12)))
    )
    small = s.model.change(encoder=s.model.encoder.change(width=8, depth=1))
    train = {"epochs": 3, "steps": 0, "batch": 5, "precision": "fp32", "device": "cpu", **train}
    return s.change(input=s.input.change(frames=8), model=small, train=s.train.change(**train))


def taught(store, **train):
    s = tiny(RECOGNISE["ossein"], store, **train)
    return s.change(teach=s.teach.change(beside=4, sure=0.26))  # of four classes


def test_what_a_teacher_is_given(fixed_store, tmp_path):
    """Labels that are not in the draw change nothing, there or not; nor does anything in the test half."""
    drawn = draw_labels(fixed_store.labels, np.arange(12), "1-per-class", 0)

    def other(i, clip):
        if i < 12:
            return with_label(clip, clip.label if i in drawn else UNKNOWN)
        return Clip(clip.x[..., ::-1] * 0.5 + 3, clip.score, clip.name, (clip.label + 1) % 4, size=clip.size)

    stores = {"a": fixed_store, "b": remade(fixed_store, tmp_path / "b.clips", other)}
    for name, store in stores.items():
        recognise(
            "ossein", store, tmp_path / name, splits=["half"], labels="1-per-class", settings=taught(store, epochs=6)
        )
    assert equal(weights(tmp_path / "a"), weights(tmp_path / "b"))
    assert losses(tmp_path / "a") == losses(tmp_path / "b")
    assert max(line["sure"] for line in Run(tmp_path / "a").log_lines()) > 0
    data = read_card(tmp_path / "a")[1].data
    assert (data["clips"], data["seen"]) == (4, "0-11")


def test_clips_without_a_label_are_beside_the_others(fixed_store, tmp_path):
    store = remade(
        fixed_store, tmp_path / "some.clips", lambda i, c: with_label(c, UNKNOWN if i in (0, 5) else c.label)
    )
    settings = taught(store, epochs=1)
    recognise("ossein", store, tmp_path / "run", splits=["half"], settings=settings, screen=(screen := Watched()))
    data = read_card(tmp_path / "run")[1].data
    assert (data["clips"], data["seen"]) == (10, "0-11")
    assert not any("left out" in line for line in screen.lines)
    nobody = settings.change(teach=settings.teach.change(beside=0))
    for name, without in (("nobody", nobody), ("alone", settings.change(teach=None))):
        recognise("ossein", store, tmp_path / name, splits=["half"], settings=without)
        assert read_card(tmp_path / name)[1].data["seen"] == "1-4,6-11"
    none = remade(fixed_store, tmp_path / "no.clips", lambda i, c: with_label(c, UNKNOWN if i < 12 else c.label))
    with pytest.raises(DataError, match=r"no train clip of 'half' has a label"):
        recognise("ossein", none, tmp_path / "x", splits=["half"], settings=settings)
    assert not (tmp_path / "x").exists()


def test_an_answer_counts_where_the_spread_labels_say_something(fixed_store, tmp_path, monkeypatch):
    """With no opinion on anything nothing is taught; without being asked for one, as much as the teacher is sure of."""
    s, asked = taught(fixed_store), []
    call = {"splits": ["half"], "labels": "1-per-class"}

    def nothing(store, labelled, others, start, input):
        asked.append((labelled.tolist(), others.tolist(), start.method))
        return torch.zeros(len(store.labels), len(store.classes))

    monkeypatch.setattr("ossein.recipes.recognise.second_opinion", nothing)
    recognise("ossein", fixed_store, tmp_path / "none", settings=s, **call)
    drawn = draw_labels(fixed_store.labels, np.arange(12), "1-per-class", 0).tolist()
    assert asked == [(drawn, sorted(set(range(12)) - set(drawn)), None)]
    assert not any(line["sure"] for line in Run(tmp_path / "none").log_lines())
    word = s.change(teach=s.teach.change(second=False))
    recognise("ossein", fixed_store, tmp_path / "word", settings=word, **call)
    recognise("ossein", fixed_store, tmp_path / "all", splits=["half"], settings=s)
    assert len(asked) == 1
    assert any(line["sure"] for line in Run(tmp_path / "word").log_lines())


def test_the_second_opinion_is_of_what_the_pretraining_knows_clips_by(fixed_store, tmp_path, monkeypatch):
    before = tiny(PRETRAIN["ossein"], fixed_store, epochs=1)
    pretrain("ossein", fixed_store, tmp_path / "pre", splits=["half"], settings=before)
    told = []
    monkeypatch.setattr(
        "ossein.recipes.opinion.propagate", lambda sets, *_, **__: told.append(sets) or propagate(sets, *_, **__)
    )
    labelled, others, input = np.arange(4), np.arange(4, 12), before.input
    split = resolve(fixed_store, "half")
    start = start_from(tmp_path / "pre", split, fixed_store, Watched(), several=False)
    for one in (Start(), start, Start(start.encoder)):
        said = second_opinion(fixed_store, labelled, others, one, input)
        assert said.shape == (len(fixed_store.labels), len(fixed_store.classes))
        assert not said[12:].any()
        assert said[4:12].any(1).sum() > 4
        assert said[:4].argmax(1).tolist() == fixed_store.labels[:4].tolist()
    V, C = len(fixed_store.skeleton), fixed_store.dims
    M = input.persons
    joints = [M * 16 * V * C, M * 15 * V * C]
    widths = [[z.shape[1] for z in sets] for sets in told]
    assert widths == [joints, [*joints, 2 * 128], [*joints, 2 * 2 * V * 8]]


def test_of_many_clips_some_are_spoken_of(fixed_store, monkeypatch):
    monkeypatch.setattr("ossein.recipes.opinion._MOST", 3)
    said = second_opinion(
        fixed_store, np.arange(4), np.arange(4, 12), Start(), tiny(RECOGNISE["ossein"], fixed_store).input
    )
    assert 0 < said[4:12].any(1).sum() <= 3
    assert said[:4].any(1).all()


def test_a_moving_average_alone_sees_labelled_clips_alone(fixed_store, tmp_path):
    s = taught(fixed_store, epochs=1)
    s = s.change(teach=s.teach.change(beside=0))
    recognise("ossein", fixed_store, tmp_path, splits=["half"], labels="1-per-class", settings=s)
    assert read_card(tmp_path)[1].data["clips"] == 4
    assert read_card(tmp_path)[1].data["seen"] != "0-11"


def test_going_on_with_a_teacher_is_exact(fixed_store, tmp_path):
    encoder = tmp_path / "pre"
    before = tiny(PRETRAIN["ossein"], fixed_store, epochs=1)
    pretrain("ossein", fixed_store, encoder, splits=["half"], settings=before)
    settings = taught(fixed_store, save_every=1)
    call = {"splits": ["half"], "labels": "2-per-class", "pretrained": encoder, "settings": settings}
    whole = recognise("ossein", fixed_store, tmp_path / "whole", **call)

    cut = Watched(stop_at=4)  # after the second of three epochs: a ramp, a teacher and dropout under way
    with pytest.raises(KeyboardInterrupt):
        recognise("ossein", fixed_store, tmp_path / "cut", screen=cut, **call)
    torch.manual_seed(5)
    results = recognise("ossein", fixed_store, tmp_path / "cut", resume=True, **call)
    assert {**results, "runs": 0} == {**whole, "runs": 0}
    assert equal(weights(tmp_path / "cut"), weights(tmp_path / "whole"))
    assert Run(tmp_path / "cut").log_lines() == Run(tmp_path / "whole").log_lines()
    states = [read_tensors(tmp_path / name / "checkpoint.safetensors")[0] for name in ("cut", "whole")]
    assert {"model/steps", "model/done", "model/teacher.norm.running_var"} <= states[0].keys()
    assert equal(*states)
