"""Other processes that run `ossein`: some on their own, two that share a batch, and two threads that play them."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


class TwoProcesses:
    """What `torch.distributed` does for two processes; put in the place of `ossein.nn.across.dist`."""

    def __init__(self) -> None:
        self.barrier = threading.Barrier(2, timeout=20)
        self.given: dict[int, Tensor] = {}

    def is_available(self) -> bool:
        return True

    def is_initialized(self) -> bool:
        return True

    def get_world_size(self) -> int:
        return 2

    def get_rank(self) -> int:
        return _rank.own

    def all_reduce(self, x: Tensor) -> None:
        self.given[threading.get_ident()] = x.clone()
        self.barrier.wait()
        total = torch.stack(list(self.given.values())).sum(0)
        self.barrier.wait()
        x.copy_(total)


_rank = threading.local()


def in_two_threads(work: Callable[[int], Any]) -> list[Any]:
    """What `work` gives for ranks 0 and 1, run at the same time."""

    def one(rank: int) -> Any:
        _rank.own = rank
        return work(rank)

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(one, range(2)))


def torchrun(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Run `ossein` with the given words in two processes at once."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2", f"--master_port={port}"]
    done = subprocess.run(
        [*launch, "-m", "ossein", *map(str, words)],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done


def start(folder: Path, words: Sequence[object]) -> subprocess.Popen[str]:
    """Run `ossein` with the given words in a process of its own."""
    command = [sys.executable, "-m", "ossein", *map(str, words)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
