"""Opening one of the files, for the writer and for a reader, and telling a fault of the disk from one of our own."""

import sqlite3
from pathlib import Path
from typing import Literal

from understudy_server.core.giving_way import TakesTooLong
from understudy_server.core.searching import contains

Durability = Literal["normal", "full"]
"""``normal`` survives the death of the process, ``full`` the loss of power too."""

_BUSY_TIMEOUT_MS = 5_000

# What the disk, the file system or another process does. The rest (a constraint, a wrong statement) is one job's own.
_REASONS = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk refuses to read or write",
    sqlite3.SQLITE_READONLY: "the files are read-only",
    sqlite3.SQLITE_PERM: "the files may not be used",
    sqlite3.SQLITE_CANTOPEN: "the files cannot be opened",
    sqlite3.SQLITE_BUSY: "another process holds the files",
    sqlite3.SQLITE_LOCKED: "another process holds the files",
    sqlite3.SQLITE_PROTOCOL: "another process holds the files",
    sqlite3.SQLITE_CORRUPT: "the files are damaged",
    sqlite3.SQLITE_NOTADB: "the files are damaged",
    sqlite3.SQLITE_NOMEM: "there is not enough memory",
}
# The lower byte of an extended result code is the code that it extends.
_PRIMARY_CODE = 0xFF


def connect(path: Path, durability: Durability) -> sqlite3.Connection:
    """Open a file that exists for one writer: autocommit (transactions are ours to begin), WAL, foreign keys held.

    Raises sqlite3.Error, also where the file system cannot share a write-ahead log.
    """
    connection = _open(path)
    try:
        _keep_write_ahead_log(connection)
        connection.execute(f"PRAGMA synchronous={durability.upper()}")
        connection.execute("PRAGMA foreign_keys=ON")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open a file that exists for reading on the thread that calls. Raises sqlite3.Error."""
    connection = _open(path)
    try:
        connection.execute("PRAGMA query_only=ON")
    except BaseException:
        connection.close()
        raise
    return connection


def wait_for_none(connection: sqlite3.Connection) -> None:
    """Have whoever begins to write say whether to wait for another process."""
    _wait_when_busy(connection, 0)


def begin(connection: sqlite3.Connection, *, patiently: bool) -> None:
    """Begin to write with a connection that does not wait by itself (``wait_for_none``).

    Raises sqlite3.Error; TakesTooLong when another process writes and ``patiently`` is False.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & _PRIMARY_CODE != sqlite3.SQLITE_BUSY:
            raise
        if not patiently:
            raise TakesTooLong from error
        _wait_when_busy(connection, _BUSY_TIMEOUT_MS)
        try:
            connection.execute("BEGIN IMMEDIATE")
        finally:
            _wait_when_busy(connection, 0)


def storage_fault(error: BaseException) -> str:
    """Say what is wrong with the storage, in words for the caller; empty when the error is no fault of the storage."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return _REASONS.get(code & _PRIMARY_CODE, "")


def _keep_write_ahead_log(connection: sqlite3.Connection) -> None:
    mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    if mode != "wal":
        raise sqlite3.OperationalError(f"the file system cannot keep a write-ahead log (journal mode {mode})")


def _open(path: Path) -> sqlite3.Connection:
    # Never creating: a file is made once, with its mode and its schema, by `files.prepare`.
    uri = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    _wait_when_busy(connection, _BUSY_TIMEOUT_MS)
    # Searching without regard to case, for all of Unicode: SQLite's own LIKE knows ASCII only.
    connection.create_function("contains_text", 2, contains, deterministic=True)
    return connection


def _wait_when_busy(connection: sqlite3.Connection, milliseconds: int) -> None:
    connection.execute(f"PRAGMA busy_timeout={milliseconds}")
