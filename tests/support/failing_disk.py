"""A disk that refuses writes on command: SQLite's own faults, raised inside the writer's connection."""

import sqlite3
from pathlib import Path

import pytest
from understudy_server.store.sqlite.connections import Durability, connect


class FailingDisk:
    """Every writer that connects from now on writes to this disk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._open: list[sqlite3.Connection] = []
        self._fault = ""
        monkeypatch.setattr("understudy_server.store.sqlite.writer.connect", self._connect)

    def fill(self) -> None:
        """From now on a file cannot grow (SQLITE_FULL)."""
        # The pragma never shrinks a file: the limit becomes what the file has.
        self._set("PRAGMA max_page_count=1")

    def protect(self) -> None:
        """From now on the files are read-only (SQLITE_READONLY)."""
        self._set("PRAGMA query_only=ON")

    def repair(self) -> None:
        """Everything can be written again."""
        self._fault = ""

    def _set(self, fault: str) -> None:
        self._fault = fault
        for connection in filter(_is_open, self._open):
            connection.execute(fault)

    def _connect(self, path: Path, durability: Durability) -> sqlite3.Connection:
        connection = connect(path, durability)
        # A connection that failed is given up and closed.
        self._open = [*filter(_is_open, self._open), connection]
        if self._fault:
            connection.execute(self._fault)
        return connection


def _is_open(connection: sqlite3.Connection) -> bool:
    try:
        connection.total_changes  # noqa: B018 - asking is what fails on a closed one
    except sqlite3.ProgrammingError:
        return False
    return True
