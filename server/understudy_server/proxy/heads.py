"""Heads of requests alike for the upstream: the first is written in full, and the others by what differs in them."""

import re
from copy import copy
from typing import Final

from understudy_server.proxy.forwarding import Upstream, request_head
from understudy_server.proxy.messages import ClientRequest

# No value that was read can have it in it.
_PLACE: Final = b"\0%d\0"
_PLACES: Final = re.compile(rb"\0(\d+)\0")


class Heads:
    """Writes as `forwarding.request_head` does, without changes, for requests alike that have the same ``rest``."""

    __slots__ = ("_numbers", "_pieces", "_stripped", "_upstream")

    def __init__(self) -> None:
        self._upstream: Upstream | None = None
        self._stripped = b""
        self._pieces: list[bytes] = []
        """What stands before, between and behind the values that differ."""
        self._numbers: list[int] = []
        """Which header lines those are of."""

    def write(self, request: ClientRequest, rest: str, upstream: Upstream, stripped: bytes) -> bytes:
        """Write the head of the next one; ``stripped`` as there."""
        if self._upstream is not upstream or self._stripped != stripped:
            self._prepare(request, rest, upstream, stripped)
        pieces, headers = self._pieces, request.headers
        if len(pieces) == 1:
            return pieces[0]
        parts = [pieces[0]]
        for number, piece in zip(self._numbers, pieces[1:], strict=True):
            parts += (headers[number][1], piece)
        return b"".join(parts)

    def _prepare(self, request: ClientRequest, rest: str, upstream: Upstream, stripped: bytes) -> None:
        """Write one with a place in it for each value that may differ. Some lines go no further, with their places."""
        sample = copy(request)
        sample.headers = [
            (name, _PLACE % number if name.lower() in request.differs else value)
            for number, (name, value) in enumerate(request.headers)
        ]
        parts = _PLACES.split(request_head(sample, rest, upstream, stripped=stripped))
        self._pieces, self._numbers = parts[::2], list(map(int, parts[1::2]))
        self._upstream, self._stripped = upstream, stripped
