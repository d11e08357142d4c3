"""How late the event loop is: a timer that should have come by now, again and again."""

import asyncio
from collections.abc import Callable
from typing import Final

from understudy_server.telemetry.histogram import Counts, Histogram

INTERVAL_SECONDS: Final = 0.1
_BOUNDS: Final = (0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class LoopLag:
    """Measures from `start` to `stop`. ``call_later`` and ``now`` (seconds) are those of the event loop."""

    def __init__(
        self, call_later: Callable[[float, Callable[[], None]], asyncio.TimerHandle], now: Callable[[], float]
    ) -> None:
        self._call_later = call_later
        self._now = now
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._late = Histogram(_BOUNDS)

    def start(self) -> None:
        """Begin to measure."""
        self._due = self._now() + INTERVAL_SECONDS
        self._timer = self._call_later(INTERVAL_SECONDS, self._look)

    def stop(self) -> None:
        """Measure no more."""
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def counts(self) -> Counts:
        """How late it was, in seconds."""
        return self._late.counts()

    def _look(self) -> None:
        # Loops keep time in whole milliseconds, and may be early by a part of one.
        self._late.add([max(0.0, self._now() - self._due)])
        self.start()
