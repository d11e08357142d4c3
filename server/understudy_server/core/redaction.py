"""What never reaches the journal. Only the stored copy is masked, never the traffic."""

from understudy_server.core.exchange import RawHeaders

MARKER = b"[redacted]"

SECRET_HEADERS = frozenset({b"authorization", b"proxy-authorization", b"cookie", b"set-cookie", b"x-api-key"})
"""The names of the headers that hold credentials, in lower case."""

# Most names are told apart by their length, without making a copy in lower case.
_SECRET_LENGTHS = frozenset(map(len, SECRET_HEADERS))


def redact(headers: RawHeaders) -> RawHeaders:
    """Return the headers in order, with the values of credentials replaced by a fixed marker.

    Without credentials it is the same object that came in. Names count in any case.
    """
    for name, _ in headers:
        if len(name) in _SECRET_LENGTHS and name.lower() in SECRET_HEADERS:
            return tuple([(each, MARKER if each.lower() in SECRET_HEADERS else value) for each, value in headers])
    return headers
