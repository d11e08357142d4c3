"""When a journal looks for what is older than it is kept."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

from understudy_server.core.errors import StorageFailure
from understudy_server.store.sqlite.timers import CallLater, Timer

SWEEP_SECONDS: Final = 30.0
_log = logging.getLogger(__name__)


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Sweeper:
    """Runs a sweep again and again, from one `start` to one `stop`; one that fails is repeated with the next."""

    def __init__(self, sweep: Callable[[int], Awaitable[None]], clock: Callable[[], int]) -> None:
        self._sweep = sweep
        self._clock = clock
        self._later: CallLater | None = None
        self._timer: Timer | None = None
        self._sweeping: asyncio.Task[None] | None = None

    def start(self, later: CallLater) -> None:
        """Sweep in half a minute for the first time."""
        self._later = later
        self._timer = later(SWEEP_SECONDS, self._begin)

    async def stop(self) -> None:
        """Sweep no more, and wait for what is under way."""
        self._later = None
        if self._timer:
            self._timer.cancel()
        if self._sweeping:
            await asyncio.wait([self._sweeping])

    def _begin(self) -> None:
        self._sweeping = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        try:
            await self._sweep(self._clock())
        except StorageFailure as error:
            _log.warning("what is older than it is kept was not removed: %s", error)
        except Exception:  # noqa: BLE001 - whatever it was, what is old must go with the next one
            _log.exception("what is older than it is kept was not removed")
        finally:
            if self._later:
                self.start(self._later)
