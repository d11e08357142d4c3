"""The state of a turn in which the body of a mock's answer leaves slowly, on purpose."""

import asyncio
from typing import NamedTuple

from understudy_server.core.exchange import RawHeaders
from understudy_server.core.headers import content_of
from understudy_server.core.record import ExchangeOutcome
from understudy_server.proxy.held import CLIENT_HALF_CLOSED
from understudy_server.proxy.recording import Pending
from understudy_server.proxy.relay import CLIENT_GONE_MIDWAY
from understudy_server.proxy.throttle import Throttle
from understudy_server.proxy.turn import Client, Turn, guarded


class Slow(NamedTuple):
    """What is sent slowly: ``head`` at once, and ``body``, which is not empty, at a pace.

    ``outcome`` and ``findings`` go on record when all of it was sent.
    """

    status: int
    stored: RawHeaders
    head: bytes
    body: bytes
    bytes_per_second: int
    keep_alive: bool
    outcome: ExchangeOutcome = ExchangeOutcome.MOCKED
    findings: tuple[str, ...] = ()


class Slowed(Turn):
    """Sends a body in pieces. The exchange is on record before the last one leaves."""

    __slots__ = ("_pending", "_sent_bytes", "_slow", "_throttle", "client")

    begun = True

    def __init__(self, loop: asyncio.AbstractEventLoop, client: Client, pending: Pending, slow: Slow) -> None:
        self.client = client
        self._pending = pending
        self._slow = slow
        self._sent_bytes = 0
        self._throttle = Throttle(loop, slow.bytes_per_second, self._let_out)

    def start(self) -> None:
        self.client.write(self._slow.head)
        self._throttle.put(self._slow.body, last=True)

    @guarded
    def _let_out(self, piece: bytes, last: bool) -> None:  # noqa: FBT001 - as the throttle tells it
        self._sent_bytes += len(piece)
        if last:
            self._record(self._slow.outcome, *self._slow.findings)
            self.client.conclude(piece, keep_alive=self._slow.keep_alive)
        else:
            self.client.write(piece)

    def full(self) -> None:
        self._throttle.hold()

    def ready(self) -> None:
        self._throttle.go_on()

    def half_closed(self) -> None:
        self._pending.findings += (CLIENT_HALF_CLOSED,)

    def drop(self) -> None:
        self._throttle.stop()

    def gone(self) -> None:
        self._throttle.stop()
        self._record(ExchangeOutcome.CLIENT_GONE, CLIENT_GONE_MIDWAY)

    def _record(self, outcome: ExchangeOutcome, *findings: str) -> None:
        slow, pending = self._slow, self._pending
        sent = slow.body[: self._sent_bytes]
        kept = pending.clerk.capture(sent, content_of(slow.stored), pending.intake.environment)
        pending.record(outcome, slow.status, slow.stored, kept, *findings)
