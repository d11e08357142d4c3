"""What exchanges weigh: the bytes that count against a quota, beside what each takes whatever is in it."""

from itertools import chain
from typing import Final

from understudy_server.core.exchange import Exchange, RawHeaders

_NOWHERE: Final[RawHeaders] = ()


class Scales:
    """Weighs exchanges: bytes of targets, headers, draws and captured bodies.

    Requests that are alike come one after the other and share their headers: those are weighed once.
    """

    __slots__ = ("_request_bytes", "_request_headers", "_response_bytes", "_response_headers")

    def __init__(self) -> None:
        self._request_headers = self._response_headers = _NOWHERE
        self._request_bytes = self._response_bytes = 0

    def weigh(self, exchange: Exchange) -> int:
        """The bytes of an exchange."""
        # Fields by number: this runs for every request.
        if exchange[12] is not self._request_headers:
            self._request_headers = exchange[12]
            self._request_bytes = _headers_bytes(exchange[12])
        if exchange[13] is not self._response_headers:
            self._response_headers = exchange[13]
            self._response_bytes = _headers_bytes(exchange[13])
        size = self._request_bytes + self._response_bytes + len(exchange[6]) + len(exchange[7])
        if exchange[14] is not None:
            size += len(exchange[14][0])
        if exchange[15] is not None:
            size += len(exchange[15][0])
        if exchange[17]:
            size += sum([len(name) + len(value) for name, value in exchange[17]])
        return size


def _headers_bytes(headers: RawHeaders) -> int:
    # Joined to be counted: that takes no step of Python's.
    return len(b"".join(chain.from_iterable(headers)))
