"""The embedded store: one process, one file of declared state, one writer's thread."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from contextlib import AbstractContextManager
from dataclasses import dataclass
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
from understudy_server.store.sqlite.remembered import At, RememberedAnswers
from understudy_server.store.sqlite.transaction import SqliteTransaction
from understudy_server.store.sqlite.unit import LARGE
from understudy_server.store.sqlite.write_ahead_log import WriteAheadLog
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
        # In one attribute, for whoever reads it while the other thread writes.
        self._at = At(version, version)
        self._followers: tuple[Follower, ...] = ()
        # For whoever has the writer's connection.
        self._batch = _Batch(0, version)
        self._remembered = RememberedAnswers()
        self._bells, self._flag_bells = Bells(), Bells()
        # First what can fail: a thread that was started is not given back.
        self._reader = Reader(folder / FILE)
        self._writer = Writer(folder / FILE, durability, self._seal, WriteAheadLog(folder / FILE, durability))

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
        return self._remembered.read(self._at, lambda tx: _drive(work(tx)), self._reader.ask)

    def recalled(self, question: Hashable) -> Any:
        """What was worked out before and still holds; ``None`` when nothing is known."""
        return self._remembered.recalled(question, self._at.lasting)

    async def write(self, work: Work[T], *, brief: bool = False) -> T:
        """Run work whole or not at all; when this returns it is durable and visible."""

        def job(connection: sqlite3.Connection) -> T:
            batch = self._under_way()
            # What the jobs before this one have changed is nobody's yet.
            answers = None if batch.is_lasting else self._remembered.lasting(self._at.lasting)
            transaction = SqliteTransaction(connection, batch.version, answers)
            result = _drive(work(transaction))
            batch.add(transaction)
            return result

        return await self._writer.run(job, brief=brief)

    def bell(self) -> AbstractContextManager[RungBell]:
        """What rings after each write, for as long as it is entered."""
        return self._bells.entered()

    def flag_bell(self) -> AbstractContextManager[RungBell]:
        """What rings after each write that changed flags, or what they are set to."""
        return self._flag_bells.entered()

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
        """Get ready inside the transaction; after the commit nothing is left that could fail.

        Followers look at the changes before the commit too, so that no call that reads sees them any earlier than the
        proxy does.
        """
        batch = self._under_way()
        version = batch.version
        at = At(version, version if batch.is_lasting else self._at.lasting)
        ready = look_ahead(connection, self._followers) if batch.effort >= LARGE else ()

        def publish() -> None:
            for each in ready:
                each()
            self._at = at
            self.known_version = version
            self._bells.ring_from_anywhere()
            if batch.changes_flags:
                self._flag_bells.ring_from_anywhere()

        return publish

    def _under_way(self) -> "_Batch":
        """What the jobs of the batch that is under way have changed so far."""
        if self._batch.number != self._writer.batch:
            self._batch = _Batch(self._writer.batch, self._at.version)
        return self._batch


@dataclass(slots=True)
class _Batch:
    """What the jobs of a batch have changed: see `Unit`. Only this process writes, so that it knows the version."""

    number: int
    version: int
    effort: int = 0
    is_lasting: bool = False
    changes_flags: bool = False

    def add(self, transaction: SqliteTransaction) -> None:
        self.version = transaction.version
        self.effort += transaction.effort
        self.is_lasting |= transaction.is_lasting
        self.changes_flags |= transaction.changes_flags


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
