"""Identifiers that sort by creation: a prefix and 26 characters of Crockford base32 (48 bits of time, 80 of chance).

Every request gets one, so making the next one is a count and a look into a table: the last two characters count up, and
the 24 before them (the stem) stay as long as the millisecond does.
"""

import secrets
from collections.abc import Callable

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TAIL_BITS = 80
_TAIL_LENGTH = 16
LENGTH = 26

_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_PAIR_NUMBERS = {pair: number for number, pair in enumerate(_PAIRS)}
_PAIR_BITS = 10
_PAIR_MASK = (1 << _PAIR_BITS) - 1
# Five bits of a random byte are a random character.
_CHARACTER_OF_BYTE = bytes(ord(_ALPHABET[byte & 31]) for byte in range(256))
# One question to the system for so many tails: it costs more than all the rest of an id.
_TAILS_DRAWN = 256


def decode(text: str) -> tuple[int, int]:
    """Read the moment and the tail of an id's last 26 characters. Raises ValueError."""
    number = 0
    for character in text[-LENGTH:]:
        number = number << 5 | _ALPHABET.index(character)
    return number >> _TAIL_BITS, number & ((1 << _TAIL_BITS) - 1)


def encode(milliseconds: int, tail: int) -> str:
    """Write a moment (since 1970, 48 bits) and a tail so that text order is (moment, tail) order.

    A tail of more than 80 bits is carried over into the moment.
    """
    return _written((milliseconds << _TAIL_BITS) + tail, LENGTH)


class IdMaker:
    """Makes ids that are unique and, within one maker, strictly increasing: within a millisecond, and when the clock
    steps back, too. ``after`` is an id that all of them come after, so that a restart changes nothing.

    ``random_bytes`` gives so many bytes of chance. Raises ValueError when ``after`` is not an id.
    """

    __slots__ = ("_chance", "_chance_used", "_head", "_last_ms", "_low", "_now_ms", "_random_bytes", "_span", "_stem")

    def __init__(
        self, now_ms: Callable[[], int], random_bytes: Callable[[int], bytes] = secrets.token_bytes, *, after: str = ""
    ) -> None:
        self._now_ms = now_ms
        self._random_bytes = random_bytes
        self._chance = ""
        self._chance_used = 0
        # The first eight characters, which stay for 1024 ms.
        self._span = -1
        self._head = ""
        self._last_ms, tail = decode(after) if after else (0, 0)
        self._go_on_from(encode(self._last_ms, tail))

    def __call__(self, prefix: str) -> str:
        """Return the next id, such as ``log_01J0ZK3V8Q4C9W7M2N5R6T8XYB`` for the prefix ``log_``."""
        now = self._now_ms()
        if now > self._last_ms:
            self._begin(now)
        elif self._low < _PAIR_MASK:
            self._low += 1
        else:
            self._carry()
        return f"{prefix}{self._stem}{_PAIRS[self._low]}"

    def _begin(self, now: int) -> None:
        """Start a millisecond with a new tail."""
        self._last_ms = now
        span = now >> _PAIR_BITS
        if span != self._span:
            self._span, self._head = span, _written(span, LENGTH - _TAIL_LENGTH - 2)
        if self._chance_used == len(self._chance):
            drawn = self._random_bytes(_TAILS_DRAWN * _TAIL_LENGTH)
            self._chance, self._chance_used = drawn.translate(_CHARACTER_OF_BYTE).decode(), 0
        begin, self._chance_used = self._chance_used, self._chance_used + _TAIL_LENGTH
        end = self._chance_used - 2
        self._stem = f"{self._head}{_PAIRS[now & _PAIR_MASK]}{self._chance[begin:end]}"
        self._low = _PAIR_NUMBERS[self._chance[end : end + 2]]

    def _carry(self) -> None:
        """Count up where the last two characters are at their end."""
        moment, tail = decode(self._stem + _PAIRS[self._low])
        self._go_on_from(encode(moment, tail + 1))

    def _go_on_from(self, text: str) -> None:
        # Were all 80 bits of the tail set, the count has moved the moment, too.
        self._last_ms, _ = decode(text)
        self._stem, self._low = text[:-2], _PAIR_NUMBERS[text[-2:]]


def _written(number: int, length: int) -> str:
    return "".join([_ALPHABET[(number >> shift) & 31] for shift in range(5 * (length - 1), -1, -5)])
