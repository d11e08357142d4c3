"""Rows of memory: what a session, a mock and a journal entry cost a server that holds many, and an entry on disk."""

import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from understudy.v1.session_service_pb2 import PutSessionRequest

from benchmarks.asking import asking, request
from benchmarks.load import TURN
from benchmarks.memory import MB, resident_mb
from benchmarks.method import Length, Spread
from benchmarks.row import Row
from benchmarks.scenery import (
    CART_BODY,
    CART_PATH,
    ENVIRONMENT,
    KEY,
    MOCKED_BODY,
    PROJECT,
    SAMPLE_MOCK,
    TURN_KEY,
    TURN_PATH,
)
from benchmarks.turn_mocks import turn_batches
from benchmarks.whole import Whole, serving, serving_anew

SESSIONS, MOCKS, ENTRIES = 10_000, 10_000, 20_000
# Memory is no matter of luck: more servers would say the same again.
_SERVERS_MAX = 2
_WARM_UP = 500
_KB = 1_000
# What was needed for a while is given back by then.
_REST_SECONDS = 0.5
_FORGETS = {"journal": "memory", "journal_memory_exchanges_max": "64"}
_REMEMBERS = {
    "journal": "memory",
    "journal_memory_exchanges_max": "1000000",
    "journal_session_entries_max": "1000000",
    "journal_environment_entries_max": "1000000",
}


def footprint(length: Length) -> list[Row]:
    """What a server grows by for each of many, divided by their number."""
    servers = min(length.rounds, _SERVERS_MAX)
    return [
        _row(
            "session", _each(_session_kb, servers), f"{SESSIONS} sessions with a mock each switched on, each asked once"
        ),
        _row("mock", _each(_mock_kb, servers), f"{MOCKS} mocks that are on for everyone, each asked for once"),
        _row(
            "journal entry in memory",
            _each(_entry_kb, servers),
            f"{ENTRIES} exchanges, each with a trace of its own and a body of {len(CART_BODY)} bytes",
        ),
        Row(
            "files for a journal entry on disk",
            Spread.of(_each(_entry_on_disk_kb, servers)),
            None,
            f"{ENTRIES} exchanges as above, after a stop: all by which the data directory has grown",
            " kB",
        ),
    ]


def _row(what: str, values: Sequence[float], detail: str) -> Row:
    return Row(f"resident memory for a {what}", Spread.of(values), None, detail, " kB")


def _each(measure: Callable[[], float], servers: int) -> list[float]:
    return [measure() for _ in range(servers)]


def _session_kb() -> float:
    with serving_anew(**_FORGETS) as server:
        keys = [TURN_KEY.replace(TURN, f"{number:05}") for number in range(SESSIONS)]
        _put_sessions(server, ["ci-0"])
        _ask(server, ["ci-0"] * _WARM_UP)
        before = resident_mb(server.pid)
        _put_sessions(server, keys)
        _ask(server, keys)
        return _grown_kb(server, before) / SESSIONS


def _mock_kb() -> float:
    with serving_anew(**_FORGETS) as server:
        _put_sessions(server, [KEY])
        _ask(server, [KEY] * _WARM_UP)
        before = resident_mb(server.pid)
        for batch in turn_batches(MOCKS):
            server.call("MockService/BatchMocks", batch)
        paths = (f"/{PROJECT}/{ENVIRONMENT}{TURN_PATH}".replace(TURN, f"{number:05}") for number in range(MOCKS))
        # They end alike, whichever it is.
        with asking(server.proxy) as proxy:
            proxy.expect_all([request("GET", path) for path in paths], 200, MOCKED_BODY[-100:])
        return _grown_kb(server, before) / MOCKS


def _entry_kb() -> float:
    with serving_anew(**_REMEMBERS) as server:
        _put_sessions(server, [KEY])
        _ask(server, [KEY] * _WARM_UP)
        before = resident_mb(server.pid)
        _ask(server, [KEY] * ENTRIES)
        return _grown_kb(server, before) / ENTRIES


def _entry_on_disk_kb() -> float:
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as folder:
        data = Path(folder)
        with serving(data) as server:
            _put_sessions(server, [KEY])
        before = _bytes_of(data)
        with serving(data) as server:
            _ask(server, [KEY] * ENTRIES)
        return (_bytes_of(data) - before) / _KB / ENTRIES


def _put_sessions(server: Whole, keys: Sequence[str]) -> None:
    made = (
        PutSessionRequest(project=PROJECT, environment=ENVIRONMENT, session_key=key, overrides=[SAMPLE_MOCK])
        for key in keys
    )
    server.call_all("SessionService/PutSession", made)


def _ask(server: Whole, keys: Sequence[str]) -> None:
    """A request of each session, each with a trace of its own, as those of traced applications have."""
    rng = random.Random(1)
    traces = (f"00-{rng.getrandbits(128):032x}-{rng.getrandbits(64):016x}-01" for _ in keys)
    with asking(server.proxy) as proxy:
        asked = [
            request("GET", CART_PATH, x_flowmock_session=key, traceparent=trace)
            for key, trace in zip(keys, traces, strict=True)
        ]
        proxy.expect_all(asked, 200, CART_BODY)


def _grown_kb(server: Whole, before: float) -> float:
    time.sleep(_REST_SECONDS)
    return (resident_mb(server.pid) - before) * MB / _KB


def _bytes_of(data: Path) -> int:
    return sum(each.stat().st_size for each in data.rglob("*") if each.is_file())
