import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from understudy_server.store.sqlite.connections import connect, connect_reader
from understudy_server.store.sqlite.write_ahead_log import WriteAheadLog

BYTES_MAX, COMMITS_MAX = 64 * 1024, 100
# A little less than a page.
_LONG = "x" * 3_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "texts.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE text (value TEXT)")
    connection.close()
    return path


@pytest.fixture
def log(path: Path) -> Iterator[WriteAheadLog]:
    log = WriteAheadLog(path, "normal", BYTES_MAX, COMMITS_MAX)
    yield log
    log.close()


@pytest.fixture
def writer(path: Path, log: WriteAheadLog) -> Iterator[sqlite3.Connection]:
    connection = connect(path, "normal")
    log.adopt(connection)
    yield connection
    connection.close()


def _write(writer: sqlite3.Connection, texts: int) -> None:
    for _ in range(texts):
        writer.execute("INSERT INTO text VALUES (?)", (_LONG,))


def _frames(writer: sqlite3.Connection) -> tuple[int, int]:
    """How many pages are in the log, and how many of them are in the file too. Looking writes them back."""
    _, there, written_back = writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return there, written_back


def _bytes(path: Path) -> int:
    return path.with_name(f"{path.name}-wal").stat().st_size


def test_a_commit_never_writes_back_by_itself(path: Path, writer: sqlite3.Connection) -> None:
    size = path.stat().st_size
    _write(writer, 1_200)

    assert path.stat().st_size == size
    assert _frames(writer)[0] >= 1_200


def test_it_is_long_after_some_commits(log: WriteAheadLog) -> None:
    assert (log.is_long(COMMITS_MAX - 1), log.is_long(COMMITS_MAX)) == (False, True)
    log.hold(COMMITS_MAX)
    assert (log.is_long(2 * COMMITS_MAX - 1), log.is_long(2 * COMMITS_MAX)) == (False, True)


def test_it_is_long_after_one_large_commit(log: WriteAheadLog, writer: sqlite3.Connection) -> None:
    writer.execute("INSERT INTO text VALUES (?)", ("x" * BYTES_MAX,))

    assert log.is_long(1)
    log.hold(1)
    log.write_back()
    assert not log.is_long(1)


def test_others_write_while_it_is_held_and_it_is_not_begun_anew(
    path: Path, log: WriteAheadLog, writer: sqlite3.Connection
) -> None:
    _write(writer, 10)
    log.hold(10)
    log.write_back()
    size = _bytes(path)
    _write(writer, 1)

    assert log.is_held
    assert _bytes(path) > size


def test_begun_anew_it_is_as_short_as_can_be_and_all_is_in_the_file(
    path: Path, log: WriteAheadLog, writer: sqlite3.Connection
) -> None:
    _write(writer, 10)
    log.hold(10)
    log.write_back()
    _write(writer, 5)
    log.begin_anew(writer)

    assert not log.is_held
    assert _frames(writer) == (1, 1)
    alone = sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)
    assert alone.execute("SELECT count(*) FROM text").fetchone() == (15,)
    alone.close()


def test_its_file_becomes_no_longer_than_the_limit_again(
    path: Path, log: WriteAheadLog, writer: sqlite3.Connection
) -> None:
    _write(writer, 40)
    assert log.must_begin_anew()
    log.hold(40)
    log.write_back()
    log.begin_anew(writer)

    assert _bytes(path) <= BYTES_MAX
    assert not log.must_begin_anew()


def test_what_somebody_still_reads_stays_in_it(path: Path, log: WriteAheadLog, writer: sqlite3.Connection) -> None:
    _write(writer, 10)
    reader = connect_reader(path)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM text").fetchone() == (10,)
    _write(writer, 10)
    log.hold(20)
    log.write_back()
    log.begin_anew(writer)

    assert reader.execute("SELECT count(*) FROM text").fetchone() == (10,)
    reader.close()
    assert _frames(writer)[0] >= 20


def test_it_can_be_gone_on_with_after_it_was_closed(log: WriteAheadLog, writer: sqlite3.Connection) -> None:
    _write(writer, 10)
    log.hold(10)
    log.close()
    assert not log.is_held
    log.hold(10)
    log.write_back()

    assert log.is_held


def test_a_file_that_is_gone_is_told(log: WriteAheadLog, path: Path) -> None:
    path.unlink()

    with pytest.raises(sqlite3.OperationalError):
        log.hold(1)
    assert not log.must_begin_anew()
