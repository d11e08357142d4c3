"""One thread that writes one SQLite file, many jobs to a commit.

Each job runs in a savepoint of its own: a job that fails leaves nothing behind and does not hurt its neighbours. A failure of
the disk fails every job of the batch, and the connection is opened anew before the next one, so that the store recovers by
itself once there is room again.
"""

import asyncio
import contextlib
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from understudy_server.core.errors import StorageFailure

Durability = Literal["normal", "full"]
"""``normal`` survives the death of the process, ``full`` the loss of power too."""

Job = Callable[[sqlite3.Connection], Any]
T = TypeVar("T")

_BATCH_MAX_JOBS = 256
_BUSY_TIMEOUT_MS = 5_000
_log = logging.getLogger(__name__)


def connect(path: Path, durability: Durability) -> sqlite3.Connection:
    """Open a file for one writer: autocommit (transactions are ours to begin), WAL, foreign keys held."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={durability.upper()}")
        connection.execute("PRAGMA foreign_keys=ON")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open a file for reading on the thread that calls."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA query_only=ON")
    return connection


@dataclass(slots=True)
class _Task:
    job: Job
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class Writer:
    """Runs jobs in the order given. ``on_commit`` is called in the thread after each commit, before anyone hears of it."""

    def __init__(
        self, path: Path, durability: Durability, on_commit: Callable[[sqlite3.Connection], None] | None = None
    ) -> None:
        self._path = path
        self._durability = durability
        self._on_commit = on_commit
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._thread = threading.Thread(target=self._run, name=f"writer-{path.stem}", daemon=True)
        self._thread.start()

    async def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run a job and wait until it is committed. Raises what the job raises, and StorageFailure.

        The job goes on when the waiter is cancelled.
        """
        loop = asyncio.get_running_loop()
        task = _Task(job, loop, loop.create_future())
        self._tasks.put(task)
        result: T = await task.future
        return result

    async def close(self) -> None:
        """Finish what was given, write the log back into the file, and end the thread."""
        self._tasks.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def _run(self) -> None:
        closing = False
        while not closing:
            batch, closing = self._next_batch()
            if batch:
                self._write(batch)
                _deliver(batch)
        if self._connection:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()

    def _next_batch(self) -> tuple[list[_Task], bool]:
        """Wait for a job and take all that have gathered behind it. True with it: nothing comes after."""
        batch: list[_Task] = []
        task = self._tasks.get()
        while task is not None:
            batch.append(task)
            if len(batch) == _BATCH_MAX_JOBS:
                return batch, False
            try:
                task = self._tasks.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True

    def _write(self, batch: list[_Task]) -> None:
        try:
            connection = self._opened()
            connection.execute("BEGIN IMMEDIATE")
            for task in batch:
                _run_in_savepoint(connection, task)
            connection.execute("COMMIT")
            if self._on_commit:
                self._on_commit(connection)
        except sqlite3.Error as error:
            self._give_up(batch, error)

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path, self._durability)
        return self._connection

    def _give_up(self, batch: list[_Task], error: sqlite3.Error) -> None:
        """Nothing of the batch is written; start afresh next time."""
        _log.error("cannot write %s: %s", self._path.name, error)
        for task in batch:
            task.error = StorageFailure("the store cannot be written now; nothing was changed")
            task.error.__cause__ = error
        if self._connection:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


def _run_in_savepoint(connection: sqlite3.Connection, task: _Task) -> None:
    connection.execute("SAVEPOINT job")
    try:
        task.result = task.job(connection)
    except sqlite3.OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - it is handed to whoever gave the job
        task.error = error
        connection.execute("ROLLBACK TO job")
    connection.execute("RELEASE job")


def _deliver(batch: list[_Task]) -> None:
    """Wake the waiters, one wake-up per event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Task]] = {}
    for task in batch:
        by_loop.setdefault(task.loop, []).append(task)
    for loop, tasks in by_loop.items():
        # A loop that was closed has nobody waiting any more.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_resolve, tasks)


def _resolve(tasks: list[_Task]) -> None:
    for task in tasks:
        if task.future.done():
            continue
        if task.error is not None:
            task.future.set_exception(task.error)
        else:
            task.future.set_result(task.result)
