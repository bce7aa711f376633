"""How this process asks the system for memory: once, and not anew at every step of a training."""

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc's malloc.h."""

_NEVER = 2**30


def hold_memory() -> bool:
    """Keep memory that is freed, for the next step to use; whether the C library was told so.

    Each step of a training frees arrays of megabytes and asks for as many again. glibc gives such arrays back to the system
    every time, and the system clears each page before it lends it again; `benchmarks/allocator.py` times a training with and
    without this. Elsewhere nothing is done.
    """
    try:
        tell = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    return all(tell(what, _NEVER) == 1 for what in (_TRIM_THRESHOLD, _MMAP_THRESHOLD))
