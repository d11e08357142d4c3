"""Answers as bytes."""

import json
from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache

from understudy_server.core.exchange import RawHeaders
from understudy_server.core.responding.reasons import reason as usual_reason
from understudy_server.proxy.messages import ClientRequest, Refused

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CLOSE = b"connection: close\r\n"
KEEP_ALIVE = b"connection: keep-alive\r\n"
BODILESS = frozenset({204, 304})
"""Statuses of answers that have no body."""


@lru_cache(maxsize=2)
def date_line(now_seconds: int) -> bytes:
    """The header line with the date that every answer of an origin carries (seconds since 1970)."""
    return b"date: %b\r\n" % formatdate(now_seconds, usegmt=True).encode()


def connection_line(request: ClientRequest, *, keep_alive: bool) -> bytes:
    """What has to be said about the connection: its end, or to an old client that it stays."""
    if not keep_alive:
        return CLOSE
    return KEEP_ALIVE if request.http_1_0 else b""


def outlives(request: ClientRequest) -> bool:
    """Whether the connection outlives a request that is answered now: not one whose body is still to come."""
    return request.keep_alive and request.complete


def header_lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Header lines, each with its end."""
    lines = [b": ".join(header) for header in headers]
    if not lines:
        return b""
    lines.append(b"")
    return b"\r\n".join(lines)


@lru_cache(maxsize=1024)
def status_line(status: int, reason: bytes | None = None) -> bytes:
    """The first line. Without a reason the usual one of the status is taken, or none."""
    return b"HTTP/1.1 %d %b\r\n" % (status, usual_reason(status) if reason is None else reason)


def envelope(refused: Refused) -> tuple[bytes, RawHeaders]:
    """The body of a refusal and the headers that describe it."""
    if refused.instead is not None:
        headers, body = refused.instead
        return body, (*headers, (b"content-length", b"%d" % len(body)))
    fields = {"error": refused.message, "code": refused.code}
    body = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    return body, ((b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)))


def last_refusal(refused: Refused, now_seconds: int) -> bytes:
    """A refusal that ends its connection, to bytes that were no request."""
    body, headers = envelope(refused)
    return b"".join([status_line(refused.status), header_lines(headers), date_line(now_seconds), CLOSE, b"\r\n", body])


def own_answer(request: ClientRequest, status: int, headers: RawHeaders, body: bytes, now_seconds: int) -> bytes:
    """An answer of the proxy's own to a request."""
    return b"".join(
        [
            status_line(status),
            header_lines(headers),
            date_line(now_seconds),
            connection_line(request, keep_alive=outlives(request)),
            b"\r\n",
            b"" if request.method == "HEAD" or status in BODILESS else body,
        ]
    )
