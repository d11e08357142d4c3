"""How long the phases of an exchange took, by a clock that only goes forward."""

from collections.abc import Callable
from enum import IntEnum
from typing import Final

from understudy_server.core.record import Phases

USUAL_US: Final = 256
USUAL_PHASES: Final = tuple([Phases(match_us=us, total_us=us) for us in range(USUAL_US)])
"""The phases of a request that was judged at once and answered in one go, by the microseconds that it took."""


def at_once(begun: int, judged: int, total_us: int) -> Phases:
    """The phases of a request that was answered in one go; the times are those of a `Timing`."""
    queue_us = (judged - begun) // 1000
    return Phases(queue_us=queue_us, match_us=total_us - queue_us, total_us=total_us)


class Phase(IntEnum):
    """What a request is in, one after the other. ``OTHER`` is what belongs to none of them: bodies on their way."""

    QUEUE = 0
    MATCH = 1
    DELAY = 2
    CONNECT = 3
    FIRST_BYTE = 4
    OTHER = 5


class Timing:
    """Follows one request that is not answered in one go, from phase to phase. It belongs to nobody else.

    ``ticks`` counts nanoseconds: ``begun`` is when the request was begun on, ``judged`` when what decides about it was
    here; it is decided now. ``started_at_ms`` is the latter in milliseconds since 1970 (UTC).
    """

    __slots__ = ("_begun", "_phase", "_since", "_spent", "_ticks", "started_at_ms")

    def __init__(self, ticks: Callable[[], int], started_at_ms: int, begun: int, judged: int) -> None:
        self._ticks = ticks
        self.started_at_ms = started_at_ms
        self._begun = begun
        self._since = now = ticks()
        self._spent = [judged - begun, now - judged, 0, 0, 0, 0]
        self._phase = Phase.OTHER

    def enter(self, phase: Phase) -> None:
        """The phase until now is over, and this one begins. One that comes again goes on."""
        now = self._ticks()
        self._spent[self._phase] += now - self._since
        self._phase, self._since = phase, now

    def phases(self) -> Phases:
        """How long each has taken until now."""
        self.enter(self._phase)
        queue, match, delay, connect, first_byte, _ = self._spent
        total = self._since - self._begun
        return Phases(queue // 1000, match // 1000, delay // 1000, connect // 1000, first_byte // 1000, total // 1000)
