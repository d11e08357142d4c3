"""Many requests in flight at a time, each answered late on purpose: how far each answer is from its time.

One raw protocol on uvloop, so that the client's own share of the error is small; it is measured with the same client at
the same pace, and not subtracted.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from benchmarks.asking import no_collections
from benchmarks.method import Rejected

_ANSWER_SECONDS_MAX = 10


@dataclass(frozen=True)
class Call:
    """What one connection sends over and over. ``delay_ms`` is when the answer is due; ``pause_ms`` follows it."""

    request: bytes
    body: bytes
    delay_ms: int
    pause_ms: int = 0


@dataclass(frozen=True)
class Errors:
    """How far answers were from the time they were due, early or late, in ms."""

    answers: int
    p50_ms: float
    p99_ms: float
    worst_ms: float

    @classmethod
    def of(cls, errors_ms: Sequence[float]) -> "Errors":
        ordered = sorted(map(abs, errors_ms))
        last = len(ordered) - 1
        return cls(len(ordered), ordered[last // 2], ordered[last * 99 // 100], ordered[last])


class Callers:
    """Open connections, each with its own call in a round."""

    def __init__(self, connections: Sequence["_Caller"]) -> None:
        self._connections = connections

    @classmethod
    async def connect(cls, address: str, count: int) -> "Callers":
        host, _, port = address.rpartition(":")
        loop = asyncio.get_running_loop()
        # One after the other: all at once would overflow the listener's queue, and TCP tries again only after a second.
        return cls([(await loop.create_connection(_Caller, host, int(port)))[1] for _ in range(count)])

    async def round(self, calls: Sequence[Call], *, spread_ms: float, seconds: float) -> Errors:
        """Each connection starts its call somewhere in the spread and repeats it until the time is over.

        With 0 seconds each sends once. Raises Rejected when an answer is wrong or does not come.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        with no_collections():
            for number, (caller, call) in enumerate(zip(self._connections, calls, strict=True)):
                caller.prepare(call, until)
                loop.call_later(spread_ms / 1000 * number / len(calls), caller.send)
            _, missing = await asyncio.wait(
                [caller.done for caller in self._connections], timeout=seconds + _ANSWER_SECONDS_MAX
            )
        if missing:
            raise Rejected(f"{len(missing)} of {len(calls)} delayed answers did not come")
        return Errors.of([error for caller in self._connections for error in caller.done.result()])


class _Caller(asyncio.Protocol):
    """One connection. ``done`` has the error of each answer in ms."""

    done: "asyncio.Future[list[float]]"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not of asyncio's classes, only like them.
        self._transport = cast("asyncio.Transport", transport)

    def prepare(self, call: Call, until: float) -> None:
        self._call, self._until, self._errors = call, until, list[float]()
        self._loop = asyncio.get_running_loop()
        self.done = self._loop.create_future()

    def send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._call.request)

    def data_received(self, data: bytes) -> None:
        took_ms = (time.perf_counter() - self._sent) * 1000
        call = self._call
        # An answer is one write of some hundred bytes, so over loopback it comes in one piece.
        if not (data.startswith(b"HTTP/1.1 200 ") and data.endswith(call.body)):
            self._fail(f"a delayed answer was {data[:200]!r}")
            return
        self._errors.append(took_ms - call.delay_ms)
        if self._loop.time() >= self._until:
            self.done.set_result(self._errors)
        elif call.pause_ms:
            self._loop.call_later(call.pause_ms / 1000, self.send)
        else:
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if hasattr(self, "done"):
            self._fail(f"a connection with a delayed answer was lost: {exc}")

    def _fail(self, reason: str) -> None:
        if not self.done.done():
            self.done.set_exception(Rejected(reason))
