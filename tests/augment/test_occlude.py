"""Occlusion, against parts hidden one by one and frame by frame."""

import math

import pytest
import torch

from ossein.augment import Occlude
from ossein.clip import Batch
from ossein.draw import Draw
from ossein.errors import SettingsError
from ossein.skeleton import Skeleton

COCO = Skeleton.of("coco-17")
CHAIN = Skeleton.make("chain", ["a", "b", "c"], [(0, 1), (1, 2)], parts={"one": ["a", "b"], "two": ["c"]})


def units(skeleton):
    """What is hidden together: the parts, or single joints where there are few parts."""
    return list(skeleton.parts.values()) if len(skeleton.parts) >= 4 else [(v,) for v in range(len(skeleton))]


def slowly(skeleton, share, least, most, num_clips, num_frames, seed):
    draw, groups = Draw.of(seed), units(skeleton)
    count = min(max(1, round(share * len(groups))), len(groups) - 1)
    order = draw.uniform((num_clips, len(groups))).tolist()
    lengths = draw.uniform((num_clips, count), least, most).tolist()
    starts = draw.uniform((num_clips, count)).tolist()
    hidden = torch.zeros(num_clips, num_frames, len(skeleton), dtype=torch.bool)
    for n in range(num_clips):
        for k, group in enumerate(sorted(range(len(groups)), key=order[n].__getitem__)[:count]):
            length = max(1, num_frames * lengths[n][k])
            start = starts[n][k] * (num_frames - length)
            for t in range(num_frames):
                for joint in groups[group]:
                    hidden[n, t, joint] |= start <= t < start + length
    return hidden


def clips(skeleton, num, frames):
    """Clips in which everybody is there all the time."""
    x = torch.ones(num, 1, frames, len(skeleton), 2)
    return Batch(x, x[..., 0], skeleton, torch.zeros(num).long(), torch.arange(num), torch.ones(num, 2))


@pytest.mark.parametrize("skeleton", [COCO, CHAIN], ids=["parts", "joints"])
@pytest.mark.parametrize(("share", "least", "most"), [(0.0, 0.3, 1), (0.5, 0.2, 0.6), (0.4, 0, 0), (1, 1, 1)])
def test_it_is_the_slow_one(skeleton, share, least, most):
    hidden = Occlude(share, least, most).hidden(clips(skeleton, 9, 11), Draw.of(3))
    assert torch.equal(hidden, slowly(skeleton, share, least, most, 9, 11, 3))


@pytest.mark.parametrize(("share", "count"), [(0.01, 1), (0.34, 2), (0.5, 3), (1.0, 5)])
def test_as_many_parts_in_every_clip_each_for_a_time_of_its_own(share, count):
    """Of the six parts, and one is always left."""
    hidden = Occlude(share, 0.25, 0.5).hidden(clips(COCO, 40, 20), Draw.of(0))
    frames = torch.stack([hidden[:, :, part[0]].sum(1) for part in units(COCO)], 1)
    for part, joints in enumerate(units(COCO)):
        assert all(torch.equal(hidden[:, :, joint].sum(1), frames[:, part]) for joint in joints)
    assert ((frames > 0).sum(1) == count).all()
    assert 5 <= frames[frames > 0].min() < frames.max() <= 10
    # A stretch has no gap.
    starts = hidden & ~torch.nn.functional.pad(hidden, (0, 0, 1, 0))[:, :-1]
    assert starts.sum(1).max() == 1
    assert len({tuple(row) for row in (frames > 0).tolist()}) > 4


def test_stretches_lie_where_anybody_is():
    """A clip that begins late and ends early is occluded as what there is of it alone."""
    whole, step = clips(COCO, 30, 16), Occlude(0.5, 0.2, 0.6)
    late = whole.score.clone()
    late[:, :, :5], late[:, :, 13:] = 0, 0
    hidden = step.hidden(whole.change(score=late), Draw.of(6))
    assert torch.equal(hidden[:, 5:13], step.hidden(clips(COCO, 30, 8), Draw.of(6)))
    assert not hidden[:, :5].any()
    assert not hidden[:, 13:].any()


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_a_part_is_hidden_for_one_frame_at_least(frames):
    hidden = Occlude(0.5, 0, 0).hidden(clips(COCO, 200, frames), Draw.of(1))
    seen = torch.stack([hidden[:, :, part[0]].sum(1) for part in units(COCO)], 1)
    assert ((seen == 0) | (seen == 1)).all()
    assert (seen.sum(1) == 3).all()


def test_all_persons_of_a_clip_lose_the_same_and_nothing_else_changes(bodies):
    batch = bodies("coco-17", num=6, persons=3)
    step = Occlude(0.5)
    out, hidden = step(batch, Draw.of(2)), step.hidden(batch, Draw.of(2))
    for m in range(3):
        assert torch.equal(out.score[:, m], torch.where(hidden, 0, batch.score[:, m]))
        assert torch.equal(out.x[:, m], torch.where(hidden[..., None], 0, batch.x[:, m]))


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ((-0.1,), "share .* expected 0 to 1"),
        ((math.nan,), "share .* expected 0 to 1"),
        ((0.5, -0.1), "least .* expected 0 to 1"),
        ((0.5, 0.6, 0.5), "most .* expected 0.6 to 1"),
        ((0.5, 0.3, 1.1), "most .* expected 0.3 to 1"),
    ],
)
def test_shares_out_of_range(fields, named):
    with pytest.raises(SettingsError, match=f"Occlude: {named}"):
        Occlude(*fields)
