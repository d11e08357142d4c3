"""Brief jobs are done on the event loop, where nobody has to wait for them; all others by the writer's thread."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from understudy_server.core.errors import StorageFailure
from understudy_server.core.giving_way import TakesTooLong
from understudy_server.store.sqlite import writer as module
from understudy_server.store.sqlite.connections import connect_reader
from understudy_server.store.sqlite.write_ahead_log import WriteAheadLog
from understudy_server.store.sqlite.writer import Durability, Writer

Job = Callable[[sqlite3.Connection], int]


class _Odd(Exception):
    pass


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "numbers.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE number (value INTEGER UNIQUE)")
    connection.close()
    return path


@pytest.fixture
async def writer(path: Path) -> AsyncIterator[Writer]:
    writer = await _opened(path)
    yield writer
    await writer.close()


async def _opened(path: Path, durability: Durability = "normal") -> Writer:
    """A writer that has opened its file: that is the thread's."""
    writer = Writer(path, durability, log=WriteAheadLog(path, durability))
    await writer.run(_add(0))
    return writer


def _add(value: int) -> Job:
    """Returns the thread that does it."""

    def job(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO number VALUES (?)", (value,))
        return threading.get_ident()

    return job


async def _is_done_here(writer: Writer, value: int) -> bool:
    """In a turn of the loop of its own."""
    await asyncio.sleep(0)
    return await writer.run(_add(value), brief=True) == threading.get_ident()


def _numbers(path: Path) -> list[int]:
    connection = connect_reader(path)
    try:
        return [value for (value,) in connection.execute("SELECT value FROM number ORDER BY rowid")]
    finally:
        connection.close()


async def test_a_brief_job_is_done_on_the_event_loop_and_is_committed(writer: Writer, path: Path) -> None:
    assert await _is_done_here(writer, 1)
    assert _numbers(path) == [0, 1]


async def test_another_job_is_done_by_the_thread(writer: Writer) -> None:
    assert await writer.run(_add(1)) != threading.get_ident()


async def test_one_is_done_in_a_turn_of_the_loop_and_the_rest_are_a_batch(writer: Writer, path: Path) -> None:
    before = writer.batch
    done = await asyncio.gather(*(writer.run(_add(value), brief=True) for value in range(1, 50)))

    assert done.count(threading.get_ident()) == 1
    assert writer.batch - before < 49
    assert _numbers(path) == list(range(50))


async def test_what_waits_is_done_first(writer: Writer, path: Path) -> None:
    waiting = [asyncio.ensure_future(writer.run(_add(value))) for value in (1, 2)]
    await asyncio.sleep(0)
    await writer.run(_add(3), brief=True)
    await asyncio.gather(*waiting)

    assert _numbers(path) == [0, 1, 2, 3]


async def test_with_full_durability_a_commit_waits_for_the_disk_and_the_loop_does_not(path: Path) -> None:
    writer = await _opened(path, "full")

    assert not await _is_done_here(writer, 1)
    await writer.close()


async def test_a_writer_that_leaves_its_log_to_sqlite_does_nothing_on_the_loop(path: Path) -> None:
    writer = Writer(path, "normal")
    await writer.run(_add(0))

    assert not await _is_done_here(writer, 1)
    await writer.close()


async def test_while_commits_are_slow_the_thread_waits_for_them(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = _Clock(step_seconds=0.001)
    monkeypatch.setattr(module, "perf_counter", clock)
    slow = [await writer.run(_add(value)) for value in range(1, 20)]
    assert threading.get_ident() not in slow
    assert not await _is_done_here(writer, 20)

    clock.step_seconds = 0.0
    for value in range(21, 40):
        await writer.run(_add(value))
    assert await _is_done_here(writer, 40)


async def test_one_commit_that_took_long_is_no_slow_disk(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = _Clock(step_seconds=0.0)
    monkeypatch.setattr(module, "perf_counter", clock)
    for value in range(1, 40):
        await writer.run(_add(value))
    clock.step_seconds = 10.0
    await writer.run(_add(40))
    clock.step_seconds = 0.0

    assert await _is_done_here(writer, 41)


async def test_a_job_that_takes_too_long_is_undone_and_left_to_the_thread(writer: Writer, path: Path) -> None:
    ran_in: list[int] = []

    def job(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO number VALUES (1)")
        ran_in.append(threading.get_ident())
        if len(ran_in) == 1:
            raise TakesTooLong

    await asyncio.sleep(0)
    await writer.run(job, brief=True)

    assert (ran_in[0] == threading.get_ident(), ran_in[1] == threading.get_ident()) == (True, False)
    assert _numbers(path) == [0, 1]


async def test_a_job_at_fault_leaves_nothing_and_says_what_it_was(writer: Writer, path: Path) -> None:
    def job(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO number VALUES (1)")
        raise _Odd

    await asyncio.sleep(0)
    with pytest.raises(_Odd):
        await writer.run(job, brief=True)

    assert await _is_done_here(writer, 2)
    assert _numbers(path) == [0, 2]


async def test_a_fault_of_the_disk_is_told_and_the_next_job_is_the_threads(writer: Writer, path: Path) -> None:
    def job(_connection: sqlite3.Connection) -> None:
        fault = sqlite3.OperationalError("disk I/O error")
        fault.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE
        raise fault

    await asyncio.sleep(0)
    with pytest.raises(StorageFailure, match="nothing was changed"):
        await writer.run(job, brief=True)
    assert writer.problem

    assert not await _is_done_here(writer, 1)
    assert writer.problem == ""
    assert await _is_done_here(writer, 2)
    assert _numbers(path) == [0, 1, 2]


async def test_the_loop_does_not_wait_for_another_process_but_the_thread_does(writer: Writer, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    await asyncio.sleep(0)
    waiting = asyncio.ensure_future(writer.run(_add(1), brief=True))
    # Had the loop waited, it would not come to this.
    await asyncio.sleep(0)
    assert not waiting.done()
    other.execute("COMMIT")
    other.close()

    assert await waiting != threading.get_ident()


async def test_a_closed_writer_refuses_brief_jobs(path: Path) -> None:
    writer = await _opened(path)
    await writer.close()

    with pytest.raises(StorageFailure, match="closed"):
        await writer.run(_add(1), brief=True)


async def test_a_long_log_is_written_back_by_the_thread_while_jobs_are_done_here(path: Path) -> None:
    log = WriteAheadLog(path, "normal", commits_max=10)
    writer = Writer(path, "normal", log=log)
    await writer.run(_add(0))
    for value in range(1, 60):
        await asyncio.sleep(0)
        await writer.run(_add(value), brief=True)
    await writer.run(_add(60))
    await writer.close()

    assert log.is_long(60) is False
    assert sorted(_numbers(path)) == list(range(61))


class _Clock:
    """Each look at it moves it."""

    def __init__(self, step_seconds: float) -> None:
        self.step_seconds = step_seconds
        self._now = 0.0

    def __call__(self) -> float:
        self._now += self.step_seconds
        return self._now
