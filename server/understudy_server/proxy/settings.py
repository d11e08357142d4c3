"""Every limit of the proxy, named with its unit."""

import ssl
from dataclasses import dataclass, field

from understudy_server.core.allow_list import AllowList

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxySettings:
    """How the proxy behaves. The defaults suit tests of web applications."""

    session_header: str = "x-flowmock-session"
    """The header that carries the session key, in any case."""

    # What one request may be.

    target_bytes_max: int = 8 * KIB
    """A longer request target gets 414."""

    head_bytes_max: int = 64 * KIB
    """Longer headers, all together, get 431; in an answer of the upstream they make it 502."""

    headers_max: int = 100
    """More header lines get 431."""

    request_body_bytes_max: int = 1024 * MIB
    """A longer request body gets 413. Bodies are passed on as they come, so this bounds time and not memory."""

    match_body_bytes_max: int = MIB
    """No criterion holds for a longer request body, and no answer can be made of one. It is held until it is whole."""

    held_bodies_bytes_max: int = 256 * MIB
    """So much is held of bodies while they come, of all requests together, and half of it for the journal alone. With
    no room for it, a request gets 503 if its body has to be waited for, and else less of its body is on record."""

    captured_bytes_max: int = 256 * KIB
    """How much of each body the journal keeps."""

    # What one client may do.

    connections_max: int = 10_000
    """More connections at a time, over all listeners, get 503. TLS handshakes under way do not count."""

    pipelined_max: int = 16
    """So many requests may wait behind the one in hand before no more is read from the connection."""

    idle_seconds: float = 75
    """A connection on which no request is under way is closed after so long."""

    head_seconds: float = 30
    """A request whose head is not whole so long after its first byte gets 408."""

    body_seconds: float = 30
    """A request of whose body nothing came for so long gets 408."""

    write_seconds: float = 60
    """A client that takes nothing of its answer for so long is cut off, however long the answer takes in all."""

    linger_seconds: float = 1
    """How long a refused client may go on sending before the connection is cut, so that it gets to read the refusal."""

    stream_seconds: float = 3_600
    """A mock's stream of events that has no end of its own is ended after so long."""

    stop_grace_seconds: float = 5
    """How long a stop waits for the requests in hand."""

    # What an upstream may do.

    connect_seconds: float = 10
    """The connection to the upstream, with its TLS handshake, must stand by then. Else 504."""

    first_byte_seconds: float = 30
    """The head of the upstream's answer must be here so long after the last byte of the request. Else 504."""

    upstream_idle_seconds: float = 300
    """An upstream that falls silent for so long in the middle of its answer is given up, and the client cut off."""

    tunnel_idle_seconds: float = 3_600
    """A tunnel (WebSocket) through which nothing goes for so long is cut."""

    upstream_connections_max: int = 1024
    """So many connections to one upstream at a time; more requests wait their turn, as long as for a connection."""

    upstream_idle_connections_max: int = 128
    """So many connections to one upstream are kept for later."""

    upstream_keep_seconds: float = 4
    """An unused connection to an upstream is closed after so long: sooner than most servers do it themselves (5 s)."""

    upstream_tls: ssl.SSLContext | None = None
    """How certificates of upstreams are checked. ``None``: against what the system trusts."""

    upstream_allow: AllowList = field(default_factory=lambda: AllowList.parse(""))
    """Which addresses may be connected to."""

    tick_seconds: float = 0.25
    """How often deadlines are looked at: one is noticed at most twice so long too late, and never early."""
