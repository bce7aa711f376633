"""Ctrl-C at the command line: how a run stops, and that the command it prints goes on with it exactly."""

import shlex
import signal
import time

import pytest
from runs import SHORT, SMALL, same_run
from two import start

from ossein.train import Run


def test_control_c_and_going_on(cli, fixed_store, tmp_path):
    """Ctrl-C ends a real process with 130; the command that it prints finishes the run, with the same result."""
    words = ["pretrain", "skeletonmae", fixed_store.path, "--split", "half", *SMALL, "--train.epochs", 20]
    process = start(tmp_path, words)
    log = tmp_path / "runs" / "pretrain-skeletonmae-fixed-1" / "log.jsonl"
    until = time.monotonic() + 120
    while not (log.exists() and log.stat().st_size) and time.monotonic() < until and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in out + err
    assert "stopped; what was saved is in runs/pretrain-skeletonmae-fixed-1. To go on:" in out
    done = len(Run(log.parent).log_lines())
    assert 0 < done < 60
    again = shlex.split(out.splitlines()[-1])
    assert again[0] == "ossein"
    assert cli(*again[1:]).code == 0
    assert cli(*words, "--out", "whole").code == 0
    assert same_run(log.parent, tmp_path / "whole")


@pytest.mark.parametrize("times", [1, 2])
def test_control_c_within_a_recognition_of_folds(cli, fixed_store, tmp_path, monkeypatch, times):
    """Once: after the step. Twice: at once. Both ways the command that is printed finishes all folds."""
    from ossein.cli import screen, train

    class Stopping(screen.Terminal):
        steps = 0

        def report(self, progress):
            Stopping.steps += 1
            for _ in range(times if Stopping.steps == 5 else 0):
                signal.raise_signal(signal.SIGINT)

        def training(self, title):
            return self

        def __enter__(self):
            return self.report

        def __exit__(self, *_):
            return None

    words = ["recognise", "ssl", fixed_store.path, "--split", "a?", *SHORT, "--out=r"]
    monkeypatch.setattr(train, "make_screen", Stopping)
    done = cli(*words)
    assert done.code == 130
    told = shlex.split(done.out.splitlines()[-1])
    assert told == ["ossein", *map(str, words), "--resume"]
    assert cli(*told[1:]).code == 0
    assert cli(*words[:-1], "--out", "whole").code == 0
    for fold in ("a1-seed0", "a2-seed0"):
        assert same_run(tmp_path / "r" / fold, tmp_path / "whole" / fold)
    assert Stopping.steps == 3 + 2 + (1 if times == 1 else 3) + 6


def test_control_c_in_a_quickstart(cli, tmp_path, monkeypatch):
    from ossein.cli import use

    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(use, "run_quickstart", stop)
    done = cli("quickstart", "--seeds", 1)
    assert done.code == 130
    assert done.out.endswith("stopped; to start again:\n  ossein quickstart --seeds 1 --out quickstart\n")
