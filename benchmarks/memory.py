"""How much memory a process of this machine holds, in MB of a million bytes. Linux only."""

from collections.abc import Awaitable
from pathlib import Path

MB = 1_000_000
_KIB = 1024
# Starts the high-water mark anew from what is held now.
_RESET_PEAK = "5"


def resident_mb(pid: int) -> float:
    return _held(pid, "VmRSS")


def private_mb(pid: int) -> float:
    """What no other process shares: the least that its end would set free."""
    rollup = (Path("/proc") / str(pid) / "smaps_rollup").read_text(encoding="ascii")
    return sum(_field(rollup, name) for name in ("Private_Clean", "Private_Dirty"))


async def growth_mb(pid: int, work: Awaitable[object]) -> float:
    """By how much a process grew while something was done, at the highest, above what it held before."""
    (Path("/proc") / str(pid) / "clear_refs").write_text(_RESET_PEAK, encoding="ascii")
    before = resident_mb(pid)
    await work
    return max(0.0, _held(pid, "VmHWM") - before)


def _held(pid: int, name: str) -> float:
    return _field((Path("/proc") / str(pid) / "status").read_text(encoding="ascii"), name)


def _field(text: str, name: str) -> float:
    line = next(each for each in text.splitlines() if each.startswith(f"{name}:"))
    return int(line.split()[1]) * _KIB / MB
