"""What a browser must hear so that a page of another origin may use the proxy. Source: the Fetch standard, section 3.2.

What the client sent is repeated to it, so only texts of the right form are: a token, an origin without white space.
Nothing else can get into a header line this way.
"""

import re
from functools import lru_cache

from understudy_server.core.exchange import RawHeaders
from understudy_server.core.headers import first, values

SESSION_HEADER = b"x-flowmock-session"
PREFLIGHT_SECONDS = 600
"""How long a browser may go on without asking again."""

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# Visible ASCII but the comma: a scheme, a host and a port, or ``null``, in whatever way a client's platform writes it.
_ORIGIN = re.compile(rb"[!-+\--~]+")
_ASKED_ORIGINS_KEPT = 256


def is_preflight(method: str, headers: RawHeaders) -> bool:
    """Whether a browser asks by this request if it may send another. One of a bad form is an ordinary request."""
    return (
        method == "OPTIONS"
        and _ORIGIN.fullmatch(first(headers, b"origin") or b"") is not None
        and _TOKEN.fullmatch(first(headers, b"access-control-request-method") or b"") is not None
    )


def preflight_headers(headers: RawHeaders, session_header: bytes = SESSION_HEADER) -> RawHeaders:
    """The answer to a preflight (``is_preflight``): yes to what it asks for, and to the session header in any case."""
    asked = [
        name.strip(b" \t") for line in values(headers, b"access-control-request-headers") for name in line.split(b",")
    ]
    allowed = [name for name in asked if _TOKEN.fullmatch(name)]
    if session_header.lower() not in [name.lower() for name in allowed]:
        allowed.append(session_header)
    answer = [
        (b"access-control-allow-origin", first(headers, b"origin") or b""),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-allow-methods", first(headers, b"access-control-request-method") or b""),
        (b"access-control-allow-headers", b", ".join(allowed)),
        (b"access-control-max-age", b"%d" % PREFLIGHT_SECONDS),
        (b"vary", b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
    ]
    if first(headers, b"access-control-request-private-network") == b"true":
        # A page on the web asks whether it may reach a private address, which is where a proxy for tests mostly is.
        answer.append((b"access-control-allow-private-network", b"true"))
    return tuple(answer)


def answer_headers(origin: bytes, own: RawHeaders) -> RawHeaders:
    """What to add to a mocked answer with the headers ``own``, so that a page of ``origin`` may read it.

    Nothing when the mock decides itself (it sets ``access-control-allow-origin``), nor without an origin of the right
    form (empty: the request had none).
    """
    if not origin or first(own, b"access-control-allow-origin") is not None:
        return ()
    return _permission(origin)


@lru_cache(_ASKED_ORIGINS_KEPT)
def _permission(origin: bytes) -> RawHeaders:
    if not _ORIGIN.fullmatch(origin):
        return ()
    return (
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"Origin"),
    )
