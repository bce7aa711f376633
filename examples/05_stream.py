"""Answers while somebody moves: frames as a camera's pose estimator gives them, several people told apart.

    python examples/05_stream.py runs/gestures/recogniser gestures.clips

Here the frames are those of a recording, some lost on the way. In place of `camera` put your own loop.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import ossein

FPS = 25.0


def camera(path: Path) -> Iterator[tuple[float, np.ndarray, np.ndarray]]:
    """When each frame was taken, where the joints of everybody in it are [M V C], and how sure each is [M V]."""
    clip, drops = ossein.Store.open(path).clip(0), np.random.default_rng(0)
    for t in range(clip.num_frames):
        if drops.random() > 0.1:
            yield t / FPS, clip.x[:, t], clip.score[:, t]


def main(bundle: Path, recording: Path) -> None:
    """An answer for the last second, four times a second."""
    stream = ossein.Stream(bundle, window="1s", every="0.25s", top=2)
    for time, x, score in camera(recording):
        # A pose that is None, or a joint with score 0, is not there; memory does not grow, however long it runs.
        answer = stream.push(x, score, time)
        if answer:
            name, probability = answer.top[0]
            print(
                f"{answer.start:7.2f} s to {answer.end:7.2f} s: {answer.known or 'nothing known'} ({name} {probability:.0%})"
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
