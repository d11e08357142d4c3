"""Every limit of the proxy, named with its unit."""

import ssl
from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxySettings:
    """How the proxy behaves. The defaults suit tests of web applications."""

    session_header: str = "x-flowmock-session"
    """The header that carries the session key, in any case."""

    target_bytes_max: int = 8 * KIB
    """A longer request target gets 414."""

    head_bytes_max: int = 64 * KIB
    """Longer headers, all together, get 431."""

    headers_max: int = 100
    """More header lines get 431."""

    request_body_bytes_max: int = 16 * MIB
    """A longer request body gets 413. Bodies are held in memory."""

    response_body_bytes_max: int = 64 * MIB
    """A longer body from the upstream becomes 502. Bodies are held in memory."""

    captured_bytes_max: int = 256 * KIB
    """How much of each body the journal keeps."""

    pipelined_max: int = 16
    """So many requests may wait behind the one in hand before no more is read from the connection."""

    upstream_timeout_seconds: float = 30
    """The upstream must have sent its head by then, and later never be silent for so long. Else 504."""

    upstream_tls: ssl.SSLContext | None = None
    """How certificates of upstreams are checked. ``None``: against what the system trusts."""

    linger_seconds: float = 1
    """How long a refused client may go on sending before the connection is cut, so that it gets to read the refusal."""

    stop_grace_seconds: float = 5
    """How long a stop waits for the requests in hand."""
