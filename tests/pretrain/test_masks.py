"""Masks: the same number of joints in every clip, parts whole, and the same whatever the number of processes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ossein.draw import Draw
from ossein.errors import SettingsError
from ossein.pretrain import Mask, MaskSettings
from ossein.skeleton import Skeleton, builtin_names

COCO = Skeleton.of("coco-17")
RANDOM = ("random-parts", "random-joints")


def mask(kind: str = "parts", skeleton: Skeleton = COCO, **more: object) -> Mask:
    return Mask(skeleton, MaskSettings.read({"kind": kind, **more}))


@pytest.mark.parametrize("name", builtin_names())
@pytest.mark.parametrize("parts", [(3, 5), (0,), (3,), (1, 2, 3, 4, 5), (3, 3)])
def test_the_named_parts_are_hidden_in_every_clip(name: str, parts: tuple[int, ...]):
    skeleton = Skeleton.of(name)
    m = mask(skeleton=skeleton, parts=parts)
    hidden = m(4, Draw.of(0))
    assert hidden.dtype == torch.bool
    assert hidden.shape == (4, len(skeleton))
    groups = list(skeleton.parts.values())
    expected = {j for part in parts for j in groups[part]}
    for row in hidden:
        assert set(row.nonzero().flatten().tolist()) == expected
    assert m.count == len(expected)


def test_the_papers_parts_are_right_arm_and_right_leg():
    hidden = Mask(COCO, MaskSettings())(1, Draw.of(0))[0]
    assert [COCO.joints[j] for j in hidden.nonzero().flatten().tolist()] == [
        "right_elbow",
        "right_wrist",
        "right_knee",
        "right_ankle",
    ]


@settings(max_examples=20, deadline=None)
@given(
    kind=st.sampled_from(RANDOM),
    name=st.sampled_from(builtin_names()),
    share=st.floats(0.1, 0.9),
    seed=st.integers(0, 2**32),
)
def test_random_kinds_hide_the_share_in_every_clip(kind: str, name: str, share: float, seed: int):
    skeleton = Skeleton.of(name)
    m = mask(kind, skeleton, share=share)
    hidden = m(6, Draw.of(seed))
    assert hidden.sum(1).tolist() == [m.count] * 6
    assert abs(m.count - share * len(skeleton)) <= 0.5
    assert hidden.dtype == torch.bool


@settings(max_examples=20, deadline=None)
@given(name=st.sampled_from(builtin_names()), share=st.floats(0.1, 0.9), seed=st.integers(0, 2**32))
def test_random_parts_are_whole_but_for_the_last(name: str, share: float, seed: int):
    skeleton = Skeleton.of(name)
    for row in mask("random-parts", skeleton, share=share)(6, Draw.of(seed)):
        torn = [key for key, joints in skeleton.parts.items() if 0 < int(row[list(joints)].sum()) < len(joints)]
        assert len(torn) <= 1


@pytest.mark.parametrize("kind", RANDOM)
def test_random_kinds_differ_from_clip_to_clip_and_hide_all_joints_evenly(kind: str):
    hidden = mask(kind, share=0.3)(3000, Draw.of(0)).float()
    assert len(hidden.unique(dim=0)) > 10
    share = hidden.mean(0)
    if kind == "random-joints":
        assert (share - 5 / 17).abs().max() < 0.04
        together = (hidden.T @ hidden / 3000)[~torch.eye(17, dtype=torch.bool)]
        assert (together - 5 / 17 * 4 / 16).abs().max() < 0.04
    else:
        arm, leg = share[[7, 9]], share[[13, 15]]
        assert (arm - leg).abs().max() < 0.05
        # Joints of an arm are hidden together far more often than joints of an arm and a leg.
        together = hidden.T @ hidden / 3000
        assert together[7, 9] > 2 * together[7, 13]


@pytest.mark.parametrize("kind", ["parts", *RANDOM])
@pytest.mark.parametrize("world", [2, 3])
def test_processes_together_hide_what_one_would(kind: str, world: int):
    m = mask(kind)
    one = m(6, Draw.of(5))
    shares = [m(6 // world, Draw.of(5, rank=rank, world=world)) for rank in range(world)]
    assert torch.equal(torch.cat(shares), one)


@pytest.mark.parametrize("kind", RANDOM)
def test_the_draw_decides_and_nothing_else(kind: str):
    m = mask(kind)
    torch.manual_seed(0)
    one = m(5, Draw.of(1))
    torch.manual_seed(9)
    assert torch.equal(m(5, Draw.of(1)), one)
    assert not torch.equal(m(5, Draw.of(2)), one)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"parts": (6,)}, "mask.parts: coco-17 has no part 6. Its parts are 0 head, 1 torso, 2 left_arm"),
        ({"parts": (3, -1)}, "mask.parts: coco-17 has no part -1"),
        ({"parts": ()}, "mask: 0 of 17 joints would be hidden. .* change mask.parts"),
        ({"parts": range(6)}, "mask: 17 of 17 joints would be hidden"),
        ({"kind": "random-joints", "share": 0.01}, "mask: 0 of 17 joints would be hidden. .* change mask.share"),
        ({"kind": "random-parts", "share": 0.99}, "mask: 17 of 17 joints would be hidden"),
    ],
)
def test_a_mask_that_cannot_be_is_refused(fields: dict[str, object], says: str):
    with pytest.raises(SettingsError, match=says):
        mask(**{"kind": "parts", **fields})  # type: ignore[arg-type]


def test_parts_of_another_skeleton_do_not_matter_for_random_kinds():
    hand = Skeleton.make("pair", ["a", "b"], [[0, 1]])
    assert mask("random-joints", hand, share=0.5)(3, Draw.of(0)).sum(1).tolist() == [1, 1, 1]
