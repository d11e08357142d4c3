"""How heads of requests and answers are written anew on the other side: nothing of the connection, all of the message.

Heads are never copied as bytes; they are written from parsed fields, with one framing of our own, so that both sides
agree on where a message ends. Source: RFC 9110, section 7.6.1.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from understudy_server.core.headers import first
from understudy_server.proxy.messages import ClientRequest, Header
from understudy_server.proxy.spellings import Spellings

HOP_BY_HOP: Final = frozenset(
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
"""The names, in lower case, of headers that are about one connection only, or written by ourselves."""

PLAIN: Final = frozenset({b"keep-alive", b"close"})
"""Values of Connection, in lower case, that name no header."""

_HOST, _LENGTH, _DROPPED = 1, 2, 3
# The expectation is met here: the body follows in any case.
_MEANINGS: Final = Spellings(
    {b"host": _HOST, b"content-length": _LENGTH, b"expect": _DROPPED, **dict.fromkeys(HOP_BY_HOP, _DROPPED)}
)
# What nobody can take away by naming it in Connection: without it the message would mean something else.
_NEVER_NAMED: Final = frozenset({b"host", b"content-length"})
_NEVER_TUNNELLED: Final = frozenset({b"h2c", b"h2", b"http/2.0"})


class Origin(NamedTuple):
    """What a connection leads to."""

    tls: bool
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where the real service is. ``authority`` goes into Host; ``base_path`` is without a slash at its end."""

    origin: Origin
    authority: bytes
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
    return Upstream(
        Origin(tls, parts.hostname, port or (443 if tls else 80)), parts.netloc.encode(), parts.path.rstrip("/")
    )


class HeaderChanges(NamedTuple):
    """What is different in the headers of a request that goes on: names in ``removed`` are in lower case.

    ``authority`` goes into Host in place of the upstream's, unless it is empty. Host may be among those that are set,
    but what frames the body, or is about the connection, is not for anybody to change.
    """

    set_headers: tuple[Header, ...] = ()
    removed: frozenset[bytes] = frozenset()
    authority: bytes = b""


UNCHANGED: Final = HeaderChanges()
"""Headers go on as they came."""

_NEVER_SET: Final = HOP_BY_HOP | {b"host", b"content-length", b"expect"}
_TARGET: Final = re.compile(r"\*|/[!-~\x80-\xff]*")


def request_head(
    request: ClientRequest,
    rest: str,
    upstream: Upstream,
    *,
    stripped: bytes = b"",
    upgrade: bool = False,
    changes: HeaderChanges = UNCHANGED,
) -> bytes:
    """Write the head of the request for the upstream, with the empty line: method, target, order and case as they came.

    ``rest`` is the target behind the proxy's own prefix; ``stripped`` the name of a header to leave out, in lower case;
    ``upgrade`` passes the client's offer on.
    """
    # The target `*` is about the service as a whole, and has no place under a path.
    target = rest if rest == "*" else upstream.base_path + rest
    lines = [f"{request.method} {target} HTTP/1.1".encode("latin-1")]
    left_out = named_in_connection(request.connection_values)
    if stripped:
        left_out = left_out | {stripped}
    authority, added = upstream.authority, changes.set_headers
    if changes is not UNCHANGED:
        authority = first(added, b"host") or changes.authority or authority
        added = tuple([header for header in added if header[0].lower() not in _NEVER_SET])
        left_out = left_out | changes.removed | {name.lower() for name, _ in added}
    has_host = False
    for header in request.headers:
        meaning = _MEANINGS[header[0]]
        if not meaning:
            if not left_out or header[0].lower() not in left_out:
                lines.append(b": ".join(header))
        elif meaning == _HOST:
            has_host = True
            lines.append(b"%b: %b" % (header[0], authority))
        elif meaning == _LENGTH:
            # Written anew: leading zeros are an octal number to some.
            lines.append(b"%b: %d" % (header[0], request.length or 0))
    if not has_host:
        lines.insert(1, b"Host: " + authority)
    lines += map(b": ".join, added)
    if request.chunked:
        lines.append(b"Transfer-Encoding: chunked")
    if upgrade:
        lines.append(b"Connection: Upgrade\r\nUpgrade: " + request.upgrade)
    lines.append(b"\r\n")
    return b"\r\n".join(lines)


def is_target(text: str) -> bool:
    """Whether a text can be asked for: nothing in it would end the first line of a request, or a part of it."""
    return _TARGET.fullmatch(text) is not None


def may_tunnel(request: ClientRequest) -> bool:
    """Whether a client's offer to go on with another protocol may be passed on.

    Never HTTP/2: its requests would be neither judged nor recorded. An offer of HTTP/1.0 does not count (RFC 9110,
    section 7.8). Beside a body nobody could tell where that ends and the other protocol begins.
    """
    protocols = {each.strip(b" \t").lower() for each in request.upgrade.split(b",")}
    return not (request.has_body or request.http_1_0 or protocols & _NEVER_TUNNELLED)


def named_in_connection(values: Iterable[bytes]) -> frozenset[bytes]:
    """The names of headers, in lower case, that go no further because Connection names them."""
    named: frozenset[bytes] = frozenset()
    for value in values:
        lower = value.lower()
        if lower not in PLAIN:
            named |= {token.strip(b" \t") for token in lower.split(b",")}
    return named - _NEVER_NAMED if named else named


def chunk(data: bytes) -> bytes:
    """Write bytes of a body as one chunk; nothing for no bytes, since an empty chunk would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


LAST_CHUNK: Final = b"0\r\n\r\n"
"""The end of a body in chunks."""
