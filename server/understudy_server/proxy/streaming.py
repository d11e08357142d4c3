"""The state of a turn in which a mock's answer is a stream of events.

The head leaves at once, and each event when its time has come. What has to wait for a client that reads slowly is not
made before that client is ready for it, so a stream takes no room, however long it is.
"""

import asyncio
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from understudy_server.core.headers import content_of
from understudy_server.core.record import ExchangeOutcome
from understudy_server.core.responding.plan import Events, PlannedFault
from understudy_server.proxy.faults import FAULT_INJECTED, Opening, Spoilt, cut_bytes
from understudy_server.proxy.forwarding import LAST_CHUNK, chunk
from understudy_server.proxy.held import CLIENT_HALF_CLOSED
from understudy_server.proxy.recording import Pending
from understudy_server.proxy.relay import CLIENT_GONE_MIDWAY
from understudy_server.proxy.spoiled import end
from understudy_server.proxy.throttle import Throttle
from understudy_server.proxy.turn import Client, Turn, guarded

if TYPE_CHECKING:
    from understudy_server.proxy.service import Service

HEARTBEAT: Final = b":\n\n"
"""A comment: whoever reads events passes over it."""

_TOGETHER_EVENTS: Final = 64
_TOGETHER_BYTES: Final = 64 * 1024
"""So many events leave, or so much of them, before others have their turn."""

_EARLY_SECONDS: Final = 0.000_51
"""Some loops wake so much too soon: they count milliseconds."""


class Streaming(Turn):
    """Sends events. The exchange is on record before the end of the stream leaves, or once the client is gone.

    ``chunked``: the end of the stream can be told; else the end of the connection is the end of it. ``cut``: the first
    event is cut, and the stream ends there.
    """

    __slots__ = (
        "_capture",
        "_chunked",
        "_cut",
        "_due",
        "_ends_at",
        "_event",
        "_events",
        "_head",
        "_is_sending",
        "_keep_alive",
        "_loop",
        "_opening",
        "_pending",
        "_silent_since",
        "_throttle",
        "_timeline",
        "_timer",
        "client",
    )

    begun = True

    def __init__(
        self,
        service: "Service",
        client: Client,
        pending: Pending,
        events: Events,
        opening: Opening,
        *,
        chunked: bool,
        keep_alive: bool,
        bytes_per_second: int = 0,
        cut: PlannedFault | None = None,
    ) -> None:
        self.client = client
        self._loop = service.loop
        self._pending = pending
        self._events = events
        self._opening = opening
        self._chunked = chunked
        self._keep_alive = keep_alive
        self._cut = cut
        self._capture = service.clerk.begin_capture(content_of(opening.stored), pending.intake.environment)
        self._throttle = Throttle(self._loop, bytes_per_second, self._let_out) if bytes_per_second else None
        self._is_sending = False
        """True while an event leaves slowly."""
        self._timeline = _timeline(events)
        self._event: bytes | None = None
        """The next one, until it leaves; ``None`` behind the last one."""
        self._due = self._silent_since = 0.0
        self._ends_at = math.inf if events.rounds else self._loop.time() + service.settings.stream_seconds
        self._timer: asyncio.Handle | None = None

    def start(self) -> None:
        self.client.write(self._opening.head)
        self._silent_since = self._loop.time()
        self._look_ahead()
        self._go_on()

    def _look_ahead(self) -> None:
        """The time runs for the next event."""
        delay_ms, self._event = next(self._timeline, (0, None))
        self._due = self._loop.time() + delay_ms / 1000

    @guarded
    def _go_on(self) -> None:
        """Send what is due, and come again when something else is."""
        self._timer = None
        count = size = 0
        now = self._loop.time() + _EARLY_SECONDS
        while self.client.writable and not self._is_sending:
            event = self._event
            if event is None or now >= self._ends_at:
                self._end()
                return
            if now < self._due:
                self._beat(now)
                return
            if count >= _TOGETHER_EVENTS or size >= _TOGETHER_BYTES:
                self._timer = self._loop.call_soon(self._go_on)
                return
            count += 1
            size += len(event)
            if self._cut is not None:
                self._end_within(event, self._cut)
                return
            self._send(event)
        # Whoever made it stop here goes on with it.

    def _send(self, event: bytes) -> None:
        self._capture.add(event)
        data = chunk(event) if self._chunked else event
        if self._throttle is not None:
            self._is_sending = True
            self._throttle.put(data)
            return
        self.client.write(data)
        self._silent_since = self._loop.time()
        self._look_ahead()

    @guarded
    def _let_out(self, piece: bytes, last: bool) -> None:  # noqa: FBT001, ARG002 - as the throttle tells it
        self.client.write(piece)
        if self._throttle is not None and not self._throttle.waiting:
            self._is_sending = False
            self._silent_since = self._loop.time()
            self._look_ahead()
            self._go_on()

    def _beat(self, now: float) -> None:
        """Wait for the next event, but not in silence."""
        wake_at, heartbeat_seconds = min(self._due, self._ends_at), self._events.heartbeat_ms / 1000
        if heartbeat_seconds:
            if now >= self._silent_since + heartbeat_seconds:
                self._capture.add(HEARTBEAT)
                self.client.write(chunk(HEARTBEAT) if self._chunked else HEARTBEAT)
                self._silent_since = self._loop.time()
            wake_at = min(wake_at, self._silent_since + heartbeat_seconds)
        self._timer = self._loop.call_at(wake_at, self._go_on)

    def full(self) -> None:
        if self._throttle is not None:
            self._throttle.hold()

    def ready(self) -> None:
        if self._throttle is not None:
            self._throttle.go_on()
        # Else the timer does.
        if self._timer is None:
            self._go_on()

    # How it ends.

    def _end(self) -> None:
        self._record(ExchangeOutcome.MOCKED)
        if self._chunked:
            self.client.conclude(LAST_CHUNK, keep_alive=self._keep_alive)
        else:
            self.client.finish_answer(keep_alive=False)

    def _end_within(self, event: bytes, cut: PlannedFault) -> None:
        part = within(event, cut)
        self._capture.add(part)
        self._record(ExchangeOutcome.FAULT_INJECTED, FAULT_INJECTED)
        # Without chunks an end of the connection would look like the end of the stream.
        end(self.client, Spoilt(chunk(part) if self._chunked else part, hard=not self._chunked))

    def stopping(self) -> None:
        if not self._events.rounds:
            self._ends_at = -math.inf
            if self._timer is not None:
                self._timer.cancel()
                self._go_on()

    def half_closed(self) -> None:
        self._pending.findings += (CLIENT_HALF_CLOSED,)

    def gone(self) -> None:
        self.drop()
        self._record(ExchangeOutcome.CLIENT_GONE, CLIENT_GONE_MIDWAY)

    def drop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._throttle is not None:
            self._throttle.stop()

    def _record(self, outcome: ExchangeOutcome, *findings: str) -> None:
        opening = self._opening
        self._pending.record(outcome, opening.status, opening.stored, self._capture.captured(), *findings)


def within(event: bytes, cut: PlannedFault) -> bytes:
    """What is sent of an event that the stream ends in."""
    return event[: cut_bytes(len(event), cut.fraction)]


def lasts_ms(events: Events, stream_seconds: float, bytes_per_second: int, *, chunked: bool) -> int:
    """How long a stream lasts, which has an end of its own or else ends after ``stream_seconds``."""
    if not events.events:
        return 0
    rounds = events.rounds
    if not rounds:
        return round(stream_seconds * 1000)
    waits_ms = rounds * sum([event.delay_ms for event in events.events]) + (rounds - 1) * events.round_delay_ms
    if not bytes_per_second:
        return waits_ms
    size = rounds * sum([len(chunk(event.data) if chunked else event.data) for event in events.events])
    return waits_ms + size * 1000 // bytes_per_second


def _timeline(events: Events) -> Iterator[tuple[int, bytes]]:
    """The events of all rounds, each with the milliseconds to wait before it."""
    done = 0
    while events.events and (done < events.rounds or not events.rounds):
        for number, event in enumerate(events.events):
            pause_ms = events.round_delay_ms if done and not number else 0
            yield event.delay_ms + pause_ms, event.data
        done += 1
