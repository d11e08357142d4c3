"""What was read before: bytes that come again, exactly as they were, are not read again.

Pollers and load tests do little else, in both directions. Only what a strict parser has read whole at the boundary of a
message is remembered, and never more than a bounded number, or so many bytes. A peer that puts something of its own
into every message gains nothing, so its connection soon stops asking.
"""

from collections import OrderedDict
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


class Weighed:
    """Something that takes so many ``bytes`` of memory, all in all: for a `Store`, which notes when it is asked for."""

    __slots__ = ("asked_for", "bytes")

    def __init__(self, bytes_: int) -> None:
        self.bytes = bytes_
        self.asked_for = False


W = TypeVar("W", bound=Weighed)

# So many are let stay at a time, since somebody waits meanwhile.
_SPARED_MAX: Final = 8


class Store(Generic[W]):
    """Remembers so many bytes of things. The oldest makes room, but one that was asked for has another turn.

    ``things`` are to be looked up in by whoever is in a hurry, and then notes that he has asked (``asked_for``).
    """

    __slots__ = ("_bytes_max", "bytes", "things")

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self.things: OrderedDict[Hashable, W] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self.things)

    def get(self, key: Hashable) -> W | None:
        """What was put here under a key, if it is still there."""
        found = self.things.get(key)
        if found is not None:
            found.asked_for = True
        return found

    def put(self, key: Hashable, thing: W) -> None:
        """Remember something under a key, in the place of what was there."""
        if key in self.things:
            self.bytes -= self.things.pop(key).bytes
        self.things[key] = thing
        self.bytes += thing.bytes
        if self.bytes > self._bytes_max:
            self._make_room()

    def _make_room(self) -> None:
        things, spared = self.things, 0
        while self.bytes > self._bytes_max:
            key, oldest = things.popitem(last=False)
            if oldest.asked_for and spared < _SPARED_MAX:
                oldest.asked_for = False
                things[key] = oldest
                spared += 1
            else:
                self.bytes -= oldest.bytes
