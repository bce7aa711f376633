"""The one training loop: it knows objectives, batches and steps, and no method.

Everything random in step k is named by (seed, k), so that a run that was stopped goes on exactly, and processes that
share a batch do what one would have done.
"""

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from ossein.clip import Batch
from ossein.draw import Draw, mix
from ossein.errors import Diverged
from ossein.objective import Objective, Step
from ossein.settings import Settings
from ossein.train.checkpoint import read_checkpoint, write_checkpoint
from ossein.train.compiled import compiled
from ossein.train.feed import Feed
from ossein.train.optim import OptimSettings, build_optimiser, learning_rate
from ossein.train.processes import accelerator, all_processes
from ossein.train.record import Run


class TrainSettings(Settings):
    """How long and on what to train."""

    epochs: float = Field(default=50, gt=0)
    """How often each clip is seen."""
    steps: int = Field(default=0, ge=0)
    """At least this many steps, however few the clips are."""
    batch: int = Field(default=128, ge=1)
    """Clips per step, over all processes."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Arithmetic of the products; weights and sums are kept in fp32 either way."""
    seed: int = Field(default=0, ge=0)
    """Names the initial weights, the order of clips and every random draw."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where to train."""
    compile: bool = False
    """Make one program of each step before training (`torch.compile`), which takes a minute or more; for long runs on a GPU."""
    save_every: float = Field(default=5, gt=0)
    """Epochs between checkpoints."""


@dataclass(frozen=True)
class Progress:
    """Where training stands, for whoever shows it.

    Args:
        step: Steps done.
        total: Steps in all.
        epoch: Epochs done, with fraction.
        rate: Clips per second, lately.
        log: Loss, learning rate and what else the objective told, each a mean since the last report.
    """

    step: int
    total: int
    epoch: float
    rate: float
    log: dict[str, float]


class Stopped(Exception):
    """Training was asked to stop (Ctrl-C) and has written its state."""


Report = Callable[[Progress], None]


def total_steps(feed: Feed, settings: TrainSettings) -> int:
    """Steps in the whole training, at least one; no clip is seen less often than the settings say."""
    return max(1, settings.steps, math.ceil(round(settings.epochs * feed.steps_per_epoch, 6)))


def fit(
    objective: Objective, feed: Feed, settings: TrainSettings, optim: OptimSettings, run: Run, report: Report
) -> Objective:
    """Train to the end; goes on from the run's checkpoint where there is one.

    Args:
        objective: What to train, with its initial weights.
        feed: Where batches come from.
        settings: How long and on what.
        optim: The optimiser.
        run: The folder to log and save to.
        report: Told of progress after every step (in the first process only).

    Returns:
        The trained objective, in evaluation mode and on the CPU.

    Raises:
        Stopped: Ctrl-C; the state is saved.
        Diverged: The loss, or a weight, is no longer finite.
        SettingsError: The device is not there.
        BundleError: The checkpoint is damaged.
    """
    engine = accelerator(settings.device, settings.precision)
    optimiser = build_optimiser(objective.to(engine.device), optim)
    total, start, first = total_steps(feed, settings), 0, engine.is_main_process
    if run.checkpoint.exists():
        start = read_checkpoint(run.checkpoint, objective, optimiser)
    if first:
        run.forget_after(start)
    model, prepared = engine.prepare(objective, optimiser)
    model.train()
    quick = compiled(model) if settings.compile else model
    pace = _Pace(feed, total)

    def save(step: int) -> None:
        if first:
            write_checkpoint(run.checkpoint, objective, optimiser, step)

    every = max(1, round(settings.save_every * feed.steps_per_epoch))
    with _stop_on_interrupt() as asked:
        for step in range(start, total):
            rate = learning_rate(optim, step / total)
            log = _train_step(engine, quick, prepared, feed, step, rate, optim.clip)
            objective.after_step((step + 1) / total)
            progress = pace.tell(step + 1, {**log, "lr": rate})
            if first:
                run.log({"step": step + 1, "epoch": progress.epoch, **log, "lr": rate})
                report(progress)
            if _any(engine, asked.is_set()):
                save(step + 1)
                all_processes()  # one that leaves early has the others killed, the one that writes too
                raise Stopped
            if (step + 1) % every == 0 and step + 1 < total:
                save(step + 1)
    if not all(bool(torch.isfinite(weight).all()) for weight in objective.parameters()):
        raise Diverged("the weights are no longer finite after the last step. Lower --optim.lr, or set --optim.clip 1.")
    save(total)
    all_processes()
    engine.free_memory()
    return objective.cpu().eval()


def _train_step(
    engine: Any, forward: Callable[[Batch, Draw], Step], optimiser: Any, feed: Feed, step: int, rate: float, clip: float
) -> dict[str, float]:
    for group in optimiser.param_groups:
        group["lr"] = rate
    batch, draw = feed.at(step, engine.process_index, engine.num_processes)
    # For dropout, which takes no generator; with several processes each leaves out its own.
    torch.manual_seed(mix(feed.seed, step, engine.process_index))
    out = forward(batch.to(engine.device), draw)
    # Processes are averaged; weighting each by its share makes that the mean over the whole batch.
    loss = out.loss * _share(engine, out.weight)
    value = _sum(engine, loss.detach()).item()
    if not math.isfinite(value):
        raise Diverged(f"the loss was {value} in step {step + 1}. Lower --optim.lr, or set --optim.clip 1.")
    engine.backward(loss * engine.num_processes)
    if clip > 0:
        engine.clip_grad_norm_([weight for group in optimiser.param_groups for weight in group["params"]], clip)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    shares = {name: _share(engine, out.counts.get(name, out.weight)) for name in out.log}
    return {"loss": value, **{name: _sum(engine, out.log[name] * share).item() for name, share in shares.items()}}


def _share(engine: Any, weight: Tensor) -> Tensor:
    """What this process has of what all processes have."""
    return weight / _sum(engine, weight).clamp(min=1)


def _sum(engine: Any, number: Tensor) -> Tensor:
    return engine.reduce(number, "sum") if engine.num_processes > 1 else number


def _any(engine: Any, asked: bool) -> bool:
    if engine.num_processes == 1:
        return asked
    return bool(engine.reduce(torch.tensor(float(asked), device=engine.device), "sum") > 0)


@contextmanager
def _stop_on_interrupt() -> Iterator[threading.Event]:
    """Turns the first Ctrl-C into a flag, so that a step is never cut in two; a second one interrupts at once."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = signal.getsignal(signal.SIGINT)

    def handle(*_: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    signal.signal(signal.SIGINT, handle)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


class _Pace:
    """Clips per second over the last steps."""

    def __init__(self, feed: Feed, total: int) -> None:
        self.feed, self.total = feed, total
        self.then, self.rate = time.perf_counter(), 0.0

    def tell(self, step: int, log: dict[str, float]) -> Progress:
        now = time.perf_counter()
        clips = self.feed.size / max(now - self.then, 1e-9)
        self.rate = clips if self.rate == 0 else 0.9 * self.rate + 0.1 * clips
        self.then = now
        return Progress(step, self.total, step / self.feed.steps_per_epoch, self.rate, log)
