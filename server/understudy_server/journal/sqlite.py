"""The journal on SQLite: exchanges are appended in memory and written in batches, which a question waits for.

When the disk refuses a batch, nothing is lost: the exchanges stay pending, the next question tries at once and a timer
tries every second, until the disk takes them.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from understudy_server.core.errors import StorageFailure
from understudy_server.core.exchange import Exchange
from understudy_server.journal import rows
from understudy_server.store.sqlite import migrations
from understudy_server.store.sqlite.files import prepare
from understudy_server.store.sqlite.reader import Reader
from understudy_server.store.sqlite.timers import CallLater, Timer, call_later
from understudy_server.store.sqlite.writer import Durability, Writer

FILE = "journal.db"
PENDING_MAX = 20_000
PENDING_BYTES_MAX = 256 * 1024 * 1024
# So that one transaction, and what a question waits for beyond its own, stays short.
_BATCH_MAX = 1_000
_RETRY_SECONDS = 1.0
_log = logging.getLogger(__name__)


class SqliteJournal:
    """Fills ``app.ports.Journal`` and the proxy's recorder.

    ``record`` never waits. At most ``PENDING_MAX`` exchanges, with ``PENDING_BYTES_MAX`` bytes of bodies, wait to be
    written; what comes on top while the disk does not keep up is counted in ``dropped`` and logged, never forgotten in
    silence.
    """

    def __init__(self, path: Path, durability: Durability, later: CallLater = call_later) -> None:
        self.dropped = 0
        self._later = later
        self._pending: deque[Exchange] = deque()
        self._pending_bytes = 0
        # How many exchanges were ever taken in, and how many of those wait no more.
        self._taken = 0
        self._settled = 0
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

    def record(self, exchange: Exchange) -> None:
        """Append an exchange. A question asked from now on sees it."""
        size = _body_bytes(exchange)
        if self._closed or len(self._pending) >= PENDING_MAX or self._pending_bytes + size > PENDING_BYTES_MAX:
            self._drop()
            return
        self._pending.append(exchange)
        self._pending_bytes += size
        self._taken += 1
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
            _log.error("%d exchanges could not be written", len(self._pending))
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
        batch = list(islice(self._pending, _BATCH_MAX))
        try:
            unfit = await self._writer.run(lambda connection: rows.insert(connection, batch))
        except StorageFailure as failure:
            self._retry = self._later(_RETRY_SECONDS, self._try_again)
            return failure
        finally:
            self._writing = None
        self._settle(len(batch))
        self.dropped += unfit
        if self._pending:
            self._write_soon()
        return None

    def _settle(self, count: int) -> None:
        for _ in range(count):
            self._pending_bytes -= _body_bytes(self._pending.popleft())
        self._settled += count
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


def _body_bytes(exchange: Exchange) -> int:
    return sum(len(body.content) for body in (exchange.request_body, exchange.response_body) if body)
