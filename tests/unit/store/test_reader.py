import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from understudy_server.core.errors import StorageFailure
from understudy_server.store.sqlite.reader import Reader


class _Odd(Exception):
    pass


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "numbers.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE number (value INTEGER)")
    connection.close()
    return path


@pytest.fixture
def reader(path: Path) -> Iterator[Reader]:
    reader = Reader(path)
    yield reader
    reader.close()


def _count(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM number").fetchone()[0])


def _io_fault(_connection: sqlite3.Connection) -> int:
    fault = sqlite3.OperationalError("disk I/O error")
    fault.sqlite_errorcode = sqlite3.SQLITE_IOERR_READ
    raise fault


def test_a_question_sees_one_snapshot(reader: Reader, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA journal_mode=WAL")

    def question(connection: sqlite3.Connection) -> tuple[int, int]:
        first = _count(connection)
        other.execute("INSERT INTO number VALUES (1)")
        return first, _count(connection)

    assert reader.ask(question) == (0, 0)
    assert reader.ask(_count) == 1
    other.close()


def test_a_fault_of_the_disk_is_a_storage_failure(reader: Reader) -> None:
    with pytest.raises(StorageFailure, match="the disk refuses to read or write"):
        reader.ask(_io_fault)


def test_a_fault_of_the_disk_is_over_with_the_next_question(reader: Reader) -> None:
    with pytest.raises(StorageFailure):
        reader.ask(_io_fault)

    assert reader.ask(_count) == 0


def test_a_damaged_file_is_named(path: Path) -> None:
    path.write_bytes(b"not a database" * 100)
    reader = Reader(path)

    with pytest.raises(StorageFailure, match="the files are damaged"):
        reader.ask(_count)
    reader.close()


def test_a_question_that_raises_does_not_hurt_the_next(reader: Reader) -> None:
    def question(_connection: sqlite3.Connection) -> None:
        raise _Odd

    with pytest.raises(_Odd):
        reader.ask(question)

    assert reader.ask(_count) == 0


def test_a_wrong_statement_is_not_blamed_on_the_disk(reader: Reader) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        reader.ask(lambda connection: connection.execute("SELECT * FROM nowhere"))


def test_nothing_can_be_written(reader: Reader) -> None:
    with pytest.raises(StorageFailure):
        reader.ask(lambda connection: connection.execute("INSERT INTO number VALUES (1)"))


def test_a_closed_reader_refuses(path: Path) -> None:
    reader = Reader(path)
    reader.close()

    with pytest.raises(StorageFailure, match="closed"):
        reader.ask(_count)
