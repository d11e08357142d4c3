"""The page of results, ``benchmarks/RESULTS.md``."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.method import LOAD_CORE, SERVER_CORE, Length
from benchmarks.nginx import nginx_version
from benchmarks.row import Row

PAGE = Path(__file__).parent / "RESULTS.md"
_LIBRARIES = ("uvloop", "httptools", "grpcio", "protobuf")


def page(rows: Sequence[Row], length: Length) -> str:
    """All rows with what they were measured on."""
    lines = [
        "# Results\n",
        f"Written by `make bench` on {datetime.now(UTC).date()}: medians of {length.rounds} alternating rounds of "
        f"{length.seconds} s,",
        f"server on core {SERVER_CORE}, load on core {LOAD_CORE}, after a round that warms up; the least and the "
        "greatest round in brackets.",
        "Rounds in which the reference moved by more than 15 % from its median were repeated; beside other products,",
        "those in which ours did. Where nothing is compared, a loop of a fixed length on the servers' core was the "
        "reference.\n",
        f"{_host()}. {_versions()}.\n",
        "| what | ratio | spread | target | holds | aim | made of |",
        "| --- | ---: | ---: | ---: | --- | ---: | --- |",
    ]
    return "\n".join([*lines, *map(_line, rows)]) + "\n"


def _line(row: Row) -> str:
    value, unit = row.value, row.unit
    target = f"{row.target}{unit}" if row.target else ""
    if value is None:
        return f"| {row.name} | | | {target} | {row.verdict} | | {row.detail} |"
    spread = f"{value.least:.2f} to {value.greatest:.2f}"
    aim = row.target.aimed(value.median, unit) if row.target else ""
    return f"| {row.name} | {value.median:.2f}{unit} | {spread} | {target} | {row.verdict} | {aim} | {row.detail} |"


def _host() -> str:
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
