"""The command line keeps the memory that it frees."""

import platform
import subprocess
import sys

import pytest

from ossein.cli import main
from ossein.cli.allocator import hold_memory

CHURN = """
import resource
import sys
import numpy as np
if sys.argv[1] == "hold":
    from ossein.cli.allocator import hold_memory
    assert hold_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    np.ones(50_000_000 // 8)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told")
def test_memory_is_asked_for_once():
    def faults(how: str) -> int:
        return int(
            subprocess.run([sys.executable, "-c", CHURN, how], capture_output=True, text=True, check=True).stdout
        )

    # 50 MB are 12,000 pages of 4 kB, or fewer larger ones; without holding each round faults them all in anew.
    assert faults("hold") < faults("plain") / 5


def test_nothing_happens_where_the_c_library_has_no_such_word(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ossein.cli.allocator.ctypes.CDLL", lambda name: object())
    assert not hold_memory()


def test_the_command_line_begins_with_it(monkeypatch: pytest.MonkeyPatch):
    told: list[object] = []
    monkeypatch.setattr("ossein.cli.hold_memory", lambda: told.append("held"))
    monkeypatch.setattr("ossein.cli.run", lambda args: told.append(args) or 7)
    monkeypatch.setattr(sys, "argv", ["ossein", "runs", "folder"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 7
    assert told == ["held", ["runs", "folder"]]
