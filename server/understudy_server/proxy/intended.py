"""What will be done about a planned answer: decided here for whoever sends it, and for whoever says so beforehand."""

from typing import TYPE_CHECKING, NamedTuple

from understudy_server.core import cors
from understudy_server.core.profiles import Profile
from understudy_server.core.record import ExchangeOutcome
from understudy_server.core.responding.plan import Events, Failed, FaultKind, Forward, Plan, PlannedFault
from understudy_server.core.responding.prepared import Prepared
from understudy_server.proxy.assertive import failed_answer
from understudy_server.proxy.faults import CHUNKED, FAULT_INJECTED, Opening, Spoilt, cut_bytes, cut_head, drop, spoil
from understudy_server.proxy.intake import Intake
from understudy_server.proxy.messages import Refused
from understudy_server.proxy.slowed import Slow
from understudy_server.proxy.writing import (
    BODILESS,
    KEEP_ALIVE,
    connection_line,
    date_line,
    header_lines,
    outlives,
    status_line,
)

if TYPE_CHECKING:
    from understudy_server.proxy.service import Service


class Stream(NamedTuple):
    """A stream of events is sent; with ``cut`` it ends within the first one. The rest is as of `Streaming`."""

    events: Events
    opening: Opening
    chunked: bool
    keep_alive: bool
    bytes_per_second: int
    cut: PlannedFault | None


Intended = Prepared | Refused | Spoilt | Slow | Stream | Opening
"""An answer as it was prepared, one in its place, or one that is spoilt, slow or a stream; of an `Opening` no more."""


def intended(service: "Service", intake: Intake, plan: Plan) -> Intended:
    """Decide what a plan comes to for one request, unless it passes the request on."""
    answer = plan.answer
    if isinstance(answer, Prepared):
        if plan.fault is None and not (plan.bytes_per_second and _has_body(intake, answer)):
            return answer
        return _spoilt_or_slow(service, intake, plan, answer)
    match answer:
        case Events():
            return _stream(service, intake, plan, answer)
        case Failed():
            return failed_answer(intake, answer)
        case Forward():
            raise TypeError("passed on before")


def _spoilt_or_slow(service: "Service", intake: Intake, plan: Plan, prepared: Prepared) -> Spoilt | Slow:
    fault, opening = plan.fault, _opening(service, intake, prepared)
    body = prepared.body if _has_body(intake, prepared) else b""
    if fault is not None and (fault.kind is not FaultKind.CUT or not (plan.bytes_per_second and len(body) > 1)):
        return spoiled_answer(intake, fault, opening, body)
    head, keep_alive = opening.head, outlives(intake.request)
    outcome = ExchangeOutcome.MOCKED
    spoilt: tuple[str, ...] = ()
    if fault is not None:
        head, body = cut_head(opening, body), body[: cut_bytes(len(body), fault.fraction)]
        keep_alive, outcome, spoilt = False, ExchangeOutcome.FAULT_INJECTED, (FAULT_INJECTED,)
    return Slow(prepared.status, opening.stored, head, body, plan.bytes_per_second, keep_alive, outcome, spoilt)


def _stream(service: "Service", intake: Intake, plan: Plan, events: Events) -> Spoilt | Opening | Stream:
    request, fault = intake.request, plan.fault
    is_assertive = intake.environment.profile is Profile.ASSERTIVE
    chunked = not request.http_1_0
    keep_alive = outlives(request) and (chunked or request.method == "HEAD")
    opening = _opening(service, intake, events.head, framing=CHUNKED if chunked else b"", keep_alive=keep_alive)
    if keep_alive and chunked and is_assertive:
        opening = opening._replace(added=opening.added + KEEP_ALIVE)
    if fault is not None and fault.kind is not FaultKind.CUT:
        return spoil(fault, opening, b"")
    if request.method == "HEAD":
        # There is nothing in it to cut. A connection is dropped all the same.
        return opening if fault is None or not is_assertive else spoiled_answer(intake, fault, opening, b"")
    return Stream(events, opening, chunked, keep_alive, plan.bytes_per_second, fault if events.events else None)


def spoiled_answer(intake: Intake, fault: PlannedFault, opening: Opening, body: bytes) -> Spoilt:
    """Spoil an answer that is here whole, as the environment's profile has it."""
    if fault.kind is FaultKind.CUT and intake.environment.profile is Profile.ASSERTIVE:
        chunked = not (intake.request.http_1_0 or opening.status in BODILESS)
        return drop(opening, body, fault.fraction, chunked=chunked)
    return spoil(fault, opening, body)


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
