"""A mock's planned answer: from the plan to the bytes, or to the turn that sends them."""

from typing import TYPE_CHECKING

from understudy_server.core.exchange import Captured
from understudy_server.core.record import ExchangeOutcome
from understudy_server.core.responding.plan import Plan
from understudy_server.core.responding.prepared import Prepared
from understudy_server.proxy.faults import Opening, Spoilt
from understudy_server.proxy.intake import Intake
from understudy_server.proxy.intended import Stream, intended
from understudy_server.proxy.messages import Refused
from understudy_server.proxy.slowed import Slow, Slowed
from understudy_server.proxy.spoiled import Spoiled
from understudy_server.proxy.streaming import Streaming
from understudy_server.proxy.timing import Timing
from understudy_server.proxy.turn import Client, Turn

if TYPE_CHECKING:
    from understudy_server.proxy.service import Service


def answer_planned(
    service: "Service",
    client: Client,
    intake: Intake,
    plan: Plan,
    timing: Timing,
    request_body: Captured | None,
    findings: tuple[str, ...] = (),
    passed_ms: int = 0,
) -> bytes | Turn:
    """Carry a plan out, its delay over and the request whole, unless it passes the request on.

    ``findings``: what was odd since the request was judged, ``passed_ms`` ago.
    """
    what, mock_id = intended(service, intake, plan), intake.mock.id if intake.mock else ""
    if isinstance(what, Prepared):
        findings = intake.findings + findings
        started_at_ms, phases = timing.started_at_ms, timing.phases()
        return service.answer_prepared(intake, started_at_ms, what, request_body, mock_id, findings, passed_ms, phases)
    if isinstance(what, Refused):
        failed = ExchangeOutcome.MOCK_FAILED
        return service.refuse_on_record(intake, timing, what, request_body, findings, mock_id, failed)
    pending = service.clerk.pending(intake, timing, request_body, findings)
    match what:
        case Spoilt():
            return Spoiled(client, pending, what)
        case Slow():
            return Slowed(service.loop, client, pending, what)
        case Stream():
            return Streaming(
                service,
                client,
                pending,
                what.events,
                what.opening,
                chunked=what.chunked,
                keep_alive=what.keep_alive,
                bytes_per_second=what.bytes_per_second,
                cut=what.cut,
            )
        case Opening():
            pending.record(ExchangeOutcome.MOCKED, what.status, what.stored, None)
            return what.head
