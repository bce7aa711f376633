"""Compiled steps: the same numbers, programs that are made once, and runs that cannot be told from others by what they leave."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from ossein.train import read_tensors

HERE = Path(__file__).parents[1]
OBJECTIVES = ("skeletonmae", "remask", "tube-mae", "strl", "stgcn", "reader", "teach")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture(scope="module")
def said(fixed_store, folder) -> dict[str, Any]:
    """What `tests/compiling.py` prints."""
    path = os.pathsep.join([str(HERE), *filter(None, sys.path)])
    command = [sys.executable, HERE / "compiling.py", fixed_store.path, folder]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def state(folder: Path) -> dict[str, torch.Tensor]:
    return read_tensors(folder / "checkpoint.safetensors")[0]


@pytest.mark.parametrize("name", OBJECTIVES)
def test_steps_are_the_same(said, name):
    """Whatever is absent: some joints, frames, a person, a whole clip."""
    assert set(said["steps"]) == set(OBJECTIVES)
    told = said["steps"][name]
    assert max(told["loss"]) < 1e-5
    assert max(told["grad"]) < 1e-3
    assert max(told["state"]) < 1e-3


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_first_step_is_compiled_and_none_after_it(said, name):
    graphs = said["steps"][name]["graphs"]
    assert set(graphs) == {graphs[0]} != {0}
    if name not in ("tube-mae", "teach"):  # these draw on their way, and the latter asks which clips have no label
        assert graphs[0] == 1


def test_a_run_compiles_one_program(said):
    assert set(said["runs"]["compiled"]["graphs"]) == {1}
    assert set(said["runs"]["plain"]["graphs"]) == {0}


@pytest.mark.parametrize(("kind", "apart"), [("", 1e-3), (" bf16", 0.05)])
def test_a_compiled_run_leaves_what_others_leave(said, folder, kind, apart):
    plain, quick = kind.strip() or "plain", f"compiled{kind}"
    assert said["runs"][quick]["losses"] == pytest.approx(said["runs"][plain]["losses"], rel=apart)
    shapes = [{name: one.shape for name, one in state(folder / which).items()} for which in (plain, quick)]
    assert shapes[0] == shapes[1]


def test_going_on_with_a_compiled_run_is_exact(said, folder):
    assert said["runs"]["stopped"]["losses"] == said["runs"]["compiled"]["losses"]
    whole, cut = state(folder / "compiled"), state(folder / "stopped")
    assert all(torch.equal(whole[name], cut[name]) for name in whole)
