"""A delay that is never too short, however busy the event loop is."""

import asyncio
from collections.abc import Callable
from typing import Final

_NANOSECONDS: Final = 1_000_000_000
# What may be lost where times are floating-point numbers.
_NOTHING: Final = 1_000


class Delay:
    """Calls back once, after so many milliseconds, unless it is cancelled.

    uvloop counts in whole milliseconds: where something else wakes it in time, a timer is up to one too early.
    """

    __slots__ = ("_call", "_ends", "_loop", "_ticks", "_timer")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, ticks: Callable[[], int], milliseconds: int, call: Callable[[], None]
    ) -> None:
        """``ticks`` counts nanoseconds."""
        self._loop = loop
        self._ticks = ticks
        self._call = call
        self._ends = ticks() + milliseconds * 1_000_000
        self._timer = loop.call_later(milliseconds / 1000, self._over)

    def cancel(self) -> None:
        """Do not call."""
        self._timer.cancel()

    def _over(self) -> None:
        left = self._ends - self._ticks()
        if left > _NOTHING:
            self._timer = self._loop.call_later(max(left / _NANOSECONDS, 0.001), self._over)
        else:
            self._call()
