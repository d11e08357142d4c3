"""Rows of delays: a thousand answers held back at a time, and how far each is from its time."""

import asyncio
from operator import attrgetter

import uvloop

from benchmarks.delay_load import Call, Callers, Errors
from benchmarks.method import Length, Spread, alternate
from benchmarks.mocked import put_sessions, serving_mocks
from benchmarks.row import Row, at_most
from benchmarks.scenery import HEADERS, KEY, MOCKED_BODY, PROXIED_MOCKED_PATH, delayed_sessions

CONCURRENT = 1_000
_TARGET_MS = 5.0
# Where client and machine alone are so late without any delay, a round says nothing about delays.
_FLOOR_MS_MAX = _TARGET_MS / 2
_answers, _p50, _p99, _worst = map(attrgetter, ("answers", "p50_ms", "p99_ms", "worst_ms"))
_DELAYS = dict(delayed_sessions(CONCURRENT))
_MEAN_MS = sum(_DELAYS.values()) // CONCURRENT


def delays(length: Length) -> list[Row]:
    """The error of delayed answers, spread over time and all at once, beside that of answers without a delay."""
    late = [Call(_request(key), MOCKED_BODY, delay_ms) for key, delay_ms in _DELAYS.items()]
    # As many requests in the same time, with the pause on the client's side: what is left is client and network.
    prompt = [Call(_request(KEY), MOCKED_BODY, 0, pause_ms=delay_ms) for delay_ms in _DELAYS.values()]
    with (
        serving_mocks() as server,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        put_sessions(server, _DELAYS.items())
        callers = runner.run(Callers.connect(server.proxy, CONCURRENT))

        def measure(calls: list[Call], spread_ms: int = _MEAN_MS, seconds: int = length.seconds) -> Errors:
            return runner.run(callers.round(calls, spread_ms=spread_ms, seconds=seconds))

        rounds = alternate(
            lambda: measure(late),
            lambda: measure(prompt),
            length,
            steady=lambda _: 1.0,
            quiet_enough=lambda floor: floor.p99_ms <= _FLOOR_MS_MAX,
        )
        bursts = [measure(late, spread_ms=0, seconds=0) for _ in range(length.rounds)]
    floor = rounds.reference(_p99).median
    detail = (
        f"{rounds.subject(_answers).median:.0f} answers a round, p50 {rounds.subject(_p50).median:.2f} ms, "
        f"worst {rounds.subject(_worst).greatest:.2f} ms; without delay, at the same pace: p99 {floor:.2f} ms; "
        f"{rounds.disturbed} rounds disturbed"
    )
    burst = (
        f"p50 {Spread.of([each.p50_ms for each in bursts]).median:.2f} ms: the queue of {CONCURRENT} requests counts"
    )
    name = f"{CONCURRENT} concurrent delays: p99 of the error"
    return [
        Row(name, rounds.subject(_p99), at_most(_TARGET_MS), detail, " ms"),
        Row(f"{name}, all sent at once", Spread.of([each.p99_ms for each in bursts]), None, burst, " ms"),
    ]


def _request(key: str) -> bytes:
    headers = {"Host": "bench", **HEADERS, "x-flowmock-session": key}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"GET {PROXIED_MOCKED_PATH} HTTP/1.1\r\n{lines}\r\n".encode()
