"""Rows of mocks that stream: two thousand clients get an event now and then, and each event has its time."""

import asyncio
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter

import uvloop
from understudy.v1.actions_pb2 import Action, EventStream, ServerEvent
from understudy.v1.matching_pb2 import RequestMatcher
from understudy.v1.mock_service_pb2 import BatchMocksRequest, Mock

from benchmarks.asking import asking, no_collections, request
from benchmarks.event_rows import CLIENTS
from benchmarks.listeners import Listeners
from benchmarks.memory import MB, resident_mb
from benchmarks.method import Length, Rejected, Spread, alone
from benchmarks.row import Row
from benchmarks.scenery import CART_PATH, ENVIRONMENT, PROJECT
from benchmarks.whole import Whole, serving_anew

_EVERY_MS = 500
_KB = 1_000
_TICK = "tick"
_p50, _p99, _worst = map(attrgetter, ("p50_ms", "p99_ms", "worst_ms"))
_PATH = "/api/ticks"
_MOCK = Mock(
    id="ovr_ticks",
    name="Ticks",
    matcher=RequestMatcher(method="GET", path=_PATH),
    action=Action(events=EventStream(events=[ServerEvent(data=_TICK)], delay_ms=_EVERY_MS, rounds=0)),
)


@dataclass(frozen=True)
class Late:
    """How far the waits between two events of a client were from what they are meant to be, in ms."""

    p50_ms: float
    p99_ms: float
    worst_ms: float

    @classmethod
    def of(cls, beats: list[list[float]]) -> "Late":
        """From when each client heard each event, in seconds."""
        waits = [after - before for times in beats for before, after in pairwise(times)]
        ordered = sorted(abs(wait * 1000 - _EVERY_MS) for wait in waits)
        last = len(ordered) - 1
        return cls(ordered[last // 2], ordered[last * 99 // 100], ordered[last])


def streams(length: Length) -> list[Row]:
    """How punctual the events of a mock's stream are when many hear it, and what a client costs in memory."""
    with serving_anew() as server, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        _provide(server)
        before = resident_mb(server.pid)
        listen = Listeners.listen(server.proxy, request("GET", f"/{PROJECT}/{ENVIRONMENT}{_PATH}"), CLIENTS)
        listeners = runner.run(listen)
        seconds = max(float(length.seconds), 4 * _EVERY_MS / 1000)
        rounds, disturbed = alone(lambda: runner.run(_round(listeners, seconds)), length)
        each_kb = (resident_mb(server.pid) - before) * MB / _KB / CLIENTS
        runner.run(listeners.close())
    p50, p99, worst = (Spread.of([of(each) for each in rounds]) for of in (_p50, _p99, _worst))
    detail = f"each every {_EVERY_MS} ms; p50 {p50.median:.2f} ms, worst {worst.greatest:.1f} ms; "
    detail += f"{disturbed} rounds disturbed"
    name = f"{CLIENTS} clients of a mock's stream: p99 of the error between two events"
    return [
        Row(name, p99, None, detail, " ms"),
        Row(
            "resident memory for a client of a mock's stream",
            Spread.of([each_kb]),
            None,
            f"{CLIENTS} of them through the proxy",
            " kB",
        ),
    ]


def _provide(server: Whole) -> None:
    batch = BatchMocksRequest(project=PROJECT, environment=ENVIRONMENT)
    batch.operations.add().create.mock.CopyFrom(_MOCK)
    batch.operations.add().publish.mock_id = _MOCK.id
    batch.operations.add().activate.mock_id = _MOCK.id
    server.call("MockService/BatchMocks", batch)
    with asking(server.proxy) as proxy:
        # What is made for the first request is no client's.
        proxy.ask(request("GET", CART_PATH))


async def _round(listeners: Listeners, seconds: float) -> Late:
    with no_collections():
        beats = await listeners.beats(_TICK.encode(), seconds)
    fewest = min(map(len, beats))
    if fewest < seconds * 1000 / _EVERY_MS - 2:
        raise Rejected(f"in {seconds} s a client heard only {fewest} events")
    return Late.of(beats)
