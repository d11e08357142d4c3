"""The embedded store: one process, three files, one writer's thread for each."""

import logging
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from understudy_server.app.ports import Work
from understudy_server.core.errors import StorageFailure
from understudy_server.live.source import Changes
from understudy_server.store.sqlite import migrations
from understudy_server.store.sqlite.changes import load_since
from understudy_server.store.sqlite.files import prepare
from understudy_server.store.sqlite.lock import DirectoryLock
from understudy_server.store.sqlite.transaction import SqliteTransaction
from understudy_server.store.sqlite.writer import Durability, Writer, connect_reader

T = TypeVar("T")

FILE = "control.db"
# Entries of the change list that are kept, so that a reader that lags behind need not load everything.
_CHANGES_KEPT = 10_000
_log = logging.getLogger(__name__)


class SqliteStore:
    """Fills ``app.ports.Store`` and ``live.source.Source`` over ``control.db``.

    The version lives in memory, because this process alone writes. Reads run on the event loop's own connection: a
    point read takes microseconds, a hop to another thread ten times as much.
    """

    def __init__(self, folder: Path, durability: Durability, lock: DirectoryLock, version: int) -> None:
        self._lock = lock
        self._version = version
        self._writer = Writer(folder / FILE, durability, self._publish)
        self._reader = connect_reader(folder / FILE)
        # Searching without regard to case, for all of Unicode: SQLite's own LIKE knows ASCII only.
        self._reader.create_function("contains_text", 2, _contains_text, deterministic=True)

    @classmethod
    async def open(cls, folder: Path, durability: Durability = "normal") -> "SqliteStore":
        """Open a data directory, made when missing (mode 0700), and bring its files up to date.

        Raises StoreLocked when another process holds it, NewerSchema when a newer release wrote it, OSError and sqlite3.Error
        when it cannot be used.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = DirectoryLock(folder)
        try:
            version = await prepare(folder / FILE, durability, migrations.control, _current_version)
            return cls(folder, durability, lock, version)
        except BaseException:
            lock.release()
            raise

    async def close(self) -> None:
        """Finish the writes under way and give the directory free."""
        await self._writer.close()
        self._reader.close()
        self._lock.release()

    async def read(self, work: Work[T]) -> T:
        """Run work that only reads, on one snapshot."""
        return self._on_snapshot(lambda connection: _drive(work(SqliteTransaction(connection))))

    async def write(self, work: Work[T]) -> T:
        """Run work whole or not at all; when this returns it is durable and visible."""

        def job(connection: sqlite3.Connection) -> T:
            return _drive(work(SqliteTransaction(connection)))

        return await self._writer.run(job)

    def version_nowait(self) -> int:
        return self._version

    async def version(self) -> int:
        return self._version

    async def load_since(self, version: int) -> Changes:
        return self._on_snapshot(lambda connection: load_since(connection, version))

    async def trim(self) -> None:
        """Forget old entries of the change list; a reader that is further behind loads everything."""

        def job(connection: sqlite3.Connection) -> None:
            horizon = self._version - _CHANGES_KEPT
            if connection.execute("DELETE FROM change WHERE version <= ?", (horizon,)).rowcount:
                connection.execute("UPDATE version SET floor = max(floor, ?)", (horizon,))

        await self._writer.run(job)

    def _publish(self, connection: sqlite3.Connection) -> None:
        """Called after each commit, before its writers hear of it."""
        self._version = _current_version(connection)

    def _on_snapshot(self, question: Callable[[sqlite3.Connection], T]) -> T:
        try:
            self._reader.execute("BEGIN")
            try:
                return question(self._reader)
            finally:
                self._reader.execute("ROLLBACK")
        except sqlite3.Error as error:
            _log.error("cannot read %s: %s", FILE, error)
            raise StorageFailure("the store cannot be read now") from error


def _current_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT current FROM version").fetchone()[0])


def _contains_text(text: str, part: str) -> bool:
    return part.casefold() in text.casefold()


def _drive(work: Awaitable[T]) -> T:
    """Run a coroutine that never suspends to its end."""
    coroutine: Coroutine[Any, Any, T] = work  # type: ignore[assignment]  # a use case is a coroutine
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    coroutine.close()
    raise RuntimeError("work on the embedded store must not wait for anything but its transaction")
