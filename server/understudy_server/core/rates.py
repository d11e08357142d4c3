"""How often a key may call."""

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``calls`` calls in any ``seconds`` seconds."""

    calls: int
    seconds: int


class SlidingWindow:
    """Remembers the calls of one key within the last window, exactly.

    Refused calls do not count, so that waiting always helps.
    """

    __slots__ = ("_rate", "_times_ms")

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._times_ms: deque[int] = deque()

    def admit(self, now_ms: int) -> int:
        """Count a call. Returns 0 when it is admitted, else the milliseconds until the next one would be."""
        times, window_ms = self._times_ms, self._rate.seconds * 1000
        while times and times[0] <= now_ms - window_ms:
            times.popleft()
        if len(times) >= self._rate.calls:
            return times[0] + window_ms - now_ms
        times.append(now_ms)
        return 0

    def is_idle(self, now_ms: int) -> bool:
        """True when nothing is remembered that still counts."""
        return not self._times_ms or self._times_ms[-1] <= now_ms - self._rate.seconds * 1000
