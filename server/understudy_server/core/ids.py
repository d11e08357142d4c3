"""Identifiers that sort by creation: a prefix and 26 characters of Crockford base32 (48 bits of time, 80 of chance)."""

import secrets
from collections.abc import Callable

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 80
_LENGTH = 26


def decode(text: str) -> tuple[int, int]:
    """Read the moment and the tail of an id's last 26 characters. Raises ValueError."""
    number = 0
    for character in text[-_LENGTH:]:
        number = number << 5 | _ALPHABET.index(character)
    return number >> _RANDOM_BITS, number & ((1 << _RANDOM_BITS) - 1)


def encode(milliseconds: int, tail: int) -> str:
    """Write a moment (since 1970, 48 bits) and an 80-bit tail so that text order is (moment, tail) order."""
    number = (milliseconds << _RANDOM_BITS) | tail
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(5 * (_LENGTH - 1), -1, -5))


class IdMaker:
    """Makes ids that are unique and, within one maker, strictly increasing: within a millisecond, and when the clock
    steps back, too. ``after`` is an id that all of them come after, so that a restart changes nothing.
    """

    def __init__(
        self, now_ms: Callable[[], int], random_bits: Callable[[int], int] = secrets.randbits, *, after: str = ""
    ) -> None:
        self._now_ms = now_ms
        self._random_bits = random_bits
        self._last_ms, self._tail = decode(after) if after else (0, 0)

    def __call__(self, prefix: str) -> str:
        """Return the next id, such as ``log_01J0ZK3V8Q4C9W7M2N5R6T8XYB`` for the prefix ``log_``."""
        now = self._now_ms()
        if now > self._last_ms:
            # The top bit stays free, so that counting up within a millisecond never overflows.
            self._last_ms, self._tail = now, self._random_bits(_RANDOM_BITS - 1)
        else:
            self._tail += 1
        return prefix + encode(self._last_ms, self._tail)
