"""Answers as bytes."""

import json
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from understudy_server.core.responding.plan import AnswerPlan, plan
from understudy_server.core.responding.response import BodyKind, with_default_type
from understudy_server.proxy.messages import RawHeaders, Refused

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

# The names of RFC 9110, which Python has had for all of them since 3.13 only.
_RENAMED = {
    413: b"Content Too Large",
    414: b"URI Too Long",
    416: b"Range Not Satisfiable",
    422: b"Unprocessable Content",
}
_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus} | _RENAMED


def raw_headers(answer: AnswerPlan) -> RawHeaders:
    """The header lines of a planned answer."""
    return tuple([(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers])


def with_date(headers: RawHeaders, now_ms: int) -> RawHeaders:
    """Add the date that every answer of an origin carries, unless it is there."""
    if any(name.lower() == b"date" for name, _ in headers):
        return headers
    return (*headers, (b"date", _date(now_ms // 1000)))


@lru_cache(maxsize=2)
def _date(now_seconds: int) -> bytes:
    return formatdate(now_seconds, usegmt=True).encode()


def answer_bytes(status: int, headers: RawHeaders, body: bytes, reason: bytes | None = None) -> bytes:
    """Write a final answer. Without a reason the usual one of the status is taken, or none."""
    phrase = _REASONS.get(status, b"") if reason is None else reason
    lines = [b"HTTP/1.1 %d %b" % (status, phrase), *[b"%b: %b" % header for header in headers]]
    return b"\r\n".join([*lines, b"", body])


def connection_headers(*, http_1_0: bool, keep_alive: bool) -> RawHeaders:
    """What has to be said about the connection: its end, or to an old client that it stays."""
    if not keep_alive:
        return ((b"connection", b"close"),)
    return ((b"connection", b"keep-alive"),) if http_1_0 else ()


def refusal_plan(refused: Refused, method: str) -> AnswerPlan:
    """The error envelope of a refusal, as an answer to a request of this method."""
    body = json.dumps(
        {"error": refused.message, "code": refused.code}, ensure_ascii=False, separators=(",", ":")
    ).encode()
    return plan(with_default_type(refused.status, (), body, BodyKind.JSON), method)
