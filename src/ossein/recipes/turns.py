"""Several copies of one command at work in one folder: each piece of work is done by one of them."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from ossein.errors import SettingsError
from ossein.words import count

T = TypeVar("T")

_PATIENCE = 2.0
"""Seconds between two looks at what other copies of a call have done."""


@contextmanager
def turn(file: Path) -> Iterator[bool]:
    """Take a piece of work for as long as the block lasts, unless somebody else is at it; the system gives it back when a process dies.

    Processes that train one model together (`torchrun`) are one worker: they take whatever they are asked to.

    Args:
        file: What stands for the work; it is made, and stays.

    Yields:
        Whether it was taken.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        yield True
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file, blocking=False)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def share(left: Callable[[], Sequence[T]], take: Callable[[T], bool], note: Callable[[str], None]) -> None:
    """Do trainings until none is left, each time the first that can be taken; wait where other copies are at all of them.

    Args:
        left: What is left, asked anew after every training.
        take: Do one of them, unless it cannot be taken now; whether it was done.
        note: Where to tell of waiting.
    """
    while todo := left():
        if not any(take(one) for one in todo):
            note(f"other copies of this command are at {count(len(todo), 'training')}; waiting for them")
            time.sleep(_PATIENCE)


def each_once(jobs: Mapping[str, Callable[[], T]], out: Path, note: Callable[[str], None], *, resume: bool) -> list[T]:
    """Do some trainings and give what each returns, in order; copies of the call that resume share them.

    Args:
        jobs: What does each of them, or finds it done, by the name of its folder in `out`. One alone is done at once.
        out: The folder of all.
        note: Where to tell of waiting.
        resume: Whether to leave to others what they are at, and ask for its outcome later.

    Raises:
        SettingsError: Another process is at one of them, and `resume` is not set.
    """
    if len(jobs) == 1:
        return [job() for job in jobs.values()]
    done: dict[str, T] = {}

    def take(name: str) -> bool:
        with turn(out / ".turns" / name) as mine:
            if not mine and not resume:
                raise SettingsError(f"{out / name}: another process is at it. Add --resume to share the work with it.")
            if mine:
                done[name] = jobs[name]()
            return mine

    share(lambda: [name for name in jobs if name not in done], take, note)
    return [done[name] for name in jobs]
