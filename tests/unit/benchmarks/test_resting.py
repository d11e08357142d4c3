"""A process that rests does nothing, nor do those it has started, and goes on when its turn comes."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks.resting import resting

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="states of processes are read from /proc")

_PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
print(child.pid, flush=True)
for line in sys.stdin:
    print(line.strip(), flush=True)
child.communicate()
"""


def _stands_still(pid: int, *, still: bool = True) -> bool:
    """Whether it comes to that: a process is told, and does it when it is next looked at."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        state = (Path("/proc") / str(pid) / "stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
        if (state == "T") == still:
            return True
    return False


def test_all_of_a_family_rest_and_go_on_even_after_an_error() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        with suppress(KeyboardInterrupt), resting(parent.pid):
            assert all(_stands_still(pid) for pid in (parent.pid, child))
            raise KeyboardInterrupt

        parent.stdin.write("again\n")
        parent.stdin.flush()
        assert parent.stdout.readline() == "again\n"
        assert _stands_still(child, still=False)


def test_one_that_has_ended_need_not_rest() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process, resting(process.pid):
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
