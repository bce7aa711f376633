"""What answers rest on: the joint and the time that alone decide are found, whatever else there is."""

import numpy as np
import pytest
import torch
from markup import read

from ossein.clip import Batch, Clip
from ossein.errors import SettingsError
from ossein.skeleton import Skeleton
from ossein.view import Saliency, draw_saliency, occlude, write_saliency

COCO = Skeleton.of("coco-17")
EACH = [(v,) for v in range(17)]


def batch(persons=1, frames=24, dims=2, seed=0):
    x = np.random.default_rng(seed).normal(size=(persons, frames, 17, dims)) + 3
    return Batch.of([Clip(x, np.ones((persons, frames, 17)))], COCO)


def judge(person=0, joint=9, start=8, end=16):
    """Class 1 the more, the higher one joint is in some frames; blind for all else."""

    def scores(some):
        high = some.x[:, person, start:end, joint, 1].mean(1)
        return torch.stack([-2 * high, 2 * high, torch.zeros_like(high)], 1).softmax(1)

    return scores


@pytest.mark.parametrize(("persons", "person", "dims"), [(1, 0, 2), (2, 1, 3)])
def test_the_joint_that_decides_is_found(persons, person, dims):
    label, p, drop = occlude(judge(person), batch(persons, dims=dims), EACH)
    assert label == 1
    assert p > 0.99
    assert drop.shape == (persons, 24, 17)
    others = np.ones_like(drop, bool)
    others[person, 4:20, 9] = False  # stretches of 4 frames that overlap by half reach 3 frames further
    assert np.abs(drop[others]).max() < 1e-6
    assert drop[person, 9:15, 9].min() > 2 * max(drop[person, :5, 9].max(), 1e-9)


def test_the_drop_is_the_mean_over_the_stretches_around_a_frame():
    some, scores = batch(frames=6), judge(start=0, end=6)
    label, p, drop = occlude(scores, some, [(9,)], 0)
    assert label == 0
    alone = []
    for t in range(6):  # six windows of one frame each
        score = some.score.clone()
        score[0, 0, t, 9] = 0
        alone.append(p - float(scores(some.change(score=score))[0, 0]))
    np.testing.assert_allclose(drop[0, :, 9], alone, atol=1e-6)
    assert min(alone) < 0  # for a class that is not the answer, less of the joint means more of the class


def test_stretches_overlap_by_half_and_those_that_nobody_sees_do_not_count():
    some = batch()
    seen = some.score.clone()
    seen[0, 0, :4, 9] = 0
    some = some.change(score=seen)

    def blind(given):  # like `judge`, of the frames in which the joint is seen
        there = given.score[:, 0, :, 9] > 0
        high = (given.x[:, 0, :, 9, 1] * there).sum(1) / 24
        return torch.stack([-high, high, torch.zeros_like(high)], 1).softmax(1)

    label, p, drop = occlude(blind, some, [(9,)])
    total, count = np.zeros(24), np.zeros(24)
    for start in range(0, 21, 2):
        score = seen.clone()
        score[0, 0, start : start + 4, 9] = 0
        if seen[0, 0, start : start + 4, 9].any():
            total[start : start + 4] += p - float(blind(some.change(score=score))[0, label])
            count[start : start + 4] += 1
    np.testing.assert_allclose(drop[0, :, 9], total / np.maximum(count, 1), atol=1e-6)
    assert count.tolist() == [0, 0, 1, 1, *[2] * 18, 1, 1]


def test_parts_go_out_of_sight_together():
    parts = list(COCO.parts.values())
    drop = occlude(judge(), batch(), parts)[2]
    arm = next(part for part in parts if 9 in part)
    assert all((drop[0, :, v] == drop[0, :, 9]).all() for v in arm)
    assert drop[0, :, 9].max() > 0
    assert np.abs(drop[0][:, [v for v in range(17) if v not in arm]]).max() < 1e-6


def test_nobody_and_one_frame():
    absent = batch(2)
    absent = absent.change(score=absent.score * torch.tensor([1.0, 0.0])[None, :, None, None])
    assert (occlude(judge(), absent, EACH)[2][1] == 0).all()
    nobody = absent.change(score=absent.score * 0)
    assert (occlude(judge(), nobody, EACH)[2] == 0).all()
    one = occlude(judge(start=0, end=1), batch(frames=1), EACH)[2]
    assert one.shape == (1, 1, 17)
    assert int(one.argmax()) == 9
    with pytest.raises(SettingsError, match="class 7 of a model that knows 3"):
        occlude(judge(), batch(), EACH, 7)


def found(persons=1, dims=2, frames=12):
    some = batch(persons, frames, dims)
    drop = occlude(judge(end=min(16, frames), start=min(8, frames - 1)), some, EACH)[2]
    x, seen = some.x[0].numpy(), some.score[0].numpy() > 0
    return Saliency(x, seen, drop, 0.93, "lift <b>", "clip & 1", tuple(range(5, 5 + frames)))


@pytest.mark.parametrize(("persons", "dims", "frames"), [(1, 2, 12), (2, 3, 12), (1, 3, 1)])
def test_pictures_of_it(tmp_path, persons, dims, frames):
    s = found(persons, dims, frames)
    draw_saliency(s, COCO, tmp_path / "s.png", note="how")
    assert (tmp_path / "s.png").read_bytes()[:4] == b"\x89PNG"
    write_saliency(s, COCO, tmp_path / "s.html", note="how")
    markup = read((tmp_path / "s.html").read_text())
    assert any("lift <b>, 93 %" in note.text for note in markup.all("p"))
    assert len(markup.all("figure", "heat")) == persons
    film = markup.reel["films"][0]
    assert film["panels"][0]["look"] == "heat"
    assert film["at"] == list(s.at)
    assert np.abs(s.level).max() == 1


def test_a_model_that_looks_at_nothing(tmp_path):
    drop = np.zeros((1, 3, 17))
    s = Saliency(np.zeros((1, 3, 17, 2)), np.ones((1, 3, 17), bool), drop, 0.5, "rest", "c", (0, 1, 2))
    draw_saliency(s, COCO, tmp_path / "s.png")
    write_saliency(s, COCO, tmp_path / "s.html")
    assert "change of 0.0 points" in s.caption


def test_the_strongest_colour_is_the_largest_change_whatever_its_sign():
    drop = np.zeros((1, 3, 17))
    drop[0, 1, 2:4] = -0.4, 0.1
    s = Saliency(np.zeros((1, 3, 17, 2)), np.ones((1, 3, 17), bool), drop, 0.5, "rest", "c", (0, 1, 2))
    assert (s.level.min(), s.level.max()) == (-1, 0.25)
    assert "change of 40.0 points" in s.caption
