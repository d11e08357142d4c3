"""How requests and answers are written anew on the other side: nothing of the connection, everything of the message.

Heads are never copied as bytes; they are written from parsed fields, with one framing of our own, so that both sides
agree on where a message ends. Source: RFC 9110, section 7.6.1.
"""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from understudy_server.proxy.judging import Intake
from understudy_server.proxy.messages import ClientRequest, RawHeaders, UpstreamAnswer

_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_BODILESS = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where the real service is. ``authority`` goes into Host; ``base_path`` is without a slash at its end."""

    tls: bool
    host: str
    port: int
    authority: str
    base_path: str


@lru_cache(maxsize=1024)
def parse_upstream(url: str) -> Upstream | None:
    """Read a base URL; ``None`` when it is not one (an environment without an upstream has the empty text)."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    tls = parts.scheme == "https"
    return Upstream(tls, parts.hostname, port or (443 if tls else 80), parts.netloc, parts.path.rstrip("/"))


def request_bytes(intake: Intake, upstream: Upstream) -> bytes:
    """Write the request for the upstream: method, path, query, body and the order and case of headers as they came."""
    request, target = intake.request, intake.target
    query = "" if target.query is None else f"?{target.query}"
    line = f"{request.method} {upstream.base_path}{target.path}{query} HTTP/1.1".encode("latin-1")
    return b"\r\n".join([line, *_lines(_request_headers(request, upstream)), b"", request.body])


def _request_headers(request: ClientRequest, upstream: Upstream) -> RawHeaders:
    authority, length = upstream.authority.encode(), b"%d" % len(request.body)
    headers: list[tuple[bytes, bytes]] = []
    written = set()
    for name, value in _end_to_end(request.headers):
        lower = name.lower()
        written.add(lower)
        if lower == b"host":
            headers.append((name, authority))
        elif lower == b"content-length":
            headers.append((name, length))
        elif lower != b"expect":
            # The expectation was met here: the body follows in any case.
            headers.append((name, value))
    if b"host" not in written:
        headers.insert(0, (b"Host", authority))
    if request.body and b"content-length" not in written:
        headers.append((b"Content-Length", length))
    return (*headers, (b"Connection", b"close"))


def answer_headers(method: str, answer: UpstreamAnswer) -> RawHeaders:
    """The headers of the upstream's answer as the client gets them: in order, with the length of what is sent."""
    headers = _end_to_end(answer.headers)
    if method == "HEAD" or answer.status in _BODILESS:
        # There is no body, and a length speaks of the one that GET would have had.
        return headers
    length = b"%d" % len(answer.body)
    if any(name.lower() == b"content-length" for name, _ in headers):
        return tuple([(name, length if name.lower() == b"content-length" else value) for name, value in headers])
    return (*headers, (b"Content-Length", length))


def _end_to_end(headers: RawHeaders) -> RawHeaders:
    dropped = _HOP_BY_HOP | {
        token.strip().lower() for name, value in headers if name.lower() == b"connection" for token in value.split(b",")
    }
    return tuple([(name, value) for name, value in headers if name.lower() not in dropped])


def _lines(headers: RawHeaders) -> list[bytes]:
    return [b"%b: %b" % header for header in headers]
