"""A run's folder: what was asked for, what was seen on the way, what came out."""

import json
import platform
import shlex
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from ossein.errors import BundleError, DataError, SettingsError
from ossein.files import read_text, read_yaml, write_json, write_text, write_yaml
from ossein.own import used

_PACKAGES = ("ossein", "torch", "numpy", "accelerate", "safetensors", "scikit-learn")


@dataclass(frozen=True)
class Run:
    """The folder of one training run.

    `run.yaml` holds every setting and where the run came from, `log.jsonl` a line per logged step, `checkpoint.safetensors`
    the state to go on from, `bundle/` the model, `results.json` the numbers.
    """

    folder: Path

    @property
    def checkpoint(self) -> Path:
        """The state to go on from."""
        return self.folder / "checkpoint.safetensors"

    @property
    def bundle(self) -> Path:
        """The folder of the finished model."""
        return self.folder / "bundle"

    @property
    def done(self) -> bool:
        """Whether training has ended and left its model."""
        return (self.bundle / "bundle.json").is_file()

    def begin(self, record: dict[str, Any], *, resume: bool) -> None:
        """Write down what this run is, or make sure that a resumed one is what it was.

        Args:
            record: What was asked for, as plain data; the keys `settings` and `data` must be the same to resume.
            resume: Whether to go on with what is in the folder.

        Raises:
            SettingsError: The folder holds a run and `resume` is not set, or it holds another run.
            BundleError: The record in the folder is damaged.
        """
        file = self.folder / "run.yaml"
        if file.exists() and not resume:
            raise SettingsError(
                f"{self.folder}: holds a run already. Add --resume to go on with it, or choose another --out."
            )
        if not file.exists():
            write_yaml(file, {**record, "made_by": provenance()})
            return
        old = self.read()
        for key in ("settings", "data"):
            path = _first_difference(old.get(key), record[key], key)
            if path:
                raise SettingsError(
                    f"{self.folder}: cannot go on, '{path[0]}' was {path[1]!r} and is now {path[2]!r}. "
                    "Use the same command as before, or another --out."
                )

    def read(self) -> dict[str, Any]:
        """What `begin` wrote down.

        Raises:
            BundleError: The folder holds no run, or its record is damaged.
        """
        file = self.folder / "run.yaml"
        if not file.is_file():
            raise BundleError(
                f"{self.folder}: holds no run (run.yaml is missing). Name a folder that a run was written to."
            )
        try:
            record = read_yaml(file)
        except DataError as error:
            raise BundleError(str(error)) from None
        if not isinstance(record, dict) or not {"settings", "data"} <= set(record):
            raise BundleError(f"{file}: is no whole record of a run ('settings' or 'data' is missing). Train again.")
        return record

    def log(self, line: dict[str, Any]) -> None:
        """Append a line to the log."""
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def log_lines(self) -> list[dict[str, Any]]:
        """The lines of the log, a line that was cut short left out."""
        file = self.folder / "log.jsonl"
        lines = read_text(file).splitlines() if file.exists() else []
        return [json.loads(line) for line in lines if line.endswith("}")]

    def forget_after(self, step: int) -> None:
        """Drop log lines of steps that will be done again."""
        kept = [line for line in self.log_lines() if line["step"] <= step]
        write_text(self.folder / "log.jsonl", "".join(json.dumps(line) + "\n" for line in kept))

    def write_results(self, results: dict[str, Any]) -> None:
        """Write the numbers of the run."""
        write_json(self.folder / "results.json", results)


def free_folder(root: Path, name: str) -> Path:
    """The first of root/name-1, root/name-2 ... that does not exist."""
    number = 1
    while (root / f"{name}-{number}").exists():
        number += 1
    return root / f"{name}-{number}"


def provenance() -> dict[str, Any]:
    """How this process came to be: command, code of one's own (see `ossein.own.used`), versions, commit (where ossein runs
    from its own repository), machine, time.

    The machine is told with the instructions that its processor has for arithmetic, on which the last digits depend.

    A run keeps one of when it began and one, with its model, of when it ended; `memory` is the most that the process had
    held by then, in MiB, None where the system does not tell.
    """
    return {
        "command": shlex.join(["ossein", *sys.argv[1:]]),
        "used": used(),
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}},
        "commit": _commit(),
        "machine": f"{platform.machine()} {platform.system()}, {torch.backends.cpu.get_cpu_capability()}{_gpu()}",
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "memory": _memory(),
    }


def _gpu() -> str:
    return f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""


def _memory() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // (1024 * 1024 if sys.platform == "darwin" else 1024)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # run from a folder of sources that was never installed
        return "unknown"


def _commit() -> str:
    here = Path(__file__).parents[3]
    if not (here / ".git").exists():  # installed; the repository around it, if any, is somebody else's
        return "unknown"
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=here,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def _first_difference(old: Any, new: Any, path: str) -> tuple[str, Any, Any] | None:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            found = _first_difference(old.get(key), new.get(key), f"{path}.{key}")
            if found:
                return found
        return None
    return None if old == new else (path, old, new)
