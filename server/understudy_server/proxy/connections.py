"""All connections that clients have open, over all listeners of a proxy."""

import asyncio
from typing import Protocol


class Open(Protocol):
    """An open connection, as whoever stops the proxy sees it."""

    def finish(self) -> None:
        """Let the request in hand be the last; end at once when there is none."""

    def abort(self) -> None:
        """End now, whatever runs."""


class Connections:
    """All open connections of a proxy, over all its listeners."""

    def __init__(self) -> None:
        self.all: set[Open] = set()
        self.closed = False
        """True when no more may enter: a handshake that was under way may end only then."""
        self._empty: asyncio.Future[None] | None = None

    def enter(self, connection: Open) -> None:
        """It is open from now on."""
        self.all.add(connection)

    def leave(self, connection: Open) -> None:
        """It is gone."""
        self.all.discard(connection)
        if not self.all and self._empty and not self._empty.done():
            self._empty.set_result(None)

    async def all_gone(self, timeout_seconds: float | None) -> None:
        """Return when none is left, or when the time is over."""
        if self.all:
            self._empty = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._empty], timeout=timeout_seconds)
