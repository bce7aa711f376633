"""Who does a piece of work, of several processes that could."""

import subprocess
import sys

import pytest

from ossein.errors import SettingsError
from ossein.recipes import turns
from ossein.recipes.turns import each_once, turn

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


def test_jobs_are_done_in_order_and_only_what_several_need_is_written(tmp_path):
    order = []
    jobs = {name: lambda name=name: order.append(name) or name.upper() for name in "bca"}
    assert each_once(jobs, tmp_path / "all", order.append, resume=False) == ["B", "C", "A"]
    assert order == ["b", "c", "a"]
    assert each_once({"b": lambda: 1}, tmp_path / "alone", order.append, resume=False) == [1]
    assert not (tmp_path / "alone").exists()


def test_what_another_is_at_comes_last_and_is_asked_for_when_that_is_through(tmp_path, monkeypatch):
    monkeypatch.setattr(turns, "_PATIENCE", 0)
    order = []
    other = turn(tmp_path / ".turns" / "a")
    assert other.__enter__()

    def told(line):
        """The other copy ends as soon as it is waited for."""
        order.append(line)
        other.__exit__(None, None, None)

    jobs = {name: lambda name=name: order.append(name) or name for name in "abc"}
    assert each_once(jobs, tmp_path, told, resume=True) == ["a", "b", "c"]
    assert order == ["b", "c", "other copies of this command are at 1 training; waiting for them", "a"]


def test_who_does_not_resume_is_told_of_the_other(tmp_path):
    jobs = {"a": lambda: 0, "b": lambda: 1}
    with turn(tmp_path / ".turns" / "b"), pytest.raises(SettingsError, match=r"b: another process is at it. Add --res"):
        each_once(jobs, tmp_path, print, resume=False)
