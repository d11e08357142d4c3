"""Rows of a start: how soon a server that was stopped answers again, and what it holds when it has nothing to do."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from understudy.v1.session_service_pb2 import PutSessionRequest

from benchmarks.asking import asking, request
from benchmarks.cpu import cpu_seconds
from benchmarks.memory import private_mb, resident_mb
from benchmarks.method import Length, Rejected, Spread, alone
from benchmarks.nginx import free_port
from benchmarks.row import Row, at_most
from benchmarks.scenery import DECLINED_BODY, ENVIRONMENT, KEY, PAY_PATH, PROJECT, SAMPLE_SCENARIO
from benchmarks.whole import ANY_PORT, START_SECONDS_MAX, serving, spawn, stop

_SECONDS_MAX, _SECONDS_AIM = 1.0, 0.5
_IDLE_MB_MAX, _IDLE_MB_AIM = 90.0, 60.0
_LOOK_SECONDS = 0.002
# What a start leaves to be done later is done by then.
_REST_SECONDS = 1.0
_PAY = request("POST", PAY_PATH, b'{"amount":1180}')


@dataclass(frozen=True)
class Start:
    """Seconds from the command to the first answer, those of CPU until then, and MB held a moment later."""

    seconds: float
    cpu_seconds: float
    idle_mb: float
    private_mb: float


def start(length: Length) -> list[Row]:
    """``understudy serve`` on a data directory with the sample project, and a session that a scenario is on for."""
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as folder:
        data = Path(folder)
        _provide(data)
        starts, disturbed = alone(lambda: _start(data), length)
    private = Spread.of([each.private_mb for each in starts]).median
    busy = Spread.of([each.cpu_seconds for each in starts]).median
    return [
        Row(
            "start to first correct answer",
            Spread.of([each.seconds for each in starts]),
            at_most(_SECONDS_MAX, aim=_SECONDS_AIM),
            f"`understudy serve` with metrics, from the command to a mocked answer, with what was there before; "
            f"{busy:.2f} s of CPU; {disturbed} rounds disturbed",
            " s",
        ),
        Row(
            "idle resident memory",
            Spread.of([each.idle_mb for each in starts]),
            at_most(_IDLE_MB_MAX, aim=_IDLE_MB_AIM),
            f"of the same servers, {_REST_SECONDS:.0f} s later; {private:.1f} MB of it shared with no other process",
            " MB",
        ),
    ]


def _provide(data: Path) -> None:
    with serving(data) as server:
        session = PutSessionRequest(project=PROJECT, environment=ENVIRONMENT, session_key=KEY, scenario=SAMPLE_SCENARIO)
        server.call("SessionService/PutSession", session)


def _start(data: Path) -> Start:
    address = f"127.0.0.1:{free_port()}"
    began = time.perf_counter()
    process = spawn(data, proxy=address, **dict.fromkeys(("grpc", "rest", "metrics"), ANY_PORT))
    try:
        while not _answers(address):
            if process.poll() is not None or time.perf_counter() - began > START_SECONDS_MAX:
                raise Rejected(f"no answer came after a start: it ended with {process.poll()}")
            time.sleep(_LOOK_SECONDS)
        seconds, busy = time.perf_counter() - began, cpu_seconds(process.pid)
        time.sleep(_REST_SECONDS)
        return Start(seconds, busy, resident_mb(process.pid), private_mb(process.pid))
    finally:
        stop(process)


def _answers(address: str) -> bool:
    """False while nobody accepts. The first answer is the right one: Raises Rejected for another."""
    try:
        with asking(address) as asker:
            asker.expect(_PAY, 402, DECLINED_BODY)
    except ConnectionRefusedError:
        return False
    return True
