"""Bells that ring for whoever entered them."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

AT_ONCE: Final = 20
"""So many bells ring in one round of the event loop: whoever wakes takes a fraction of a millisecond of it."""


class RungBell:
    """Fills ``app.ports.Bell``. To be rung on the event loop. One waits at it at a time."""

    __slots__ = ("_rung",)

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake who waits, or let the next wait return at once."""
        self._rung.set()

    async def wait(self) -> None:
        """Return as soon as it was rung, once for all the times since the last wait returned."""
        await self._rung.wait()
        self._rung.clear()


class Bells:
    """Bells that ring one after the other, at the word of any thread. It costs nothing while nobody listens."""

    def __init__(self) -> None:
        self._bells: set[RungBell] = set()
        self._due: deque[RungBell] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def entered(self) -> Iterator[RungBell]:
        """A bell for as long as the block runs, on the event loop."""
        self._loop, bell = asyncio.get_running_loop(), RungBell()
        self._bells.add(bell)
        try:
            yield bell
        finally:
            self._bells.discard(bell)

    def ring_from_anywhere(self) -> None:
        """Ring all that are entered by the time the event loop comes to it. Called in any thread."""
        if self._bells and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ring)

    def _ring(self) -> None:
        goes_on = bool(self._due)
        # Those that are due already go before all others, and ring for this time too.
        self._due.extend(self._bells.difference(self._due))
        if not goes_on:
            self._ring_some()

    def _ring_some(self) -> None:
        for _ in range(min(AT_ONCE, len(self._due))):
            self._due.popleft().ring()
        if self._due:
            asyncio.get_running_loop().call_soon(self._ring_some)
