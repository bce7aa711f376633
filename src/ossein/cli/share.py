"""The verbs `pose`, `card` and `push`: from a video to a file that models read, from a run to a model that others find."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from ossein.cli.screen import Place, counting, parse, say
from ossein.errors import SettingsError
from ossein.recipes.pose import Estimator, Mode
from ossein.recipes.pose import pose as run_pose
from ossein.words import count


@dataclass(frozen=True)
class Pose:
    """Find the people in a video and write them as keypoints that ossein reads."""

    video: Place
    """The video."""
    out: Place
    """The JSON to write."""
    estimator: Estimator = "rtmlib"
    """rtmlib: RTMPose, several persons, COCO-17. mediapipe: BlazePose, one person, MediaPipe-33."""
    mode: Mode = "balanced"
    """How large a model."""
    device: str = "cpu"
    """Where rtmlib runs its models, such as cpu or cuda."""
    python: Path | None = None
    """The Python that has the estimator, such as that of an environment of its own; by default the one running ossein."""
    overwrite: bool = False
    """Replace the file where it exists."""


@dataclass(frozen=True)
class Card:
    """Write the model card of a finished run into its bundle: README.md and a picture of its skeleton."""

    bundle: Place
    """A run or its bundle."""
    name: str | None = None
    """What the model will be called on the hub, user/name, for the examples in the card."""
    print: bool = False
    """Show the card in place of writing it."""
    overwrite: bool = False
    """Replace a README.md that is there."""


@dataclass(frozen=True)
class Push:
    """Put a finished run, of pretrain or recognise, on the Hugging Face hub."""

    bundle: Place
    """A run or its bundle. A README.md in the bundle is its card; without one, a card is written."""
    name: Annotated[str, tyro.conf.Positional]
    """user/name, or organisation/name."""
    private: bool = False
    """Hide a repository that has to be made from others."""


def pose(args: Sequence[str]) -> None:
    """Run `ossein pose`."""
    call = parse(Pose, "ossein pose", args)
    with counting(call.video.name, "frame") as told:
        done = run_pose(
            call.video,
            call.out,
            estimator=call.estimator,
            mode=call.mode,
            device=call.device,
            python=call.python,
            overwrite=call.overwrite,
            told=told,
        )
    rate = f"{done.video.fps:g} frames/s" if done.video.fps else "frame rate not known"
    people = f"{count(done.persons, 'person')}, nobody in {done.empty} of {count(done.frames, 'frame')}"
    say(f"{call.out}: {people}, {done.video.width} x {done.video.height}, {rate}")
    say(f"next: ossein predict BUNDLE {shlex.quote(str(call.out))}")


def card(args: Sequence[str]) -> None:
    """Run `ossein card`."""
    from ossein.deploy.bundle import read_card
    from ossein.deploy.hub import fetch
    from ossein.deploy.modelcard import find_results, model_card, write_model_card

    call = parse(Card, "ossein card", args)
    folder, found = read_card(fetch(call.bundle))
    if call.print:
        print(model_card(found, find_results(folder, found), name=call.name), end="")
        return
    file = folder / "README.md"
    if file.exists() and not call.overwrite:
        raise SettingsError(
            f"{file}: exists already. Add --overwrite to write it anew, or --print to see what it would be."
        )
    write_model_card(folder, found, origin=folder, name=call.name, fresh=True)
    say(f"{file}\nedit it as you like, then: ossein push {shlex.quote(str(call.bundle))} {call.name or 'USER/NAME'}")


def push(args: Sequence[str]) -> None:
    """Run `ossein push`."""
    from ossein.deploy.hub import push as run_push

    call = parse(Push, "ossein push", args)
    say(run_push(call.bundle, call.name, private=call.private))
