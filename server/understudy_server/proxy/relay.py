"""The state of a turn in which the upstream answers: bytes go both ways as they come, and never faster than they leave.

The request goes up as soon as there is a connection, the answer comes down after the session's delay. Either side that
reads slowly holds the other back, so that no body is held whole, however long.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from understudy_server.core.exchange import Captured, RawHeaders
from understudy_server.core.headers import content_of
from understudy_server.core.record import ExchangeOutcome
from understudy_server.core.redaction import redact
from understudy_server.proxy.capturing import Capture
from understudy_server.proxy.cookie_domain import widen
from understudy_server.proxy.delay import Delay
from understudy_server.proxy.faults import FAULT_INJECTED
from understudy_server.proxy.forwarding import (
    LAST_CHUNK,
    UNCHANGED,
    HeaderChanges,
    Upstream,
    chunk,
    may_tunnel,
    parse_upstream,
    request_head,
)
from understudy_server.proxy.held import CLIENT_HALF_CLOSED
from understudy_server.proxy.held_bodies import BODY_NOT_HELD
from understudy_server.proxy.intake import Intake
from understudy_server.proxy.messages import AnswerHead, BodyPart, Header, Refused
from understudy_server.proxy.pool import Pool
from understudy_server.proxy.timing import Phase, Timing
from understudy_server.proxy.tracing import traced
from understudy_server.proxy.tunnel import RawTunnel
from understudy_server.proxy.turn import Client, Turn, guarded
from understudy_server.proxy.upstream import UpstreamConnection
from understudy_server.proxy.writing import connection_line, header_lines, status_line

if TYPE_CHECKING:
    from understudy_server.proxy.service import Service

CLIENT_GONE_MIDWAY = "client_gone"
"""The finding that the client went while its answer was streaming."""

REQUEST_BROKE_OFF = "request_broke_off"
"""The finding that the rest of the request could not be read, or did not come, while its answer was streaming."""

UPSTREAM_BROKE_OFF = "upstream_broke_off"
"""The finding that the upstream's answer ended before it was whole; the client's connection was cut."""

UPSTREAM_RETRIED = "upstream_retried"
"""The finding that the request was sent twice: the connection it was sent on first had just been closed."""

_CUTS: Final = {
    CLIENT_GONE_MIDWAY: ExchangeOutcome.CLIENT_GONE,
    REQUEST_BROKE_OFF: ExchangeOutcome.REFUSED,
    UPSTREAM_BROKE_OFF: ExchangeOutcome.UPSTREAM_FAILED,
    FAULT_INJECTED: ExchangeOutcome.FAULT_INJECTED,
}
"""What became of a request whose answer ends too soon, by the finding that says why."""

_NO_UPSTREAM = Refused(502, "no_upstream", "No mock answers this request, and the environment has no upstream.")
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})


class Relay(Turn):
    """Passes one request through, and its answer back."""

    # What stands here is so for most relays, and is set where it differs.
    _connection: UpstreamConnection | None = None
    _withdraw: Callable[[], None] | None = None
    _request_capture: Capture | None = None
    _answer_capture: Capture | None = None
    _timer: Delay | None = None
    _pending: bytes = b""
    """What came of the body while the answer is delayed."""

    _last: bool = False
    """True once the answer is here whole."""

    begun = False
    """True once the head of the answer is written."""

    _chunked: bool = False
    _open_ended: bool = False
    """The answer ends with the connection."""

    _keep_alive: bool = False
    _retried: bool = False
    _mock_id: str = ""
    """The mock that has the request passed on, if one has."""

    _findings: tuple[str, ...] = ()
    _headers: RawHeaders = ()
    _head: AnswerHead
    _upstream: Upstream

    def __init__(self, service: "Service", client: Client, intake: Intake, timing: Timing) -> None:
        self._service = service
        self._timing = timing
        self.client = client
        self._intake = intake if service.traces is None else traced(intake, service.traces)

    @property
    def takes_body(self) -> bool:
        connection = self._connection
        return connection is not None and connection.writable

    # From the client to the upstream.

    def start(self) -> None:
        self.client.invite()
        self._apply(fresh=False)

    def _apply(self, *, fresh: bool) -> None:
        upstream = parse_upstream(self._base_url())
        if upstream is None:
            self._refuse(_NO_UPSTREAM, ExchangeOutcome.MOCK_FAILED if self._mock_id else ExchangeOutcome.UNMATCHED)
            return
        self._upstream = upstream
        withdraw = self._pool().lease(upstream.origin, self, fresh=fresh)
        if self._connection is None:
            self._withdraw = withdraw
            self._timing.enter(Phase.CONNECT)

    def _base_url(self) -> str:
        return self._intake.environment.upstream

    def _pool(self) -> Pool:
        return self._service.pool

    def _first_byte_ms(self) -> int | None:
        return self._intake.environment.first_byte_ms

    def connected(self, connection: UpstreamConnection) -> None:
        """There is a connection."""
        # Guarded by hand, like `answered`: these two run for every request that is passed through.
        try:
            self._send(connection)
        except Exception:  # noqa: BLE001 - logged by the connection
            self.client.fault()

    def _send(self, connection: UpstreamConnection) -> None:
        """Send what is here of the request."""
        intake = self._intake
        request, environment = intake.request, intake.environment
        upgrade = bool(request.upgrade) and environment.tunnels_upgrades and may_tunnel(request)
        self._withdraw = None
        self._connection = connection
        connection.begin(self, request.method, upgrade=upgrade, first_byte_ms=self._first_byte_ms())
        head = self._request_head(upgrade=upgrade)
        self._timing.enter(Phase.FIRST_BYTE if request.complete else Phase.OTHER)
        if not request.has_body:
            connection.send(head, last=True)
        elif request.complete:
            connection.send(head + self._framed(request.body, last=True), last=True)
        else:
            self._request_capture = self._service.clerk.begin_capture(
                content_of(request.headers), environment, request.body, self._service.held_bodies
            )
            connection.send(head + self._framed(request.body, last=False), last=False)
            self.client.pump()

    def _request_head(self, *, upgrade: bool) -> bytes:
        intake, trace, upstream = self._intake, self._intake.trace, self._upstream
        stripped = b"" if intake.environment.forwards_session_header else self._service.session_header
        if intake.heads is not None and trace is None and not upgrade:
            return intake.heads.write(intake.request, intake.rest, upstream, stripped)
        changes = HeaderChanges(tuple(trace.headers), trace.replaced) if trace else UNCHANGED
        return request_head(intake.request, intake.rest, upstream, stripped=stripped, upgrade=upgrade, changes=changes)

    @guarded
    def unconnected(self, refused: Refused) -> None:
        """There will be no connection."""
        self._withdraw = None
        self._refuse(refused, ExchangeOutcome.UPSTREAM_FAILED)

    def _framed(self, data: bytes, *, last: bool) -> bytes:
        if not self._intake.request.chunked:
            return data
        return chunk(data) + LAST_CHUNK if last else chunk(data)

    def body(self, part: BodyPart) -> None:
        if self._request_capture:
            self._request_capture.add(part.data)
        if self._connection:
            if part.last and not self.begun and self._timer is None:
                self._timing.enter(Phase.FIRST_BYTE)
            self._connection.send(self._framed(part.data, last=part.last), last=part.last)

    def upstream_full(self) -> None:
        """The upstream reads slower than the client sends."""
        self.client.pump()

    def upstream_ready(self) -> None:
        """The upstream has caught up."""
        self.client.pump()

    # From the upstream to the client.

    def answered(self, head: AnswerHead, data: bytes, *, last: bool) -> None:
        """The head of the answer is here."""
        try:
            self._receive(head, data, last=last)
        except Exception:  # noqa: BLE001 - logged by the connection
            self.client.fault()

    def _receive(self, head: AnswerHead, data: bytes, *, last: bool) -> None:
        self._head = head
        self._timing.enter(Phase.OTHER)
        if head.status == 101 and self._connection:
            self._switch(head, data, self._connection)
            return
        self._last = last
        if last:
            self._connection = None
        if self._intake.delay_ms and CLIENT_HALF_CLOSED not in self._findings:
            self._pending = data
            if self._connection:
                self._connection.pause()
            self._timing.enter(Phase.DELAY)
            self._timer = Delay(self._service.loop, self._service.ticks, self._intake.delay_ms, self._delayed)
            return
        if self._connection and not self.client.writable:
            # It was so before there was anything of the upstream's to stop.
            self._connection.pause()
        self._begin_answer(data)

    @guarded
    def _delayed(self) -> None:
        self._timer = None
        self._timing.enter(Phase.OTHER)
        # Before the answer begins: a client that reads slowly will say so, and stop the upstream again.
        if self._connection and self.client.writable:
            self._connection.resume()
        data, self._pending = self._pending, b""
        self._begin_answer(data)

    def _begin_answer(self, data: bytes) -> None:
        head, request = self._head, self._intake.request
        headers = head.headers
        if self._intake.custom_host:
            headers = [self._widened(header) for header in headers]
        self._headers = headers
        keep_alive = request.keep_alive and request.complete
        framing = b""
        if (head.length is None and not head.bodiless) or (head.chunked and not head.bodiless):
            if request.http_1_0:
                self._open_ended, keep_alive = True, False
            else:
                self._chunked, framing = True, b"transfer-encoding: chunked\r\n"
        self._keep_alive = keep_alive
        lines = head.lines
        if not lines or self._intake.custom_host:
            lines = status_line(head.status, head.reason) + header_lines(headers)
            if head.repeats and not self._intake.custom_host:
                head.lines = lines
        lines += framing
        if not keep_alive or request.http_1_0:
            lines += connection_line(request, keep_alive=keep_alive)
        self._pass_on(lines + b"\r\n", data, last=self._last)

    def _widened(self, header: Header) -> Header:
        name, value = header
        return (name, widen(value, self._intake.custom_host)) if name.lower() == b"set-cookie" else header

    @guarded
    def more(self, data: bytes, *, last: bool) -> None:
        """More of the body is here."""
        if last:
            self._last = True
            self._connection = None
        if self.begun:
            self._pass_on(b"", data, last=last)
        else:
            # The delay is not over.
            self._pending += data

    def _pass_on(self, lines: bytes, data: bytes, *, last: bool) -> None:
        """Write the next bytes of the answer; the exchange is on record before the last ones are."""
        self._keep(data, last=last)
        self.begun = True
        if self._chunked:
            data = chunk(data) + LAST_CHUNK if last else chunk(data)
        if last:
            self.client.conclude(lines + data, keep_alive=self._keep_alive)
        elif lines or data:
            self.client.write(lines + data)

    def _keep(self, data: bytes, *, last: bool) -> None:
        """Take bytes of the body into the journal's copy, and with the last ones record the exchange."""
        kept = self._answer_capture
        if kept is None:
            head, clerk, environment = self._head, self._service.clerk, self._intake.environment
            content = head.content_type, head.content_coding
            if last:
                self._record(ExchangeOutcome.FORWARDED, clerk.capture(data, content, environment) if data else None)
                return
            kept = self._answer_capture = clerk.begin_capture(content, environment)
        if data:
            kept.add(data)
        if last:
            self._record(ExchangeOutcome.FORWARDED, kept.captured())

    def full(self) -> None:
        if self._connection:
            self._connection.pause()

    def ready(self) -> None:
        if self._connection and self._timer is None:
            self._connection.resume()

    # Ends that are not regular.

    @guarded
    def broken(self, refused: Refused, *, stale: bool) -> None:
        """The upstream gives no answer, or no more of it."""
        self._connection = None
        if stale and self._may_retry():
            self._retried = True
            self._findings += (UPSTREAM_RETRIED,)
            self._apply(fresh=True)
        elif self.begun:
            self._stop()
            self._record_cut(UPSTREAM_BROKE_OFF)
            self.client.cut(hard=self._open_ended)
        else:
            self._refuse(refused, ExchangeOutcome.UPSTREAM_FAILED)

    def _may_retry(self) -> bool:
        request = self._intake.request
        return not self._retried and request.method in _IDEMPOTENT and not request.has_body

    def _refuse(self, refused: Refused, outcome: ExchangeOutcome) -> None:
        self._stop()
        body = self._request_body()
        self.client.proceed(
            self._service.refuse_on_record(
                self._intake, self._timing, refused, body, self._findings, self._mock_id, outcome
            )
        )

    def spoiled(self, refused: Refused) -> None:
        self._stop()
        if self.begun:
            self._record_cut(REQUEST_BROKE_OFF)
            self.client.cut(hard=self._open_ended)
        else:
            self._refuse(refused, ExchangeOutcome.REFUSED)

    def half_closed(self) -> None:
        self._findings += (CLIENT_HALF_CLOSED,)
        if self._timer:
            self._timer.cancel()
            self._delayed()

    def drop(self) -> None:
        self._stop()
        if self._request_capture:
            self._request_capture.let_go()

    def gone(self) -> None:
        self._stop()
        if self.begun:
            self._record_cut(CLIENT_GONE_MIDWAY)
        else:
            self._service.record_gone(self._intake, self._timing, self._request_body(), self._mock_id, self._findings)

    def _stop(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._withdraw:
            self._withdraw()
            self._withdraw = None
        if self._connection:
            self._connection.release()
            self._connection = None

    def _request_body(self) -> Captured | None:
        """What goes on record of it, at the end. To be asked for before the findings: it may be one that it is cut."""
        capture = self._request_capture
        if capture is None:
            return self._service.clerk.body_of(self._intake)
        if capture.lacks_room:
            self._findings += (BODY_NOT_HELD,)
        return capture.captured()

    def _record(self, outcome: ExchangeOutcome, answer_body: Captured | None) -> None:
        head = self._head
        self._service.clerk.record(
            self._intake,
            self._timing,
            outcome,
            head.status,
            redact(self._headers) if head.has_secrets else self._headers,
            self._request_body() if self._intake.request.has_body else None,
            answer_body,
            self._mock_id,
            self._findings,
        )

    def _record_cut(self, finding: str) -> None:
        self._findings += (finding,)
        self._record(_CUTS[finding], self._answer_capture.captured() if self._answer_capture else None)

    # A switch of protocols.

    def _switch(self, head: AnswerHead, data: bytes, connection: UpstreamConnection) -> None:
        """The upstream goes on with another protocol, as the client has offered: bytes go both ways as they are."""
        self._connection = None
        self.begun = True
        self._headers = [*head.headers, (b"connection", b"upgrade"), (b"upgrade", head.upgrade)]
        self._record(ExchangeOutcome.FORWARDED, None)
        tunnel = RawTunnel(self.client, connection)
        self.client.write(status_line(head.status, head.reason) + header_lines(self._headers) + b"\r\n" + data)
        self.client.tunnel(tunnel)
