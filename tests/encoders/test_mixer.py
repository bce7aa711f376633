"""The mixer: what each joint tells of itself, frames taken together, and joints brought over by name."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ossein.encoders import Mixer, MixerSettings, read_joints, thin
from ossein.encoders.mixer import _SPEED
from ossein.errors import SkeletonError
from ossein.nn.mixing import matrices
from ossein.skeleton import Skeleton

TRIO = Skeleton.make("trio", ["left_hip", "right_hip", "head", "fin"], [(0, 1), (1, 2), (2, 3)])
N, M, T, V, C, D = 2, 2, 7, 4, 2, 8


def made(stride: int = 2, skeleton: Skeleton = TRIO, depth: int = 1) -> Mixer:
    torch.manual_seed(0)
    encoder = Mixer(skeleton, C, MixerSettings(width=D, depth=depth, stride=stride, kernel=3))
    with torch.no_grad():
        for value in encoder.parameters():
            value.add_(torch.randn_like(value) * 0.1)
    return encoder.eval()


def coordinates(frames: int = T) -> Tensor:
    return torch.randn(N, M, frames, V, C, generator=torch.Generator().manual_seed(1))


def some_seen(frames: int = T) -> Tensor:
    return torch.rand(N * M, frames, V, generator=torch.Generator().manual_seed(2)) < 0.6


def test_what_a_joint_tells_of_itself():
    """Position, velocity since the frame before, bone from the parent, each 0 unless both its ends are seen; and a flag."""
    encoder, x, seen = made(), coordinates().flatten(0, 1), some_seen()
    out, parents = encoder.describe(x, seen), TRIO.parents()
    expected = torch.zeros(N * M, T, V, 3 * C + 1)
    for b, t, v in [(b, t, v) for b in range(N * M) for t in range(T) for v in range(V)]:
        if not seen[b, t, v]:
            continue
        expected[b, t, v, :C], expected[b, t, v, -1] = x[b, t, v], 1
        if t > 0 and seen[b, t - 1, v]:
            expected[b, t, v, C : 2 * C] = _SPEED * (x[b, t, v] - x[b, t - 1, v])
        if seen[b, t, parents[v]]:
            expected[b, t, v, 2 * C : 3 * C] = x[b, t, v] - x[b, t, parents[v]]
    torch.testing.assert_close(out, expected)
    assert out[..., -1].any()
    assert not out[..., -1].all()


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
        h = encoder.embed(encoder.describe(x[n, m, None, :long], torch.ones(1, long, V, dtype=torch.bool)))
        h = encoder.blocks[0]((h + encoder.joint).permute(2, 0, 1, 3))
        groups = [h[:, :, first : first + stride].mean(2) for first in range(0, long, stride)]
        expected = F.relu(encoder.norm(torch.stack(groups, 2)))[:, 0].transpose(0, 1)
        torch.testing.assert_close(z[n, m, : len(groups)], expected, rtol=1e-4, atol=1e-5)
        assert not z[n, m, len(groups) :].any()


def test_blocks_look_one_and_two_frames_far_in_turn():
    assert [block.frames.conv.dilation[0] for block in made(depth=6).blocks] == [1, 1, 2, 2, 1, 1]


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
    hip_l, hip_r, head, fin = encoder.joint.detach()
    expected = torch.stack([head, (hip_l + hip_r + head + fin) / 4, (hip_l + hip_r) / 2, hip_l])
    torch.testing.assert_close(there.joint.detach(), expected)
    old, new = encoder.blocks[0].joints.matrix.detach(), there.blocks[0].joints.matrix.detach()
    known, fresh = {0: 2, 3: 0}, matrices(other, 4)
    for v in range(4):
        for w in range(4):
            both = v in known and w in known
            torch.testing.assert_close(new[:, v, w], old[:, known[v], known[w]] if both else fresh[:, v, w])
    for name, value in encoder.state_dict().items():
        if name != "joint" and not name.endswith("matrix"):
            assert torch.equal(there.state_dict()[name], value), name


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
