"""The journal on SQLite: exchanges are appended in memory, written in batches, and handed over before a question is answered."""

import asyncio
import json
import logging
import sqlite3
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from understudy_server.core.errors import StorageFailure
from understudy_server.core.exchange import Captured, Exchange
from understudy_server.store.sqlite import migrations
from understudy_server.store.sqlite.files import prepare
from understudy_server.store.sqlite.writer import Durability, Writer, connect_reader

FILE = "journal.db"
PENDING_MAX = 20_000
_COLUMNS = (
    "id, project_id, environment_id, session_key, session_id, method, path, query, status, started_at_ms, duration_ms, "
    "mock_id, request_headers, response_headers, request_body, request_bytes, request_type, "
    "response_body, response_bytes, response_type"
)
_INSERT = f"INSERT INTO exchange ({_COLUMNS}) VALUES ({', '.join('?' * 20)})"
_log = logging.getLogger(__name__)


class SqliteJournal:
    """Fills ``app.ports.Journal`` and the proxy's recorder.

    ``record`` never waits. At most ``PENDING_MAX`` exchanges wait to be written; what comes on top while the disk does not
    keep up is counted in ``dropped`` and logged, never forgotten in silence.
    """

    def __init__(self, path: Path, durability: Durability) -> None:
        self.dropped = 0
        self._pending: deque[Exchange] = deque()
        self._writing: asyncio.Task[None] | None = None
        self._writer = Writer(path, durability)
        self._reader = connect_reader(path)

    @classmethod
    async def open(cls, folder: Path, durability: Durability = "normal") -> "SqliteJournal":
        """Open ``journal.db`` of a data directory that this process owns. Raises sqlite3.Error."""
        await prepare(folder / FILE, durability, migrations.journal, lambda _: None)
        return cls(folder / FILE, durability)

    def record(self, exchange: Exchange) -> None:
        """Append an exchange. A question asked from now on sees it."""
        if len(self._pending) >= PENDING_MAX:
            self.dropped += 1
            if self.dropped == 1:
                _log.error("the journal cannot keep up: exchanges are dropped from now on")
            return
        self._pending.append(exchange)
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write_pending())

    async def page(
        self, environment_id: str, session_key: str, *, before: str, since: str, limit: int
    ) -> Sequence[Exchange]:
        """Exchanges of a key, newest first; with ``since``, newer ones, oldest first. Raises StorageFailure."""
        await self._hand_over()
        bound, order = ("id > ?3", "ASC") if since else ("(?3 = '' OR id < ?3)", "DESC")
        query = (
            f"SELECT {_COLUMNS} FROM exchange WHERE environment_id = ?1 AND session_key = ?2 AND {bound} "
            f"ORDER BY id {order} LIMIT ?4"
        )
        return [_exchange(row) for row in self._rows(query, environment_id, session_key, since or before, limit)]

    async def exchange(self, exchange_id: str) -> Exchange | None:
        """One exchange by its id. Raises StorageFailure."""
        await self._hand_over()
        rows = self._rows(f"SELECT {_COLUMNS} FROM exchange WHERE id = ?", exchange_id)
        return _exchange(rows[0]) if rows else None

    async def knows(self, environment_id: str, session_key: str) -> bool:
        """True when there is any exchange with that key. Raises StorageFailure."""
        await self._hand_over()
        query = "SELECT 1 FROM exchange WHERE environment_id = ? AND session_key = ? LIMIT 1"
        return bool(self._rows(query, environment_id, session_key))

    async def close(self) -> None:
        """Write what is pending, if the disk takes it, and close the file."""
        try:
            await self._hand_over()
        except StorageFailure:
            _log.error("%d exchanges could not be written", len(self._pending))
        await self._writer.close()
        self._reader.close()

    async def _hand_over(self) -> None:
        """Wait until everything recorded so far is in the file."""
        while self._pending or self._writing:
            if self._writing is None:
                self._writing = asyncio.get_running_loop().create_task(self._write_pending())
            # Shielded: one caller that goes away must not stop the writing for all.
            await asyncio.shield(self._writing)

    async def _write_pending(self) -> None:
        try:
            while self._pending:
                batch = list(self._pending)
                await self._writer.run(lambda connection, batch=batch: _insert(connection, batch))  # type: ignore[misc]
                for _ in batch:
                    self._pending.popleft()
        finally:
            self._writing = None

    def _rows(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        try:
            return self._reader.execute(query, arguments).fetchall()
        except sqlite3.Error as error:
            _log.error("cannot read %s: %s", FILE, error)
            raise StorageFailure("the journal cannot be read now") from error


def _insert(connection: sqlite3.Connection, batch: Sequence[Exchange]) -> None:
    connection.executemany(_INSERT, [_row(exchange) for exchange in batch])


def _row(exchange: Exchange) -> tuple[Any, ...]:
    request, response = exchange.request_body, exchange.response_body
    return (
        exchange.id, exchange.project_id, exchange.environment_id, exchange.session_key, exchange.session_id,
        exchange.method, exchange.path, exchange.query, exchange.status, exchange.started_at_ms, exchange.duration_ms,
        exchange.mock_id, json.dumps(exchange.request_headers), json.dumps(exchange.response_headers),
        *_body_columns(request), *_body_columns(response),
    )  # fmt: skip


def _body_columns(body: Captured | None) -> tuple[Any, ...]:
    return (body.content, body.size_bytes, body.content_type) if body else (None, None, None)


def _exchange(row: tuple[Any, ...]) -> Exchange:
    request_headers, response_headers = (
        tuple((name, value) for name, value in json.loads(text)) for text in row[12:14]
    )
    return Exchange(*row[:12], request_headers, response_headers, _captured(row[14:17]), _captured(row[17:20]))


def _captured(columns: tuple[Any, ...]) -> Captured | None:
    content, size_bytes, content_type = columns
    return None if content is None else Captured(content, size_bytes, content_type)
