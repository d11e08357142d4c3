"""What browsers want to know before a page of another origin may use a door that evaluates flags (CORS).

Any page may ask: what lets it in is the key that it sends, never a cookie. A page may send any header, since any may be
where its environment keeps the session key. Source: the Fetch standard, section 3.2.
"""

import re
from collections.abc import Sequence
from typing import Final

from understudy_gateway.transcoding.responses import Headers

ORIGIN: Final = b"origin"
ASKED_METHOD: Final = b"access-control-request-method"
KEPT_SECONDS: Final = 600
"""How long a browser may go on without asking again."""

_ASKED_HEADERS: Final = b"access-control-request-headers"
_ASKED_PRIVATE: Final = (b"access-control-request-private-network", b"true")
# What is asked for is repeated, so only names of headers are.
_TOKEN: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def readable(*exposed: bytes) -> Headers:
    """What makes an answer one that any page may read, with these of its headers."""
    return [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", b", ".join(exposed))]


def preflight(lines: Headers, methods: bytes, always: Sequence[bytes] = ()) -> Headers:
    """What to answer a page that asks which requests it may send: those of ``methods``, with the headers it asks for.

    ``always``: names that are among those allowed even when they are not asked for.
    """
    known = {name.lower() for name in always}
    asked = [name for name in _asked(lines) if name.lower() not in known]
    answer = [(b"access-control-allow-methods", methods)]
    if always or asked:
        answer.append((b"access-control-allow-headers", b", ".join((*always, *asked))))
    answer.append((b"access-control-max-age", b"%d" % KEPT_SECONDS))
    if _ASKED_PRIVATE in lines:
        # A page on the web asks whether it may reach a private address, which is where a server for tests mostly is.
        answer.append((b"access-control-allow-private-network", b"true"))
    return answer


def _asked(lines: Headers) -> Sequence[bytes]:
    names = (each.strip(b" \t") for name, value in lines if name == _ASKED_HEADERS for each in value.split(b","))
    return [name for name in names if _TOKEN.fullmatch(name)]
