"""When sessions were last seen: in memory, written behind to ``state.db`` at most once a second."""

import asyncio
import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from understudy_server.core.errors import StorageFailure
from understudy_server.store.sqlite import migrations
from understudy_server.store.sqlite.files import prepare
from understudy_server.store.sqlite.timers import CallLater, Timer, call_later
from understudy_server.store.sqlite.writer import Durability, Writer

FILE = "state.db"
_FLUSH_SECONDS = 1.0
_log = logging.getLogger(__name__)


class SqlitePresence:
    """Fills ``app.ports.Presence``. A crash loses at most the last second of last-seen times, and nothing else."""

    def __init__(self, writer: Writer, seen: dict[str, int], later: CallLater = call_later) -> None:
        self._writer = writer
        self._seen = seen
        self._later = later
        self._changed: set[str] = set()
        self._timer: Timer | None = None
        self._flushes: set[asyncio.Task[None]] = set()
        self._closed = False

    @classmethod
    async def open(
        cls, folder: Path, durability: Durability = "normal", later: CallLater = call_later
    ) -> "SqlitePresence":
        """Open ``state.db`` of a data directory that this process owns. Raises NewerSchema and sqlite3.Error."""

        def load(connection: sqlite3.Connection) -> dict[str, int]:
            return dict(connection.execute("SELECT session_id, last_seen_ms FROM presence"))

        seen = await prepare(folder / FILE, durability, migrations.state, load)
        return cls(Writer(folder / FILE, durability), seen, later)

    def touch(self, session_id: str, now_ms: int) -> None:
        """Note that a session was seen. Costs a dictionary entry; never fails and never waits."""
        self._seen[session_id] = now_ms
        self._changed.add(session_id)
        self._flush_later()

    def last_seen(self, session_id: str) -> int | None:
        return self._seen.get(session_id)

    def session_ids(self) -> Sequence[str]:
        return list(self._seen)

    def forget(self, session_ids: Sequence[str]) -> None:
        for session_id in session_ids:
            if self._seen.pop(session_id, None) is not None:
                self._changed.add(session_id)
                self._flush_later()

    async def close(self) -> None:
        """Write what is left and close the file."""
        self._closed = True
        if self._timer:
            self._timer.cancel()
        await asyncio.gather(*self._flushes)
        await self._flush()
        if self._changed:
            _log.error("the last-seen times of %d sessions could not be written", len(self._changed))
        await self._writer.close()

    def _flush_later(self) -> None:
        if self._timer is None and not self._closed:
            self._timer = self._later(_FLUSH_SECONDS, self._flush_soon)

    def _flush_soon(self) -> None:
        self._timer = None
        task = asyncio.get_running_loop().create_task(self._flush())
        self._flushes.add(task)
        task.add_done_callback(self._flushes.discard)

    async def _flush(self) -> None:
        changed, self._changed = self._changed, set()
        seen = [(each, self._seen[each]) for each in changed if each in self._seen]
        gone = [(each,) for each in changed if each not in self._seen]

        def job(connection: sqlite3.Connection) -> None:
            connection.executemany("INSERT OR REPLACE INTO presence VALUES (?, ?)", seen)
            connection.executemany("DELETE FROM presence WHERE session_id = ?", gone)

        if changed:
            try:
                await self._writer.run(job)
            except StorageFailure:
                # The times are still in memory; a later flush writes what they are by then.
                self._changed |= changed
                self._flush_later()
