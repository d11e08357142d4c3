"""Making load over HTTP with wrk, and reading what it cost the server."""

import http.client
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.method import Rejected

_REPORT = Path(__file__).parent / "wrk_report.lua"
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_SAMPLE_SECONDS = 10


@dataclass(frozen=True)
class Loaded:
    """What is loaded: one GET, over and over. ``body`` is what it must answer; ``None``: what it answers first.

    ``traced``: each request has a header with a number of its own.
    """

    pid: int
    address: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    connections: int = 64
    body: bytes | None = None
    traced: bool = False


@dataclass(frozen=True)
class Load:
    """What one load was like. CPU is user and system time of the server's processes, ``busy`` their share of a core."""

    rate: float
    cpu_us: float
    busy: float
    p50_us: float
    p99_us: float


def load(loaded: Loaded, seconds: int) -> Load:
    """Load for some seconds over keep-alive connections. Raises Rejected when any answer is wrong or missing."""
    before = _sample(loaded)
    cpu = cpu_seconds(loaded.pid)
    counted = _wrk(loaded, seconds)
    cpu = cpu_seconds(loaded.pid) - cpu
    if _sample(loaded) != before:
        raise Rejected(f"{loaded.address}{loaded.path} did not answer the same before and after the load")
    _check_sizes(counted, before, loaded.connections)
    requests, duration = counted["requests"], counted["duration_us"] / 1e6
    return Load(requests / duration, cpu * 1e6 / requests, cpu / duration, counted["p50_us"], counted["p99_us"])


def cpu_seconds(pid: int) -> float:
    """User and system time that a process, its threads and its children have used until now."""
    process = Path("/proc") / str(pid)
    fields = (process / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
    children = (process / "task" / str(pid) / "children").read_text(encoding="ascii").split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND + sum(cpu_seconds(int(child)) for child in children)


def _sample(loaded: Loaded) -> int:
    """Ask once as the load does, and check. Gives the size of the whole answer, head included, in bytes."""
    host, _, port = loaded.address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=_SAMPLE_SECONDS)
    connection.request("GET", loaded.path, headers=dict(loaded.headers))
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != http.client.OK or (loaded.body is not None and body != loaded.body):
        raise Rejected(f"{loaded.address}{loaded.path} answered {answer.status} {body[:200]!r}")
    status_line = len(f"HTTP/1.1 {answer.status} {answer.reason}\r\n")
    return status_line + sum(len(f"{name}: {value}\r\n") for name, value in answer.getheaders()) + 2 + len(body)


def _wrk(loaded: Loaded, seconds: int) -> dict[str, int]:
    command = ["wrk", "-t1", f"-c{loaded.connections}", f"-d{seconds}s", "-s", str(_REPORT)]
    for name, value in loaded.headers.items():
        command += ["-H", f"{name}: {value}"]
    command.append(f"http://{loaded.address}{loaded.path}")
    if loaded.traced:
        command += ["--", "traced"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    report = re.search("^REPORT (.*)$", ran.stdout, re.MULTILINE)
    if report is None:
        raise Rejected(f"wrk ended with {ran.returncode}: {ran.stdout}{ran.stderr}")
    counted = {name: int(number) for name, number in (part.split("=") for part in report[1].split())}
    if counted["failed"] or not counted["requests"]:
        raise Rejected(f"not every answer of {loaded.address}{loaded.path} was a good one: {ran.stdout}")
    return counted


def _check_sizes(counted: Mapping[str, int], size: int, connections: int) -> None:
    """All answers are as long as the sample. wrk also counts the bytes of those that its end cut, one a connection."""
    surplus = counted["bytes"] - counted["requests"] * size
    if not 0 <= surplus <= connections * size:
        raise Rejected(f"{counted['requests']} answers of {size} bytes each are not {counted['bytes']} bytes")
