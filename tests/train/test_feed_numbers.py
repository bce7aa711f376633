"""Batches of training against the same steps written plainly, pass by pass: what is done for speed changes no number."""

import numpy as np
import pytest
import torch

from ossein.augment import AugmentSettings, normaliser
from ossein.clip import Clip
from ossein.draw import Draw
from ossein.skeleton import Skeleton
from ossein.store.memory import Memory
from ossein.store.sample import sample_train
from ossein.train import Feed, InputSettings

OWN = AugmentSettings(mirror=0.5, rotate=0.3, scale=0.1, shear=0.2, move=0.1, jitter=0.02)
SEED, SIZE, FRAMES = 3, 6, 8


def recordings(name: str, dims: int, gaps: float) -> Memory:
    """Bodies of 1 or 2 persons with gaps, one of them without its centre joints, far from 0."""
    rng, skeleton = np.random.default_rng(0), Skeleton.of(name)
    clips = []
    for i in range(12):
        shape = (1 + i % 2, int(rng.integers(1, 30)), len(skeleton))
        x = 300 + rng.normal(0, 50, (shape[0], 1, shape[2], dims)) + rng.normal(0, 5, (*shape, dims))
        score = rng.uniform(0.1, 1, shape) * (rng.random(shape) >= gaps)
        if gaps and i % 4 == 1:
            score[..., list(skeleton.centre)] = 0
        clips.append(Clip(x, score, name=str(i), label=i, size=(640, 480)))
    return Memory.of(clips, skeleton)


def body_size(x: np.ndarray, there: np.ndarray) -> float:
    """Mean over persons and frames of the root of the mean square distance of joints from their middle."""
    sizes = []
    for m, t in np.ndindex(*there.shape[:2]):
        seen = x[m, t][there[m, t]]
        if len(seen) > 1:
            sizes.append(np.sqrt(((seen - seen.mean(0)) ** 2).sum(-1).mean()))
    return float(np.mean(sizes)) if sizes else 0.0


def turn(angles: np.ndarray) -> np.ndarray:
    if len(angles) == 1:
        (c,), (s,) = np.cos(angles), np.sin(angles)
        return np.array([[c, -s], [s, c]])
    (a, b, c), (p, q, r) = np.cos(angles), np.sin(angles)
    about_x = np.array([[1, 0, 0], [0, a, -p], [0, p, a]])
    about_y = np.array([[b, 0, q], [0, 1, 0], [-q, 0, b]])
    return np.array([[c, -r, 0], [r, c, 0], [0, 0, 1]]) @ about_y @ about_x


def varied(x: np.ndarray, score: np.ndarray, skeleton: Skeleton, draw: Draw, augment: AugmentSettings):
    """Clip by clip in double precision, with the numbers of the same draw."""
    N, *_, C = x.shape
    mirrored = draw.uniform((N, 1, 1, 1)).flatten() < augment.mirror
    angles = draw.uniform((N, 1 if C == 2 else 3), -augment.rotate, augment.rotate).double().numpy()
    factor = draw.uniform((N, 1), 1 - augment.scale, 1 + augment.scale).double().numpy()
    slant = draw.uniform((N, C, C), -augment.shear, augment.shear).double().numpy()
    shift = draw.uniform((N, C), -augment.move, augment.move).double().numpy()
    noise = draw.normal(x.shape).double().numpy()
    out, sure = x.astype(np.float64), score.copy()
    for n in range(N):
        if mirrored[n]:
            out[n], sure[n] = out[n][:, :, list(skeleton.mirror())], sure[n][..., list(skeleton.mirror())]
            out[n, ..., 0] *= -1
        slope = slant[n].copy()
        np.fill_diagonal(slope, 1)
        out[n] = out[n] @ turn(angles[n]).T * factor[n] @ slope.T + shift[n]
        out[n] += augment.jitter * body_size(out[n], sure[n] > 0) * noise[n]
        out[n][sure[n] == 0] = 0
    return out, sure


@pytest.mark.parametrize("gaps", [0.0, 0.3])
@pytest.mark.parametrize("persons", [1, 2])
@pytest.mark.parametrize(
    ("name", "dims", "normalise"),
    [("coco-17", 2, "centre"), ("coco-17", 2, "image"), ("ntu-25", 3, "facing"), ("coco-17", 3, "centre")],
)
def test_batches_are_what_plain_steps_give(name, dims, normalise, persons, gaps):
    rows = recordings(name, dims, gaps)
    input = InputSettings(frames=FRAMES, persons=persons, normalise=normalise)
    feed = Feed(rows, np.arange(12), input, OWN, SIZE, SEED)
    batch, rest = feed.at(1)
    draw = feed.draw(1)
    plain = normaliser(normalise)(sample_train(rows, batch.index.numpy(), FRAMES, draw, input.crop, persons))
    x, score = varied(plain.x.numpy(), plain.score.numpy(), rows.skeleton, draw, OWN)
    np.testing.assert_array_equal(batch.score, score)
    np.testing.assert_allclose(batch.x, x, rtol=1e-6, atol=2e-5)
    assert torch.equal(rest.uniform((SIZE, 3)), draw.uniform((SIZE, 3)))  # as many numbers were drawn
    assert batch.x.is_contiguous()


def test_batches_that_are_made_together_are_their_own():
    """Steps are prepared several at a time; each is what it would be alone, asked for in any order and again."""
    rows = recordings("coco-17", 2, 0.3)
    input = InputSettings(frames=FRAMES, normalise="centre")
    feeds = [Feed(rows, np.arange(11), input, OWN, SIZE, SEED) for _ in range(2)]
    asked = {step: feeds[0].at(step) for step in (3, 2, 100, 3)}
    for step, (batch, draw) in asked.items():
        again, other = feeds[1].at(step)
        assert torch.equal(batch.x, again.x)
        assert torch.equal(draw.normal((len(batch), 5)), other.normal((len(again), 5)))
        before = again.x.clone()
        feeds[1].at(step)[0].x.fill_(7)
        assert torch.equal(again.x, before)
    assert [len(feeds[0].at(step)[0]) for step in range(4)] == [6, 6, 6, 6]
