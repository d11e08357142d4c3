"""Numbered steps that make the schema of a file, or bring it up to date.

Which steps a file has is noted in it as ``sqlite_utils`` notes it, whose tools can look at it. The library itself takes
a tenth of a start to import, for the few statements that are here.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

Step = TypeVar("Step", bound=Callable[[sqlite3.Connection], None])

_NOTES = (
    "CREATE TABLE _sqlite_migrations (id INTEGER PRIMARY KEY, migration_set TEXT, name TEXT, applied_at TEXT)",
    "CREATE UNIQUE INDEX idx__sqlite_migrations_migration_set_name ON _sqlite_migrations (migration_set, name)",
)
_NOTE = "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES (?, ?, ?)"


class Steps:
    """The steps of one kind of file, in their order. ``name`` is that of the file without its end."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._steps: dict[str, Callable[[sqlite3.Connection], None]] = {}

    def __call__(self) -> Callable[[Step], Step]:
        """Make a function the next step, by its own name."""

        def add(step: Step) -> Step:
            self._steps[step.__name__] = step
            return step

        return add

    @property
    def names(self) -> list[str]:
        """The names of the steps that this release knows, in the order in which they are applied."""
        return list(self._steps)

    def applied(self, connection: sqlite3.Connection) -> set[str]:
        """The names of the steps that a file has."""
        if not _has_notes(connection):
            return set()
        rows = connection.execute("SELECT name FROM _sqlite_migrations WHERE migration_set = ?", (self.name,))
        return {name for (name,) in rows}

    def apply(self, connection: sqlite3.Connection) -> None:
        """Apply the steps that a file lacks, each in a transaction of its own with the note of it.

        The connection begins no transactions by itself. Raises what a step raises, which leaves nothing behind.
        """
        if not _has_notes(connection):
            with _transaction(connection):
                for statement in _NOTES:
                    connection.execute(statement)
        applied = self.applied(connection)
        for name, step in self._steps.items():
            if name not in applied:
                with _transaction(connection):
                    step(connection)
                    connection.execute(_NOTE, (self.name, name, str(datetime.now(UTC))))


def _has_notes(connection: sqlite3.Connection) -> bool:
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_sqlite_migrations'")
    return found.fetchone() is not None


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A full disk, for one, may have ended the transaction already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
