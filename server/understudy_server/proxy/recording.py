"""How an exchange reaches the journal."""

from collections.abc import Callable
from typing import Protocol

from understudy_server.core.exchange import Captured, Exchange, RawHeaders
from understudy_server.core.redaction import redact
from understudy_server.proxy.capturing import capture, content_of
from understudy_server.proxy.judging import Intake

_new = tuple.__new__


class Recorder(Protocol):
    """The journal, as the proxy sees it."""

    def record(self, exchange: Exchange) -> None:
        """Append an exchange. Called before the last byte of the answer is written; must not block."""


class Presence(Protocol):
    """Where it is kept when a session was last seen."""

    def touch(self, session_id: str, now_ms: int) -> None:
        """Note that a request found the session (milliseconds since 1970). Must not block."""


class Clerk:
    """Writes exchanges down: masks credentials, gives ids in the order of appending."""

    __slots__ = ("_clock", "_new_id", "_record", "captured_bytes_max")

    def __init__(
        self,
        recorder: Recorder,
        new_id: Callable[[str], str],
        clock: Callable[[], int],
        captured_bytes_max: int,
    ) -> None:
        self._record = recorder.record
        self._new_id = new_id
        self._clock = clock
        self.captured_bytes_max = captured_bytes_max

    def record(
        self,
        intake: Intake,
        started_at_ms: int,
        status: int,
        response_headers: RawHeaders,
        request_body: Captured | None,
        response_body: Captured | None,
        mock_id: str = "",
        findings: tuple[str, ...] = (),
    ) -> None:
        """Append the exchange as it stands now. ``response_headers`` are masked already."""
        self.append(
            intake,
            started_at_ms,
            self.passed_ms(started_at_ms),
            status,
            response_headers,
            request_body,
            response_body,
            mock_id,
            intake.findings + findings,
        )

    def passed_ms(self, started_at_ms: int) -> int:
        """How long ago that was; never negative, since a clock may be set back."""
        return max(0, self._clock() - started_at_ms)

    def append(
        self,
        intake: Intake,
        started_at_ms: int,
        duration_ms: int,
        status: int,
        response_headers: RawHeaders,
        request_body: Captured | None,
        response_body: Captured | None,
        mock_id: str,
        findings: tuple[str, ...],
    ) -> None:
        """Append an exchange of which all is known."""
        request, environment = intake.request, intake.environment
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
                    intake.query,
                    status,
                    started_at_ms,
                    duration_ms,
                    mock_id,
                    redact(request.headers) if request.has_secrets else request.headers,
                    response_headers,
                    request_body,
                    response_body,
                    findings,
                ),
            )
        )

    def body_of(self, intake: Intake) -> Captured | None:
        """What is kept of the body of a request, or of what is here of it."""
        request = intake.request
        return self.capture(request.body, request.headers) if request.body else None

    def capture(self, body: bytes, headers: RawHeaders) -> Captured | None:
        """What is kept of a whole body, described by these headers."""
        return capture(body, *content_of(headers), self.captured_bytes_max)
