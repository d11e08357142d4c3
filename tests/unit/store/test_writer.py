import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from understudy_server.core.errors import StorageFailure
from understudy_server.store.sqlite.connections import connect_reader
from understudy_server.store.sqlite.writer import Writer


class _NoException(BaseException):
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
    writer = Writer(path, "normal")
    yield writer
    await writer.close()


def _numbers(path: Path) -> list[int]:
    connection = connect_reader(path)
    try:
        return [value for (value,) in connection.execute("SELECT value FROM number ORDER BY rowid")]
    finally:
        connection.close()


def _add(value: int) -> Callable[[sqlite3.Connection], None]:
    def job(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO number VALUES (?)", (value,))

    return job


def _wrong_statement(connection: sqlite3.Connection) -> None:
    connection.execute("SELECT nonsense FROM nowhere")


def _leave_by_force(_connection: sqlite3.Connection) -> None:
    raise _NoException


async def test_jobs_run_in_the_order_given(writer: Writer, path: Path) -> None:
    await asyncio.gather(*(writer.run(_add(value)) for value in range(50)))

    assert _numbers(path) == list(range(50))


async def test_jobs_that_gather_share_a_commit(path: Path) -> None:
    commits: list[int] = []

    def seal(_connection: sqlite3.Connection) -> Callable[[], None]:
        return lambda: commits.append(1)

    writer = Writer(path, "normal", seal)
    await asyncio.gather(*(writer.run(_add(value)) for value in range(200)))
    await writer.close()

    assert len(commits) < 200


async def test_the_seal_is_told_before_the_waiter(path: Path) -> None:
    told: list[int] = []

    def seal(connection: sqlite3.Connection) -> Callable[[], None]:
        seen = connection.execute("SELECT count(*) FROM number").fetchone()[0]
        return lambda: told.append(seen)

    writer = Writer(path, "normal", seal)
    await writer.run(_add(1))

    assert told == [1]
    await writer.close()


async def test_a_seal_that_fails_refuses_the_batch(path: Path) -> None:
    def seal(_connection: sqlite3.Connection) -> Callable[[], None]:
        raise sqlite3.OperationalError("no")

    writer = Writer(path, "normal", seal)
    with pytest.raises(StorageFailure):
        await writer.run(_add(1))
    await writer.close()

    assert _numbers(path) == []


@pytest.mark.parametrize(
    ("job", "error"),
    [(_wrong_statement, sqlite3.OperationalError), (_add(1), sqlite3.IntegrityError), (_leave_by_force, _NoException)],
)
async def test_a_job_at_fault_hurts_nobody_else(
    writer: Writer, path: Path, job: Callable[[sqlite3.Connection], None], error: type[BaseException]
) -> None:
    await writer.run(_add(1))

    outcomes = await asyncio.gather(writer.run(_add(2)), writer.run(job), writer.run(_add(3)), return_exceptions=True)

    assert isinstance(outcomes[1], error)
    assert _numbers(path) == [1, 2, 3]


async def test_a_closed_writer_refuses(path: Path) -> None:
    writer = Writer(path, "normal")
    await writer.close()

    with pytest.raises(StorageFailure):
        await writer.run(_add(1))


async def test_closing_twice_is_closing_once(path: Path) -> None:
    writer = Writer(path, "normal")
    await writer.close()
    await writer.close()


async def test_a_file_that_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "gone.db", "normal")

    with pytest.raises(StorageFailure, match="cannot be opened"):
        await writer.run(_add(1))
    await writer.close()

    assert not (tmp_path / "gone.db").exists()


async def test_another_process_that_holds_the_file_is_named(
    writer: Writer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy_server.store.sqlite.connections._BUSY_TIMEOUT_MS", 0)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageFailure, match="another process"):
        await writer.run(_add(1))
    other.close()

    await writer.run(_add(2))

    assert _numbers(path) == [2]


@pytest.mark.parametrize(("durability", "synchronous"), [("normal", 1), ("full", 2)])
async def test_durability_is_how_the_log_is_synced(path: Path, durability: str, synchronous: int) -> None:
    writer = Writer(path, durability)  # type: ignore[arg-type]
    level = await writer.run(lambda connection: connection.execute("PRAGMA synchronous").fetchone()[0])
    await writer.close()

    assert level == synchronous
