"""The journal on SQLite: exchanges are appended in memory and written in batches, which a question waits for.

When the disk refuses a batch, nothing is lost: the exchanges stay pending, the next question tries at once and a timer
tries every second, until the disk takes them. What comes when no more can wait is dropped, but takes a number in its
stream, so that the gap shows.
"""

import asyncio
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from understudy_server.app.bells import RungBell
from understudy_server.core.errors import StorageFailure
from understudy_server.core.exchange import Exchange
from understudy_server.core.record import Lost, Standing, Stream
from understudy_server.journal import accounts, doubt, migrations, questions, verifications
from understudy_server.journal.bells import Bells
from understudy_server.journal.doubt import Doubt
from understudy_server.journal.giving_back import give_back
from understudy_server.journal.ledger import SLICE, Ledger
from understudy_server.journal.losing import Losses
from understudy_server.journal.rules import DiskLimits, FixedRules, Rules
from understudy_server.journal.scales import beside_bodies
from understudy_server.journal.sweeper import Sweeper, now_ms
from understudy_server.journal.sweeping import FIRST, forget, sweep
from understudy_server.store.sqlite.files import bytes_on_disk, prepare
from understudy_server.store.sqlite.reader import Reader
from understudy_server.store.sqlite.timers import CallLater, Timer, call_later
from understudy_server.store.sqlite.writer import Durability, Writer

FILE = "journal.db"
PENDING_MAX = 20_000
PENDING_BYTES_MAX = 256 * 1024 * 1024
# So that one transaction, and what a question waits for beyond its own, stays short (a tenth of a second), and handing
# over to the writer's thread is not what takes the time.
_BATCH_MAX = 4_000
_BATCH_BYTES_MAX = 16 * 1024 * 1024
# Batches are handed over in a turn of the event loop, and where many connections have sent many requests at once a turn
# takes longer than several of them: then so many go together, or what waits would only grow while the disk is idle.
_TOGETHER_MAX = 4
# So many exchanges come before what they take beside their bodies is counted: with the longest heads that the proxy
# takes by default that is a batch.
_BLOCK_EXCHANGES_MAX = 256
# With so many waiting, or so much, whoever fills a batch gives the writer's thread so many seconds alone at most. On a
# busy machine it hardly ever gets hold of the interpreter: then requests are to become slower, and the record not to
# lose any.
_CROWDED = PENDING_MAX // 4
_CROWDED_BYTES = PENDING_BYTES_MAX // 4
_PATIENCE_SECONDS = 0.25
_RETRY_SECONDS = 1.0
# What so much took that waited is given back to the system: after less the process needs it soon again.
_LARGE_BYTES = 64 * 1024 * 1024
# What is recorded within this time is written together, unless somebody asks: a transaction takes as long as a hundred
# exchanges in it, so that with one after the other half of the time would go into them (measured).
_GATHER_SECONDS = 0.02
T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Batch:
    """Exchanges that are written by one transaction, and how many were dropped after the last of them."""

    exchanges: list[Exchange] = field(default_factory=list)
    # What they take in memory. Bodies count at once, all else when a block of them is there, or the batch ends: so many
    # of them are counted whole, and with so many there is a block again.
    bytes: int = 0
    counted: int = 0
    due: int = _BLOCK_EXCHANGES_MAX
    lapses: dict[tuple[Stream, Lost], int] = field(default_factory=dict)


class SqliteJournal:
    """Fills ``app.ports.Journal`` and the proxy's recorder.

    ``record`` never waits. At most ``PENDING_MAX`` exchanges, which take ``PENDING_BYTES_MAX`` bytes of memory, and one
    block more until it is counted, wait to be written; what comes on top while the disk does not keep up is counted in
    ``dropped`` and logged, never forgotten in silence. What is kept is bounded by ``rules`` and ``limits``: see
    ``journal.ledger``.
    """

    def __init__(
        self,
        path: Path,
        durability: Durability,
        later: CallLater = call_later,
        *,
        rules: Rules | None = None,
        limits: DiskLimits | None = None,
        suspicion: Doubt | None = None,
        records: bool = True,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._later = later
        self._records = records
        # What waits: batches that are full or being written, the oldest first, and the one that is filling.
        self._batches: deque[_Batch] = deque()
        self._filling = _Batch()
        self._pending = 0
        self._pending_bytes = 0
        # The most that waited since nothing did.
        self._pending_bytes_most = 0
        self._giving_back: asyncio.Future[None] | None = None
        # How many exchanges ever came, those that were dropped among them, and how many of those wait no more.
        self._taken = 0
        self._settled = 0
        self._lapsed = 0
        self._losses = Losses(_log)
        self._path = path
        self._overflowing = False
        self._closed = False
        self._writing: asyncio.Task[StorageFailure | None] | None = None
        # Set while the writer's thread is not at work on a batch.
        self._written = threading.Event()
        self._written.set()
        # When the next batch is written: a little after its first exchange came, or a while after one that failed.
        self._timer: Timer | None = None
        self._bells = Bells()
        self._waited_for = self._bells.by_key
        self._reader = Reader(path)
        self._writer = Writer(path, durability)
        self._doubt = suspicion or Doubt()
        self._ledger = Ledger(rules or FixedRules(), limits or DiskLimits(), self._doubt)
        self._sweeper = Sweeper(self._sweep, clock)
        if self._doubt.is_new:
            self._losses.add({Lost.UNCLEAN_STOP: 0})

    @classmethod
    async def open(
        cls,
        folder: Path,
        durability: Durability = "normal",
        later: CallLater = call_later,
        *,
        rules: Rules | None = None,
        limits: DiskLimits | None = None,
        living: Collection[str] | None = None,
        records: bool = True,
        clock: Callable[[], int] = now_ms,
    ) -> "SqliteJournal":
        """Open ``journal.db`` of a data directory that this process owns. Raises NewerSchema and sqlite3.Error.

        ``living`` are the ids of the sessions that there are, where that is known: only of those (and of what belongs
        to none) may anything have been lost when the last process was killed. ``records``: whether there will be
        anything to record; a command only reads.
        """
        found = await prepare(
            folder / FILE,
            durability,
            migrations.journal,
            lambda file: doubt.begin(file, living, clock(), records=records),
        )
        return cls(
            folder / FILE,
            durability,
            later,
            rules=rules,
            limits=limits,
            suspicion=found,
            records=records,
            clock=clock,
        )

    @property
    def recorded(self) -> int:
        """How many exchanges were taken in since the start."""
        return self._taken - self._lapsed

    @property
    def dropped(self) -> int:
        """How many exchanges could not be kept since the start; those that made room are not among them."""
        return self._losses.of(Lost.DISK, Lost.OVERLOAD)

    @property
    def losses(self) -> Mapping[Lost, int]:
        """How many exchanges are not on record any more, or never were, since the start, by reason."""
        return dict(self._losses.counts)

    @property
    def waiting(self) -> int:
        """How many exchanges wait to be written."""
        return self._pending

    @property
    def problem(self) -> str:
        """What is wrong and what to do, empty when every exchange is kept."""
        if reason := self._writer.problem:
            waits = f"{self._pending} wait: make room or make the files writable"
            return f"exchanges cannot be written now ({reason}); {waits}"
        if self.dropped:
            return (
                f"{self.dropped} exchanges could not be kept since the start, so that logs may lack some: the disk does"
                " not keep up (journal: memory needs none)"
            )
        return ""

    def size_bytes(self) -> int:
        """What the journal takes on disk."""
        return bytes_on_disk(self._path)

    def record(self, exchange: Exchange) -> None:
        """Append an exchange. A question asked from now on sees it."""
        # Fields by number, and no call: this runs for every request.
        request_body, response_body = exchange[14], exchange[15]
        size = 0 if request_body is None else len(request_body[0])
        if response_body is not None:
            size += len(response_body[0])
        self._taken += 1
        if self._waited_for:
            self._bells.ring(exchange[2], exchange[3], exchange[4])
        if self._pending >= PENDING_MAX or self._pending_bytes + size > PENDING_BYTES_MAX or self._closed:
            self._drop(exchange)
            return
        batch = self._filling
        batch.exchanges.append(exchange)
        batch.bytes += size
        self._pending += 1
        self._pending_bytes += size
        if len(batch.exchanges) >= batch.due or batch.bytes >= _BATCH_BYTES_MAX:
            self._go_on()
        if self._writing is None and self._timer is None:
            self._write_within(_GATHER_SECONDS)

    # Questions.

    async def page(
        self, environment_id: str, session_key: str, *, before: str, since: str, limit: int
    ) -> Sequence[Exchange]:
        """Exchanges of a key, newest first; with ``since``, newer ones, oldest first. Raises StorageFailure."""
        return await self._ask(
            lambda file: questions.page(file, environment_id, session_key, before=before, since=since, limit=limit)
        )

    async def exchange(self, exchange_id: str) -> Exchange | None:
        """One exchange by its id. Raises StorageFailure."""
        return await self._ask(lambda file: questions.exchange(file, exchange_id))

    async def knows(self, environment_id: str, session_key: str) -> bool:
        """True when there is any exchange with that key. Raises StorageFailure."""
        return await self._ask(lambda file: questions.knows(file, environment_id, session_key))

    async def last_id(self) -> str:
        """The greatest id of all exchanges, empty when there is none. Raises StorageFailure."""
        return await self._ask(questions.last_id)

    async def latest_stream(self, environment_id: str, session_key: str) -> Stream | None:
        """The incarnation of a session that recorded last under a key. Raises StorageFailure."""
        return await self._ask(lambda file: questions.latest_stream(file, environment_id, session_key))

    async def streams(self, environment_id: str, session_key: str | None) -> Sequence[Stream]:
        """The streams of an environment, or of a key, with anything on record. Raises StorageFailure."""
        return await self._ask(lambda file: questions.streams(file, environment_id, session_key))

    async def read(self, stream: Stream, after: int, limit: int) -> Sequence[Exchange]:
        """Exchanges of a stream with numbers behind ``after``, oldest first. Raises StorageFailure."""
        return await self._ask(lambda file: questions.read(file, stream, after, limit))

    async def standing(self, stream: Stream) -> Standing:
        """How much of a stream there is. Raises StorageFailure."""
        account = await self._ask(lambda file: accounts.find(file, stream))
        if account:
            return account.standing()
        return Standing(losses={Lost.UNCLEAN_STOP: 0}, doubtful_after=0) if self._doubt.concerns(stream) else Standing()

    def bell(self, environment_id: str, session_key: str) -> AbstractContextManager[RungBell]:
        """What rings when something is recorded under a key, for as long as it is entered."""
        return self._bells.hung(environment_id, session_key)

    async def verifications(self, stream: Stream) -> Sequence[bytes]:
        """The verifications of a stream, oldest first. Raises StorageFailure."""

        def found(file: sqlite3.Connection) -> Sequence[bytes]:
            account = accounts.find(file, stream)
            return verifications.read(file, account.id) if account else ()

        return await self._ask(found)

    # Changes of what is on record.

    async def keep_verification(self, stream: Stream, verification: bytes) -> None:
        """Put a verification on record: the last ones of a stream are kept. Raises StorageFailure."""

        def keep(file: sqlite3.Connection) -> None:
            with self._ledger.entry(file):
                verifications.keep(file, self._ledger.account(file, stream).id, verification)

        await self._writer.run(keep)

    async def purge(self, stream: Stream) -> None:
        """Remove all of a stream that was recorded before this call, and its verifications. Raises StorageFailure.

        A long one goes in pieces, so that what is recorded meanwhile does not wait.
        """
        standing = await self.standing(stream)
        for start in range(0, standing.kept, SLICE):
            await self._writer.run(partial(self._purge, stream, min(SLICE, standing.kept - start)))
        await self._writer.run(lambda file: self._purge_rest(file, stream))

    def _purge(self, stream: Stream, most: int, file: sqlite3.Connection) -> None:
        with self._ledger.entry(file):
            self._ledger.evict(file, self._ledger.account(file, stream), most, 0, None)

    def _purge_rest(self, file: sqlite3.Connection, stream: Stream) -> None:
        with self._ledger.entry(file):
            account = self._ledger.account(file, stream)
            account.losses = {}
            account.doubtful_after = None
            self._ledger.touch(account)
            file.execute("DELETE FROM verification WHERE stream = ?", (account.id,))

    def start_sweeping(self, later: CallLater = call_later) -> None:
        """From now on remove every half minute what is older than it is kept."""
        self._sweeper.start(later)

    async def _sweep(self, moment_ms: int) -> None:
        more = True
        while more and not self._closed:
            lost, more = await self._writer.run(lambda file: sweep(file, self._ledger, moment_ms))
            self._losses.add(lost)
        after: tuple[int, int] | None = FIRST
        while after is not None and not self._closed:
            after = await self._writer.run(partial(self._forget, moment_ms, after))

    def _forget(self, moment_ms: int, after: tuple[int, int], file: sqlite3.Connection) -> tuple[int, int] | None:
        return forget(file, self._ledger, moment_ms, after)

    async def close(self) -> None:
        """Write what is pending, if the disk takes it, and close the file."""
        self._closed = True
        await self._sweeper.stop()
        try:
            await self._hand_over()
            if self._records:
                await self._writer.run(doubt.end)
        except StorageFailure:
            _log.error("%d exchanges could not be written", self._pending)
        self._cancel_timer()
        self._bells.ring_all()
        self._reader.close()
        await self._writer.close()
        if self._giving_back:
            await self._giving_back

    # Handing over.

    def _go_on(self) -> None:
        """Count the block that is full, and end the batch when that is."""
        batch = self._filling
        self._count(batch)
        if len(batch.exchanges) < _BATCH_MAX and batch.bytes < _BATCH_BYTES_MAX:
            return
        self._end_batch()
        is_crowded = self._pending >= _CROWDED or self._pending_bytes >= _CROWDED_BYTES
        if is_crowded and self._writing is not None and not self._writer.problem:
            self._written.wait(_PATIENCE_SECONDS)

    def _count(self, batch: _Batch) -> None:
        """Count what exchanges take beside their bodies that have come since the last time."""
        size = beside_bodies(batch.exchanges[batch.counted :])
        batch.bytes += size
        batch.counted = len(batch.exchanges)
        batch.due = min(batch.counted + _BLOCK_EXCHANGES_MAX, _BATCH_MAX)
        self._pending_bytes += size
        self._pending_bytes_most = max(self._pending_bytes_most, self._pending_bytes)

    async def _ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        await self._hand_over()
        return self._reader.ask(question)

    async def _hand_over(self) -> None:
        """Wait until everything recorded before this call is in the file, whatever is recorded meanwhile."""
        wanted = self._taken
        while self._settled < wanted:
            # Shielded: one caller that goes away must not stop the writing for all.
            failure = await asyncio.shield(self._writing or self._write_now())
            if failure:
                raise StorageFailure("the journal cannot be written now, so that no answer would be whole") from failure

    def _write_within(self, seconds: float) -> None:
        self._timer = self._later(seconds, self._when_due)

    def _write_now(self) -> "asyncio.Task[StorageFailure | None]":
        self._cancel_timer()
        self._writing = asyncio.get_running_loop().create_task(self._write_batch())
        return self._writing

    async def _write_batch(self) -> StorageFailure | None:
        """Write the oldest exchanges. A failure is returned, because often nobody is there to catch it."""
        if not self._batches:
            self._end_batch()
        self._join_batches()
        batch = self._batches[0]
        # What is dropped after it from now on is written with the next.
        lapses, batch.lapses = batch.lapses, {}
        self._written.clear()

        def write(file: sqlite3.Connection) -> Mapping[Lost, int]:
            try:
                return self._ledger.append(file, batch.exchanges, lapses)
            finally:
                self._written.set()

        try:
            lost = await self._writer.run(write)
        except StorageFailure as failure:
            for each, count in lapses.items():
                batch.lapses[each] = batch.lapses.get(each, 0) + count
            self._write_within(_RETRY_SECONDS)
            return failure
        finally:
            self._writing = None
            self._written.set()
        self._settle(batch, sum(lapses.values()))
        self._losses.add(lost)
        if self._batches:
            self._write_now()
            return None
        self._give_back()
        if self._settled < self._taken:
            self._write_within(_GATHER_SECONDS)
        return None

    def _join_batches(self) -> None:
        """Make one of the oldest batches. What was dropped after one of them has its place before the next."""
        joined = self._batches.popleft()
        while self._batches and not joined.lapses:
            following = self._batches[0]
            exchanges, size = len(joined.exchanges) + len(following.exchanges), joined.bytes + following.bytes
            # Also for those that were joined before, and then refused by the disk.
            if exchanges > _TOGETHER_MAX * _BATCH_MAX or size > _TOGETHER_MAX * _BATCH_BYTES_MAX:
                break
            self._batches.popleft()
            joined.exchanges += following.exchanges
            joined.bytes += following.bytes
            joined.lapses = following.lapses
        self._batches.appendleft(joined)

    def _end_batch(self) -> None:
        self._count(self._filling)
        self._batches.append(self._filling)
        self._filling = _Batch()

    def _settle(self, batch: _Batch, lapsed: int) -> None:
        """Let go of the batch that is written, with so many that were dropped after it."""
        if batch.lapses:
            self._batches[0] = _Batch(lapses=batch.lapses)
        else:
            self._batches.popleft()
        self._pending -= len(batch.exchanges)
        self._pending_bytes -= batch.bytes
        self._settled += len(batch.exchanges) + lapsed
        # The writer's thread remembers its last job until the next one.
        batch.exchanges.clear()
        if self._overflowing:
            _log.warning("the journal keeps up again; %d exchanges were dropped since the start", self.dropped)
            self._overflowing = False

    def _give_back(self) -> None:
        """Nothing waits any more: when that was much, let the system have what it took."""
        most, self._pending_bytes_most = self._pending_bytes_most, self._pending_bytes
        if most >= _LARGE_BYTES and (self._giving_back is None or self._giving_back.done()):
            self._giving_back = asyncio.get_running_loop().run_in_executor(None, give_back)

    def _when_due(self) -> None:
        self._write_now()

    def _cancel_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _drop(self, exchange: Exchange) -> None:
        """Keep nothing of an exchange but that it was there: it takes a number after those that wait."""
        self._lapsed += 1
        reason = Lost.DISK if self._writer.problem else Lost.OVERLOAD
        self._losses.count(reason, 1)
        if not self._overflowing:
            _log.error("the journal cannot keep up: exchanges are dropped from now on")
            self._overflowing = True
        if self._closed:
            self._settled += 1
            return
        if self._filling.exchanges or not self._batches:
            self._end_batch()
        lapses, lapse = self._batches[-1].lapses, (exchange.stream, reason)
        lapses[lapse] = lapses.get(lapse, 0) + 1
        if self._writing is None and self._timer is None:
            self._write_within(_GATHER_SECONDS)
