"""What recipes share: the screen they report to, and how they find runs and clips."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ossein.errors import BundleError, DataError, SettingsError
from ossein.evaluate import Scores
from ossein.evaluate.model import class_scores
from ossein.recipes.seen import readable
from ossein.store import Several, Split, Store
from ossein.tasks import Recogniser
from ossein.train import InputSettings, Report, Run, all_processes, first_process, start_processes
from ossein.words import count


class Screen(Protocol):
    """Where a recipe tells how far it is; the command line has one that draws, the library one that is silent."""

    def say(self, text: str) -> None:
        """Show a line."""
        ...

    def note(self, text: str) -> None:
        """Show a line that goes for more than one training: once, however many of them tell it."""
        ...

    def training(self, title: str) -> AbstractContextManager[Report]:
        """Show the progress of one training while the block lasts."""
        ...


class Silent:
    """A screen that shows nothing."""

    def say(self, text: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def training(self, title: str) -> AbstractContextManager[Report]:
        """Nothing, for as long as the block lasts."""
        return nullcontext(lambda progress: None)


def leaves(folder: Path) -> list[Run]:
    """The runs in a folder: itself, or one for each fold and seed below it.

    Raises:
        BundleError: There is none.
    """
    files = [folder / "run.yaml"] if (folder / "run.yaml").is_file() else sorted(folder.glob("*/run.yaml"))
    if not files:
        raise BundleError(f"{folder}: holds no run (run.yaml is missing). Name a folder that a run was written to.")
    return [Run(file.parent) for file in files]


def check_input(normalise: str, store: Store | Several, before: str | None = None) -> None:
    """Make sure before a long run that clips can be normalised as asked for.

    Args:
        normalise: How.
        store: The data.
        before: The pre-training that asks for it, where it is one.

    Raises:
        SettingsError: They cannot.
    """
    why = None
    if normalise == "image" and store.dims != 2:
        why = f"holds {store.dims}-D clips, --input.normalise image is for 2-D ones"
    elif normalise == "image" and not store.has_sizes:
        why = "not every clip says the size of its image, which --input.normalise image needs"
    elif normalise == "facing" and store.dims != 3:
        why = f"holds {store.dims}-D clips, --input.normalise facing is for 3-D ones"
    elif normalise == "facing" and not (store.skeleton.up and store.skeleton.across):
        why = "its skeleton does not say 'up' and 'across', which --input.normalise facing needs"
    if why and before:
        raise SettingsError(
            f"{store.path.name}: {why}, and the pre-training in {before} had it. Pre-train with --input.normalise centre."
        )
    if why:
        raise SettingsError(f"{store.path.name}: {why}. Use --input.normalise centre.")


def labelled(store: Store, clips: np.ndarray, what: str) -> np.ndarray:
    """Those of some clips that have a label; only they can be tested on, and most of what is trained needs it.

    Args:
        store: The data.
        clips: Clip numbers.
        what: What to call one of them, such as "test clip of 'xsub'".

    Raises:
        DataError: None has a label.
    """
    found = clips[store.labels[clips] >= 0]
    if not len(found):
        raise DataError(
            f"{store.path.name}: no {what} has a label. Label some, or choose another split; clips without "
            "labels serve 'ossein pretrain'."
        )
    return found


def tested_on(store: Store, split: Split) -> np.ndarray:
    """The labelled clips of a test half; none where all are learned from (`all`).

    Raises:
        DataError: There is a test half, and no clip of it has a label.
    """
    return labelled(store, split.test, f"test clip of '{split.name}'") if len(split.test) else split.test


def judged(model: Recogniser, store: Store, test: np.ndarray, input: InputSettings) -> dict[str, Any]:
    """The numbers of a recogniser on some clips, see `Scores.plain`; nothing where there is no clip."""
    if not len(test):
        return {}
    return Scores.of(class_scores(model, store, test, input), store.labels[test], len(store.classes)).plain()


def left_out(store: Store, clips: np.ndarray, what: str) -> str | None:
    """A line on those of some clips that have no label; None where all have one."""
    without = int((store.labels[clips] < 0).sum())
    return f"{without} of the {count(len(clips), what)} left out, since they have no label" if without else None


def begin(run: Run, record: dict[str, Any], device: str, *, resume: bool) -> None:
    """Write down what a run is (see `Run.begin`): once, however many processes there are.

    Raises:
        SettingsError: The folder holds another run, or there is no such device.
        BundleError: The record in the folder is damaged.
    """
    start_processes(device)
    if first_process():
        run.begin({**record, "data": readable(record["data"])}, resume=resume)
    all_processes()
