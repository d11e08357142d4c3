"""One thread that writes one SQLite file, many jobs to a commit; a job that is brief may be done at once instead.

Where several jobs share a commit, each runs in a savepoint of its own: a job that fails leaves nothing behind and does
not hurt its neighbours. A fault of the disk fails every job of the batch, and the connection is opened anew before the
next one, so that the store recovers by itself once there is room again.

To hand a job to the thread and its outcome back takes longer than a small job itself. So one that is known to be brief
is done on the event loop, where nothing is there to wait for: the thread is idle, a commit need not reach the disk, and
commits were quick of late. It is held to a time, and one at most is done in a turn of the loop, so that requests of
others wait no longer than for a request; what gathers in that turn is a batch for the thread.

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
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

from understudy_server.core.errors import StorageFailure
from understudy_server.core.giving_way import TakesTooLong, begin_giving_way, in_time
from understudy_server.store.sqlite.connections import Durability, begin, connect, storage_fault, wait_for_none
from understudy_server.store.sqlite.write_ahead_log import WriteAheadLog

__all__ = ["Durability", "Job", "Seal", "Writer"]

Job = Callable[[sqlite3.Connection], Any]
Seal = Callable[[sqlite3.Connection], Callable[[], None]]
"""Looks at a batch that is about to be committed, and says what to do once it is."""
T = TypeVar("T")

_BATCH_MAX_JOBS = 256
# What a brief job may take, of which a commit is a part.
_BRIEF_SECONDS, _BRIEF_COMMIT_SECONDS = 0.001, 0.0005
# How much the last commit says of the next one.
_WEIGHT = 0.125
# One commit that took long is no slow disk.
_COMMIT_SECONDS_MAX = 0.003
# As long as nothing is written, nobody waits for what is done with the log.
_QUIET_SECONDS = 0.05
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Task:
    """A job, and where its outcome goes. One without a future is done on the event loop."""

    job: Job
    future: asyncio.Future[Any] | None = None
    result: Any = None
    error: BaseException | None = None


class Writer:
    """Runs jobs in the order given, and never two at once.

    ``problem`` says why the last batch could not be written; empty when it could, and before the first. ``batch`` is
    the number of the one under way.

    ``seal`` is called where the jobs run, inside the transaction; what it returns is called there after the commit and
    before anyone hears of it. ``log`` keeps the file's log short; without it SQLite does, and no job is done on the
    event loop, since there it would be made to wait.
    """

    def __init__(
        self, path: Path, durability: Durability, seal: Seal | None = None, log: WriteAheadLog | None = None
    ) -> None:
        self._path = path
        self._durability = durability
        self._seal = seal or _nothing_to_tell
        self._wal = log
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._closed = False
        # Held for the length of a `put`, so that no job can be given after the one that ends the thread.
        self._door = threading.Lock()
        # How many jobs the thread has still to do; under the door.
        self._given = 0
        # Whoever has it has the connection.
        self._turn = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        # The event loop in whose turn a job was done.
        self._loop: asyncio.AbstractEventLoop | None = None
        self._commit_seconds = 0.0
        self.problem = ""
        self.batch = 0
        # The last batch that there was when the thread looked at the log.
        self._seen = 0
        self._thread = threading.Thread(target=self._run, name=f"writer-{path.stem}", daemon=True)
        self._thread.start()

    async def run(self, job: Callable[[sqlite3.Connection], T], *, brief: bool = False) -> T:
        """Run a job and wait until it is committed. Raises what the job raises, and StorageFailure.

        The job goes on when the waiter is cancelled. One that is ``brief`` may be begun, undone and run again.
        """
        loop = asyncio.get_running_loop()
        task = _Task(job)
        if not (brief and self._written_here(task, loop)):
            task.future = loop.create_future()
            self._give(task)
            await task.future
        if task.error is not None:
            raise task.error
        result: T = task.result
        return result

    async def close(self) -> None:
        """Finish what was given, write the log back into the file, and end the thread."""
        with self._door:
            if not self._closed:
                self._closed = True
                self._tasks.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def _give(self, task: _Task) -> None:
        with self._door:
            if self._closed:
                raise StorageFailure("the store is closed; nothing was changed")
            self._given += 1
            self._tasks.put(task)

    # On the event loop

    def _written_here(self, task: _Task, loop: asyncio.AbstractEventLoop) -> bool:
        """Do a brief job at once, if it need not wait. False when the thread is to do it."""
        if self._loop is loop or not self._takes_turn():
            return False
        self._loop = loop
        loop.call_soon(self._end_of_turn)
        try:
            self._write([task], _BRIEF_SECONDS)
        except TakesTooLong:
            return False
        finally:
            self._turn.release()
        if self._wal and self._wal.is_long(self.batch):
            with contextlib.suppress(StorageFailure):
                self._give(_Task(_nothing))
        return True

    def _end_of_turn(self) -> None:
        self._loop = None

    def _takes_turn(self) -> bool:
        """Take the connection, if nobody has it or waits for it and a commit will not wait for the disk."""
        is_ready = self._wal is not None and self._connection is not None and not self.problem
        if not is_ready or self._durability != "normal" or self._commit_seconds > _BRIEF_COMMIT_SECONDS:
            return False
        with self._door:
            return not (self._closed or self._given) and self._turn.acquire(blocking=False)

    # In the thread

    def _run(self) -> None:
        begin_giving_way()
        closing = False
        while not closing:
            batch, closing = self._next_batch()
            if batch:
                with self._turn:
                    self._write(batch)
                # Whoever hears of it may have more to do, and finds nothing in the way.
                with self._door:
                    self._given -= len(batch)
                _deliver(batch)
            if self._wal and not closing:
                self._keep_short(self._wal)
        with self._turn:
            if self._wal:
                self._wal.close()
            self._let_go()

    def _next_batch(self) -> tuple[list[_Task], bool]:
        """Wait for a job and take all that have gathered behind it. True with it: nothing comes after.

        It is empty when there was none for a while, and something else is to be done then.
        """
        batch: list[_Task] = []
        try:
            task = self._tasks.get(timeout=_QUIET_SECONDS if self._wal and self._wal.is_held else None)
        except queue.Empty:
            return batch, False
        while task is not None:
            batch.append(task)
            if len(batch) == _BATCH_MAX_JOBS:
                return batch, False
            try:
                task = self._tasks.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True

    def _keep_short(self, wal: WriteAheadLog) -> None:
        """Shorten the log if it is time to. What is committed is safe without it."""
        was_quiet, self._seen = self._seen == self.batch, self.batch
        try:
            if wal.is_long(self.batch):
                with self._turn:
                    wal.hold(self.batch)
                wal.write_back()
            if wal.is_held and (was_quiet or wal.must_begin_anew()):
                with self._turn:
                    wal.begin_anew(self._opened())
        except sqlite3.Error as error:
            # A disk that fails is told by the next write.
            _log.debug("cannot shorten the log of %s: %s", self._path.name, error)
            wal.close()

    # Where the connection is

    def _write(self, batch: list[_Task], seconds: float = 0.0) -> None:
        """Run jobs and commit. With ``seconds``, raises TakesTooLong when that is not enough, and nothing is done."""
        self.batch += 1
        try:
            connection = self._opened()
            begin(connection, patiently=not seconds)
            work = partial(self._run_jobs, connection, batch)
            tell = in_time(seconds, work) if seconds else work()
            if tell is not None:
                self._commit(connection)
        except TakesTooLong:
            # Only who is held to a time can take too long.
            self._undo()
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the waiters hear of it and the thread goes on
            self._give_up(batch, error)
        else:
            if tell is not None:
                tell()
            self._note_success()

    def _run_jobs(self, connection: sqlite3.Connection, batch: list[_Task]) -> Callable[[], None] | None:
        """Returns what is to be called after the commit; ``None`` when nothing is left to be committed."""
        if len(batch) > 1:
            for task in batch:
                _run_in_savepoint(connection, task)
        elif not _run_alone(connection, batch[0]):
            return None
        return self._seal(connection)

    def _commit(self, connection: sqlite3.Connection) -> None:
        began = perf_counter()
        connection.execute("COMMIT")
        took = min(perf_counter() - began, _COMMIT_SECONDS_MAX)
        self._commit_seconds += _WEIGHT * (took - self._commit_seconds)

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path, self._durability)
            wait_for_none(self._connection)
            if self._wal:
                self._wal.adopt(self._connection)
        return self._connection

    def _undo(self) -> None:
        try:
            if self._connection and self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._let_go()

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


def _run_alone(connection: sqlite3.Connection, task: _Task) -> bool:
    """Run the only job of a transaction, which is over when it fails. False then."""
    try:
        task.result = task.job(connection)
    except BaseException as error:
        is_held_to_a_time = isinstance(error, TakesTooLong) and task.future is None
        # As below.
        if is_held_to_a_time or storage_fault(error) or not connection.in_transaction:
            raise
        task.error = error
        connection.execute("ROLLBACK")
        return False
    return True


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


def _nothing(_connection: sqlite3.Connection) -> None:
    """A job for a thread that is to look at the log."""


def _nothing_to_tell(_connection: sqlite3.Connection) -> Callable[[], None]:
    return lambda: None


def _deliver(batch: list[_Task]) -> None:
    """Wake the waiters, one wake-up per event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Task]] = {}
    for task in batch:
        if task.future is not None:
            by_loop.setdefault(task.future.get_loop(), []).append(task)
    for loop, tasks in by_loop.items():
        # A loop that was closed has nobody waiting any more.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_resolve, tasks)


def _resolve(tasks: list[_Task]) -> None:
    for task in tasks:
        if task.future is not None and not task.future.done():
            task.future.set_result(None)
