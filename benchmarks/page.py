"""Write `docs/benchmarks.md` from what the scripts found: `benchmarks/out/*.json` into `benchmarks/page.md`."""

import argparse
import json
from pathlib import Path
from typing import Any

from found import OUT, Table, as_markdown

TEMPLATE = Path(__file__).with_name("page.md")
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
ORDER = (
    "pretrain_step",
    "finetune_step",
    "precision",
    "loader",
    "memory",
    "allocator",
    "inference",
    "growth",
    "gpu",
)
"""Sections in the order of the page; what is not named here follows."""

GPU_ONCE = """## On a GPU

`python benchmarks/gpu.py` measures the pre-training step beside torch_geometric, the fine-tuning step of both presets, the feed out of a file and
out of the memory of the device, what a pre-training of an NTU60-sized corpus comes to (the goal is less than 10 minutes), shares of peak
and of bandwidth, and where the time goes. A GPU has been seen once (NVIDIA H100 80GB HBM3, torch 2.11.0+cu130, commit 65c8087, 16 cores of which
others kept ten busy), for too short a time: the script was stopped after these two tables, so that the rest has not been measured.

**Pre-training step of `skeletonmae`, 1024 clips of 64 frames**

|  | ms | x faster | clips/s | of the bf16 peak | of the bandwidth |
| --- | ---: | ---: | ---: | ---: | ---: |
| torch_geometric, fp32 | 51.59 | 1.00 (1.00-1.00) | 19,847 | 0.6% | 6.2% |
| torch_geometric, bf16 | 46.49 | 1.11 (1.10-1.11) | 22,026 | 0.7% | 6.8% |
| ossein, fp32 | 27.64 | 1.86 (1.85-1.88) | 37,051 | 1.1% | 11.5% |
| ossein, fp32, compiled | 28.64 | 1.80 (1.79-1.81) | 35,760 | 1.1% | 11.1% |
| ossein, bf16 | 21.02 | 2.45 (2.43-2.48) | 48,712 | 1.4% | 15.1% |
| ossein, bf16, compiled | 19.08 | 2.69 (2.66-2.73) | 53,683 | 1.6% | 16.7% |

Waited for after every step. 239.0 GFLOP in products and convolutions, which read and write 9.42 GB in bf16; peak 788 TFLOP/s, a copy 2963 GB/s, both measured.

**Fine-tuning step of `ossein`, 128 clips of 48 frames**

|  | ms | x faster | clips/s | of the bf16 peak | of the bandwidth |
| --- | ---: | ---: | ---: | ---: | ---: |
| ossein, fp32 | 34.11 | 1.00 (1.00-1.00) | 3,753 | 0.2% | 0.9% |
| ossein, fp32, compiled | 25.91 | 1.31 (1.22-1.39) | 4,941 | 0.2% | 1.2% |
| ossein, bf16 | 36.67 | 0.93 (0.91-1.00) | 3,491 | 0.2% | 0.8% |
| ossein, bf16, compiled | 25.54 | 1.37 (1.29-1.46) | 5,012 | 0.2% | 1.2% |

Waited for after every step. 46.9 GFLOP in products and convolutions, which read and write 0.91 GB in bf16; peak 788 TFLOP/s, a copy 2963 GB/s, both measured.

The fine-tuning step is short for such a GPU: what takes its time is being handed its work, which is why bf16 gains nothing there and a
program made by `torch.compile` runs 1.4 times as fast.
"""
"""Stands where `gpu.py` has found nothing."""

PICTURES = {"growth": "![Time and memory against clips, frames, joints, persons and processes](growth.png)"}


def read(folder: Path) -> list[dict[str, Any]]:
    """What each script found, in the order of the page."""
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}
    names = [*(name for name in ORDER if name in found), *(name for name in found if name not in ORDER)]
    return [found[name] for name in names]


def goals(found: list[dict[str, Any]]) -> str:
    """Every goal of every script in one table; those that were missed are counted in words."""
    given = [
        (one["title"], row)
        for one in found
        for table in one["tables"]
        if table["title"] == "Goals"
        for row in table["rows"]
    ]
    if not given:
        return ""
    missed = sum(row[-1] != "yes" for _, row in given)
    rows = [[f"{title}: {row[0]}", *row[1:]] for title, row in given]
    said = "All were met." if not missed else f"{missed} of {len(given)} were missed."
    return "## Goals\n\n" + as_markdown(Table("What was set out for", ["", "goal", "reached", "met"], rows, said))


def section(one: dict[str, Any]) -> str:
    """The tables of a script, under its title and what it ran on."""
    told = one["machine"]
    versions = ", ".join(f"{name} {told[name]}" for name in ("ossein", "python", "torch", "numpy") if name in told)
    head = (
        f"## {one['title']}\n\n`{one['command']}`, {one['time']}: {told['cpu']}, {told['cores']} cores, GPU {told['gpu']}, load "
        f"{told['load']}; {versions}.\n"
    )
    tables = [as_markdown(Table(**table)) for table in one["tables"] if table["title"] != "Goals"]
    return "\n".join([head, *tables, *([PICTURES[one["name"]] + "\n"] if one["name"] in PICTURES else [])])


def page(found: list[dict[str, Any]]) -> str:
    """The whole page."""
    text = TEMPLATE.read_text(encoding="utf-8").replace("{goals}", goals(found))
    sections = [*map(section, found), *([] if any(one["name"] == "gpu" for one in found) else [GPU_ONCE])]
    return text.replace("{results}", "\n".join(sections)).rstrip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the result files")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page to write")
    call = parser.parse_args()
    found = read(call.out)
    if not found:
        raise SystemExit(f"{call.out}: holds no result. Run a script of benchmarks/ first.")
    call.page.write_text(page(found), encoding="utf-8")
    print(f"wrote {call.page}")


if __name__ == "__main__":
    main()
