"""The journal in memory: the newest exchanges, as many as the limits allow, gone when the process ends.

It is there for load tests and short-lived servers, so recording must cost next to nothing. Everything else is put off:
exchanges gather in a block, and are put with those of their stream, and make room, when it is full or somebody asks.
Until then 128 at most come on top of what the quotas allow, and no more than a sixty-fourth of it all.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from operator import attrgetter, itemgetter
from typing import Final

from understudy_server.app.bells import RungBell
from understudy_server.core.errors import StorageFailure
from understudy_server.core.exchange import Exchange
from understudy_server.core.record import Lost, Standing, Stream
from understudy_server.journal.bells import Bells
from understudy_server.journal.leaving import AT_ONCE
from understudy_server.journal.losing import Losses
from understudy_server.journal.rules import MEMORY_QUOTA, FixedRules, Rules
from understudy_server.journal.scales import IN_MEMORY, weigh
from understudy_server.journal.shelves import Shelf
from understudy_server.journal.stock import Bounds, Stock
from understudy_server.journal.sweeper import Sweeper, now_ms
from understudy_server.journal.verifications import surplus
from understudy_server.store.sqlite.timers import CallLater, call_later

# A request waits while a block is put away: so many take less than half a millisecond.
_BLOCK_EXCHANGES_MAX: Final = 128
# So many blocks make a full journal, at least.
_BLOCKS: Final = 64
# Bodies so small are counted when their block is full.
_SMALL_BYTES: Final = 4096
# Streams that are looked at one after the other, before whoever waits has a turn.
_STREAMS_AT_ONCE: Final = 256
_id: Final = itemgetter(0)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MemoryLimits:
    """How much is kept: so many exchanges, which take so many bytes, with all that Python needs to hold them.

    Headers that requests alike share count for each of them. Up to a sixty-fourth more of exchanges, and of their
    bodies, is there until it is counted, but no more than 128 exchanges.
    """

    exchanges_max: int = 20_000
    bytes_max: int = 256 * 1024 * 1024


class MemoryJournal:
    """Fills ``app.ports.Journal`` and the proxy's recorder.

    When a quota or the limits are reached, exchanges make room as ``journal.ledger`` says. They are counted in
    ``losses``, and the first time is logged.
    """

    def __init__(
        self, limits: MemoryLimits | None = None, rules: Rules | None = None, *, clock: Callable[[], int] = now_ms
    ) -> None:
        limits = limits or MemoryLimits()
        self._rules = rules or FixedRules(MEMORY_QUOTA)
        self._losses = Losses(_log)
        self._block_exchanges_max = min(max(limits.exchanges_max // _BLOCKS, 1), _BLOCK_EXCHANGES_MAX)
        self._block_bytes_max = limits.bytes_max // _BLOCKS
        self._stock = Stock(self._rules, self._losses, Bounds(limits.exchanges_max, limits.bytes_max))
        self._filling: list[Exchange] = []
        self._filling_bytes = 0
        self._due = self._block_exchanges_max
        self._shelved = 0
        self._last_id = ""
        self._bells = Bells()
        self._waited_for = self._bells.by_key
        self._sweeper = Sweeper(self._sweep, clock)
        self._closed = False
        self._late = 0

    @property
    def recorded(self) -> int:
        """How many exchanges were taken in since the start."""
        return self._shelved + len(self._filling)

    @property
    def dropped(self) -> int:
        """How many exchanges could not be kept, since they came after the close; those that made room are no such."""
        return self._late

    @property
    def losses(self) -> Mapping[Lost, int]:
        """How many exchanges are not on record any more, since the start, by reason."""
        if not self._closed:
            self._settle()
        return dict(self._losses.counts)

    @property
    def waiting(self) -> int:
        """Always 0: nothing has to be written."""
        return 0

    @property
    def problem(self) -> str:
        """Always empty: that the oldest make room for the newest is what this journal is for."""
        return ""

    def size_bytes(self) -> int:
        """What the exchanges take in memory, as the limits count it."""
        return self._stock.bytes + sum(weigh(self._filling, IN_MEMORY))

    def record(self, exchange: Exchange) -> None:
        """Append an exchange, whose id comes after all before it. A question asked from now on sees it."""
        exchanges = self._filling
        exchanges.append(exchange)
        # By number, and nothing more for most: this runs for every request.
        body, answer = exchange[14], exchange[15]
        if (body is not None and body[1] > _SMALL_BYTES) or (answer is not None and answer[1] > _SMALL_BYTES):
            self._weigh(exchange)
            exchanges = self._filling
        if len(exchanges) >= self._due:
            self._go_on()
        if self._waited_for:
            self._bells.ring(exchange[2], exchange[3], exchange[4])

    def _weigh(self, exchange: Exchange) -> None:
        """Count the bodies that a block must not hold many of before it is full."""
        self._filling_bytes += sum(len(each[0]) for each in (exchange[14], exchange[15]) if each is not None)
        if self._filling_bytes >= self._block_bytes_max:
            self._shelve()

    def _go_on(self) -> None:
        """Put the block away that is full. When it is half full there is time for what else is to be done."""
        if len(self._filling) < self._block_exchanges_max:
            self._stock.leaving.let_go()
            self._due = self._block_exchanges_max
        else:
            self._shelve()

    def _shelve(self) -> None:
        """Put the block that is filling away."""
        if self._due < self._block_exchanges_max:
            self._stock.leaving.let_go()
        self._due = self._block_exchanges_max // 2
        block, self._filling, self._filling_bytes = self._filling, [], 0
        if self._closed:
            self._late += len(block)
        elif block:
            self._shelved += len(block)
            self._last_id = block[-1][0]
            self._stock.take(block)

    def _settle(self) -> None:
        """Bring everything up to date for a question."""
        if self._closed:
            raise StorageFailure("the journal is closed")
        self._shelve()

    # Questions.

    async def page(
        self, environment_id: str, session_key: str, *, before: str, since: str, limit: int
    ) -> Sequence[Exchange]:
        """Exchanges of a key, newest first; with ``since``, newer ones, oldest first. Raises StorageFailure."""
        self._settle()
        shelves = self._of_key(environment_id, session_key)
        if since:
            found = [each.newer(session_key, since, limit) for each in shelves]
            return list(islice(merge(*found, key=_id), limit))
        found = [each.newest(session_key, before, limit) for each in shelves]
        return list(islice(merge(*found, key=_id, reverse=True), limit))

    async def exchange(self, exchange_id: str) -> Exchange | None:
        """One exchange by its id. Raises StorageFailure."""
        self._settle()
        for shelf in self._stock.all():
            if found := shelf.find(exchange_id):
                return found
        return None

    async def knows(self, environment_id: str, session_key: str) -> bool:
        """True when there is any exchange with that key. Raises StorageFailure."""
        self._settle()
        return any(each.knows(session_key) for each in self._of_key(environment_id, session_key))

    async def last_id(self) -> str:
        """The greatest id of all exchanges that there were, empty when there was none. Raises StorageFailure."""
        self._settle()
        return self._last_id

    async def latest_stream(self, environment_id: str, session_key: str) -> Stream | None:
        """The incarnation of a session that recorded last under a key. Raises StorageFailure."""
        self._settle()
        shelves = self._stock.incarnations(environment_id, session_key)
        recorded = [each for each in shelves if each.last_number and (each.kept or each.losses)]
        return max(recorded, key=attrgetter("last_id")).stream if recorded else None

    async def streams(self, environment_id: str, session_key: str | None) -> Sequence[Stream]:
        """The streams of an environment, or of a key, with anything on record. Raises StorageFailure."""
        self._settle()
        if session_key is None:
            shelves = [each for each in self._stock.all() if each.stream.environment_id == environment_id]
        else:
            shelves = self._stock.incarnations(environment_id, session_key)
        return [each.stream for each in shelves if each.kept or each.losses or each.verifications]

    async def read(self, stream: Stream, after: int, limit: int) -> Sequence[Exchange]:
        """Exchanges of a stream with numbers behind ``after``, oldest first. Raises StorageFailure."""
        self._settle()
        shelf = self._stock.find(stream)
        return shelf.read(after, limit) if shelf else ()

    async def standing(self, stream: Stream) -> Standing:
        """How much of a stream there is. Raises StorageFailure."""
        self._settle()
        shelf = self._stock.find(stream)
        return shelf.standing() if shelf else Standing()

    def bell(self, environment_id: str, session_key: str) -> AbstractContextManager[RungBell]:
        """What rings when something is recorded under a key, for as long as it is entered."""
        return self._bells.hung(environment_id, session_key)

    async def verifications(self, stream: Stream) -> Sequence[bytes]:
        """The verifications of a stream, oldest first. Raises StorageFailure."""
        self._settle()
        shelf = self._stock.find(stream)
        return list(shelf.verifications) if shelf else ()

    def _of_key(self, environment_id: str, session_key: str) -> list[Shelf]:
        """The streams that may hold exchanges of a key."""
        shelves = self._stock.incarnations(environment_id, session_key)
        without_session = self._stock.find(Stream(environment_id))
        return [*shelves, without_session] if without_session else shelves

    # Changes of what is on record.

    async def keep_verification(self, stream: Stream, verification: bytes) -> None:
        """Put a verification on record: the last ones of a stream are kept. Raises StorageFailure."""
        self._settle()
        kept = self._stock.found(stream).verifications
        kept.append(verification)
        sizes = [*map(len, kept)]
        del kept[: surplus(sizes, len(sizes), sum(sizes))]

    async def purge(self, stream: Stream) -> None:
        """Remove all of a stream that was recorded before this call, and its verifications. Raises StorageFailure."""
        self._settle()
        shelf = self._stock.find(stream)
        if shelf:
            self._stock.evict(shelf, shelf.kept, 0, None)
            shelf.forgive()

    def start_sweeping(self, later: CallLater = call_later) -> None:
        """From now on remove every half minute what is older than it is kept."""
        self._sweeper.start(later)

    async def close(self) -> None:
        """Forget everything. What is recorded later is dropped and counted, what is asked later refused."""
        await self._sweeper.stop()
        if not self._closed:
            self._settle()
        self._closed = True
        self._block_exchanges_max = self._due = 0
        self._stock = Stock(self._rules, self._losses, Bounds(0, 0))
        self._bells.ring_all()

    async def _sweep(self, moment_ms: int) -> None:
        """Remove what is older than it is kept, a little at a time: whoever waits has a turn in between."""
        if self._closed:
            return
        self._settle()
        for number, shelf in enumerate(self._stock.all()):
            before_ms = moment_ms - self._rules.quota(shelf.stream.environment_id).retention_ms
            while aged := shelf.aged(before_ms, AT_ONCE):
                self._stock.evict(shelf, aged, 0, Lost.RETENTION)
                await asyncio.sleep(0)
            if shelf.last_ms < before_ms:
                self._stock.forget(shelf)
            if number % _STREAMS_AT_ONCE == 0:
                await asyncio.sleep(0)
        for _ in range(self._stock.leaving.steps):
            self._stock.leaving.let_go()
            await asyncio.sleep(0)
