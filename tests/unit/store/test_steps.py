"""The steps of a schema, noted in the file as the library notes them that did it before."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations
from understudy_server.store.sqlite.steps import Steps


def _make_first(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE first (x)")


def _make_second(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE second (x)")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(tmp_path / "things.db", isolation_level=None)
    yield made
    made.close()


def ours() -> Steps:
    steps = Steps("things")
    steps()(_make_first)
    steps()(_make_second)
    return steps


def tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_steps_are_known_and_applied_in_their_order(connection: sqlite3.Connection) -> None:
    steps = ours()
    steps.apply(connection)
    noted = connection.execute("SELECT migration_set, name FROM _sqlite_migrations ORDER BY id").fetchall()
    assert (
        noted == [("things", name) for name in steps.names] == [("things", "_make_first"), ("things", "_make_second")]
    )


def test_the_library_sees_what_was_applied(connection: sqlite3.Connection) -> None:
    ours().apply(connection)
    theirs = Migrations("things")
    for name in ours().names:
        theirs(name=name)(lambda _db: None)
    assert theirs.pending(Database(connection)) == []


def test_what_the_library_applied_is_not_applied_again(connection: sqlite3.Connection) -> None:
    theirs = Migrations("things")
    theirs(name="_make_first")(lambda db: _make_first(db.conn))
    theirs.apply(Database(connection))
    steps = ours()
    assert steps.applied(connection) == {"_make_first"}
    steps.apply(connection)
    assert steps.applied(connection) == set(steps.names)


def test_the_steps_of_another_file_do_not_count(connection: sqlite3.Connection) -> None:
    ours().apply(connection)
    assert Steps("others").applied(connection) == set()


def test_a_step_that_fails_takes_nothing_of_the_others_with_it(connection: sqlite3.Connection) -> None:
    steps = Steps("things")
    steps()(_make_first)

    @steps()
    def _fail(db: sqlite3.Connection) -> None:
        _make_second(db)
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(sqlite3.OperationalError, match="disk I/O error"):
        steps.apply(connection)
    assert not connection.in_transaction
    assert steps.applied(connection) == {"_make_first"}
    assert tables(connection) == {"first", "_sqlite_migrations"}
