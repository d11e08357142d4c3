"""Rows of server-sent events: two thousand clients that follow a session, and two thousand of a mock's stream."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from operator import attrgetter

import uvloop
from understudy.v1.session_service_pb2 import PutSessionRequest

from benchmarks.asking import Asker, asking, no_collections, request
from benchmarks.listeners import Listeners
from benchmarks.memory import MB, resident_mb
from benchmarks.method import Length, Spread, alone
from benchmarks.row import Row
from benchmarks.scenery import CART_BODY, CART_PATH, ENVIRONMENT, KEY, PROJECT, SAMPLE_MOCK
from benchmarks.whole import UNLIMITED_CALLS, Whole, serving_anew

CLIENTS = 2_000
_EVENTS_PER_SECOND = 2
_KB = 1_000
_PATH = f"/api/v1/sessions/{KEY}/logs/tail?project={PROJECT}&environment={ENVIRONMENT}"


@dataclass(frozen=True)
class Heard:
    """How long after a request the median and the last of the clients heard of it, in ms: medians of some requests."""

    half_ms: float
    all_ms: float


def events(length: Length) -> list[Row]:
    """From a proxied request until all have heard of it over REST, and what a client costs in memory meanwhile."""
    with (
        serving_anew(api_rate=UNLIMITED_CALLS) as server,
        asking(server.proxy) as proxy,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        session = PutSessionRequest(project=PROJECT, environment=ENVIRONMENT, session_key=KEY, overrides=[SAMPLE_MOCK])
        server.call("SessionService/PutSession", session)
        proxy.expect(_get(0), 200, CART_BODY)
        before = resident_mb(server.pid)
        listeners = runner.run(_listen(server, 1))
        numbers = count(1)
        first = runner.run(_told(listeners, proxy, numbers, 1))
        runner.run(listeners.close())
        listeners = runner.run(_listen(server, CLIENTS))
        runner.run(_told(listeners, proxy, numbers, 1))
        each_kb = (resident_mb(server.pid) - before) * MB / _KB / CLIENTS
        told = _EVENTS_PER_SECOND * length.seconds
        rounds, disturbed = alone(lambda: runner.run(_told(listeners, proxy, numbers, told)), length)
        runner.run(listeners.close())
    return [*_rows(rounds, first, disturbed), _memory(each_kb)]


def _rows(rounds: Sequence[Heard], first: Heard, disturbed: int) -> list[Row]:
    half, everyone = (Spread.of([of(each) for each in rounds]) for of in map(attrgetter, ("half_ms", "all_ms")))
    detail = (
        f"REST, one session's log; the median client hears after {half.median:.1f} ms, a single one after "
        f"{first.all_ms:.1f} ms; {disturbed} rounds disturbed"
    )
    name = f"{CLIENTS} clients follow a session: all have heard of an exchange after"
    return [Row(name, everyone, None, detail, " ms")]


def _memory(each_kb: float) -> Row:
    name = "resident memory for a client that follows a session"
    return Row(name, Spread.of([each_kb]), None, f"{CLIENTS} of them over REST", " kB")


async def _listen(server: Whole, clients: int) -> Listeners:
    follow = request("GET", _PATH, authorization=f"Bearer {server.make_key()}")
    return await Listeners.listen(server.rest, follow, clients)


async def _told(listeners: Listeners, proxy: Asker, numbers: Iterator[int], times: int) -> Heard:
    half, everyone = list[float](), list[float]()
    with no_collections():
        for _ in range(times):
            number = next(numbers)
            hearing = listeners.expect(b'"n=%d"' % number)
            await asyncio.sleep(0)
            began = time.perf_counter()
            proxy.expect(_get(number), 200, CART_BODY)
            after = sorted((heard - began) * 1000 for heard in await hearing)
            half.append(after[len(after) // 2])
            everyone.append(after[-1])
    return Heard(Spread.of(half).median, Spread.of(everyone).median)


def _get(number: int) -> bytes:
    return request("GET", f"{CART_PATH}?n={number}")
