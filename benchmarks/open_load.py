"""Requests at a fixed pace, whatever the server does: an open loop, so that a server that stops is seen to stop.

A closed loop would send nothing while the server stands still, and count one late answer where users would have had
hundreds. Here each request has its time; one whose connection still waits for an answer is sent after it, and its wait
counts from the time that it should have been sent.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from benchmarks.method import Rejected

_TICK_SECONDS = 0.001
_ANSWER_SECONDS_MAX = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """What came for one request: when it was due (``perf_counter``, seconds), how long it took, the answer's bytes."""

    due: float
    took_ms: float
    data: bytes


class OpenLoad:
    """Open connections that share a pace of requests."""

    def __init__(self, connections: Sequence["_Connection"]) -> None:
        self._connections = connections
        self._running = False
        self._sent = 0

    @classmethod
    async def connect(cls, address: str, count: int) -> "OpenLoad":
        host, _, port = address.rpartition(":")
        loop = asyncio.get_running_loop()
        # One after the other: all at once would overflow the listener's queue, and TCP tries again only after a second.
        return cls([(await loop.create_connection(_Connection, host, int(port)))[1] for _ in range(count)])

    def start(self, requests: Sequence[bytes], rate: int) -> None:
        """Send the requests in turn, over and over, at a rate per second, until `stop`."""
        self._requests, self._rate = requests, rate
        self._began, self._sent, self._running = time.perf_counter(), 0, True
        for connection in self._connections:
            connection.answers.clear()
        self._tick()

    async def stop(self) -> list[Answer]:
        """Send no more, and give all answers in the order of their connections. Raises Rejected when one is missing."""
        self._running = False
        until = time.perf_counter() + _ANSWER_SECONDS_MAX
        while waiting := sum(len(each.due) for each in self._connections):
            if time.perf_counter() > until:
                raise Rejected(f"{waiting} of {self._sent} requests were not answered")
            await asyncio.sleep(_TICK_SECONDS)
        for lost in filter(None, (each.lost for each in self._connections)):
            raise Rejected(lost)
        return [answer for each in self._connections for answer in each.answers]

    def _tick(self) -> None:
        if not self._running:
            return
        now = time.perf_counter()
        for number in range(self._sent, int((now - self._began) * self._rate)):
            connection = self._connections[number % len(self._connections)]
            # Due now and not when the clock said: that this loop was late is no fault of the server's.
            connection.send(self._requests[number % len(self._requests)], now)
            self._sent = number + 1
        asyncio.get_running_loop().call_later(_TICK_SECONDS, self._tick)


class _Connection(asyncio.Protocol):
    """One keep-alive connection, one request at a time. ``due`` are those not answered yet, with the one under way."""

    def __init__(self) -> None:
        self.due = deque[tuple[bytes, float]]()
        self.answers: list[Answer] = []
        self.lost = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not of asyncio's classes, only like them.
        self._transport = cast("asyncio.Transport", transport)

    def send(self, request: bytes, due: float) -> None:
        self.due.append((request, due))
        if len(self.due) == 1:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        # An answer is one write of some hundred bytes, so over loopback it comes in one piece.
        _, due = self.due.popleft()
        self.answers.append(Answer(due, (now - due) * 1000, data))
        if self.due:
            self._transport.write(self.due[0][0])

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = f"a connection was lost with {len(self.due)} requests on it: {exc}"
        self.due.clear()
