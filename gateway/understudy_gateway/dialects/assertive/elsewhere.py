"""Calls that a browser makes for a page of another site: nobody there may change what is mocked here.

The door takes no key, and a browser sends to it whatever page it shows: without asking first, as long as it is a plain
request. It says who asks, though, in headers that a page cannot write.
"""

from typing import Final

from understudy_gateway.transcoding.responses import Headers
from understudy_gateway.wire import pick_headers

_HOST, _ORIGIN = b"host", b"origin"
_SITE, _MODE = b"sec-fetch-site", b"sec-fetch-mode"
_USUAL_PORTS: Final = {b"http": b":80", b"https": b":443"}


def is_from_elsewhere(method: str, headers: Headers) -> bool:
    """Tell whether a call is one of a page that does not come from here.

    To follow a link to one of our pages is none: nothing is changed, and the other site does not see what is shown.
    """
    found = pick_headers(headers, (_HOST, _ORIGIN, _SITE, _MODE))
    if method == "GET" and found.get(_MODE) == b"navigate":
        return False
    if found.get(_SITE) == b"cross-site":
        return True
    origin = found.get(_ORIGIN)
    return origin is not None and not _is_of(found.get(_HOST, b""), origin)


def _is_of(host: bytes, origin: bytes) -> bool:
    scheme, _, authority = origin.lower().partition(b"://")
    port = _USUAL_PORTS.get(scheme)
    if port is None:
        # `null` among them, which any page can make its origin.
        return False
    return authority.removesuffix(port) == host.lower().removesuffix(port)
