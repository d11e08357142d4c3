"""The journal in memory: the newest exchanges, as many as the limits allow, gone when the process ends.

It is there for load tests and short-lived servers, so recording must cost next to nothing. Everything else is put off:
exchanges gather in a block, and are numbered, counted and put with those of their stream when it is full, or when
somebody asks. Until then 64 at most come on top of what the quotas allow.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice
from operator import attrgetter, itemgetter
from typing import Final

from understudy_server.app.bells import RungBell
from understudy_server.core.errors import StorageFailure
from understudy_server.core.exchange import Exchange
from understudy_server.core.record import Lost, Quota, Standing, Stream
from understudy_server.journal.bells import Bells
from understudy_server.journal.losing import Losses
from understudy_server.journal.patience import Patience
from understudy_server.journal.rules import MEMORY_QUOTA, FixedRules, Rules
from understudy_server.journal.scales import Scales
from understudy_server.journal.shelves import Shelf
from understudy_server.journal.sweeper import Sweeper, now_ms
from understudy_server.journal.sweeping import EMPTIED_MAX
from understudy_server.journal.verifications import surplus
from understudy_server.store.sqlite.timers import CallLater, call_later

_BLOCK_EXCHANGES_MAX: Final = 64
# So many blocks make a full journal, at least.
_BLOCKS: Final = 64
# Bodies so small are counted when their block is full.
_SMALL_BYTES: Final = 4096
# So much of a stream goes at a time, so that it need not go with every exchange.
_SHARE: Final = 16
_id: Final = itemgetter(0)
_log = logging.getLogger(__name__)

Run = tuple[Shelf, int, int]
"""Exchanges of one stream that were recorded one after the other: how many, and their bytes."""


@dataclass(frozen=True, slots=True)
class MemoryLimits:
    """How much is kept: so many exchanges, with so many bytes of targets, headers and captured bodies.

    What Python needs to hold them comes on top, 2 to 3 kB each. They are counted 64 exchanges at a time.
    """

    exchanges_max: int = 20_000
    bytes_max: int = 256 * 1024 * 1024


@dataclass(slots=True)
class _Home:
    """What an environment holds, and its streams of which anything is kept, the one quiet for longest first."""

    holding: dict[tuple[str, str, str], Shelf] = field(default_factory=dict)
    entries: int = 0
    bytes: int = 0
    patience: Patience = field(default_factory=Patience)


class MemoryJournal:
    """Fills ``app.ports.Journal`` and the proxy's recorder.

    When a quota or the limits are reached, exchanges make room as ``journal.ledger`` says. They are counted in
    ``losses``, and the first time is logged.
    """

    def __init__(
        self, limits: MemoryLimits | None = None, rules: Rules | None = None, *, clock: Callable[[], int] = now_ms
    ) -> None:
        self._limits = limits or MemoryLimits()
        self._rules = rules or FixedRules(MEMORY_QUOTA)
        self._block_exchanges_max = min(max(self._limits.exchanges_max // _BLOCKS, 1), _BLOCK_EXCHANGES_MAX)
        self._block_bytes_max = self._limits.bytes_max // _BLOCKS
        self._filling: list[Exchange] = []
        self._filling_bytes = 0
        self._shelved = 0
        self._entries = 0
        self._bytes = 0
        self._homes: dict[str, _Home] = {}
        # By stream, or by the same three texts as a plain tuple.
        self._shelves: dict[tuple[str, str, str], Shelf] = {}
        self._by_key: dict[tuple[str, str], dict[Stream, Shelf]] = {}
        self._emptied: dict[Stream, Shelf] = {}
        self._turn = 0
        self._last_id = ""
        self._scales = Scales()
        self._losses = Losses(_log)
        self._patience = Patience()
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
        """What the exchanges take in memory, as the limits count it; those of the block that is filling in part."""
        return self._bytes + self._filling_bytes

    def record(self, exchange: Exchange) -> None:
        """Append an exchange, whose id comes after all before it. A question asked from now on sees it."""
        exchanges = self._filling
        exchanges.append(exchange)
        # By number, and nothing more for most: this runs for every request.
        answer = exchange[15]
        if exchange[14] is not None or (answer is not None and answer[1] > _SMALL_BYTES):
            self._weigh(exchange)
        if len(exchanges) >= self._block_exchanges_max:
            self._shelve()
        if self._waited_for:
            self._bells.ring(exchange[2], exchange[3], exchange[4])

    def _weigh(self, exchange: Exchange) -> None:
        """Count the bodies that a block must not hold many of before it is full."""
        self._filling_bytes += sum(len(each[0]) for each in (exchange[14], exchange[15]) if each is not None)
        if self._filling_bytes >= self._block_bytes_max:
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
        for home in self._homes.values():
            for shelf in home.holding.values():
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
        shelves = self._by_key.get((environment_id, session_key), {}).values()
        recorded = [each for each in shelves if each.last_number and (each.kept or each.losses)]
        return max(recorded, key=attrgetter("touched")).stream if recorded else None

    async def read(self, stream: Stream, after: int, limit: int) -> Sequence[Exchange]:
        """Exchanges of a stream with numbers behind ``after``, oldest first. Raises StorageFailure."""
        self._settle()
        shelf = self._shelves.get(stream)
        return shelf.read(after, limit) if shelf else ()

    async def standing(self, stream: Stream) -> Standing:
        """How much of a stream there is. Raises StorageFailure."""
        self._settle()
        shelf = self._shelves.get(stream)
        return shelf.standing() if shelf else Standing()

    def bell(self, environment_id: str, session_key: str) -> AbstractContextManager[RungBell]:
        """What rings when something is recorded under a key, for as long as it is entered."""
        return self._bells.hung(environment_id, session_key)

    async def verifications(self, stream: Stream) -> Sequence[bytes]:
        """The verifications of a stream, oldest first. Raises StorageFailure."""
        self._settle()
        shelf = self._shelves.get(stream)
        return list(shelf.verifications) if shelf else ()

    # Changes of what is on record.

    async def keep_verification(self, stream: Stream, verification: bytes) -> None:
        """Put a verification on record: the last ones of a stream are kept. Raises StorageFailure."""
        self._settle()
        kept = self._shelf(stream).verifications
        kept.append(verification)
        del kept[: surplus(list(map(len, kept)))]

    async def purge(self, stream: Stream) -> None:
        """Remove all of a stream that was recorded before this call, and its verifications. Raises StorageFailure."""
        self._settle()
        shelf = self._shelves.get(stream)
        if shelf:
            self._evict(shelf, shelf.kept, 0, None)
            shelf.losses, shelf.verifications = {}, []

    def start_sweeping(self, later: CallLater = call_later) -> None:
        """From now on remove every half minute what is older than it is kept."""
        self._sweeper.start(later)

    async def close(self) -> None:
        """Forget everything. What is recorded later is dropped and counted, what is asked later refused."""
        await self._sweeper.stop()
        if self._filling:
            self._shelve()
        self._closed = True
        self._block_exchanges_max = 0
        self._homes, self._shelves, self._by_key, self._emptied = {}, {}, {}, {}
        self._bells.ring_all()

    # What comes.

    def _settle(self) -> None:
        """Bring everything up to date for a question."""
        if self._closed:
            raise StorageFailure("the journal is closed")
        if self._filling:
            self._shelve()

    def _shelve(self) -> None:
        """Put the block that is filling with the others, and make room."""
        block, self._filling, self._filling_bytes = self._filling, [], 0
        if self._closed:
            self._late += len(block)
            return
        runs = list(self._sorted(block))
        self._shelved += len(block)
        self._entries += len(block)
        self._bytes += sum([size for _, _, size in runs])
        self._last_id = block[-1][0]
        self._keep_within(runs)

    def _sorted(self, block: Sequence[Exchange]) -> Iterator[Run]:
        groups: dict[tuple[str, str, str], list[Exchange]] = {}
        for exchange in block:
            # Environment, key and session by number: this is done for every request.
            of = exchange[2:5]
            group = groups.get(of)
            if group is None:
                groups[of] = [exchange]
            else:
                group.append(exchange)
        # In the order in which they were recorded to last, since that is the order in which they make room.
        for of, group in sorted(groups.items(), key=_last_of) if len(groups) > 1 else groups.items():
            shelf = self._shelves.get(of) or self._shelf(group[0].stream)
            sizes = list(map(self._scales.weigh, group))
            size = sum(sizes)
            self._turn += 1
            shelf.touched = self._turn
            shelf.add(group, sizes, size)
            home = self._homes[of[0]]
            home.entries += len(group)
            home.bytes += size
            # What was recorded to last comes last.
            home.holding.pop(of if of[2] else shelf.stream, None)
            home.holding[shelf.stream] = shelf
            yield shelf, len(group), size

    def _shelf(self, stream: Stream) -> Shelf:
        shelf = self._shelves.get(stream)
        if shelf is None:
            shelf = self._shelves[stream] = Shelf(stream)
            if stream[0] not in self._homes:
                self._homes[stream[0]] = _Home()
            if stream.session_id:
                self._by_key.setdefault(stream[:2], {})[stream] = shelf
        return shelf

    def _of_key(self, environment_id: str, session_key: str) -> list[Shelf]:
        """The streams that may hold exchanges of a key."""
        shelves = list(self._by_key.get((environment_id, session_key), {}).values())
        without_session = self._shelves.get(Stream(environment_id))
        return [*shelves, without_session] if without_session else shelves

    # What goes.

    def _keep_within(self, runs: list[Run]) -> None:
        quotas: dict[str, Quota] = {}
        for shelf, _, _ in runs:
            quota = quotas.get(shelf.stream[0])
            if quota is None:
                quota = quotas[shelf.stream[0]] = self._rules.quota(shelf.stream[0])
            if shelf.kept > quota.session_entries or shelf.bytes > quota.session_bytes:
                over = shelf.kept - quota.session_entries, shelf.bytes - quota.session_bytes
                self._evict(shelf, *over, Lost.SESSION_QUOTA)
        for environment_id, quota in quotas.items():
            home = self._homes[environment_id]
            if home.entries > quota.entries or home.bytes > quota.bytes:
                own = [run for run in runs if run[0].stream[0] == environment_id]
                self._make_room(home, quota.entries, quota.bytes, [home], own, Lost.ENVIRONMENT_QUOTA)
        limits = self._limits
        if self._entries > limits.exchanges_max or self._bytes > limits.bytes_max:
            whole = list(self._homes.values())
            self._make_room(None, limits.exchanges_max, limits.bytes_max, whole, runs, Lost.SERVER_QUOTA)

    def _make_room(
        self, home: _Home | None, entries_max: int, bytes_max: int, homes: list[_Home], runs: list[Run], reason: Lost
    ) -> None:
        """Bring what an environment holds, or all of them (``None``), below a limit."""

        def over() -> tuple[int, int]:
            if home is None:
                return self._entries - entries_max, self._bytes - bytes_max
            return home.entries - entries_max, home.bytes - bytes_max

        patience = home.patience if home else self._patience
        if patience.may_search(sum([count for _, count, _ in runs])):
            looked_at = 0
            for shelf in merge(*[list(each.holding.values()) for each in homes], key=attrgetter("touched")):
                if max(over()) <= 0:
                    return
                looked_at += 1
                if not self._rules.is_live(shelf.stream.environment_id, shelf.stream.session_id):
                    self._evict(shelf, shelf.kept, 0, reason)
            patience.in_vain(looked_at)
        # As if they had come one by one, each that finds no room any more has pushed out the oldest of its own stream.
        for shelf, count, run_bytes in reversed(runs):
            entries, size = over()
            if entries <= 0 and size <= 0:
                return
            self._evict(shelf, max(min(count, entries), shelf.kept // _SHARE), min(run_bytes, size), reason)
        # A limit that was lowered, or exchanges of very unlike sizes.
        for shelf, _, _ in reversed(runs):
            if max(over()) > 0:
                self._evict(shelf, *over(), reason)

    def _evict(self, shelf: Shelf, entries: int, size: int, reason: Lost | None) -> None:
        """Remove the oldest of a stream; without a reason they are not lost, but removed on purpose."""
        home = self._homes[shelf.stream.environment_id]
        count, gone = shelf.evict(entries, size)
        if not count:
            return
        home.entries -= count
        home.bytes -= gone
        self._entries -= count
        self._bytes -= gone
        if reason is not None:
            shelf.losses[reason] = shelf.losses.get(reason, 0) + count
            self._losses.add({reason: count})
        if not shelf.kept:
            home.holding.pop(shelf.stream, None)
            self._emptied[shelf.stream] = self._emptied.pop(shelf.stream, shelf)
            if len(self._emptied) > EMPTIED_MAX:
                self._forget(next(iter(self._emptied.values())))

    def _forget(self, shelf: Shelf) -> None:
        """Let a stream go of which nothing is kept, unless it goes on."""
        stream = shelf.stream
        self._emptied.pop(stream, None)
        if shelf.kept or self._rules.is_live(stream.environment_id, stream.session_id):
            return
        del self._shelves[stream]
        of_key = self._by_key.get(stream[:2], {})
        of_key.pop(stream, None)
        if not of_key:
            self._by_key.pop(stream[:2], None)

    async def _sweep(self, moment_ms: int) -> None:
        """Remove what is older than it is kept. Nothing of it takes long: there is not much in memory."""
        if self._closed:
            return
        self._settle()
        for shelf in list(self._shelves.values()):
            before_ms = moment_ms - self._rules.quota(shelf.stream.environment_id).retention_ms
            if aged := shelf.aged(before_ms):
                self._evict(shelf, aged, 0, Lost.RETENTION)
            if shelf.last_ms < before_ms:
                self._forget(shelf)


def _last_of(named: tuple[object, Sequence[Exchange]]) -> str:
    return named[1][-1][0]
