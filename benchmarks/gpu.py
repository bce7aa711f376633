"""On a GPU: the pre-training step beside torch_geometric, fine-tuning, the feed, and a whole pre-training of an NTU60-sized corpus.

Rates of a large matrix product and of a copy are measured in the same run; where there is no GPU nothing is. A pre-training is
measured for some steps of the loop itself, and the rest is multiplication.
"""

import importlib.util
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import finetune_step
import pretrain_step
import torch
from clips import store_of
from found import Result, Table, arguments, goal_table, ratio
from pretrain_step import COCO, FRAMES
from timing import Limit, Rates, Timing, counted, device_rates, finished, side_by_side
from torch import nn
from torch.profiler import ProfilerActivity, profile
from training import SKIPPED

from ossein.clip import Batch
from ossein.draw import Draw
from ossein.pretrain import build_method
from ossein.recipes.presets import PRETRAIN, Facts, PretrainSettings
from ossein.store import Store
from ossein.store.resident import Resident
from ossein.tasks import Recognise, build_recogniser
from ossein.train import Feed, OptimSettings, Run, build_optimiser, fit, total_steps
from ossein.train.compiled import compiled

CLIPS, LENGTH = 56_880, 88
"""The size of NTU60: 5 million frames."""
BATCH = 1024
TUNED = 128
"""Clips of a fine-tuning step."""
MOST = 600.0
"""What was set out for: seconds of the whole pre-training."""
ROWS = 12
"""Operations that are named of those that take the time."""


def stepper(
    objective: nn.Module, optim: OptimSettings, batches: Callable[[], tuple[Batch, Draw]], *, bf16: bool, quick: bool
) -> Callable[[], None]:
    """A whole step: batch, forward, backward, optimiser.

    Args:
        objective: What learns, on the device already; gives a `Step`, or a loss.
        optim: The optimiser.
        batches: Makes the next batch.
        bf16: Whether products are computed in bf16.
        quick: Whether it is compiled.
    """
    optimiser = build_optimiser(objective, optim)
    forward = compiled(objective) if quick else objective

    def step() -> None:
        batch, draw = batches()
        with torch.autocast(batch.x.device.type, torch.bfloat16, enabled=bf16):
            out = forward(batch, draw) if not isinstance(objective, pretrain_step.Peer) else objective(batch)
        (out if isinstance(out, torch.Tensor) else out.loss).backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    return step


def always(batch: Batch) -> Callable[[], tuple[Batch, Draw]]:
    """The same batch at every step, so that the feed takes no time."""
    return lambda: (batch, Draw.of(0))


def pretraining(device: str, clips: int, rounds: int, rates: Rates) -> tuple[Table, dict[str, Timing]]:
    """A step of the preset `skeletonmae`, beside the peer where that is installed."""
    batch, optim = pretrain_step.skeletons(clips).to(device), OptimSettings()
    calls = {}
    if importlib.util.find_spec("torch_geometric"):
        for kind in ("fp32", "bf16"):
            peer = pretrain_step.peer(clips * FRAMES).to(device)
            calls[f"torch_geometric, {kind}"] = stepper(peer, optim, always(batch), bf16=kind == "bf16", quick=False)
    for kind in ("fp32", "bf16"):
        for quick in (False, True):
            own = pretrain_step.model().to(device)
            name = f"ossein, {kind}{', compiled' * quick}"
            calls[name] = stepper(own, optim, always(batch), bf16=kind == "bf16", quick=quick)
    limit = counted(calls["ossein, bf16"])
    timings = side_by_side({name: finished(call, device) for name, call in calls.items()}, rounds)
    return steps_table(
        f"Pre-training step of `skeletonmae`, {clips} clips of {FRAMES} frames", timings, clips, limit, rates
    )


def finetuning(preset: str, device: str, clips: int, rounds: int, rates: Rates) -> tuple[Table, dict[str, Timing]]:
    """A step of a recognition preset."""
    chosen, batch = finetune_step.settings_of(preset), finetune_step.skeletons(clips).to(device)
    frames, calls = finetune_step.FRAMES, {}
    for kind in ("fp32", "bf16"):
        for quick in (False, True):
            torch.manual_seed(0)
            model = build_recogniser(COCO, 2, frames, 1, finetune_step.CLASSES, chosen.model)
            own = Recognise(model, chosen.smoothing).train().to(device)
            name = f"{preset}, {kind}{', compiled' * quick}"
            calls[name] = stepper(own, chosen.optim, always(batch), bf16=kind == "bf16", quick=quick)
    limit = counted(calls[f"{preset}, bf16"])
    timings = side_by_side({name: finished(call, device) for name, call in calls.items()}, rounds)
    return steps_table(
        f"Fine-tuning step of `{preset}`, {clips} clips of {frames} frames", timings, clips, limit, rates
    )


def steps_table(
    title: str, timings: dict[str, Timing], clips: int, limit: Limit, rates: Rates
) -> tuple[Table, dict[str, Timing]]:
    """Times by the clock, and what of the GPU's rates they come to."""
    rows = [
        [
            name,
            f"{1e3 * t.wall:.2f}",
            ratio(t.wall_ratio, t.wall_spread),
            f"{clips / t.wall:,.0f}",
            f"{limit.flops / t.wall / rates.flops:.1%}",
            f"{limit.bytes / t.wall / rates.copy:.1%}",
        ]
        for name, t in timings.items()
    ]
    columns = ["", "ms", "x faster", "clips/s", "of the bf16 peak", "of the bandwidth"]
    note = (
        f"Waited for after every step. {limit.flops / 1e9:.1f} GFLOP in products and convolutions, which read and write "
        f"{limit.bytes / 1e9:.2f} GB in bf16; peak {rates.flops / 1e12:.0f} TFLOP/s, a copy {rates.copy / 1e9:.0f} GB/s, both measured."
    )
    return Table(title, columns, rows, note), timings


def corpus(folder: Path, clips: int, length: int) -> Store:
    """Made-up clips, all of one length."""
    return store_of(folder, clips, frames=(length, length))


def preset(store: Store, batch: int, device: str) -> PretrainSettings:
    """The preset `skeletonmae` for the corpus, on the device."""
    s = PRETRAIN["skeletonmae"](Facts(COCO, 2, 1, True, len(store)))
    return s.change(train=s.train.change(batch=batch, device=device))


def feed_of(store: Store | Resident, settings: PretrainSettings) -> Feed:
    """All clips of the store."""
    s = settings
    return Feed(store, torch.arange(len(store.frames)).numpy(), s.input, s.augment, s.train.batch, s.train.seed)


def feeding(store: Store, near: Resident, settings: PretrainSettings, rounds: int) -> tuple[Table, dict[str, Timing]]:
    """Batches made on the device out of a resident store, and on the CPU and moved."""
    device, batch = str(near.device), settings.train.batch

    def batches(feed: Feed) -> Callable[[], Any]:
        step = iter(range(1 << 30))
        return finished(lambda: feed.at(next(step))[0].to(device), device)

    calls = {"mapped, made on the CPU and moved": store, "resident, made on the device": near}
    timings = side_by_side({name: batches(feed_of(one, settings)) for name, one in calls.items()}, rounds)
    rows = [
        [name, f"{1e3 * t.wall:.2f}", ratio(t.wall_ratio, t.wall_spread), f"{batch / t.wall:,.0f}"]
        for name, t in timings.items()
    ]
    note = "Random numbers are drawn on the CPU either way."
    return Table(
        f"The feed of that pre-training, {batch} clips a batch", ["", "ms", "x faster", "clips/s"], rows, note
    ), timings


def measured(store: Store | Resident, settings: PretrainSettings, steps: int) -> dict[str, float]:
    """Seconds of the training loop: up to its first steps, and a step after them; the loop waits for the loss of each."""
    s, times = settings, [time.perf_counter()]
    torch.manual_seed(0)
    method = build_method(COCO, 2, s.input.frames, s.input.persons, s.model)
    length = s.train.change(epochs=1e-9, steps=SKIPPED + steps, save_every=1e9)
    with tempfile.TemporaryDirectory() as folder:
        fit(method, feed_of(store, s), length, s.optim, Run(Path(folder)), lambda _: times.append(time.perf_counter()))
    return {"start": times[SKIPPED] - times[0], "step": (times[-1] - times[SKIPPED]) / steps}


def whole(store: Store, near: Resident, settings: PretrainSettings, steps: int) -> tuple[Table, dict[str, Any]]:
    """What the whole pre-training comes to, each way."""
    total = total_steps(feed_of(store, settings), settings.train)
    ways = [(one, kind, quick) for one in (store, near) for kind in ("fp32", "bf16") for quick in (False, True)]
    numbers = {}
    for one, kind, quick in ways:
        own = settings.change(train=settings.train.change(precision=kind, compile=quick))
        name = f"{'mapped' if one is store else 'resident'}, {kind}{', compiled' * quick}"
        took = measured(one, own, steps)
        numbers[name] = {**took, "whole": took["start"] + (total - SKIPPED) * took["step"]}
    rows = [[name, *(f"{took[key]:.3f}" for key in ("start", "step", "whole"))] for name, took in numbers.items()]
    frames = int((store.persons * store.frames).sum())
    s = settings
    note = (
        f"{frames / 1e6:.1f} M frames of 17 joints, {s.train.epochs:g} epochs of {s.train.batch} clips x {s.input.frames} frames: "
        f"{total} steps, of which {steps} were measured. The start holds the first {SKIPPED} steps, in which steps are compiled. "
        f"The preset computes in {s.train.precision}."
    )
    return Table("Pre-training an NTU60-sized corpus, seconds", ["", "start", "a step", "whole"], rows, note), numbers


def where(near: Resident, settings: PretrainSettings, *, quick: bool, steps: int) -> tuple[Table, dict[str, float]]:
    """The operations that take the time of such a training, feed included."""
    s, device, number = settings, str(near.device), iter(range(1 << 30))
    torch.manual_seed(0)
    method = build_method(COCO, 2, s.input.frames, s.input.persons, s.model).train().to(device)
    feed = feed_of(near, s)
    step = stepper(method, s.optim, lambda: feed.at(next(number)), bf16=s.train.precision == "bf16", quick=quick)
    for _ in range(SKIPPED):
        step()
    gpu = near.device.type == "cuda"
    kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if gpu else [])]
    watched: AbstractContextManager[Any] = profile(activities=kinds)
    with watched as seen:
        for _ in range(steps):
            finished(step, device)()
    took = {one.key: one.self_device_time_total if gpu else one.self_cpu_time_total for one in seen.key_averages()}
    most = sorted(((us, name) for name, us in took.items() if us > 0), reverse=True)[:ROWS]
    every = sum(took.values())
    rows = [[f"`{name[:60]}`", f"{us / 1e3 / steps:.2f}", f"{us / every:.1%}"] for us, name in most]
    kind = f"{s.train.precision}{', compiled' * quick}"
    return Table(f"Where the time goes ({kind})", ["", "ms a step", "share"], rows), {name: us for us, name in most}


def goals(numbers: dict[str, Any]) -> Table:
    """What was set out for, and what was reached."""
    name, best = min(((name, took["whole"]) for name, took in numbers.items()), key=lambda one: one[1])
    return goal_table((f"pre-training an NTU60-sized corpus, s ({name})", f"< {MOST:.0f}", f"{best:.0f}", best < MOST))


def found(device: str, rounds: int) -> Iterator[tuple[Table, Any]]:
    """Every table and its numbers, as they are measured."""
    rates = device_rates(device)
    yield pretraining(device, BATCH, rounds, rates)
    for name in ("ossein", "ssl"):
        yield finetuning(name, device, TUNED, rounds, rates)
    with tempfile.TemporaryDirectory() as folder:
        store = corpus(Path(folder), CLIPS, LENGTH)
        near, settings = Resident.of(store, device), preset(store, BATCH, device)
        yield feeding(store, near, settings, rounds)
        made, numbers = whole(store, near, settings, rounds)
        yield made, numbers
        for quick in (False, True):
            yield where(near, settings, quick=quick, steps=5)
    yield goals(numbers), None


def main() -> None:
    """Time, profile, write."""
    asked = arguments(__doc__ or "", rounds=20).parse_args()
    if not torch.cuda.is_available():
        print("There is no GPU here that torch can use: nothing was measured.")
        return
    result = Result("gpu", "On a GPU")
    for made, numbers in found("cuda", asked.rounds):
        result.add(made, numbers)
        result.write(asked.out)  # at once: compiling takes minutes, in which a rented GPU may be gone


if __name__ == "__main__":
    main()
