"""A training step of the presets `ossein` and `ssl` on labelled clips: time, memory, and how far from the limit."""

from collections.abc import Callable

import torch
from found import Result, Table, arguments, goal_table, table
from timing import Timing, counted, in_child, machine_rates, peak_memory, side_by_side, threads

from ossein.cli.allocator import hold_memory
from ossein.clip import Batch
from ossein.draw import Draw
from ossein.recipes.presets import RECOGNISE, Facts, RecogniseSettings
from ossein.skeleton import Skeleton
from ossein.tasks import Recognise, build_recogniser
from ossein.train import build_optimiser

COCO = Skeleton.of("coco-17")
CLIPS, FRAMES, CLASSES = 16, 48, 60
STEP, MEMORY = 330, 967
"""The goals: CPU ms of a step, and MiB, a third of what CTR-GCN takes."""


def skeletons(clips: int = CLIPS) -> Batch:
    """Clips of one person who is always there."""
    x = torch.randn(clips, 1, FRAMES, len(COCO), 2, generator=torch.Generator().manual_seed(0))
    return Batch(
        x, torch.ones(x.shape[:-1]), COCO, torch.arange(clips) % CLASSES, torch.arange(clips), torch.ones(clips, 2)
    )


def settings_of(preset: str) -> RecogniseSettings:
    """The preset's settings for such clips."""
    chosen = RECOGNISE[preset](Facts(COCO, 2, 1, False, 1000), None)
    return chosen.change(input=chosen.input.change(frames=FRAMES))


def stepper(preset: str, *, bf16: bool) -> Callable[[], None]:
    """A whole step: forward, backward, optimiser."""
    torch.manual_seed(0)
    chosen, batch = settings_of(preset), skeletons()
    objective = Recognise(build_recogniser(COCO, 2, FRAMES, 1, CLASSES, chosen.model), chosen.smoothing).train()
    optimiser = build_optimiser(objective, chosen.optim)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = objective(batch, Draw.of(0)).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    return step


def memory_of(preset: str, bf16: bool) -> tuple[int, int]:
    """The bytes that a process of its own holds at most, before its first step and after five."""
    torch.set_num_threads(1)
    step, before = stepper(preset, bf16=bf16), peak_memory()
    for _ in range(5):
        step()
    return before, peak_memory()


def goals(ours: dict[str, Timing], memory: dict[str, tuple[int, int]]) -> Table:
    """What was set out for, and what was reached."""
    step, most = ours["ossein, fp32"].cpu, max(most for _, most in memory.values()) / 2**20
    return goal_table(
        ("`ossein`, fp32, CPU ms", f"<= {STEP}", f"{1e3 * step:.0f}", 1e3 * step <= STEP),
        ("peak memory of either preset, MiB", f"<= {MEMORY}", f"{most:.0f}", most <= MEMORY),
    )


def main() -> None:
    """Time, weigh, write."""
    asked = arguments(__doc__ or "", rounds=30).parse_args()
    hold_memory()
    result = Result("finetune_step", "A fine-tuning step")
    size = f"{CLIPS} clips of {FRAMES} frames, {len(COCO)} joints, one person"
    took: dict[str, dict[str, Timing]] = {}
    for preset in ("ossein", "ssl"):
        calls = {f"{preset}, {name}": stepper(preset, bf16=name == "bf16") for name in ("fp32", "bf16")}
        with threads(1):
            timings = side_by_side(calls, asked.rounds)
            rates = machine_rates(1, product=(CLIPS * FRAMES * len(COCO), 64, 64))
            limit = counted(calls[f"{preset}, bf16"])
        took[preset] = timings
        title = f"Fine-tuning step of `{preset}`, {size}, one thread"
        result.add(table(title, timings, limit=limit, rates=rates, note="The limit is that of fp32."), timings)
    kinds = [(preset, bf16) for preset in ("ossein", "ssl") for bf16 in (False, True)]
    memory = {f"{preset}, {'bf16' if bf16 else 'fp32'}": in_child(memory_of, preset, bf16) for preset, bf16 in kinds}
    rows = [
        [name, *(f"{used / 2**20:.0f}" for used in (least, most - least, most))]
        for name, (least, most) in memory.items()
    ]
    result.add(Table("Peak memory of such a step, MiB", ["", "before the first step", "step", "process"], rows), memory)
    result.add(goals(took["ossein"], memory))
    result.write(asked.out)


if __name__ == "__main__":
    main()
