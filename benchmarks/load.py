"""Making load and reading what it cost."""

import os
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 32
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass
class Cpu:
    """CPU time of a process over a block: fill in ``requests`` inside, read ``us`` per request after it."""

    requests: int = 0
    us: float = 0.0


@contextmanager
def cpu_us_per_request(pid: int) -> Iterator[Cpu]:
    measured, before = Cpu(), _cpu_seconds(pid)
    yield measured
    measured.us = (_cpu_seconds(pid) - before) * 1e6 / max(1, measured.requests)


def requests_per_second(url: str, header: str, seconds: int) -> tuple[int, float]:
    """Load a URL over keep-alive connections; gives requests and rate.

    Raises RuntimeError when any answer is not 2xx or a connection fails.
    """
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-H", header, url]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        raise RuntimeError(output)
    requests = re.search(r"(\d+) requests in", output)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    assert requests is not None
    assert rate is not None
    return int(requests[1]), float(rate[1])


def median_us(call: Callable[..., bytes], request: bytes, metadata: Sequence[tuple[str, str]], calls: int) -> float:
    """The median time of a call, one after the other."""
    times = []
    for _ in range(calls):
        start = time.perf_counter_ns()
        call(request, metadata=metadata)
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times) / 1000


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND
