"""The state of a turn in which a mock has the request passed on, to another target, and perhaps spoils the answer."""

import asyncio
from typing import TYPE_CHECKING, Final

from understudy_server.core.profiles import Profile
from understudy_server.core.record import ExchangeOutcome
from understudy_server.core.redaction import redact
from understudy_server.core.responding.plan import FaultKind, Forward, Plan, PlannedFault
from understudy_server.proxy.assertive import not_proxied, typed, unmeasured
from understudy_server.proxy.cutting import Cutting
from understudy_server.proxy.faults import FAULT_INJECTED, Opening, Spoilt, cut_bytes, dropped_bytes
from understudy_server.proxy.forwarding import HeaderChanges, chunk, is_target, request_head
from understudy_server.proxy.intake import Intake
from understudy_server.proxy.intended import spoiled_answer
from understudy_server.proxy.messages import Refused
from understudy_server.proxy.pool import FORBIDDEN
from understudy_server.proxy.relay import Relay
from understudy_server.proxy.spoiled import end
from understudy_server.proxy.throttle import Throttle
from understudy_server.proxy.timing import Timing
from understudy_server.proxy.turn import Client, guarded
from understudy_server.proxy.upstream import UpstreamConnection
from understudy_server.proxy.writing import connection_line, header_lines, outlives, status_line

if TYPE_CHECKING:
    from understudy_server.proxy.service import Service

_NOT_ALLOWED: Final = Refused(403, "target_not_allowed", "The mock's target is not one that this proxy may connect to.")
_TOO_SLOW: Final = Refused(504, "upstream_timeout", "The mock's target did not accept a connection in time.")
_NO_TARGET: Final = Refused(500, "forward_failed", "The mock makes of this path one that cannot be asked for.")

_HELD_BYTES_MAX: Final = 64 * 1024
"""So much of an answer waits to leave slowly before the target is made to wait, too."""


class Forwarded(Relay):
    """Passes one request on as a mock says, and its answer back: spoiled or slowly, if so planned.

    Of an answer that is spoiled before its first byte, the request has gone out all the same: it is the answer that is
    lost.
    """

    _cutting: Cutting | None = None
    _throttle: Throttle | None = None
    _connecting: asyncio.TimerHandle | None = None

    def __init__(
        self, service: "Service", client: Client, intake: Intake, timing: Timing, plan: Plan, forward: Forward
    ) -> None:
        super().__init__(service, client, intake, timing)
        self._plan = plan
        self._forward = forward
        self._is_assertive = intake.environment.profile is Profile.ASSERTIVE
        if intake.mock is not None:
            self._mock_id = intake.mock.id

    # From the client to the target.

    def start(self) -> None:
        if not is_target(self._forward.target):
            self._refuse(_NO_TARGET, ExchangeOutcome.MOCK_FAILED)
            return
        super().start()

    def _apply(self, *, fresh: bool) -> None:
        first_byte_ms = self._forward.first_byte_ms
        if first_byte_ms:
            # It is for connecting, each time anew, and again from the last byte of the request to the head of the
            # answer.
            self._connecting = self._service.loop.call_later(first_byte_ms / 1000, self._unconnected_in_time)
        super()._apply(fresh=fresh)

    @guarded
    def _unconnected_in_time(self) -> None:
        self._connecting = None
        self._refuse(_TOO_SLOW, ExchangeOutcome.UPSTREAM_FAILED)

    def _stop_waiting(self) -> None:
        if self._connecting:
            self._connecting.cancel()
            self._connecting = None

    def _send(self, connection: UpstreamConnection) -> None:
        self._stop_waiting()
        super()._send(connection)

    def _base_url(self) -> str:
        return self._forward.base

    def _first_byte_ms(self) -> int | None:
        return self._forward.first_byte_ms or super()._first_byte_ms()

    def _request_head(self, *, upgrade: bool) -> bytes:
        intake, forward = self._intake, self._forward
        authority = intake.request.host if forward.keep_host else b""
        return request_head(
            intake.request,
            forward.target,
            self._upstream,
            stripped=b"" if intake.environment.forwards_session_header else self._service.session_header,
            upgrade=upgrade,
            changes=self._changes(authority),
        )

    def _changes(self, authority: bytes) -> HeaderChanges:
        """What the mock says, and behind that the trace."""
        forward, trace = self._forward, self._intake.trace
        if trace is None:
            return HeaderChanges(forward.set_headers, forward.removed, authority)
        said = forward.removed | {name.lower() for name, _ in forward.set_headers}
        told = [header for header in trace.headers if header[0] not in said]
        return HeaderChanges((*forward.set_headers, *told), forward.removed | trace.replaced, authority)

    @guarded
    def unconnected(self, refused: Refused) -> None:
        self._withdraw = None
        if refused is FORBIDDEN:
            self._refuse(_NOT_ALLOWED, ExchangeOutcome.MOCK_FAILED)
        else:
            self._refuse(refused, ExchangeOutcome.UPSTREAM_FAILED)

    def _refuse(self, refused: Refused, outcome: ExchangeOutcome) -> None:
        if self._is_assertive and refused is not _NOT_ALLOWED and outcome is not ExchangeOutcome.REFUSED:
            refused = not_proxied(refused)
        super()._refuse(refused, outcome)

    # From the target to the client.

    def _begin_answer(self, data: bytes) -> None:
        fault = self._plan.fault
        if self._is_assertive:
            self._head = typed(self._head)
        if fault is None or self._head.status == 101:
            self._begin_slowly(data)
        elif fault.kind is FaultKind.CUT and not self._head.bodiless and self._head.length != 0:
            part_of = dropped_bytes if self._is_assertive else cut_bytes
            self._cutting = Cutting(self._head.length, fault.fraction, part_of)
            if self._is_assertive:
                self._head = unmeasured(self._head)
            self._begin_slowly(data)
        else:
            self._spoil(fault)

    def _begin_slowly(self, data: bytes) -> None:
        if self._plan.bytes_per_second:
            self._throttle = Throttle(self._service.loop, self._plan.bytes_per_second, self._let_out)
        super()._begin_answer(data)

    def _pass_on(self, lines: bytes, data: bytes, *, last: bool) -> None:
        if self._cutting is not None:
            data, last = self._cutting.take(data, last=last)
            if last:
                self._let_target_go()
        if self._throttle is None:
            self._tell(lines, data, last=last)
            return
        self.begun = True
        if lines:
            self.client.write(lines)
        self._throttle.put(data, last=last)
        if self._connection and self._throttle.waiting > _HELD_BYTES_MAX:
            self._connection.pause()

    @guarded
    def _let_out(self, piece: bytes, last: bool) -> None:  # noqa: FBT001 - as the throttle tells it
        self._tell(b"", piece, last=last)
        if self._has_room():
            self._resume()

    def _tell(self, lines: bytes, data: bytes, *, last: bool) -> None:
        if self._cutting is None or not last:
            super()._pass_on(lines, data, last=last)
            return
        self._keep(data, last=False)
        self.begun = True
        self._record_cut(FAULT_INJECTED)
        # Where the end of the connection is the end of the answer, it would look regular.
        end(self.client, Spoilt(lines + (chunk(data) if self._chunked else data), hard=self._open_ended))

    def _let_target_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            connection.release()

    def _has_room(self) -> bool:
        return self._throttle is None or self._throttle.waiting <= _HELD_BYTES_MAX // 2

    def _resume(self) -> None:
        if self._connection and self.client.writable:
            self._connection.resume()

    def full(self) -> None:
        super().full()
        if self._throttle:
            self._throttle.hold()

    def ready(self) -> None:
        if self._throttle:
            self._throttle.go_on()
        if self._has_room():
            super().ready()

    def _stop(self) -> None:
        self._stop_waiting()
        if self._throttle:
            self._throttle.stop()
        super()._stop()

    # An answer of which nothing, or nothing but its head, is sent.

    def _spoil(self, fault: PlannedFault) -> None:
        self._stop()
        self.begun = True
        spoilt = spoiled_answer(self._intake, fault, self._opening(), b"")
        self._service.clerk.record(
            self._intake,
            self._timing,
            ExchangeOutcome.FAULT_INJECTED,
            spoilt.status,
            spoilt.stored,
            self._request_body() if self._intake.request.has_body else None,
            None,
            self._mock_id,
            (*self._findings, FAULT_INJECTED),
        )
        end(self.client, spoilt)

    def _opening(self) -> Opening:
        head, request = self._head, self._intake.request
        lengths = [header for header in head.headers if header[0].lower() == b"content-length"]
        lines = [header for header in head.headers if header[0].lower() != b"content-length"]
        return Opening(
            head.status,
            status_line(head.status, head.reason) + header_lines(lines),
            header_lines(lengths),
            connection_line(request, keep_alive=outlives(request)),
            redact(head.headers),
        )
