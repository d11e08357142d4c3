"""The journal on SQLite: exchanges are appended in memory and written in batches, which a question waits for.

When the disk refuses a batch, nothing is lost: the exchanges stay pending, the next question tries at once and a timer
tries every second, until the disk takes them.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from understudy_server.core.errors import StorageFailure
from understudy_server.core.exchange import Exchange
from understudy_server.journal import rows
from understudy_server.store.sqlite import migrations
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
_RETRY_SECONDS = 1.0
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Batch:
    """Exchanges that are written by one transaction."""

    exchanges: list[Exchange] = field(default_factory=list)
    body_bytes: int = 0


class SqliteJournal:
    """Fills ``app.ports.Journal`` and the proxy's recorder.

    ``record`` never waits. At most ``PENDING_MAX`` exchanges, with ``PENDING_BYTES_MAX`` bytes of bodies, wait to be
    written; what comes on top while the disk does not keep up is counted in ``dropped`` and logged, never forgotten in
    silence.
    """

    def __init__(self, path: Path, durability: Durability, later: CallLater = call_later) -> None:
        self.dropped = 0
        self._later = later
        # What waits: batches that are full or being written, the oldest first, and the one that is filling.
        self._batches: deque[_Batch] = deque()
        self._filling = _Batch()
        self._pending_bytes = 0
        # How many exchanges were ever taken in, and how many of those wait no more.
        self._taken = 0
        self._settled = 0
        self._path = path
        self._overflowing = False
        self._closed = False
        self._writing: asyncio.Task[StorageFailure | None] | None = None
        self._retry: Timer | None = None
        self._reader = Reader(path)
        self._writer = Writer(path, durability)

    @classmethod
    async def open(
        cls, folder: Path, durability: Durability = "normal", later: CallLater = call_later
    ) -> "SqliteJournal":
        """Open ``journal.db`` of a data directory that this process owns. Raises NewerSchema and sqlite3.Error."""
        await prepare(folder / FILE, durability, migrations.journal, lambda _: None)
        return cls(folder / FILE, durability, later)

    @property
    def recorded(self) -> int:
        """How many exchanges were taken in since the start."""
        return self._taken

    @property
    def problem(self) -> str:
        """What is wrong and what to do, empty when every exchange is kept."""
        if reason := self._writer.problem:
            waiting = self._taken - self._settled
            return f"exchanges cannot be written now ({reason}); {waiting} wait: make room or make the files writable"
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
        pending = self._taken - self._settled
        if pending >= PENDING_MAX or self._pending_bytes + size > PENDING_BYTES_MAX or self._closed:
            self._drop()
            return
        batch = self._filling
        batch.exchanges.append(exchange)
        batch.body_bytes += size
        self._pending_bytes += size
        self._taken += 1
        if len(batch.exchanges) >= _BATCH_MAX:
            self._end_batch()
        if self._writing is None and self._retry is None:
            self._write_soon()

    async def page(
        self, environment_id: str, session_key: str, *, before: str, since: str, limit: int
    ) -> Sequence[Exchange]:
        """Exchanges of a key, newest first; with ``since``, newer ones, oldest first. Raises StorageFailure."""
        bound, order = ("id > ?3", "ASC") if since else ("(?3 = '' OR id < ?3)", "DESC")
        query = (
            f"SELECT {rows.COLUMNS} FROM exchange WHERE environment_id = ?1 AND session_key = ?2 AND {bound} "
            f"ORDER BY id {order} LIMIT ?4"
        )
        found = await self._ask(query, environment_id, session_key, since or before, limit)
        return [rows.exchange(row) for row in found]

    async def exchange(self, exchange_id: str) -> Exchange | None:
        """One exchange by its id. Raises StorageFailure."""
        found = await self._ask(f"SELECT {rows.COLUMNS} FROM exchange WHERE id = ?", exchange_id)
        return rows.exchange(found[0]) if found else None

    async def knows(self, environment_id: str, session_key: str) -> bool:
        """True when there is any exchange with that key. Raises StorageFailure."""
        query = "SELECT 1 FROM exchange WHERE environment_id = ? AND session_key = ? LIMIT 1"
        return bool(await self._ask(query, environment_id, session_key))

    async def last_id(self) -> str:
        """The greatest id of all exchanges, empty when there is none. Raises StorageFailure."""
        return str((await self._ask("SELECT coalesce(max(id), '') FROM exchange"))[0][0])

    async def close(self) -> None:
        """Write what is pending, if the disk takes it, and close the file."""
        self._closed = True
        try:
            await self._hand_over()
        except StorageFailure:
            _log.error("%d exchanges could not be written", self._taken - self._settled)
        self._cancel_retry()
        self._reader.close()
        await self._writer.close()

    async def _ask(self, query: str, *arguments: Any) -> list[rows.Row]:
        await self._hand_over()
        return self._reader.ask(lambda connection: connection.execute(query, arguments).fetchall())

    async def _hand_over(self) -> None:
        """Wait until everything recorded before this call is in the file, whatever is recorded meanwhile."""
        wanted = self._taken
        while self._settled < wanted:
            # Shielded: one caller that goes away must not stop the writing for all.
            failure = await asyncio.shield(self._writing or self._write_soon())
            if failure:
                raise StorageFailure("the journal cannot be written now, so that no answer would be whole") from failure

    def _write_soon(self) -> "asyncio.Task[StorageFailure | None]":
        self._cancel_retry()
        self._writing = asyncio.get_running_loop().create_task(self._write_batch())
        return self._writing

    async def _write_batch(self) -> StorageFailure | None:
        """Write the oldest exchanges. A failure is returned, because often nobody is there to catch it."""
        if not self._batches:
            self._end_batch()
        batch = self._batches[0]
        try:
            unfit = await self._writer.run(lambda connection: rows.insert(connection, batch.exchanges))
        except StorageFailure as failure:
            self._retry = self._later(_RETRY_SECONDS, self._try_again)
            return failure
        finally:
            self._writing = None
        self._settle()
        self.dropped += unfit
        if self._settled < self._taken:
            self._write_soon()
        return None

    def _end_batch(self) -> None:
        self._batches.append(self._filling)
        self._filling = _Batch()

    def _settle(self) -> None:
        """Let go of the batch that is written."""
        batch = self._batches.popleft()
        self._pending_bytes -= batch.body_bytes
        self._settled += len(batch.exchanges)
        if self._overflowing:
            _log.warning("the journal keeps up again; %d exchanges were dropped since the start", self.dropped)
            self._overflowing = False

    def _try_again(self) -> None:
        self._retry = None
        self._write_soon()

    def _cancel_retry(self) -> None:
        if self._retry:
            self._retry.cancel()
            self._retry = None

    def _drop(self) -> None:
        self.dropped += 1
        if not self._overflowing:
            _log.error("the journal cannot keep up: exchanges are dropped from now on")
            self._overflowing = True
