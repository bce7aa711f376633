"""Accuracy in bf16 and in fp32: the same short training, from the same seeds, in either precision."""

import statistics
import tempfile
from pathlib import Path

import torch
from found import Result, Table, arguments

from ossein.cli.allocator import hold_memory
from ossein.readers.synthetic import SyntheticSettings
from ossein.recipes.prepare import generate
from ossein.recipes.presets import RECOGNISE, Facts, RecogniseSettings, fast_precision, precision_reason
from ossein.recipes.recognise import recognise
from ossein.store import Store, resolve_many

PRESET, CLIPS, STEPS = "ossein", 360, 90
KINDS = ("fp32", "bf16")


def main() -> None:
    """Train, compare, write."""
    parser = arguments(__doc__ or "", rounds=3)
    parser.add_argument("--steps", type=int, default=STEPS, help="steps of each training")
    asked = parser.parse_args()
    hold_memory()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "synthetic.clips"
        generate(SyntheticSettings(clips=CLIPS), data)
        scores = {kind: accuracies(data, kind, asked.rounds, asked.steps) for kind in KINDS}
        chosen = settings(data, fast_precision(), asked.steps).train
    apart = [bf16 - fp32 for fp32, bf16 in zip(scores["fp32"], scores["bf16"], strict=True)]
    rows = [[kind, *(f"{one:.1f}" for one in own), middle(own)] for kind, own in scores.items()]
    rows.append(["bf16 - fp32", *(f"{one:+.1f}" for one in apart), middle(apart)])
    title = f"Accuracy of `{PRESET}` in % on {CLIPS} synthetic clips of new people, {asked.steps} steps"
    seeds = [f"seed {seed}" for seed in range(asked.rounds)]
    note = f"Chosen here by itself: {precision_reason(chosen)}."
    result = Result("precision", "Precision")
    result.add(Table(title, ["", *seeds, "mean and spread"], rows, note), {**scores, "apart": apart})
    result.write(asked.out)


def settings(data: Path, precision: str, steps: int) -> RecogniseSettings:
    """The preset's settings for the clips, shortened; no clips without labels beside."""
    store = Store.open(data)
    [split] = resolve_many(store, None)
    chosen = RECOGNISE[PRESET](Facts.of(store, split.train), None)
    train = chosen.train.change(epochs=1, steps=steps, batch=16, precision=precision)
    return chosen.change(train=train, teach=None)


def accuracies(data: Path, precision: str, seeds: int, steps: int) -> list[float]:
    """The share of right clips of people that were not trained on, in %, for each seed."""
    with tempfile.TemporaryDirectory() as folder:
        own = settings(data, precision, steps)
        found = recognise(PRESET, Store.open(data), Path(folder) / "run", seeds=tuple(range(seeds)), settings=own)
    return [100 * run["top1"] for run in found["runs"]]


def middle(values: list[float]) -> str:
    """Mean and spread as text."""
    return f"{statistics.mean(values):.1f} +- {statistics.stdev(values):.1f}"


if __name__ == "__main__":
    main()
