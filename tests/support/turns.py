"""An event loop that knows how long it was held at most, by the processor's time of the thread: what other processes
do at the same moment is not in it."""

import time
from asyncio import Handle, TimerHandle
from collections.abc import Callable
from contextvars import Context
from typing import TypeVarTuple

from support.manual_loop import ManualLoop, Wire

_Ts = TypeVarTuple("_Ts")


class TimedLoop(ManualLoop):
    """``longest_seconds`` is that of the longest turn since it was last set to 0."""

    longest_seconds = 0.0

    def deliver(self, wire: Wire, data: bytes) -> None:
        """Bytes arrive, which is a turn of its own."""
        self._timed(wire.deliver, data)

    def call_soon(self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None) -> Handle:
        return super().call_soon(self._timed, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> TimerHandle:
        return super().call_at(when, self._timed, callback, *args, context=context)

    def _timed(self, callback: Callable[[*_Ts], object], *args: *_Ts) -> None:
        began = time.thread_time()
        callback(*args)
        self.longest_seconds = max(self.longest_seconds, time.thread_time() - began)
