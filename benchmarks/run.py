"""Measure, in alternating rounds, and write ``benchmarks/RESULTS.md``.

Every row is a ratio of two things measured in one run on the same core, because this says something on another machine
too; the times themselves do not. ``make bench ROW=name`` measures one row.
"""

import os
import shutil
import signal
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import grpc
from understudy.v1.session_service_pb2 import GetSessionRequest

from benchmarks.load import cpu_us_per_request, median_us, requests_per_second

ROUNDS = 7
SECONDS = 3
SERVER_CORE, LOAD_CORE = 0, 1
CALLS = 3_000
PAGE = Path(__file__).parent / "RESULTS.md"
GET_PATH = "/api/v1/sessions/ci-42?project=checkout&environment=staging"
# The page of the API document: bytes that the gateway makes once and answers as they are.
CONSTANT_PATH = "/docs"


@dataclass(frozen=True)
class Row:
    """One ratio with its target; ``detail`` says what it was made of."""

    name: str
    ratio: float
    target: str
    holds: bool
    detail: str


@dataclass(frozen=True)
class Started:
    pid: int
    address: str
    key: str


@contextmanager
def started(kind: str) -> Iterator[Started]:
    """A server of ``benchmarks.serving``, pinned to the servers' core."""
    command = ["taskset", "-c", str(SERVER_CORE), sys.executable, "-m", "benchmarks.serving", kind]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        address, key = process.stdout.readline().split()
        yield Started(process.pid, address, key)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def rest_get_session() -> Row:
    """GET session over REST against constant bytes from the same gateway."""
    get, constant, get_cpu, constant_cpu = list[float](), list[float](), list[float](), list[float]()
    with started("rest") as server:
        header = f"Authorization: Bearer {server.key}"
        for _ in range(ROUNDS):
            for path, rates, cpus in ((GET_PATH, get, get_cpu), (CONSTANT_PATH, constant, constant_cpu)):
                with cpu_us_per_request(server.pid) as cpu:
                    cpu.requests, rate = requests_per_second(f"http://{server.address}{path}", header, SECONDS)
                rates.append(rate)
                cpus.append(cpu.us)
    ratio = statistics.median(a / b for a, b in zip(get, constant, strict=True))
    detail = (
        f"{statistics.median(get):.0f}/s and {statistics.median(constant):.0f}/s; "
        f"CPU {statistics.median(get_cpu):.1f} and {statistics.median(constant_cpu):.1f} us per request"
    )
    return Row("REST GET session / constant bytes", ratio, ">= 0.60", ratio >= 0.60, detail)


def grpc_get_session() -> Row:
    """Unloaded GET session over gRPC against a bare echo."""
    request = GetSessionRequest(session_key="ci-42", project="checkout", environment="staging").SerializeToString()
    get, echo = list[float](), list[float]()
    with (
        started("grpc") as server,
        started("echo") as bare,
        grpc.insecure_channel(server.address) as channel,
        grpc.insecure_channel(bare.address) as bare_channel,
    ):
        method = "/understudy.v1.SessionService/GetSession"
        metadata = (("authorization", f"Bearer {server.key}"),)
        for _ in range(ROUNDS):
            get.append(median_us(channel.unary_unary(method), request, metadata, CALLS))
            echo.append(median_us(bare_channel.unary_unary(method), request, metadata, CALLS))
    ratio = statistics.median(a / b for a, b in zip(get, echo, strict=True))
    detail = f"p50 {statistics.median(get):.0f} us and {statistics.median(echo):.0f} us, one connection"
    return Row("gRPC GET session p50 / bare echo p50", ratio, "<= 1.30", ratio <= 1.30, detail)


ROWS: dict[str, Callable[[], Row]] = {"rest-get": rest_get_session, "grpc-get": grpc_get_session}


def page(rows: list[Row]) -> str:
    lines = [
        "# Results\n",
        f"Written by `make bench` on {datetime.now(UTC).date()}: medians of {ROUNDS} alternating rounds, server and",
        f"load on a core each, Python {sys.version.split()[0]}, {os.uname().sysname} {os.uname().release}.\n",
        "| what | ratio | target | holds | made of |",
        "| --- | ---: | ---: | --- | --- |",
    ]
    lines += [
        f"| {row.name} | {row.ratio:.2f} | {row.target} | {'yes' if row.holds else 'NO'} | {row.detail} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    if shutil.which("wrk") is None or shutil.which("taskset") is None:
        sys.exit("bench: wrk and taskset are needed. On Debian or Ubuntu: sudo apt-get install wrk util-linux")
    os.sched_setaffinity(0, {LOAD_CORE})
    wanted = os.environ.get("ROW")
    if wanted and wanted not in ROWS:
        sys.exit(f"bench: there is no row {wanted!r}; there are {', '.join(ROWS)}")
    rows = [measure() for name, measure in ROWS.items() if wanted in (None, "", name)]
    text = page(rows)
    print(text)
    if not wanted:
        PAGE.write_text(text, encoding="utf-8")
    sys.exit(not all(row.holds for row in rows))


if __name__ == "__main__":
    main()
