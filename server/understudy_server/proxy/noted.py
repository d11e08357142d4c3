"""The state of a turn in which a mock's answer stands, and is on record before it waits: as those of Assertive are.

Who looks at the requests that came sees this one as soon as it is matched, however long its answer takes. What is on
record is the answer as it is planned, and how long it will take; what becomes of it is not any more.
"""

from copy import copy
from typing import TYPE_CHECKING, Any, NamedTuple

from understudy_server.core.exchange import RawHeaders
from understudy_server.core.headers import content_of
from understudy_server.core.record import ExchangeOutcome
from understudy_server.core.responding.plan import Plan
from understudy_server.core.responding.prepared import Prepared
from understudy_server.proxy.faults import FAULT_INJECTED, Opening, Spoilt
from understudy_server.proxy.held import Held
from understudy_server.proxy.intake import Intake
from understudy_server.proxy.intended import Stream, intended
from understudy_server.proxy.messages import Refused
from understudy_server.proxy.recording import Clerk
from understudy_server.proxy.slowed import Slow
from understudy_server.proxy.streaming import lasts_ms, within
from understudy_server.proxy.writing import envelope

if TYPE_CHECKING:
    from understudy_server.proxy.service import Service


class Noted(Held):
    """Answers as `Held` does, once the exchange is on record."""

    __slots__ = ()

    def _wait(self) -> None:
        service, intake = self._service, self._intake
        clerk, started_at_ms, phases = service.clerk, self._timing.started_at_ms, self._timing.phases()
        answer = _planned(service, intake)
        # Nobody is kept waiting who may have gone.
        delay_ms = 0 if self._findings else intake.delay_ms
        to_come_ms = delay_ms + answer.takes_ms
        spoilt = (FAULT_INJECTED,) if answer.outcome is ExchangeOutcome.FAULT_INJECTED else ()
        clerk.append(
            intake,
            started_at_ms,
            clerk.passed_ms(started_at_ms) + to_come_ms,
            answer.outcome,
            answer.status,
            answer.headers,
            self._capture.captured(),
            clerk.capture(answer.body, content_of(answer.headers), intake.environment),
            intake.mock.id if intake.mock else "",
            intake.findings + self._found() + spoilt,
            phases._replace(delay_us=delay_ms * 1000, total_us=phases.total_us + to_come_ms * 1000),
        )
        self._service = _silent(service)
        super()._wait()


class _Answer(NamedTuple):
    """What goes on record of an answer that is to come. ``takes_ms``: from its first byte to its last one."""

    outcome: ExchangeOutcome
    status: int
    headers: RawHeaders
    body: bytes = b""
    takes_ms: int = 0


def _planned(service: "Service", intake: Intake) -> _Answer:
    """What will become of a request that a mock answers."""
    what = intended(service, intake, intake.plan or _fixed(intake))
    mocked, has_body = ExchangeOutcome.MOCKED, intake.request.method != "HEAD"
    match what:
        case Prepared():
            return _Answer(mocked, what.status, what.stored_headers, what.body if has_body else b"")
        case Refused():
            body, headers = envelope(what)
            return _Answer(ExchangeOutcome.MOCK_FAILED, what.status, headers, body if has_body else b"")
        case Spoilt():
            return _Answer(ExchangeOutcome.FAULT_INJECTED, what.status, what.stored, what.body)
        case Slow():
            takes_ms = len(what.body) * 1000 // what.bytes_per_second
            return _Answer(what.outcome, what.status, what.stored, what.body, takes_ms)
        case Stream():
            return _streamed(what, service.settings.stream_seconds)
        case Opening():
            return _Answer(mocked, what.status, what.stored)


def _streamed(stream: Stream, stream_seconds: float) -> _Answer:
    """What becomes of a stream. Of one of several rounds, the first one is its body."""
    events, opening, cut = stream.events, stream.opening, stream.cut
    if cut is None:
        body = b"".join([event.data for event in events.events])
        takes_ms = lasts_ms(events, stream_seconds, stream.bytes_per_second, chunked=stream.chunked)
        return _Answer(ExchangeOutcome.MOCKED, opening.status, opening.stored, body, takes_ms)
    first = events.events[0]
    part = within(first.data, cut)
    return _Answer(ExchangeOutcome.FAULT_INJECTED, opening.status, opening.stored, part, first.delay_ms)


def _fixed(intake: Intake) -> Plan:
    if intake.mock is None:
        raise TypeError("answered by no mock")
    return Plan(intake.mock.response.prepared)


class _Silent(Clerk):
    """Puts nothing on record: it is there already."""

    __slots__ = ()

    def __init__(self, clerk: Clerk) -> None:
        self._clock, self._keeping = clerk._clock, clerk._keeping

    def append(self, *_: Any, **__: Any) -> None:
        """Nothing more."""


def _silent(service: "Service") -> "Service":
    """The same service, for the rest of one answer."""
    made = copy(service)
    made.clerk = _Silent(service.clerk)
    return made
