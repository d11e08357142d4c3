"""Deadlines of many things with one timer.

A deadline is an attribute: setting it costs nothing, which matters where it is set for every request. In return one is
noticed up to two ticks late. It is never early.
"""

import asyncio
import logging
import math
from typing import Final, Protocol

NEVER: Final = math.inf
_log = logging.getLogger(__name__)


class Watched(Protocol):
    """Something with a deadline."""

    deadline: float
    """In the time of `Watch.now`; ``NEVER`` for none."""

    def overdue(self) -> None:
        """The deadline has passed. It must be moved, or the thing taken off the watch."""


class Watch:
    """Looks at all that is on it, every tick, as long as there is something on it."""

    __slots__ = ("_loop", "_things", "_tick_seconds", "_timer", "_turn", "_turn_ends", "now")

    def __init__(self, loop: asyncio.AbstractEventLoop, tick_seconds: float) -> None:
        self._loop = loop
        self._tick_seconds = tick_seconds
        self._things: set[Watched] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._turn = 0
        self._turn_ends = False
        self.now = loop.time() + tick_seconds
        """The loop's time at the next tick: what deadlines are set from, so that none is early, and free to read."""

    def add(self, thing: Watched) -> None:
        """Look at it from now on."""
        if self._timer is None:
            self.now = self._loop.time() + self._tick_seconds
            self._timer = self._loop.call_later(self._tick_seconds, self._look)
        self._things.add(thing)

    def discard(self, thing: Watched) -> None:
        """Look at it no more."""
        self._things.discard(thing)

    def turn(self) -> int:
        """A number that stays until the event loop next looks for what has come in."""
        if not self._turn_ends:
            self._turn_ends = True
            self._loop.call_soon(self._end_turn)
        return self._turn

    def _end_turn(self) -> None:
        self._turn += 1
        self._turn_ends = False

    def _look(self) -> None:
        now = self._loop.time()
        self.now = now + self._tick_seconds
        for thing in [each for each in self._things if each.deadline <= now]:
            # One that came to its end through another's is gone from the watch.
            if thing in self._things:
                _tell(thing)
        self._timer = self._loop.call_later(self._tick_seconds, self._look) if self._things else None


def _tell(thing: Watched) -> None:
    try:
        thing.overdue()
    # The others have deadlines, too.
    except Exception:  # noqa: BLE001
        thing.deadline = NEVER
        _log.exception("What was overdue could not be ended")
