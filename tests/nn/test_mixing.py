"""Mixing along both axes, joint by joint and frame by frame."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ossein.nn import JointMixing, MixBlock
from ossein.nn.mixing import matrices
from ossein.skeleton import Skeleton

ARM = Skeleton.make("arm", ["shoulder", "elbow", "wrist", "hip"], [(0, 1), (1, 2), (0, 3)])
V, N, T, D, H = 4, 3, 7, 8, 4


def features(frames: int = T) -> Tensor:
    return torch.randn(V, N, frames, D, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def block(dilation: int = 1) -> MixBlock:
    torch.manual_seed(0)
    made = MixBlock(ARM, D, H, 3, dilation).double()
    for value in made.parameters():
        nn.init.normal_(value, std=0.5)
    return made


def mixed(m: JointMixing, h: Tensor) -> Tensor:
    """A product of the matrix and the features of each frame, head by head."""
    values, out = m.linear(h), torch.zeros_like(h)
    for head in range(H):
        for d in range(head * D // H, (head + 1) * D // H):
            for v in range(V):
                for w in range(V):
                    out[v, ..., d] += m.matrix[head, v, w] * values[w, ..., d]
    return out


def along_time(m: nn.Conv2d, h: Tensor, dilation: int) -> Tensor:
    out = torch.zeros_like(h)
    for t in range(h.shape[2]):
        for k in range(3):
            source = t + (k - 1) * dilation
            if 0 <= source < h.shape[2]:
                out[:, :, t] += h[:, :, source] @ m.weight[:, :, k, 0].T
    return out


def norm(m: nn.BatchNorm1d, h: Tensor) -> Tensor:
    mean, var = h.mean((0, 1, 2)), h.var((0, 1, 2), unbiased=False)
    return (h - mean) / (var + m.eps).sqrt() * m.weight + m.bias


@torch.no_grad()
def test_joints_are_mixed_by_a_matrix_for_each_head():
    m = block().joints
    torch.testing.assert_close(m(features()), mixed(m, features()))


@torch.no_grad()
@pytest.mark.parametrize("dilation", [1, 2])
def test_a_block_is_its_two_halves(dilation: int):
    m, h = block(dilation), features()
    first = h + mixed(m.joints, F.relu(norm(m.norm_joints, h)))
    expected = first + along_time(m.frames.conv, F.relu(norm(m.norm_frames, first)), dilation)
    torch.testing.assert_close(m(h), expected)


def test_matrices_start_as_what_the_skeleton_says():
    third = 1 / 3
    expected = [
        torch.eye(4),
        torch.tensor([[0, 0.5, 0, 0.5], [0.5, 0, 0.5, 0], [0, 1, 0, 0], [1, 0, 0, 0]]),
        torch.tensor([[0, 0, 1.0, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0]]),
        torch.full((4, 4), 0.25),
        torch.eye(4),
    ]
    torch.testing.assert_close(matrices(ARM, 5), torch.stack(expected))
    star = Skeleton.make("star", ["a", "b", "c", "d"], [(0, 1), (0, 2), (0, 3)])
    assert matrices(star, 3)[2].tolist()[0] == [0, 0, 0, 0]  # nothing lies two bones away from the middle
    torch.testing.assert_close(matrices(star, 2)[1][0], torch.tensor([0, third, third, third]))
    start = JointMixing(ARM, D, H).matrix.detach() - matrices(ARM, H)
    assert 0 < start.abs().max() < 0.1


@torch.no_grad()
@pytest.mark.parametrize("training", [True, False])
def test_absent_frames_are_like_the_end_of_the_clip(training: bool):
    short, long, h = block(2).train(training), block(2).train(training), features()
    here = torch.zeros(N, T + 3, dtype=torch.bool)
    here[:, :T] = True
    rows = here.expand(V, N, T + 3).flatten().nonzero().squeeze(1)
    out = long(F.pad(h, (0, 0, 0, 3)), (here.unsqueeze(-1), rows))
    torch.testing.assert_close(out[:, :, :T], short(h))
    assert not out[:, :, T:].any()
    for name, value in short.state_dict().items():
        torch.testing.assert_close(long.state_dict()[name], value, msg=name)


@torch.no_grad()
def test_clips_hear_nothing_of_each_other_in_eval_mode():
    m, h = block().eval(), features()
    for n in range(N):
        torch.testing.assert_close(m(h[:, n : n + 1]), m(h)[:, n : n + 1])
