"""The request of an exchange on record, as far as it was kept: as whoever explains takes it."""

from understudy_server.app.call import Place
from understudy_server.core.carriers import CARRIERS_DISAGREE, SESSION_HEADER_REPEATED, FoundKey
from understudy_server.core.exchange import Captured, Exchange, RawHeaders
from understudy_server.core.explanation import Subject
from understudy_server.core.redaction import MARKER


def subject_of(place: Place, exchange: Exchange) -> Subject:
    """The request of an exchange, with the session key that was found then."""
    body = exchange.request_body
    findings = tuple([each for each in exchange.findings if each in (SESSION_HEADER_REPEATED, CARRIERS_DISAGREE)])
    return Subject(
        project=place.project,
        environment=place.environment,
        method=exchange.method,
        target=exchange.target,
        headers=exchange.request_headers,
        body=b"" if body is None else _kept(body),
        body_bytes=0 if body is None else body.size_bytes,
        known_key=FoundKey(exchange.session_key, findings),
    )


def is_masked(exchange: Exchange) -> bool:
    """Whether a criterion may meet a mark in place of a value."""
    body = exchange.request_body
    in_headers: RawHeaders = [each for each in exchange.request_headers if MARKER in each[1]]
    return bool(in_headers) or MARKER.decode() in exchange.query or bool(body is not None and body.redacted)


def _kept(body: Captured) -> bytes | None:
    return None if body.truncated or body.sha256 else body.content
