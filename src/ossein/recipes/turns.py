"""Several copies of one command at work in one folder: each piece of work is done by one of them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


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
