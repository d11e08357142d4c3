"""What was measured last of each row, and by which run: ``benchmarks/results.json``, of which the page is made.

A run of one row (`make bench ROW=...`) replaces that row's results and leaves the others as their own runs found them.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec

from benchmarks.method import Length
from benchmarks.mocked import SERVER
from benchmarks.nginx import nginx_version
from benchmarks.row import Row
from benchmarks.sources import commit_of

FILE = Path(__file__).with_name("results.json")
_LIBRARIES = ("uvloop", "httptools", "grpcio", "protobuf")
# What a server is made of, and how it is measured; a page of results that differs changes neither.
_SOURCES = ("server", "gateway", "clients/python", "pyproject.toml", "constraints.txt", "benchmarks/*.py")


@dataclass(frozen=True)
class Run:
    """One call of the benchmarks: when, of which state of the sources, on which machine, with which rounds.

    ``at`` is in UTC. ``commit`` is followed by ``changed`` when the sources were not as committed. ``server`` is what
    served the rows of the proxy, and what it had on.
    """

    at: str
    commit: str
    machine: str
    versions: str
    rounds: int
    seconds: int
    server: str = ""

    @classmethod
    def now(cls, length: Length) -> "Run":
        at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
        return cls(at, commit_of(*_SOURCES), _machine(), _versions(), length.rounds, length.seconds, SERVER)


@dataclass(frozen=True)
class Measured:
    """What one name of the registry came to, and in which run."""

    run: Run
    rows: tuple[Row, ...]


Results = dict[str, Measured]


def load(names: Iterable[str], file: Path = FILE) -> Results:
    """The results of these names, in their order, without names that were never measured."""
    found = msgspec.json.decode(file.read_bytes(), type=Results) if file.exists() else Results()
    return {name: found[name] for name in names if name in found}


def save(results: Mapping[str, Measured], file: Path = FILE) -> None:
    text = msgspec.json.format(msgspec.json.encode(results), indent=1)
    file.write_bytes(text + b"\n")


def _machine() -> str:
    found = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    system = os.uname()
    return f"{found[1] if found else system.machine}, {os.cpu_count()} cores, {system.sysname} {system.release}"


def _versions() -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return f"Python {sys.version.split()[0]}, {libraries}, nginx {nginx_version()}, wrk {_wrk_version()}"


def _wrk_version() -> str:
    said = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\d+\.\d+\.\d+", said)
    return found[0] if found else "of unknown version"
