"""How much memory a process of this machine holds, and the most that it held."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

KIB = 1024
MIB = 1024 * KIB


@dataclass
class Growth:
    """``bytes_max``: the most that was held meanwhile, above what was held before. Filled in at the end."""

    bytes_max: int = 0

    @property
    def kib(self) -> int:
        return self.bytes_max // KIB


@contextlib.contextmanager
def growth(pid: int) -> Iterator[Growth]:
    """Measure the resident memory of a process while something is done. Linux only."""
    grown = Growth()
    # 5: the high-water mark starts anew from what is held now.
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    before = _held(pid, "VmRSS")
    yield grown
    grown.bytes_max = max(0, _held(pid, "VmHWM") - before)


def resident_bytes() -> int:
    """What this process holds now. Linux only."""
    return resident_bytes_of(os.getpid())


def resident_bytes_of(pid: int) -> int:
    """What a process holds now. Linux only."""
    return _held(pid, "VmRSS")


def _held(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    line = next(each for each in lines if each.startswith(f"{name}:"))
    return int(line.split()[1]) * KIB
