"""What was read before: bytes that come again, exactly as they were, are not read again.

Pollers and load tests do little else, in both directions. Only what a strict parser has read whole at the boundary of a
message is remembered, and never more than a bounded number. A peer that puts something of its own into every message
gains nothing, so its connection soon stops asking.
"""

from collections.abc import Hashable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

MESSAGE_BYTES_MAX: Final = 2048
"""Longer messages are not remembered."""

MISSES_MAX: Final = 16
"""After so many messages in a row that were never met before a connection asks no more."""

_GENERATION: Final = 1024


class Memo(Generic[T]):
    """Remembers at most two generations: when the younger is full the older is forgotten, so that old bytes make room.

    Those that are asked for go on into the younger one.
    """

    __slots__ = ("_old", "_young")

    def __init__(self) -> None:
        self._young: dict[Hashable, T] = {}
        self._old: dict[Hashable, T] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, message: Hashable) -> T | None:
        """What these bytes are, if that was put here."""
        found = self._young.get(message)
        if found is None and message in self._old:
            found = self._old[message]
            self.put(message, found)
        return found

    def put(self, message: Hashable, meaning: T) -> None:
        """Remember what bytes are. It will be given out again, as the same object: nobody may change it any more."""
        if len(self._young) >= _GENERATION:
            self._old, self._young = self._young, {}
        self._young[message] = meaning
