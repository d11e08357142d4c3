"""Ids for stubs: random UUIDs to all who look at one, and in the order in which they were made to whoever sorts them.

Of stubs that were made in the same millisecond the server knows no order but that of their ids, and the older one wins
a tie. So the first 60 of the random bits count up, from the milliseconds of the clock on.
"""

import secrets
import time
import uuid
from collections.abc import Callable

_COUNT_BITS = 12
_CHANCE_BITS = 62


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class StubIds:
    """Makes ids, each greater than the one before, also when the clock steps back."""

    def __init__(self, now_ms: Callable[[], int] = _now_ms) -> None:
        self._now_ms = now_ms
        self._last = 0

    def order(self) -> int:
        """A number that is greater than all before."""
        self._last = max(self._last + 1, self._now_ms() << _COUNT_BITS)
        return self._last

    def made(self, order: int) -> str:
        """An id (version 4 of RFC 9562) that sorts by a number of ``order``."""
        high, low = order >> _COUNT_BITS & (1 << 48) - 1, order & (1 << _COUNT_BITS) - 1
        number = high << 80 | 4 << 76 | low << 64 | 0b10 << 62 | secrets.randbits(_CHANCE_BITS)
        return str(uuid.UUID(int=number))
