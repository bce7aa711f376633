"""What the scripts of this folder measure by: the machine's own rates, limits made of them, times side by side.

Machines are rarely idle. So whatever is compared is called in turn, round after round, and what counts is the median
over rounds of the ratio within a round; CPU time counts beside wall time.
"""

import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode


@contextmanager
def threads(num: int) -> Iterator[None]:
    """Let torch use so many threads meanwhile."""
    before = torch.get_num_threads()
    torch.set_num_threads(num)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True)
class Rates:
    """What the machine does at best, measured.

    Args:
        flops: Floating-point operations per second of matrix products.
        copy: Bytes per second that a copy moves, read and written both counted.
    """

    flops: float
    copy: float


def machine_rates(
    num_threads: int = 1,
    dtype: torch.dtype = torch.float32,
    *,
    product: tuple[int, int, int] = (17 * 1024, 64, 64),
    copied: int = 64 << 20,
    rounds: int = 15,
) -> Rates:
    """The best of many rounds, so that a busy machine does not make the limit look near.

    Args:
        num_threads: Threads of torch.
        dtype: Of both factors and of what is copied.
        product: (n, k, m) of the matrix product [n k] @ [k m] that stands for the work.
        copied: Bytes of the array that is copied; the size of what the work goes through, since caches are faster.
        rounds: How often each is tried.
    """
    n, k, m = product
    a, b = torch.randn(n, k).to(dtype), torch.randn(k, m).to(dtype)
    out, source = torch.empty(n, m, dtype=dtype), torch.ones(copied // dtype.itemsize, dtype=dtype)
    target = torch.empty_like(source)
    with threads(num_threads), torch.no_grad():
        multiply = min(_least(product, rounds, num_threads) for product in _products(a, b, out))
        copy = _least(lambda: target.copy_(source), rounds, num_threads)
    return Rates(2 * n * k * m / multiply, 2 * copied / copy)


def device_rates(device: str, *, size: int = 8192, copied: int = 1 << 30, rounds: int = 15) -> Rates:
    """The best of many rounds on a device: of a bf16 product of two square matrices, and of a copy.

    Args:
        device: `cuda`, or `cpu`.
        size: Rows of the matrices.
        copied: Bytes of the array that is copied.
        rounds: How often each is tried.
    """
    a = torch.randn(size, size, device=device, dtype=torch.bfloat16)
    out, source = torch.empty_like(a), torch.ones(copied, device=device, dtype=torch.uint8)
    target = torch.empty_like(source)
    calls = {"multiply": lambda: torch.mm(a, a, out=out), "copy": lambda: target.copy_(source)}
    took = side_by_side({name: finished(call, device) for name, call in calls.items()}, rounds)
    return Rates(2 * size**3 / took["multiply"].least_wall, 2 * copied / took["copy"].least_wall)


def finished(call: Callable[[], Any], device: str) -> Callable[[], None]:
    """A call that returns when the device has done what the call asked it for."""

    def both() -> None:
        call()
        if device.startswith("cuda"):
            torch.cuda.synchronize()

    return both


@dataclass(frozen=True)
class Limit:
    """What some work cannot do without, whoever does it.

    Args:
        flops: Floating-point operations, a multiplication and an addition being two.
        bytes: Bytes read and written at the least.
    """

    flops: float
    bytes: float

    def seconds(self, rates: Rates) -> float:
        """The larger of the times that arithmetic and memory would take alone."""
        return max(self.flops / rates.flops, self.bytes / rates.copy)

    def distance(self, measured: float, rates: Rates) -> float:
        """How many times as long the work took."""
        return measured / self.seconds(rates)


_PRODUCTS = ("mm", "addmm", "bmm", "baddbmm", "convolution", "convolution_backward")


class _Traffic(TorchDispatchMode):
    """Adds up what matrix products and convolutions read and write."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if func.overloadpacket.__name__ in _PRODUCTS:
            self.bytes += sum(one.nbytes for one in tree_leaves((args, out)) if isinstance(one, torch.Tensor))
        return out


def counted(call: Callable[[], Any]) -> Limit:
    """The limit of a call by what its matrix products and convolutions do; what lies between them is left out.

    Args:
        call: The work; in bf16, since its products in fp32 may be those of a library that nothing counts.
    """
    with FlopCounterMode(display=False) as flops, _Traffic() as traffic:
        call()
    return Limit(flops.get_total_flops(), traffic.bytes)


@dataclass(frozen=True)
class Timing:
    """Times of one of the things compared.

    Args:
        cpu: Median seconds of processor time a call, of all threads and of child processes that have ended.
        wall: Median seconds by the clock a call.
        least: The least seconds of processor time a call.
        least_wall: The least seconds by the clock a call.
        ratio: How many times as fast as the first by processor time, median over rounds.
        spread: Quartiles of that ratio.
        wall_ratio: The same by the clock.
        wall_spread: Its quartiles.
    """

    cpu: float
    wall: float
    least: float
    least_wall: float
    ratio: float
    spread: tuple[float, float]
    wall_ratio: float
    wall_spread: tuple[float, float]


def side_by_side(calls: dict[str, Callable[[], Any]], rounds: int, *, repeats: int = 1) -> dict[str, Timing]:
    """Time some callables in turn, round after round, and compare all of them with the first.

    Args:
        calls: What is compared; each is called twice before anything counts.
        rounds: At least 2; the order turns from round to round, so that none always follows the same.
        repeats: Calls of each in a round; more where one takes less than a millisecond.
    """
    names = list(calls)
    for call in calls.values():
        call()
        call()
    cpu, wall = ({name: [] for name in names} for _ in range(2))
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            cpu_before, before = cpu_seconds(), time.perf_counter()
            for _ in range(repeats):
                calls[name]()
            wall[name].append((time.perf_counter() - before) / repeats)
            cpu[name].append((cpu_seconds() - cpu_before) / repeats)
    return {name: _timing(cpu[name], wall[name], cpu[names[0]], wall[names[0]]) for name in names}


def cpu_seconds() -> float:
    """Processor time of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def peak_memory() -> int:
    """The most bytes that this process has held so far (Linux), shared pages counted."""
    # Not ru_maxrss: a child process inherits that of its parent.
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024


def in_child(function: Callable[..., Any], *args: Any) -> Any:
    """What a function of a module gives in a fresh process, whose memory is its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *args).result()


def _timing(cpu: list[float], wall: list[float], first_cpu: list[float], first_wall: list[float]) -> Timing:
    by_cpu = [theirs / max(own, 1e-9) for theirs, own in zip(first_cpu, cpu, strict=True)]
    by_wall = [theirs / own for theirs, own in zip(first_wall, wall, strict=True)]
    return Timing(
        statistics.median(cpu),
        statistics.median(wall),
        min(cpu),
        min(wall),
        statistics.median(by_cpu),
        _quartiles(by_cpu),
        statistics.median(by_wall),
        _quartiles(by_wall),
    )


def _quartiles(values: list[float]) -> tuple[float, float]:
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def _products(a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> list[Callable[[], Any]]:
    """The same product by each library that torch brings: its BLAS, and oneDNN."""
    products: list[Callable[[], Any]] = [lambda: torch.mm(a, b, out=out)]
    if torch.backends.mkldnn.is_available():
        weight = b.t().contiguous()
        products.append(lambda: torch.ops.mkldnn._linear_pointwise(a, weight, None, "none", [], ""))
    return products


def _least(call: Callable[[], Any], rounds: int, num_threads: int) -> float:
    """The least seconds that a call takes: by processor time, to which a busy machine adds nothing, or by the clock.

    Several threads are timed by the clock: a second one that had nothing to do takes no processor time.
    """
    clock = time.process_time if num_threads == 1 else time.perf_counter
    call()
    took = []
    for _ in range(rounds):
        before = clock()
        call()
        took.append(clock() - before)
    return min(took)
