"""One thread that writes one SQLite file, many jobs to a commit.

Each job runs in a savepoint of its own: a job that fails leaves nothing behind and does not hurt its neighbours. A
fault of the disk fails every job of the batch, and the connection is opened anew before the next one, so that the
store recovers by itself once there is room again.

Nothing is done between the commit and the answer that could fail: whoever hears of a failure may rely on it that
nothing was changed.
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
from typing import Any, TypeVar

from understudy_server.core.errors import StorageFailure
from understudy_server.core.giving_way import begin_giving_way
from understudy_server.store.sqlite.connections import Durability, connect, storage_fault

__all__ = ["Durability", "Job", "Seal", "Writer"]

Job = Callable[[sqlite3.Connection], Any]
Seal = Callable[[sqlite3.Connection], Callable[[], None]]
"""Looks at a batch that is about to be committed, and says what to do once it is."""
T = TypeVar("T")

_BATCH_MAX_JOBS = 256
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Task:
    job: Job
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class Writer:
    """Runs jobs in the order given, and never two at once.

    ``problem`` says why the last batch could not be written; empty when it could, and before the first.
    ``seal`` is called in the writer's thread inside the transaction; what it returns is called there after the commit
    and before anyone hears of it.
    """

    def __init__(self, path: Path, durability: Durability, seal: Seal | None = None) -> None:
        self._path = path
        self._durability = durability
        self._seal = seal or _nothing_to_tell
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._closed = False
        # Held for the length of a `put`, so that no job can be given after the one that ends the thread.
        self._door = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self.problem = ""
        self._thread = threading.Thread(target=self._run, name=f"writer-{path.stem}", daemon=True)
        self._thread.start()

    async def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run a job and wait until it is committed. Raises what the job raises, and StorageFailure.

        The job goes on when the waiter is cancelled.
        """
        loop = asyncio.get_running_loop()
        task = _Task(job, loop, loop.create_future())
        with self._door:
            if self._closed:
                raise StorageFailure("the store is closed; nothing was changed")
            self._tasks.put(task)
        result: T = await task.future
        return result

    async def close(self) -> None:
        """Finish what was given, write the log back into the file, and end the thread."""
        with self._door:
            if not self._closed:
                self._closed = True
                self._tasks.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def _run(self) -> None:
        begin_giving_way()
        closing = False
        while not closing:
            batch, closing = self._next_batch()
            if batch:
                self._write(batch)
                _deliver(batch)
        self._let_go()

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
            tell = self._seal(connection)
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - whatever it is, the waiters hear of it and the thread goes on
            self._give_up(batch, error)
        else:
            tell()
            self._note_success()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path, self._durability)
        return self._connection

    def _give_up(self, batch: list[_Task], error: Exception) -> None:
        """Nothing of the batch is written; start afresh next time."""
        if not self.problem:
            # Once, not for every batch: a full disk is bad enough without a log that grows by it.
            _log.error("cannot write %s: %s", self._path.name, error)
        reason = self.problem = storage_fault(error) or "see the server's log"
        for task in batch:
            task.error = StorageFailure(f"the store cannot be written now ({reason}); nothing was changed")
            task.error.__cause__ = error
        self._let_go()

    def _note_success(self) -> None:
        if self.problem:
            _log.warning("%s is written again", self._path.name)
            self.problem = ""

    def _let_go(self) -> None:
        """Close the connection, which undoes what it has not committed."""
        if self._connection:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


def _run_in_savepoint(connection: sqlite3.Connection, task: _Task) -> None:
    connection.execute("SAVEPOINT job")
    try:
        task.result = task.job(connection)
    except BaseException as error:
        # Some faults end the whole transaction, the neighbours' part with it.
        if storage_fault(error) or not connection.in_transaction:
            raise
        task.error = error
        connection.execute("ROLLBACK TO job")
    connection.execute("RELEASE job")


def _nothing_to_tell(_connection: sqlite3.Connection) -> Callable[[], None]:
    return lambda: None


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
