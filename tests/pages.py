"""Pages of documentation as programs: their blocks in order, each run as a reader would run it, on tiny data.

A block with a title (```csv title="mine.csv") is a file to write. Lines of `sh` blocks are commands, `python` blocks share
one set of names. Commands are run as typed; those that train get settings appended that make them short.
"""

import json
import os
import pickle
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ossein.cli import run
from ossein.clip import Clip
from ossein.mapping import joint_matrix
from ossein.readers.synthetic import SyntheticSettings, synthetic
from ossein.recipes.finetune import TUNED
from ossein.skeleton import Skeleton

ROOT = Path(__file__).parents[1]

SHORT = {
    ("pretrain",): "--input.frames 8 --train.epochs 1 --train.steps 0",
    ("recognise",): "--input.frames 8 --train.epochs 1 --train.steps 0",
    ("quickstart",): "--clips 60 --labels 1 --seeds 0 --frames 8 --pretrain-epochs 0.2 --epochs 1",
    ("reproduce",): "--pretrain-epochs 0.1 --epochs 0.1 --frames 8 --seeds 0",
    ("data", "synthetic"): "--clips 36",
}
"""What makes a command short, by the words it begins with."""

SHORT_TUNING = "input: {frames: 8}\ntrain: {epochs: 0.3, batch: 16, steps: 0}\n"
"""What makes the protocols short that train: a file of settings."""

_FENCE = re.compile(
    r"^```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_ELSEWHERE = ("git", "cd", "source")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Args:
        page: The page.
        line: The number of its first line of text, from 1.
        language: What the fence says.
        title: The file that the block is, if it is one.
        text: What it holds.
    """

    page: Path
    line: int
    language: str
    title: str
    text: str

    def commands(self) -> Iterator[list[str]]:
        """The words of each command."""
        for line in self.text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield words


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, text.count("\n", 0, at.start("text")) + 1, at["language"], at["title"] or "", at["text"])
        for at in _FENCE.finditer(text)
    ]


def run_page(page: Path) -> int:
    """Run every block of a page in the working folder; returns how many commands and programs were run."""
    names: dict[str, object] = {"__name__": page.stem}
    done = 0
    for block in blocks(page):
        if block.title:
            Path(block.title).write_text(block.text, encoding="utf-8")
        if block.language == "sh":
            for words in block.commands():
                run_command(words, f"{page.name}:{block.line}")
                done += 1
        elif block.language == "python" and not block.title:
            # The empty lines make line numbers in a traceback those of the page.
            exec(compile("\n" * (block.line - 1) + block.text, str(page), "exec"), names)
            done += 1
    return done


def run_command(words: list[str], where: str) -> None:
    """Run one command line, shortened where it trains, and stop the test if it fails."""
    if words[0] == "ossein":
        assert run(shortened(words[1:])) == 0, f"{where}: {shlex.join(words)}"
    elif words[0] == "torchrun":
        at = words.index("ossein") + 1
        full = [*words[:at], *shortened(words[at:])]
        torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", *full[1:]]
        done = subprocess.run(torchrun, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
        assert done.returncode == 0, f"{where}: {shlex.join(words)}\n{done.stderr}"
    elif words[0] == "python":
        done = subprocess.run([sys.executable, *words[1:]], capture_output=True, text=True)
        assert done.returncode == 0, f"{where}: {shlex.join(words)}\n{done.stderr}"
    elif words[0] == "make":
        assert set(words[1:]) <= targets(), f"{where}: the Makefile has no such target"
    elif words[0] == "pip":
        check_install(words, where)
    else:
        assert words[0] in _ELSEWHERE, f"{where}: nothing tests '{words[0]}'"


def shortened(words: list[str]) -> list[str]:
    """A command line of ossein with settings appended that make it short."""
    more = next((text for begin, text in SHORT.items() if tuple(words[: len(begin)]) == begin), "")
    if words[0] == "evaluate" and "--config" not in words and set(words) & set(TUNED):
        Path("short.yaml").write_text(SHORT_TUNING, encoding="utf-8")
        more = "--seeds 0 --config short.yaml"
    return words + more.split()


def targets() -> set[str]:
    """The targets of the Makefile."""
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def check_install(words: list[str], where: str) -> None:
    """An install names extras that exist, and the pins."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {extra for word in words for found in re.findall(r"\[([\w,]+)\]", word) for extra in found.split(",")}
    assert extras <= set(project["optional-dependencies"]), f"{where}: no such extra"
    assert words[words.index("-c") + 1] == "constraints.txt", f"{where}: installs without the pins"


def write_data(folder: Path) -> None:
    """The files that pages speak of: pickles in `data/`, and a clip of someone as COCO's JSON."""
    source, other = (synthetic(SyntheticSettings(clips=72, persons=6, seed=seed)) for seed in (0, 1))
    halves, folds = ([one.splits["xsub_train"], one.splits["xsub_val"]] for one in (source, other))
    clips, data = list(source.clips), folder / "data"
    data.mkdir()
    (data / "meta.json").write_text(json.dumps({"class_names": source.classes, "license": "none"}))
    _write_pickle(data / "penn_action_coco17.pkl", clips, {"train": list(halves[0]), "val": list(halves[1])})
    lists = {
        f"split{i}_{side}": list(names) for i in (1, 2) for side, names in zip(("train", "val"), folds[:: 3 - 2 * i])
    }
    _write_pickle(data / "jhmdb_coco17.pkl", list(other.clips), lists)
    _write_sensors(data)
    (folder / "someone.json").write_text(json.dumps(_coco(clips[0])))


def _write_sensors(data: Path) -> None:
    """Two files of depth sensors: one as if it had been fetched for the catalogue, one of an older sensor."""
    source = synthetic(SyntheticSettings(clips=36, persons=6, dims=3))
    clips, lists = list(source.clips), {name: list(names) for name, names in source.splits.items()}
    (data / "ntu60-3d").mkdir()
    for file, skeleton in (("ntu60-3d/ntu60_3danno.pkl", "ntu-25"), ("nw_ucla.pkl", "kinect-20")):
        matrix = joint_matrix(Skeleton.of("coco-17"), Skeleton.of(skeleton))
        moved = [Clip(matrix @ c.x, np.minimum(c.score @ (matrix.T > 0), 1), c.name, c.label) for c in clips]
        _write_pickle(data / file, moved, lists)


def _write_pickle(path: Path, clips: list[Clip], splits: dict[str, list[str]]) -> None:
    annotations = [
        {
            "frame_dir": clip.name,
            "label": clip.label,
            "total_frames": clip.num_frames,
            "keypoint": clip.x.astype(np.float16),
            "keypoint_score": clip.score.astype(np.float16),
            **({"img_shape": (int(clip.size[1]), int(clip.size[0]))} if clip.size else {}),
        }
        for clip in clips
    ]
    path.write_bytes(pickle.dumps({"split": splits, "annotations": annotations}))


def _coco(clip: Clip) -> dict[str, object]:
    width, height = clip.size or (0, 0)
    images = [
        {"id": t, "file_name": f"frame_{t:06d}.jpg", "width": width, "height": height} for t in range(clip.num_frames)
    ]
    poses = np.dstack([clip.x[0], 2 * (clip.score[0] > 0)])
    found = [{"image_id": t, "keypoints": pose.ravel().tolist()} for t, pose in enumerate(poses)]
    return {"images": images, "annotations": found}
