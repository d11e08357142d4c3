"""What processes use of the processor: ours, and what others take of the two cores meanwhile. Linux only."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.method import LOAD_CORE, SERVER_CORE

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")
# Fields of a line of /proc/stat: what runs in processes, nice ones and the system for them, and what the host took.
# What the system does for the network besides is left out: on loopback it is ours.
_BUSY, _STOLEN = slice(0, 3), slice(7, 8)


@dataclass(frozen=True)
class Used:
    """Seconds of user and system time."""

    user: float
    system: float

    @property
    def both(self) -> float:
        return self.user + self.system

    @property
    def system_share(self) -> float:
        """From 0 to 1."""
        return self.system / self.both if self.both else 0.0

    def __sub__(self, before: "Used") -> "Used":
        return Used(self.user - before.user, self.system - before.system)


def used(pid: int) -> Used:
    """By a process and its threads, until now."""
    return Used(*_times(_PROC / str(pid) / "stat")[:2])


def used_by_first_thread(pid: int) -> Used:
    """By the thread in which the event loop runs."""
    return Used(*_times(_PROC / str(pid) / "task" / str(pid) / "stat")[:2])


def cpu_seconds(pid: int) -> float:
    """User and system time that a process, its threads and its children have used until now."""
    total = used(pid).both
    for child in children(pid):
        # It may have ended since it was listed.
        with suppress(FileNotFoundError, ProcessLookupError):
            total += cpu_seconds(child)
    return total


def children(pid: int) -> list[int]:
    """The processes that it has started and that still run, whichever of its threads did."""
    found = list[int]()
    for task in (_PROC / str(pid) / "task").iterdir():
        # A thread may have ended meanwhile.
        with suppress(FileNotFoundError, ProcessLookupError):
            found += map(int, (task / "children").read_text(encoding="ascii").split())
    return found


class Neighbours:
    """What others take of the two cores, processes that are not of this one's family and the machine's host."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._others, self._at = _others_seconds(), clock()

    def share(self) -> float:
        """Since this was made or asked, in cores: 0.1 is a tenth of one of them. Off by some hundredths in a second."""
        others, now = _others_seconds(), self._clock()
        share = (others - self._others) / (now - self._at)
        self._others, self._at = others, now
        return max(0.0, share)


def _others_seconds() -> float:
    lines = (_PROC / "stat").read_text(encoding="ascii").splitlines()
    cores = [line.split()[1:] for line in lines if line.split()[0] in (f"cpu{SERVER_CORE}", f"cpu{LOAD_CORE}")]
    ticks = sum(int(tick) for core in cores for tick in (*core[_BUSY], *core[_STOLEN]))
    return ticks / _TICKS_PER_SECOND - _family_seconds(os.getpid())


def _family_seconds(pid: int) -> float:
    """Of a process and all that come from it, those that have ended included."""
    try:
        return sum(_times(_PROC / str(pid) / "stat")) + sum(map(_family_seconds, children(pid)))
    except (FileNotFoundError, ProcessLookupError):
        # It has ended since it was listed, and counts for its parent from now on.
        return 0.0


def _times(stat: Path) -> list[float]:
    """Seconds: its own user and system time, and those of the children that it has waited for."""
    fields = stat.read_text(encoding="ascii").rpartition(")")[2].split()
    return [int(ticks) / _TICKS_PER_SECOND for ticks in fields[11:15]]
