"""Reading one SQLite file on the thread that asks.

A point read takes microseconds, a hop to another thread ten times as much.
"""

import contextlib
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from understudy_server.core.errors import StorageFailure
from understudy_server.store.sqlite.connections import connect_reader, storage_fault

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Reader:
    """Answers questions, each on one snapshot. After a fault of the disk the file is opened anew for the next one."""

    def __init__(self, path: Path) -> None:
        """Open the file. Raises sqlite3.Error."""
        self._path = path
        self._connection: sqlite3.Connection | None = connect_reader(path)
        self._closed = False

    def ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Answer a question on a snapshot that holds every write committed before.

        Raises StorageFailure when the file cannot be read, and what the question raises.
        """
        if self._closed:
            raise StorageFailure("the store is closed")
        try:
            return self._on_snapshot(question)
        except sqlite3.Error as error:
            reason = storage_fault(error)
            if not reason:
                raise
            _log.error("cannot read %s: %s", self._path.name, error)
            self._let_go()
            raise StorageFailure(f"the store cannot be read now ({reason})") from error

    def close(self) -> None:
        """Close the file. What is asked later is refused."""
        self._closed = True
        self._let_go()

    def _on_snapshot(self, question: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection = self._connection or connect_reader(self._path)
        connection.execute("BEGIN")
        try:
            return question(connection)
        finally:
            # Some faults end the transaction themselves.
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _let_go(self) -> None:
        if self._connection:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
