"""How an exchange reaches the journal."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from understudy_server.core.exchange import Exchange
from understudy_server.core.redaction import redact
from understudy_server.proxy.capturing import capture
from understudy_server.proxy.judging import Intake
from understudy_server.proxy.messages import RawHeaders, text_of


class Recorder(Protocol):
    """The journal, as the proxy sees it."""

    def record(self, exchange: Exchange) -> None:
        """Append an exchange. Called before the last byte of the answer is written; must not block."""


class Presence(Protocol):
    """Where it is kept when a session was last seen."""

    def touch(self, session_id: str, now_ms: int) -> None:
        """Note that a request found the session (milliseconds since 1970). Must not block."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was answered. ``mock_id`` is empty when no mock did."""

    status: int
    headers: RawHeaders = ()
    body: bytes = b""
    mock_id: str = ""


@dataclass(frozen=True, slots=True)
class Clerk:
    """Writes exchanges down: captures bodies, masks credentials, gives ids in the order of appending."""

    recorder: Recorder
    new_id: Callable[[str], str]
    clock: Callable[[], int]
    captured_bytes_max: int

    def record(self, intake: Intake, outcome: Outcome) -> None:
        """Append the exchange as it stands now."""
        request = intake.request
        self.recorder.record(
            Exchange(
                id=self.new_id("log_"),
                project_id=intake.environment.project_id,
                environment_id=intake.environment.id,
                session_key=intake.session_key,
                session_id=intake.session_id,
                method=request.method,
                path=intake.target.path,
                query=intake.target.query or "",
                status=outcome.status,
                started_at_ms=intake.started_at_ms,
                # A clock that is set back must not make an answer arrive before its question.
                duration_ms=max(0, self.clock() - intake.started_at_ms),
                mock_id=outcome.mock_id,
                request_headers=_stored(request.headers),
                response_headers=_stored(outcome.headers),
                request_body=capture(request.body, request.headers, self.captured_bytes_max),
                response_body=capture(outcome.body, outcome.headers, self.captured_bytes_max),
            )
        )


def _stored(headers: RawHeaders) -> tuple[tuple[str, str], ...]:
    return redact([(text_of(name), text_of(value)) for name, value in headers])
