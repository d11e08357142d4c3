"""Rows of open connections: what thousands of them cost, in time while they rest or all ask, and in memory."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import uvloop

from benchmarks import nginx
from benchmarks.asking import request
from benchmarks.delay_load import Call, Callers
from benchmarks.load import Load, Loaded, compared, compared_runs, load
from benchmarks.memory import MB, resident_mb
from benchmarks.method import SERVER_CORE, Length, Spread
from benchmarks.mocked import serving_mocks
from benchmarks.row import Row
from benchmarks.scenery import HEADERS, MOCKED_BODY, PROXIED_MOCKED_PATH
from benchmarks.telling import rate, throughput

OPEN, BUSY = 5_000, 64
_KB = 1_000
# So that they do not come at one moment.
_SPREAD_MS = 500
_SECONDS_MAX = 2
# wrk counts from before it connects: a shorter load would be over by then.
_CONNECT_SECONDS = 3
_ANSWER_SECONDS_MAX = 10


def connections(length: Length) -> list[Row]:
    """Thousands of connections that rest beside some that ask, and thousands that all ask."""
    return [*_resting(length), _asking(length)]


def _resting(length: Length) -> list[Row]:
    seconds = min(length.seconds, _SECONDS_MAX)
    calls = [Call(request("GET", PROXIED_MOCKED_PATH), MOCKED_BODY, 0)] * OPEN
    with (
        serving_mocks() as crowded,
        serving_mocks() as empty,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        ours = Loaded(crowded.pid, crowded.proxy, PROXIED_MOCKED_PATH, HEADERS, BUSY, MOCKED_BODY)
        alone = replace(ours, pid=empty.pid, address=empty.proxy)
        load(ours, 1)
        before = resident_mb(crowded.pid)
        callers = runner.run(Callers.connect(crowded.proxy, OPEN))

        def all_answer() -> None:
            """Each of them still works, and was used lately, so that none is closed for having rested too long."""
            runner.run(callers.round(calls, spread_ms=_SPREAD_MS, seconds=0))

        all_answer()
        each_kb = (resident_mb(crowded.pid) - before) * MB / _KB / OPEN
        rounds = compared_runs(_after(all_answer, ours, seconds), lambda: load(alone, seconds), length)
        all_answer()
    return [
        Row(f"{BUSY} busy connections among {OPEN} open ones / alone", rounds.ratio(rate), None, throughput(rounds)),
        Row(
            "resident memory for an open connection",
            Spread.of([each_kb]),
            None,
            f"{OPEN} of them, each used once and kept",
            " kB",
        ),
    ]


def _after(prepare: Callable[[], None], loaded: Loaded, seconds: int) -> Callable[[], Load]:
    def prepared() -> Load:
        prepare()
        return load(loaded, seconds)

    return prepared


def _asking(length: Length) -> Row:
    seconds = max(length.seconds, _CONNECT_SECONDS)
    with serving_mocks() as server, nginx.answering(MOCKED_BODY, SERVER_CORE) as limit:
        few = Loaded(server.pid, server.proxy, PROXIED_MOCKED_PATH, HEADERS, BUSY, MOCKED_BODY)
        # Who stands in a long line is late, and not unanswered.
        many = replace(few, connections=OPEN, timeout_seconds=_ANSWER_SECONDS_MAX)
        theirs = replace(many, pid=limit.pid, address=limit.address)
        rounds = compared(many, few, replace(length, seconds=seconds))
        # For comparison: what so many cost a server that is known to carry them.
        nginx_ratio = load(theirs, seconds).rate / load(replace(theirs, connections=BUSY), seconds).rate
    detail = f"{throughput(rounds)}; the same ratio of nginx's: {nginx_ratio:.2f}"
    return Row(f"{OPEN} busy connections / {BUSY}", rounds.ratio(rate), None, detail)
