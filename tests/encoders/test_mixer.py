"""The mixer: what each joint tells of itself, frames taken together, and joints brought over by name."""

from collections.abc import Sequence

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ossein.encoders import Mixer, MixerSettings, read_joints, thin
from ossein.encoders.mixer import Reading
from ossein.errors import SkeletonError
from ossein.nn.mixing import matrices
from ossein.skeleton import Skeleton

TRIO = Skeleton.make("trio", ["left_hip", "right_hip", "head", "fin"], [(0, 1), (1, 2), (2, 3)])
N, M, T, V, C, D = 2, 2, 7, 4, 2, 8


def made(stride: int = 2, depth: int = 1, reads: Sequence[Reading] = ("coordinates", "distances")) -> Mixer:
    torch.manual_seed(0)
    encoder = Mixer(TRIO, C, MixerSettings(reads=tuple(reads), width=D, depth=depth, stride=stride, kernel=3))
    with torch.no_grad():
        for value in encoder.parameters():
            value.add_(torch.randn_like(value) * 0.1)
    return encoder.eval()


def coordinates(frames: int = T) -> Tensor:
    return torch.randn(N, M, frames, V, C, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize("frames", [T, 8])
def test_present_frames_are_averaged_after_the_first_block(stride: int, frames: int):
    encoder, x = made(stride), coordinates(frames)
    present = torch.ones(N, M, frames, dtype=torch.bool)
    present[0, 1], present[1, 0, 3:] = False, False
    z = encoder(x, None, present)
    for n, m in [(n, m) for n in range(N) for m in range(M)]:
        long = int(present[n, m].sum())
        if not long:
            assert not z[n, m].any()
            continue
        each = []
        for branch in encoder.branches:
            h = branch.embed(
                branch.describe(x[n, m, None, None, :long], torch.ones(1, 1, long, V, dtype=torch.bool))[0]
            )
            h = branch.blocks[0]((h + branch.joint).permute(2, 0, 1, 3))
            groups = [h[:, :, first : first + stride].mean(2) for first in range(0, long, stride)]
            each.append(F.relu(branch.norm(torch.stack(groups, 2)))[:, 0].transpose(0, 1))
        torch.testing.assert_close(z[n, m, : len(groups)], torch.cat(each, -1), rtol=1e-4, atol=1e-5)
        assert not z[n, m, len(groups) :].any()


@torch.no_grad()
@pytest.mark.parametrize("reads", ["distances", "relations"])
def test_who_is_told_of_others(reads: Reading):
    """Relations alone: a person's features follow from where the other is, as far as that one is seen and present."""
    encoder = made(reads=[reads])
    x, hidden = coordinates(8), torch.zeros(N, M, 8, V, dtype=torch.bool)
    moved = x.clone()
    moved[:, 1] += 1  # as a whole, which leaves every distance within the body as it was
    told = reads == "relations"
    assert torch.allclose(encoder(moved)[:, 0], encoder(x)[:, 0], atol=1e-5) != told
    assert torch.allclose(encoder(x.flip(1)), encoder(x).flip(1), atol=1e-5)
    hidden[:, 1] = True
    assert torch.equal(encoder(moved, hidden), encoder(x, hidden))
    present = ~hidden.any(-1)
    assert torch.equal(encoder(moved, None, present), encoder(x, None, present))
    torch.testing.assert_close(encoder(x, None, present)[:, :1], encoder(x[:, :1]))


def test_blocks_look_one_and_two_frames_far_in_turn():
    for branch in made(depth=6).branches:
        assert [block.frames.conv.dilation[0] for block in branch.blocks] == [1, 1, 2, 2, 1, 1]


@pytest.mark.parametrize(("frames", "stride"), [(7, 2), (8, 2), (5, 4), (3, 1)])
def test_thin_asks_whether_anyone_is_there(frames: int, stride: int):
    present = torch.rand(5, 2, frames, generator=torch.Generator().manual_seed(0)) < 0.4
    expected = [[[bool(p[t : t + stride].any()) for t in range(0, frames, stride)] for p in clip] for clip in present]
    assert thin(present, stride).tolist() == expected


def test_joints_are_read_by_mean_and_maximum_over_present_frames():
    z = torch.randn(N, M, T, V, D, generator=torch.Generator().manual_seed(3)) - 2
    present = torch.rand(N, M, T, generator=torch.Generator().manual_seed(4)) < 0.6
    present[1, 0] = False
    z = z * present[..., None, None]
    out = read_joints(z, present)
    assert out.shape == (N, M, 2 * V * D)
    for n, m in [(n, m) for n in range(N) for m in range(M)]:
        there = [z[n, m, t] for t in range(T) if present[n, m, t]]
        if not there:
            assert not out[n, m].any()
            continue
        read = [torch.cat([torch.stack(there).mean(0)[v], torch.stack(there).amax(0)[v]]) for v in range(V)]
        torch.testing.assert_close(out[n, m], torch.cat(read))


def test_joints_go_over_by_name():
    """Two of four joints are known by name, one lies halfway between two known ones, and one is new."""
    other = Skeleton.make("other", ["head", "tail", "pelvis", "left_hip"], [(0, 1), (0, 2), (2, 3)])
    encoder = made()
    there = encoder.onto(other)
    for mine, theirs in zip(encoder.branches, there.branches, strict=True):
        hip_l, hip_r, head, fin = mine.joint.detach()
        expected = torch.stack([head, (hip_l + hip_r + head + fin) / 4, (hip_l + hip_r) / 2, hip_l])
        torch.testing.assert_close(theirs.joint.detach(), expected)
        old, new = mine.blocks[0].joints.matrix.detach(), theirs.blocks[0].joints.matrix.detach()
        known, fresh = {0: 2, 3: 0}, matrices(other, 4)
        for v in range(4):
            for w in range(4):
                both = v in known and w in known
                torch.testing.assert_close(new[:, v, w], old[:, known[v], known[w]] if both else fresh[:, v, w])
        for name, value in mine.state_dict().items():
            if name not in ("joint", "embed.weight") and not name.endswith("matrix"):
                assert torch.equal(theirs.state_dict()[name], value), name
    places, distances = (branch.embed.weight for branch in encoder.branches)
    assert torch.equal(there.branches[0].embed.weight, places)
    assert torch.equal(there.branches[1].embed.weight[:, 0], distances[:, 2])  # how far from the head


@torch.no_grad()
def test_branches_know_nothing_of_each_other():
    both, x = made(), coordinates()
    z = both(x)
    assert z.shape[-1] == both.width == 2 * D
    for at, read in enumerate(both.settings.reads):
        alone = made(reads=[read])
        alone.branches[0].load_state_dict(both.branches[at].state_dict())
        torch.testing.assert_close(alone(x), z[..., at * D : (at + 1) * D])


def test_going_over_is_the_same_whenever_it_is_done():
    other = Skeleton.of("coco-17")
    first = made().onto(other).state_dict()
    encoder = made()
    torch.manual_seed(9)
    again = encoder.onto(other).state_dict()
    assert all(torch.equal(value, again[name]) for name, value in first.items())


def test_no_joint_in_common():
    machine = Skeleton.make("crane", ["hook", "boom"], [(0, 1)])
    with pytest.raises(SkeletonError, match=r"no joint of crane is known to the encoder, which learned on trio"):
        made().onto(machine)
