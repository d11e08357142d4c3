"""Bytes that are let out so many a second, in pieces: a slow connection, made on purpose."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

PIECE_SECONDS: Final = 0.05
"""Pieces leave no closer to each other than this, unless a byte alone takes less."""


class Throttle:
    """Lets out what is put in. ``let_out`` gets the pieces in order, and with the last one ``True``.

    A piece leaves when it would have arrived, so that a body takes its length by the rate, whatever the timer is late.
    Nothing is saved up while there is nothing to let out, or while it is on `hold`.
    """

    __slots__ = (
        "_bytes_per_second",
        "_is_held",
        "_let_out",
        "_loop",
        "_mark",
        "_pieces",
        "_sent",
        "_timer",
        "_whole",
        "waiting",
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop, bytes_per_second: int, let_out: Callable[[bytes, bool], None]
    ) -> None:
        self._loop = loop
        self._bytes_per_second = bytes_per_second
        self._let_out = let_out
        self._pieces: deque[memoryview] = deque()
        self._mark = 0.0
        """When the time began to run that what was sent since then is measured by."""
        self._sent = 0
        self._is_held = False
        self._whole = False
        """True when nothing more will be put in."""
        self._timer: asyncio.TimerHandle | None = None
        self.waiting = 0
        """How many bytes are in it."""

    def put(self, data: bytes, *, last: bool = False) -> None:
        """Take bytes, or with ``last`` the last ones, which may be none."""
        if data:
            self._pieces.append(memoryview(data))
            self.waiting += len(data)
        self._whole = self._whole or last
        if self._timer is None and not self._is_held:
            self._begin()

    def hold(self) -> None:
        """Let nothing out: whoever gets it cannot take it now."""
        self._is_held = True
        self._cancel()

    def go_on(self) -> None:
        """Let out again, in time that begins now."""
        if self._is_held:
            self._is_held = False
            self._begin()

    def stop(self) -> None:
        """Let nothing out any more."""
        self.hold()
        self._pieces.clear()
        self.waiting = 0

    def _begin(self) -> None:
        if self.waiting or self._whole:
            self._mark, self._sent = self._loop.time(), 0
            self._wait()

    def _wait(self) -> None:
        """Come again when the next piece has arrived."""
        rate = self._bytes_per_second
        piece = min(self.waiting, max(1, int(rate * PIECE_SECONDS)))
        self._timer = self._loop.call_at(self._mark + (self._sent + piece) / rate, self._release)

    def _release(self) -> None:
        self._timer = None
        arrived = round((self._loop.time() - self._mark) * self._bytes_per_second) - self._sent
        data = self._take(min(self.waiting, max(1, arrived)))
        self._sent += len(data)
        last = self._whole and not self.waiting
        self._let_out(data, last)
        # Whoever got it may have put it on hold, or put more in.
        if self.waiting and not self._is_held and self._timer is None:
            self._wait()

    def _take(self, size: int) -> bytes:
        taken = []
        self.waiting -= size
        while size:
            first = self._pieces.popleft()
            if len(first) > size:
                self._pieces.appendleft(first[size:])
                first = first[:size]
            taken.append(first)
            size -= len(first)
        return b"".join(taken)

    def _cancel(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
