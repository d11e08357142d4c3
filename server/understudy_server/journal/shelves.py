"""What the journal in memory holds of one stream: its exchanges on record, one after the other, and its account."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Any, Final

from understudy_server.core.exchange import Exchange
from understudy_server.core.record import Lost, Standing, Stream

# Evicted places at the front of the lists are given back when they are so many, and half of all.
_FRONT_MIN: Final = 256

# None is before the front, where nobody looks.
_id_of: Final[Callable[[Any], str]] = itemgetter(0)


class Shelf:
    """A stream. Its numbers on record have no gap: only the oldest ever go, so an exchange need not hold its own."""

    __slots__ = (
        "_exchanges",
        "_front",
        "_sizes",
        "bytes",
        "last_ms",
        "last_number",
        "losses",
        "stream",
        "touched",
        "verifications",
    )

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.last_number = 0
        self.bytes = 0
        self.losses: dict[Lost, int] = {}
        self.verifications: list[bytes] = []
        self.last_ms = 0
        """When its last exchange ended."""
        self.touched = 0
        """When it was last recorded to, as a count that goes up over all streams."""
        self._exchanges: list[Exchange | None] = []
        self._sizes: list[int] = []
        self._front = 0

    @property
    def kept(self) -> int:
        """How many exchanges are on record."""
        return len(self._exchanges) - self._front

    def standing(self) -> Standing:
        """The account as the use cases see it."""
        return Standing(self.last_number, self.kept, dict(self.losses))

    def add(self, exchanges: Sequence[Exchange], sizes: Sequence[int], size: int) -> None:
        """Append exchanges of these sizes, and of this size together; each takes the next number."""
        self._exchanges += exchanges
        self._sizes += sizes
        self.last_number += len(exchanges)
        self.bytes += size
        self.last_ms = exchanges[-1][9] + exchanges[-1][10]

    def evict(self, entries: int, size: int) -> tuple[int, int]:
        """Remove the oldest: so many and so many bytes at least, as far as there are. Tells how many and their size."""
        kept = len(self._exchanges) - self._front
        going = min(max(entries, 0), kept)
        gone = sum(self._sizes[self._front : self._front + going])
        while gone < size and going < kept:
            gone += self._sizes[self._front + going]
            going += 1
        self._exchanges[self._front : self._front + going] = [None] * going
        self._front += going
        self.bytes -= gone
        if self._front >= _FRONT_MIN and 2 * self._front >= len(self._exchanges):
            del self._exchanges[: self._front], self._sizes[: self._front]
            self._front = 0
        return going, gone

    def aged(self, before_ms: int) -> int:
        """How many of the oldest ended before a moment."""
        count = 0
        for exchange in self._there(self._front):
            if exchange.started_at_ms + exchange.duration_ms >= before_ms:
                break
            count += 1
        return count

    # What is asked.

    def read(self, after: int, limit: int) -> Sequence[Exchange]:
        """Exchanges with numbers behind ``after``, oldest first."""
        start = max(self._front, self._front + after - (self.last_number - self.kept))
        return list(self._numbered(range(start, min(start + limit, len(self._exchanges)))))

    def newest(self, session_key: str, before: str, limit: int) -> Sequence[Exchange]:
        """Exchanges of a key, newest first, before an id if given."""
        end = bisect_left(self._exchanges, before, self._front, key=_id_of) if before else len(self._exchanges)
        return self._some(range(end - 1, self._front - 1, -1), session_key, limit)

    def newer(self, session_key: str, since: str, limit: int) -> Sequence[Exchange]:
        """Exchanges of a key after an id, oldest first."""
        start = bisect_right(self._exchanges, since, self._front, key=_id_of)
        return self._some(range(start, len(self._exchanges)), session_key, limit)

    def find(self, exchange_id: str) -> Exchange | None:
        """The exchange of an id."""
        if not self.kept:
            return None
        place = bisect_left(self._exchanges, exchange_id, self._front, key=_id_of)
        found = list(self._numbered(range(place, min(place + 1, len(self._exchanges)))))
        return found[0] if found and found[0].id == exchange_id else None

    def knows(self, session_key: str) -> bool:
        """True when there is any exchange with a key."""
        return bool(self._some(range(self._front, len(self._exchanges)), session_key, 1))

    def _some(self, places: range, session_key: str, limit: int) -> Sequence[Exchange]:
        if self.stream.session_id:
            return list(self._numbered(places[:limit]))
        chosen: list[int] = []
        for place in places:
            if len(chosen) == limit:
                break
            if self._exchanges[place][3] == session_key:  # type: ignore[index] # none before the front is looked at
                chosen.append(place)
        return list(self._numbered(chosen))

    def _numbered(self, places: Sequence[int]) -> Iterator[Exchange]:
        first = self.last_number - len(self._exchanges) + 1
        for place in places:
            exchange = self._exchanges[place]
            if exchange is not None:
                yield Exchange._make((*exchange[:-1], first + place))

    def _there(self, start: int) -> Iterator[Exchange]:
        for place in range(start, len(self._exchanges)):
            exchange = self._exchanges[place]
            if exchange is not None:
                yield exchange
