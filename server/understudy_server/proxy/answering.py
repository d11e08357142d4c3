"""A mock's planned answer: from the plan to the bytes, or to the turn that sends them."""

from typing import TYPE_CHECKING

from understudy_server.core import cors
from understudy_server.core.exchange import Captured
from understudy_server.core.record import ExchangeOutcome
from understudy_server.core.responding.plan import Events, Failed, FaultKind, Forward, Plan
from understudy_server.core.responding.prepared import Prepared
from understudy_server.proxy.faults import CHUNKED, FAULT_INJECTED, Opening, cut_bytes, cut_head, spoil
from understudy_server.proxy.intake import Intake
from understudy_server.proxy.messages import Refused
from understudy_server.proxy.recording import Pending
from understudy_server.proxy.slowed import Slow, Slowed
from understudy_server.proxy.spoiled import Spoiled
from understudy_server.proxy.streaming import Streaming
from understudy_server.proxy.timing import Timing
from understudy_server.proxy.turn import Client, Turn
from understudy_server.proxy.writing import connection_line, date_line, header_lines, outlives, status_line

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
    answer, mock_id = plan.answer, intake.mock.id if intake.mock else ""
    match answer:
        case Failed():
            refused = Refused(500, answer.code, answer.message)
            failed = ExchangeOutcome.MOCK_FAILED
            return service.refuse_on_record(intake, timing, refused, request_body, findings, mock_id, failed)
        case Prepared():
            is_plain = plan.fault is None and not (plan.bytes_per_second and _has_body(intake, answer))
            if is_plain:
                findings = intake.findings + findings
                started_at_ms, phases = timing.started_at_ms, timing.phases()
                return service.answer_prepared(
                    intake, started_at_ms, answer, request_body, mock_id, findings, passed_ms, phases
                )
            pending = service.clerk.pending(intake, timing, request_body, findings)
            return _spoilt_or_slow(service, client, pending, plan, answer)
        case Events():
            pending = service.clerk.pending(intake, timing, request_body, findings)
            return _events(service, client, pending, plan, answer)
        case Forward():
            raise TypeError("passed on before")


def _spoilt_or_slow(service: "Service", client: Client, pending: Pending, plan: Plan, prepared: Prepared) -> Turn:
    intake, fault = pending.intake, plan.fault
    opening = _opening(service, intake, prepared)
    body = prepared.body if _has_body(intake, prepared) else b""
    if fault is not None and (fault.kind is not FaultKind.CUT or not (plan.bytes_per_second and len(body) > 1)):
        return Spoiled(client, pending, spoil(fault, opening, body))
    head, keep_alive = opening.head, outlives(intake.request)
    outcome = ExchangeOutcome.MOCKED
    spoilt: tuple[str, ...] = ()
    if fault is not None:
        head, body = cut_head(opening, body), body[: cut_bytes(len(body), fault.fraction)]
        keep_alive, outcome, spoilt = False, ExchangeOutcome.FAULT_INJECTED, (FAULT_INJECTED,)
    slow = Slow(prepared.status, opening.stored, head, body, plan.bytes_per_second, keep_alive, outcome, spoilt)
    return Slowed(service.loop, client, pending, slow)


def _events(service: "Service", client: Client, pending: Pending, plan: Plan, events: Events) -> bytes | Turn:
    intake, fault = pending.intake, plan.fault
    request = intake.request
    chunked = not request.http_1_0
    keep_alive = outlives(request) and (chunked or request.method == "HEAD")
    opening = _opening(service, intake, events.head, framing=CHUNKED if chunked else b"", keep_alive=keep_alive)
    if fault is not None and fault.kind is not FaultKind.CUT:
        return Spoiled(client, pending, spoil(fault, opening, b""))
    if request.method == "HEAD":
        pending.record(ExchangeOutcome.MOCKED, opening.status, opening.stored, None)
        return opening.head
    return Streaming(
        service,
        client,
        pending,
        events,
        opening,
        chunked=chunked,
        keep_alive=keep_alive,
        bytes_per_second=plan.bytes_per_second,
        cut=fault,
    )


def _has_body(intake: Intake, prepared: Prepared) -> bool:
    return bool(prepared.body) and intake.request.method != "HEAD"


def _opening(
    service: "Service",
    intake: Intake,
    prepared: Prepared,
    *,
    framing: bytes | None = None,
    keep_alive: bool | None = None,
) -> Opening:
    """The beginning of a mock's answer. Without ``framing`` it is the one that was prepared."""
    request, stored = intake.request, prepared.stored_headers
    added = b"" if prepared.has_date else date_line(service.clock() // 1000)
    if request.origin and not prepared.sets_cors and intake.environment.adds_cors_headers:
        of_cors = cors.answer_headers(request.origin, prepared.raw_headers)
        stored = (*stored, *of_cors)
        added = header_lines(of_cors) + added
    added += connection_line(request, keep_alive=outlives(request) if keep_alive is None else keep_alive)
    lengths = [header for header in prepared.raw_headers if header[0].lower() == b"content-length"]
    lines = [header for header in prepared.raw_headers if header[0].lower() != b"content-length"]
    if framing is None:
        framing = header_lines(lengths)
    return Opening(prepared.status, status_line(prepared.status) + header_lines(lines), framing, added, stored)
