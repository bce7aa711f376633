"""Inference: one clip through a bundle, eager and in onnxruntime; batches; and how long `ossein predict` takes from nothing."""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from clips import CLASSES, wander
from found import Result, Table, arguments, goal_table, ratio
from timing import side_by_side, threads
from torch.utils.flop_counter import FlopCounterMode

import ossein
from ossein.clip import Clip
from ossein.deploy import Card, to_onnx, trace, write_bundle
from ossein.recipes.presets import RECOGNISE, Facts
from ossein.skeleton import Skeleton
from ossein.store.memory import Memory
from ossein.tasks import build_recogniser
from ossein.train import fixed_batches

ONE, START = 5e-3, 3.0
"""What was set out for: seconds of processor time for a clip, and from nothing to the answer of `ossein predict`."""


def bundle(folder: Path, preset: str = "ossein") -> Card:
    """A bundle of a preset with random weights, V = 17, T = 48, M = 1, which answers as slowly as a trained one."""
    skeleton = Skeleton.of("coco-17")
    settings = RECOGNISE[preset](Facts(skeleton, 2, 1, True, 1000), None)
    input = settings.input.change(frames=48)
    torch.manual_seed(0)
    model = build_recogniser(skeleton, 2, input.frames, input.persons, CLASSES, settings.model)
    card = Card(
        kind="recogniser",
        preset=preset,
        skeleton=skeleton.plain(),
        dims=2,
        classes=tuple(f"class_{k:02d}" for k in range(CLASSES)),
        input=input,
        model=settings.model,
        data={"store": "made up", "hash": "0", "split": "none", "seen": "0"},
        made_by={},
    )
    write_bundle(folder, card, model)
    return card


@dataclass(frozen=True)
class Ways:
    """The ways to an answer for some clips: the model alone, the same in onnxruntime, and all that `predict` does."""

    model: Callable[[], np.ndarray]
    onnx: Callable[[], np.ndarray]
    whole: Callable[[], np.ndarray]
    flops: int


def ways(folder: Path, clips: list[Clip]) -> Ways:
    """What is timed, on one window of each clip; `whole` takes as many windows as the preset says.

    Args:
        folder: Of a bundle.
        clips: What to answer for.
    """
    import onnxruntime

    predictor = ossein.load(folder)
    card, size = predictor.card, len(clips)
    rows = Memory.of(clips, predictor.skeleton)
    raw = next(fixed_batches(rows, range(size), card.input.change(normalise="none", views=1), size))
    batch = next(fixed_batches(rows, range(size), card.input.change(views=1), size))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    file = to_onnx(trace(predictor.model, card), card)
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    given = {"x": raw.x.numpy(), "score": raw.score.numpy()}
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        predictor.model(batch)

    def model() -> np.ndarray:
        with torch.inference_mode():
            return predictor.model(batch).softmax(1).numpy()

    return Ways(model, lambda: session.run(None, given)[0], lambda: predictor.scores(clips), counter.get_total_flops())


def once(folder: Path, size: int, rounds: int) -> tuple[Table, dict]:
    """Some clips at once, every way."""
    to = ways(folder, list(wander(size)))
    far = float(np.abs(to.model() - to.onnx()).max())
    assert far < 1e-4, f"onnxruntime differs by {far}"
    repeats = max(1, 16 // size)
    timings = side_by_side(
        {"model, eager": to.model, "model, onnxruntime": to.onnx, "predict, 3 windows a clip": to.whole},
        rounds,
        repeats=repeats,
    )
    rows = [
        [
            name,
            f"{1e3 * t.cpu / size:.2f}",
            f"{size / t.cpu:,.0f}",
            ratio(t.ratio, t.spread),
            f"{to.flops / t.cpu / 1e9:.0f}" if name.startswith("model") else "",
        ]
        for name, t in timings.items()
    ]
    columns = ["", "CPU ms a clip", "clips per CPU s", "x faster (CPU)", "GFLOP/s"]
    note = f"{to.flops / size / 1e6:.0f} MFLOP in products a window; the two models differ by {far:.0e} at most."
    title = "One clip at a time" if size == 1 else f"{size} clips at a time"
    return Table(f"{title}, preset ossein, V = 17, T = 48, one thread", columns, rows, note), timings


def write_table(clip: Clip, path: Path) -> None:
    """A clip as the table of joints that a user might have."""
    skeleton = Skeleton.of("coco-17")
    lines = ["frame,joint,x,y,score"]
    for t, v in np.ndindex(*clip.score.shape[1:]):
        lines.append(
            f"{t},{skeleton.joints[v]},{clip.x[0, t, v, 0]:.2f},{clip.x[0, t, v, 1]:.2f},{clip.score[0, t, v]:.3f}"
        )
    path.write_text("\n".join(lines) + "\n")


def from_nothing(command: list[str], rounds: int) -> tuple[float, float, float]:
    """Median seconds of fresh processes by processor and clock, and the least by the clock.

    Args:
        command: What to run; must leave with 0.
        rounds: How often, after once that does not count: files are in the page cache then.
    """
    cpu, wall = [], []
    for _ in range(rounds + 1):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        wall.append(time.perf_counter() - began)
    return statistics.median(cpu[1:]), statistics.median(wall[1:]), min(wall[1:])


def cold(folder: Path, rounds: int) -> tuple[Table, dict]:
    """`ossein predict` in a fresh process, beside what it cannot do without."""
    write_table(next(iter(wander(1))), folder / "clip.csv")
    commands = {
        "import torch": ["-c", "import torch"],
        "ossein --help": ["-m", "ossein", "--help"],
        "ossein predict BUNDLE clip.csv": ["-m", "ossein", "predict", str(folder / "bundle"), str(folder / "clip.csv")],
    }
    took = {name: from_nothing([sys.executable, *words], rounds) for name, words in commands.items()}
    rows = [[name, *(f"{value:.2f}" for value in one)] for name, one in took.items()]
    note = "Fresh processes, files in the page cache."
    return Table("From nothing to an answer", ["", "CPU s", "wall s", "least wall s"], rows, note), took


def goals(single: dict, took: dict) -> Table:
    """What was set out for, and what was reached."""
    best = min(single[name].cpu for name in ("model, eager", "model, onnxruntime"))
    start = took["ossein predict BUNDLE clip.csv"][0]
    return goal_table(
        ("one clip, ms of CPU", f"<= {1e3 * ONE:.0f}", f"{1e3 * best:.2f}", best <= ONE),
        ("`ossein predict` from nothing, CPU s", f"< {START:.0f}", f"{start:.2f}", start < START),
    )


def main() -> None:
    call = arguments(__doc__, rounds=9).parse_args()
    result = Result("inference", "Inference")
    with tempfile.TemporaryDirectory() as name, threads(1):
        folder = Path(name)
        bundle(folder / "bundle")
        made, single = once(folder / "bundle", 1, call.rounds)
        result.add(made, single)
        result.add(*once(folder / "bundle", 64, call.rounds))
        made, took = cold(folder, max(3, call.rounds // 3))
        result.add(made, took)
        result.add(goals(single, took))
    result.write(call.out)


if __name__ == "__main__":
    main()
