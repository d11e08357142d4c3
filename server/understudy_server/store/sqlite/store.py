"""The embedded store: one process, one file of declared state, one writer's thread."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

from understudy_server.app.bells import Bells, RungBell
from understudy_server.app.ports import Work
from understudy_server.live.source import Changes, Follower
from understudy_server.store.sqlite import migrations
from understudy_server.store.sqlite.ahead import look_ahead
from understudy_server.store.sqlite.changes import load_since
from understudy_server.store.sqlite.files import bytes_on_disk, prepare
from understudy_server.store.sqlite.lock import DirectoryLock
from understudy_server.store.sqlite.reader import Reader
from understudy_server.store.sqlite.remembered import RememberedAnswers
from understudy_server.store.sqlite.transaction import SqliteTransaction
from understudy_server.store.sqlite.unit import LARGE
from understudy_server.store.sqlite.writer import Durability, Writer

T = TypeVar("T")

FILE = "control.db"
# Versions whose changes are kept, so that a reader that lags behind need not load everything.
_VERSIONS_KEPT = 10_000


class SqliteStore:
    """Fills ``app.ports.Store`` and ``live.source.Source`` over ``control.db``.

    ``known_version`` lives in memory, because this process alone writes; it is set here and read elsewhere. Reads run
    on the event loop's own connection.
    """

    def __init__(self, folder: Path, durability: Durability, lock: DirectoryLock, version: int) -> None:
        self._lock = lock
        self._path = folder / FILE
        self.known_version = version
        self._followers: tuple[Follower, ...] = ()
        # What the jobs of a batch have changed, as far as it is for followers to take in; the writer's thread alone.
        self._effort = 0
        self._remembered = RememberedAnswers()
        self._bells = Bells()
        # First what can fail: a thread that was started is not given back.
        self._reader = Reader(folder / FILE)
        self._writer = Writer(folder / FILE, durability, self._seal)

    @classmethod
    async def open(cls, folder: Path, durability: Durability = "normal") -> "SqliteStore":
        """Open a data directory, made when missing (mode 0700), and bring its files up to date.

        Raises StoreLocked when another process holds it, NewerSchema when a newer release wrote it, OSError and
        sqlite3.Error when it cannot be used.
        """
        lock = await asyncio.get_running_loop().run_in_executor(None, _own, folder)
        try:
            version = await prepare(folder / FILE, durability, migrations.control, _current_version)
            return cls(folder, durability, lock, version)
        except BaseException:
            lock.release()
            raise

    @property
    def problem(self) -> str:
        """Why the last write failed, empty when it did not."""
        return self._writer.problem

    def size_bytes(self) -> int:
        """What declared state takes on disk."""
        return bytes_on_disk(self._path)

    async def close(self) -> None:
        """Finish the writes under way and give the directory free."""
        try:
            # Before the writer, so that the writer is the last to close the file and writes the log back.
            self._reader.close()
            await self._writer.close()
        finally:
            self._lock.release()

    async def read(self, work: Work[T]) -> T:
        """Run work that only reads, on one snapshot."""
        return self._remembered.read(self.known_version, lambda tx: _drive(work(tx)), self._reader.ask)

    async def write(self, work: Work[T]) -> T:
        """Run work whole or not at all; when this returns it is durable and visible."""

        def job(connection: sqlite3.Connection) -> T:
            transaction = SqliteTransaction(connection)
            result = _drive(work(transaction))
            self._effort += transaction.effort
            return result

        return await self._writer.run(job)

    def bell(self) -> AbstractContextManager[RungBell]:
        """What rings after each write, for as long as it is entered."""
        return self._bells.entered()

    async def version(self) -> int:
        return self.known_version

    async def load_since(self, version: int) -> Changes:
        return self._reader.ask(lambda connection: load_since(connection, version))

    async def trim(self, versions_kept: int = _VERSIONS_KEPT) -> None:
        """Forget the changes of old versions; a reader that is further behind loads everything."""

        def job(connection: sqlite3.Connection) -> None:
            horizon = self.known_version - versions_kept
            if connection.execute("DELETE FROM change WHERE version <= ?", (horizon,)).rowcount:
                connection.execute("UPDATE version SET floor = max(floor, ?)", (horizon,))

        await self._writer.run(job)

    def follow(self, follower: Follower) -> None:
        self._followers = (*self._followers, follower)

    def _seal(self, connection: sqlite3.Connection) -> Callable[[], None]:
        """Read the version inside the transaction; after the commit nothing is left that could fail.

        Followers look at the changes before the commit too, so that no call that reads sees them any earlier than the
        proxy does.
        """
        version = _current_version(connection)
        ready = look_ahead(connection, self._followers) if self._effort >= LARGE else ()
        self._effort = 0

        def publish() -> None:
            for each in ready:
                each()
            self.known_version = version
            self._bells.ring_from_anywhere()

        return publish


def _own(folder: Path) -> DirectoryLock:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return DirectoryLock(folder)


def _current_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT current FROM version").fetchone()[0])


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
