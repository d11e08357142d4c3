"""What exchanges weigh: the bytes of what is kept of them, and what keeping them takes beside those."""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from operator import itemgetter
from typing import Final, NamedTuple

from understudy_server.core.exchange import Exchange, RawHeaders


class Upkeep(NamedTuple):
    """What an exchange takes beside its target, headers, draws and bodies, and a line of headers beside its texts."""

    entry_bytes: int
    line_bytes: int


ON_DISK: Final = Upkeep(512, 0)
"""Names, times and lengths, and, where it is alone in its segment, the row and its entries in the indices (measured:
300 to 450 bytes). A line of its headers takes next to nothing."""

IN_MEMORY: Final = Upkeep(1_024, 150)
"""The objects that hold it (measured: 800 to 1200 bytes); of a line a pair and two texts (measured: 130 to 150)."""

_NOWHERE: Final[RawHeaders] = ()
_flat: Final = chain.from_iterable
_path: Final[Callable[[Exchange], str]] = itemgetter(6)
_query: Final[Callable[[Exchange], str]] = itemgetter(7)
_request_headers: Final[Callable[[Exchange], RawHeaders]] = itemgetter(12)
_response_headers: Final[Callable[[Exchange], RawHeaders]] = itemgetter(13)
_draws: Final[Callable[[Exchange], tuple[tuple[str, str], ...]]] = itemgetter(17)


def weigh(exchanges: Iterable[Exchange], upkeep: Upkeep) -> list[int]:
    """The bytes of each: of its target, headers, draws and captured bodies, and its upkeep.

    Requests that are alike come one after the other and share their headers: those are weighed once, and count for
    each.
    """
    entry_bytes, line_bytes = upkeep
    request_headers = response_headers = _NOWHERE
    request_bytes = entry_bytes
    response_bytes = 0
    sizes: list[int] = []
    # Fields by number, and all in one loop: this runs for every request.
    for exchange in exchanges:
        if exchange[12] is not request_headers:
            request_headers = exchange[12]
            # Joined to be counted: that takes no step of Python's.
            request_bytes = len(b"".join(chain.from_iterable(request_headers)))
            request_bytes += entry_bytes + line_bytes * len(request_headers)
        if exchange[13] is not response_headers:
            response_headers = exchange[13]
            response_bytes = len(b"".join(chain.from_iterable(response_headers))) + line_bytes * len(response_headers)
        size = request_bytes + response_bytes + len(exchange[6]) + len(exchange[7])
        if exchange[14] is not None:
            size += len(exchange[14][0])
        if exchange[15] is not None:
            size += len(exchange[15][0])
        if exchange[17]:
            size += sum([len(name) + len(value) for name, value in exchange[17]])
        sizes.append(size)
    return sizes


def beside_bodies(exchanges: Sequence[Exchange]) -> int:
    """What exchanges take in memory together, but for their bodies. Headers that several share count once."""
    # Nothing of Python's for each of them: this runs at the pace of requests.
    shared = [*map(_request_headers, exchanges), *map(_response_headers, exchanges)]
    headers = dict(zip(map(id, shared), shared, strict=True)).values()
    size = sum(map(len, map(_path, exchanges))) + sum(map(len, map(_query, exchanges)))
    size += sum(map(len, _flat(_flat(map(_draws, exchanges)))))
    size += sum(map(len, map(b"".join, map(_flat, headers))))
    return size + IN_MEMORY.entry_bytes * len(exchanges) + IN_MEMORY.line_bytes * sum(map(len, headers))
