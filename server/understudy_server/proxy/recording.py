"""How an exchange reaches the journal."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from understudy_server.core.draws import Draw
from understudy_server.core.exchange import Captured, Exchange, RawHeaders
from understudy_server.core.headers import Content, content_of
from understudy_server.core.record import ExchangeOutcome, Phases, Whose
from understudy_server.core.redaction import Redaction, redact
from understudy_server.live.source import EnvironmentRow
from understudy_server.proxy.capturing import Capture, Keeping, capture
from understudy_server.proxy.held_bodies import HeldBodies
from understudy_server.proxy.intake import Intake
from understudy_server.proxy.messages import ClientRequest
from understudy_server.proxy.timing import Timing

# What a body is read by.
_OF_CONTENT: Final = frozenset({b"content-type", b"content-encoding"})
_new = tuple.__new__
# At hand, since to look a member of an enumeration up takes a call.
_MOCKED: Final = ExchangeOutcome.MOCKED


class Recorder(Protocol):
    """The journal, as the proxy sees it."""

    def record(self, exchange: Exchange) -> None:
        """Append an exchange. Called before the last byte of the answer is written; must not block."""


class Presence(Protocol):
    """Where it is kept when a session was last seen, and what was odd about its exchanges."""

    def touch(self, session_id: str, now_ms: int) -> None:
        """Note that a request found the session (milliseconds since 1970). Must not block."""

    def note(self, session_id: str, findings: Sequence[str]) -> None:
        """Note what was odd about an exchange of the session. Must not block."""


class Entry(NamedTuple):
    """What of an exchange is the same for all requests alike, and what decides about the rest of it.

    ``content`` is what the head tells of the request's body, where all tell the same; ``findings`` are to be noted.
    """

    environment: EnvironmentRow
    content: Content | None
    method: str
    path: str
    query: str
    status: int
    mock_id: str
    response_headers: RawHeaders
    response_body: Captured | None
    findings: tuple[str, ...]
    draws: tuple[Draw, ...]
    occurrence: int
    layer: str


class Clerk:
    """Writes exchanges down: masks credentials, gives ids in the order of appending."""

    __slots__ = ("_clock", "_keeping", "_new_id", "_note", "_record")

    def __init__(
        self,
        recorder: Recorder,
        presence: Presence,
        new_id: Callable[[str], str],
        clock: Callable[[], int],
        captured_bytes_max: int,
    ) -> None:
        self._record = recorder.record
        self._note = presence.note
        self._new_id = new_id
        self._clock = clock
        self._keeping = Keeping(captured_bytes_max)

    def record(
        self,
        intake: Intake,
        timing: Timing,
        outcome: ExchangeOutcome,
        status: int,
        response_headers: RawHeaders,
        request_body: Captured | None,
        response_body: Captured | None,
        mock_id: str = "",
        findings: tuple[str, ...] = (),
    ) -> None:
        """Append the exchange as it stands now. In ``response_headers`` credentials are masked already."""
        self.append(
            intake,
            timing.started_at_ms,
            self.passed_ms(timing.started_at_ms),
            outcome,
            status,
            response_headers,
            request_body,
            response_body,
            mock_id,
            intake.findings + findings if findings else intake.findings,
            timing.phases(),
        )

    def passed_ms(self, started_at_ms: int) -> int:
        """How long ago that was; never negative, since a clock may be set back."""
        return max(0, self._clock() - started_at_ms)

    def append(
        self,
        intake: Intake,
        started_at_ms: int,
        duration_ms: int,
        outcome: ExchangeOutcome,
        status: int,
        response_headers: RawHeaders,
        request_body: Captured | None,
        response_body: Captured | None,
        mock_id: str,
        findings: tuple[str, ...],
        phases: Phases,
    ) -> None:
        """Append an exchange of which all is known."""
        request, environment, session = intake.request, intake.environment, intake.session
        if findings and intake.session_id:
            self._note(intake.session_id, findings)
        query, redaction = intake.query, environment.redaction
        if redaction is not None:
            query, response_headers = redaction.query(query), redaction.headers(response_headers)
        # A tuple by position (the order is that of `Exchange`), past the constructor: this is done for every request.
        self._record(
            _new(
                Exchange,
                (
                    self._new_id("log_"),
                    environment.project_id,
                    environment.id,
                    intake.session_key,
                    intake.session_id,
                    request.method,
                    intake.path,
                    query,
                    status,
                    started_at_ms,
                    duration_ms,
                    mock_id,
                    _masked_headers(request, redaction),
                    response_headers,
                    request_body,
                    response_body,
                    findings,
                    intake.draws,
                    intake.occurrence,
                    outcome,
                    intake.layer if mock_id else "",
                    0 if session is None else session.revision,
                    phases,
                    0,
                ),
            )
        )

    def entry(
        self, intake: Intake, status: int, response_headers: RawHeaders, response_body: Captured | None, mock_id: str
    ) -> Entry:
        """What `append` would put on record of a mock's answer to a request, and of all like it."""
        request, environment = intake.request, intake.environment
        query, redaction = intake.query, environment.redaction
        if redaction is not None:
            query, response_headers = redaction.query(query), redaction.headers(response_headers)
        return Entry(
            environment,
            content_of(request.headers) if request.has_body and request.differs.isdisjoint(_OF_CONTENT) else None,
            request.method,
            intake.path,
            query,
            status,
            mock_id,
            response_headers,
            response_body,
            intake.findings,
            intake.draws,
            intake.occurrence,
            intake.layer if mock_id else "",
        )

    def append_again(
        self, entry: Entry, whose: Whose, request: ClientRequest, started_at_ms: int, phases: Phases
    ) -> None:
        """As `append`, for a request alike that was answered at once."""
        # In one go, each way: a tuple that is put together of tuples takes longer.
        (
            environment,
            content,
            method,
            path,
            query,
            status,
            mock_id,
            response_headers,
            response_body,
            findings,
            draws,
            occurrence,
            layer,
        ) = entry
        session_key, session_id, session_revision = whose
        if findings and session_id:
            self._note(session_id, findings)
        redaction, body = environment.redaction, None
        headers = _masked_headers(request, redaction) if redaction or request.has_secrets else request.headers
        if request.has_body:
            body = self.capture(request.body, content or content_of(request.headers), environment)
        self._record(
            _new(
                Exchange,
                (
                    self._new_id("log_"),
                    environment.project_id,
                    environment.id,
                    session_key,
                    session_id,
                    method,
                    path,
                    query,
                    status,
                    started_at_ms,
                    0,
                    mock_id,
                    headers,
                    response_headers,
                    body,
                    response_body,
                    findings,
                    draws,
                    occurrence,
                    _MOCKED,
                    layer,
                    session_revision,
                    phases,
                    0,
                ),
            )
        )

    def pending(
        self, intake: Intake, timing: Timing, request_body: Captured | None, findings: tuple[str, ...]
    ) -> "Pending":
        """What is known of an exchange whose answer takes its time."""
        return Pending(self, intake, timing, request_body, findings)

    def body_of(self, intake: Intake) -> Captured | None:
        """What is kept of the body of a request, or of what is here of it."""
        request = intake.request
        return self.capture(request.body, content_of(request.headers), intake.environment) if request.body else None

    def capture(self, body: bytes, content: Content, environment: EnvironmentRow) -> Captured | None:
        """What is kept of a whole body in an environment."""
        return capture(body, content, self._keeping_in(environment))

    def begin_capture(
        self, content: Content, environment: EnvironmentRow, data: bytes = b"", room: HeldBodies | None = None
    ) -> Capture:
        """The same for a body that streams by, and begins with these bytes. ``room`` as of a `Capture`."""
        return Capture(content, self._keeping_in(environment), data, room)

    def _keeping_in(self, environment: EnvironmentRow) -> Keeping:
        redaction, bytes_max = environment.redaction, environment.captured_bytes_max
        if bytes_max is None and (redaction is None or redaction.bodies is None):
            return self._keeping
        server_max = self._keeping.bytes_max
        return Keeping(
            server_max if bytes_max is None else min(bytes_max, server_max), redaction.bodies if redaction else None
        )


def _masked_headers(request: ClientRequest, redaction: Redaction | None) -> RawHeaders:
    """The headers of a request as they go on record: left with it, since it may come again."""
    if redaction is None and not request.has_secrets:
        return request.headers
    masked = request.masked
    if masked is None or request.masked_by is not redaction:
        masked = redact(request.headers) if redaction is None else redaction.headers(request.headers)
        request.masked, request.masked_by = masked, redaction
    return masked


class Pending:
    """An exchange whose answer, a mock's, is on its way: what is known of it, until all is and it is put on record."""

    __slots__ = ("_request_body", "_timing", "clerk", "findings", "intake")

    def __init__(
        self,
        clerk: Clerk,
        intake: Intake,
        timing: Timing,
        request_body: Captured | None,
        findings: tuple[str, ...],
    ) -> None:
        self.clerk = clerk
        self.intake = intake
        self.findings = findings
        """What was odd since the request was judged."""
        self._timing = timing
        self._request_body = request_body

    def record(
        self, outcome: ExchangeOutcome, status: int, headers: RawHeaders, body: Captured | None, *findings: str
    ) -> None:
        """Append the exchange as it stands now. In ``headers``, those of the answer, credentials are masked already."""
        mock = self.intake.mock
        self.clerk.record(
            self.intake,
            self._timing,
            outcome,
            status,
            headers,
            self._request_body,
            body,
            mock.id if mock else "",
            self.findings + findings,
        )
