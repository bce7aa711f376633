"""Who does a piece of work, of several processes that could."""

import subprocess
import sys

import pytest

from ossein.recipes.turns import turn

TAKES = """
import sys, time
from pathlib import Path
from ossein.recipes.turns import turn
with turn(Path(sys.argv[1])) as mine:
    print(mine, flush=True)
    time.sleep(600)
"""


def test_one_at_a_time(tmp_path):
    file = tmp_path / "deep" / "work"
    with turn(file) as mine, turn(file) as also, turn(tmp_path / "other") as other:
        assert (mine, also, other) == (True, False, True)
    with turn(file) as then:
        assert then


def test_it_is_given_back_when_the_work_fails(tmp_path):
    with pytest.raises(ValueError, match="bad"), turn(tmp_path / "work"):
        raise ValueError("bad")
    with turn(tmp_path / "work") as then:
        assert then


def test_it_is_given_back_when_a_process_is_killed(tmp_path):
    with subprocess.Popen([sys.executable, "-c", TAKES, tmp_path / "work"], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        with turn(tmp_path / "work") as mine:
            assert not mine
        other.kill()
    with turn(tmp_path / "work") as then:
        assert then


def test_processes_that_train_one_model_are_one_worker(tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with turn(tmp_path / "work") as first, turn(tmp_path / "work") as second:
        assert (first, second) == (True, True)
