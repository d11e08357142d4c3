"""What exchanges weigh: the bytes that count against a quota, beside what each takes whatever is in it."""

from collections.abc import Iterable
from itertools import chain
from typing import Final

from understudy_server.core.exchange import Exchange, RawHeaders

_NOWHERE: Final[RawHeaders] = ()


def weigh(exchanges: Iterable[Exchange]) -> list[int]:
    """The bytes of each: of its target, headers, draws and captured bodies.

    Requests that are alike come one after the other and share their headers: those are weighed once.
    """
    request_headers = response_headers = _NOWHERE
    request_bytes = response_bytes = 0
    sizes: list[int] = []
    # Fields by number, and all in one loop: this runs for every request.
    for exchange in exchanges:
        if exchange[12] is not request_headers:
            request_headers = exchange[12]
            # Joined to be counted: that takes no step of Python's.
            request_bytes = len(b"".join(chain.from_iterable(request_headers)))
        if exchange[13] is not response_headers:
            response_headers = exchange[13]
            response_bytes = len(b"".join(chain.from_iterable(response_headers)))
        size = request_bytes + response_bytes + len(exchange[6]) + len(exchange[7])
        if exchange[14] is not None:
            size += len(exchange[14][0])
        if exchange[15] is not None:
            size += len(exchange[15][0])
        if exchange[17]:
            size += sum([len(name) + len(value) for name, value in exchange[17]])
        sizes.append(size)
    return sizes
