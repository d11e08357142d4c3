"""What the journal in memory holds of one stream: its exchanges on record, one after the other, and its account.

Beside each exchange lies what all of its stream have weighed up to it, ever. So what some of them weigh together is one
subtraction, and how many have to go for so many bytes is one look into an ordered list.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, islice
from operator import itemgetter
from typing import Any, Final

from understudy_server.core.exchange import Exchange
from understudy_server.core.record import Lost, Standing, Stream
from understudy_server.journal.leaving import AT_ONCE, Leaving

# Evicted places at the front of the lists are given back when they are so many, and half of all; or very many.
_FRONT_MIN: Final = 16
_FRONT_MAX: Final = 16_384
_NOTHING: Final = (0, 0)

# None is before the front, where nobody looks.
_id_of: Final[Callable[[Any], str]] = itemgetter(0)


class Shelf:
    """A stream. Its numbers on record have no gap: only the oldest ever go, so an exchange need not hold its own.

    What goes in large numbers is handed to ``leaving``.
    """

    __slots__ = (
        "_before",
        "_front",
        "_gone_bytes",
        "_last",
        "_leaving",
        "_losses",
        "_pushed_out",
        "environment_id",
        "exchanges",
        "is_in_line",
        "reached",
        "stream",
        "total",
        "verifications",
    )

    def __init__(self, stream: Stream, leaving: Leaving) -> None:
        self.stream = stream
        self.environment_id = stream.environment_id
        self.is_in_line = False
        """Whether anything is on record of it: then it may have to make room."""
        self._losses: dict[Lost, int] = {}
        # Those that made room in a full environment are the ones that many streams lose at the pace of requests.
        self._pushed_out = 0
        self.verifications: list[bytes] = []
        self.exchanges: list[Exchange | None] = []
        """To append to, with what all have weighed by then to ``reached``; ``total`` is the last of those."""
        self.reached = array("q")
        self.total = 0
        # How many exchanges came before the first place, how many places at the front are empty, and what those weighed
        # that are not on record any more.
        self._before = 0
        self._front = 0
        self._gone_bytes = 0
        # Id and end of the last exchange of all, when it is not on record any more.
        self._last = ("", 0)
        self._leaving = leaving

    @property
    def kept(self) -> int:
        """How many exchanges are on record."""
        return len(self.exchanges) - self._front

    @property
    def bytes(self) -> int:
        """What they weigh."""
        return self.total - self._gone_bytes

    @property
    def last_number(self) -> int:
        """The number of the last exchange, on record or not; 0 when there was none."""
        return self._before + len(self.exchanges)

    @property
    def last_id(self) -> str:
        """The id of the last exchange, on record or not; empty when there was none."""
        last = self.exchanges[-1] if self.kept else None
        return last[0] if last else self._last[0]

    @property
    def last_ms(self) -> int:
        """When the last exchange ended, on record or not."""
        last = self.exchanges[-1] if self.kept else None
        return last[9] + last[10] if last else self._last[1]

    @property
    def losses(self) -> dict[Lost, int]:
        """How many are not on record any more, by reason, without those that were purged and all before."""
        losses = dict(self._losses)
        if self._pushed_out:
            losses[Lost.ENVIRONMENT_QUOTA] = losses.get(Lost.ENVIRONMENT_QUOTA, 0) + self._pushed_out
        return losses

    def standing(self) -> Standing:
        """The account as the use cases see it."""
        losses = self.losses
        # All that was lost is counted, until a purge takes away what there is and what was lost before.
        return Standing(self.last_number, self.kept, losses, purged=self.last_number - self.kept - sum(losses.values()))

    def forgive(self) -> None:
        """Tell no more of what was lost, nor of verifications."""
        self._losses, self._pushed_out, self.verifications = {}, 0, []

    # What comes and goes.

    def extend(self, exchanges: Sequence[Exchange], sizes: Sequence[int]) -> None:
        """Append exchanges that weigh so much each; each takes the next number."""
        self.exchanges += exchanges
        self.reached.extend(islice(accumulate(sizes, initial=self.total), 1, None))
        self.total = self.reached[-1]

    def over(self, entries_max: int, bytes_max: int) -> tuple[int, int]:
        """How many exchanges and bytes it is above a quota, each 0 or less where it is not."""
        return len(self.exchanges) - self._front - entries_max, self.total - self._gone_bytes - bytes_max

    def push_out(self) -> int:
        """As `evict`, of one for the quota of the environment; tells its size alone. There must be another one."""
        # Where many streams record to a full environment this runs for each exchange.
        front = self._front
        self.exchanges[front] = None
        weighed = self.reached[front]
        size, self._gone_bytes = weighed - self._gone_bytes, weighed
        self._pushed_out += 1
        self._front = end = front + 1
        if end >= _FRONT_MIN:
            self._give_back(end)
        return size

    def evict(self, entries: int, size: int, reason: Lost | None) -> tuple[int, int]:
        """Remove the oldest: so many and so many bytes at least, as far as there are. Tells how many and their size.

        Without a reason they are not lost, but removed on purpose.
        """
        gone = self._remove(entries, size)
        if reason is not None and gone[0]:
            self._losses[reason] = self._losses.get(reason, 0) + gone[0]
        return gone

    def _remove(self, entries: int, size: int) -> tuple[int, int]:
        exchanges, reached, front = self.exchanges, self.reached, self._front
        end = front + entries if entries > 0 else front
        if size > 0:
            end = max(end, bisect_left(reached, self._gone_bytes + size, front) + 1)
        end = min(end, len(reached))
        if end == front:
            return _NOTHING
        if end == len(reached):
            self._last = self.last_id, self.last_ms
        count, gone_bytes = end - front, reached[end - 1] - self._gone_bytes
        self._gone_bytes += gone_bytes
        if count > AT_ONCE:
            self._leaving.take(exchanges[front:end])
        exchanges[front:end] = [None] * count
        self._front = end
        if end >= _FRONT_MIN:
            self._give_back(end)
        return count, gone_bytes

    def _give_back(self, end: int) -> None:
        """Give so many empty places at the front back, if that is worth it."""
        if 2 * end >= len(self.reached) or end >= _FRONT_MAX:
            del self.exchanges[:end], self.reached[:end]
            self._before += end
            self._front = 0

    def aged(self, before_ms: int, most: int) -> int:
        """How many of the oldest ended before a moment, looking at so many at most."""
        count = 0
        for exchange in islice(self._there(self._front), most):
            if exchange.started_at_ms + exchange.duration_ms >= before_ms:
                break
            count += 1
        return count

    # What is asked.

    def read(self, after: int, limit: int) -> Sequence[Exchange]:
        """Exchanges with numbers behind ``after``, oldest first."""
        start = max(self._front, after - self._before)
        return list(self._numbered(range(start, min(start + limit, len(self.exchanges)))))

    def newest(self, session_key: str, before: str, limit: int) -> Sequence[Exchange]:
        """Exchanges of a key, newest first, before an id if given."""
        end = bisect_left(self.exchanges, before, self._front, key=_id_of) if before else len(self.exchanges)
        return self._some(range(end - 1, self._front - 1, -1), session_key, limit)

    def newer(self, session_key: str, since: str, limit: int) -> Sequence[Exchange]:
        """Exchanges of a key after an id, oldest first."""
        start = bisect_right(self.exchanges, since, self._front, key=_id_of)
        return self._some(range(start, len(self.exchanges)), session_key, limit)

    def find(self, exchange_id: str) -> Exchange | None:
        """The exchange of an id."""
        if not self.kept:
            return None
        place = bisect_left(self.exchanges, exchange_id, self._front, key=_id_of)
        found = list(self._numbered(range(place, min(place + 1, len(self.exchanges)))))
        return found[0] if found and found[0].id == exchange_id else None

    def knows(self, session_key: str) -> bool:
        """True when there is any exchange with a key."""
        return bool(self._some(range(self._front, len(self.exchanges)), session_key, 1))

    def _some(self, places: range, session_key: str, limit: int) -> Sequence[Exchange]:
        if self.stream.session_id:
            return list(self._numbered(places[:limit]))
        chosen: list[int] = []
        for place in places:
            if len(chosen) == limit:
                break
            if self.exchanges[place][3] == session_key:  # type: ignore[index] # none before the front is looked at
                chosen.append(place)
        return list(self._numbered(chosen))

    def _numbered(self, places: Sequence[int]) -> Iterator[Exchange]:
        first = self._before + 1
        for place in places:
            exchange = self.exchanges[place]
            if exchange is not None:
                yield Exchange._make((*exchange[:-1], first + place))

    def _there(self, start: int) -> Iterator[Exchange]:
        for place in range(start, len(self.exchanges)):
            exchange = self.exchanges[place]
            if exchange is not None:
                yield exchange
