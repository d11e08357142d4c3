"""Keeping the log of a file short, in a thread, while others write.

SQLite would do it by itself within a commit, every hundredth or so, and whoever made that one would wait for the disk
several times over: of sessions set one after the other it was the slowest hundredth, at 6 ms.

Here what is in the log is written back to the file by a connection of its own, which keeps nobody from writing. But a
log whose contents are all in the file is begun anew by the next write, and that waits for the disk once more. So until
the thread does that itself, at a moment when nobody writes, a reader holds the log as it is.
"""

import contextlib
import os
import sqlite3
from pathlib import Path

from understudy_server.store.sqlite.connections import Durability, connect, connect_reader

BYTES_MAX = 32 * 1024 * 1024
"""A log of more bytes is begun anew, quiet or not. It is read at a start after a kill, in less than a tenth of one."""
COMMITS_MAX = 200
"""After so many commits it is written back, or after a quarter of the bytes: each commit adds some pages."""


class WriteAheadLog:
    """The log beside a file that one process writes. What is called in the thread alone says so.

    Commits are numbered, in steps of one or more.
    """

    def __init__(
        self, path: Path, durability: Durability, bytes_max: int = BYTES_MAX, commits_max: int = COMMITS_MAX
    ) -> None:
        self._path = path
        self._log_path = f"{path}-wal"
        self._durability = durability
        self._bytes_max = bytes_max
        self._commits_max = commits_max
        self._long_from_bytes = bytes_max // 4
        self._long_from_commit = commits_max
        self._holder: sqlite3.Connection | None = None
        self._copier: sqlite3.Connection | None = None

    def adopt(self, connection: sqlite3.Connection) -> None:
        """Have a connection that writes leave the log alone."""
        connection.execute("PRAGMA wal_autocheckpoint=0")
        # The file of a log that was begun anew stays as it is, which is quicker, but no longer than this: so it tells
        # how long the log is where that counts.
        connection.execute(f"PRAGMA journal_size_limit={self._bytes_max}")

    def is_long(self, commit: int) -> bool:
        """Tell after a commit whether it is time to write it back. Asks the system: a microsecond or two."""
        return commit >= self._long_from_commit or self._bytes() > self._long_from_bytes

    @property
    def is_held(self) -> bool:
        """True from when it is first written back until it is begun anew. In the thread."""
        return self._holder is not None and self._holder.in_transaction

    def must_begin_anew(self) -> bool:
        """Tell whether it has become so long that nobody's convenience counts any more."""
        return self._bytes() > self._bytes_max

    def hold(self, commit: int) -> None:
        """Hold it as it is now, after a commit and while nobody writes. In the thread. Raises sqlite3.Error."""
        self._long_from_commit = commit + self._commits_max
        self._holder = self._holder or connect_reader(self._path)
        self._release()
        self._holder.execute("BEGIN")
        # The snapshot is taken by the first look.
        self._holder.execute("PRAGMA user_version").fetchall()

    def write_back(self) -> None:
        """Write back what it holds, in the thread, while others may write. Waits for the disk. Raises sqlite3.Error."""
        try:
            self._copier = self._copier or connect(self._path, self._durability)
            self._copier.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        finally:
            self._long_from_bytes = self._bytes() + self._bytes_max // 4

    def begin_anew(self, connection: sqlite3.Connection) -> None:
        """Write back the rest and begin anew, in the thread, with the connection that writes and in no transaction.

        Waits for the disk. What somebody else still reads stays in it. Raises sqlite3.Error.
        """
        self._release()
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        _write_nothing(connection)

    def close(self) -> None:
        """Let go of the file, in the thread. It may be gone on with later."""
        for connection in (self._holder, self._copier):
            if connection:
                with contextlib.suppress(sqlite3.Error):
                    connection.close()
        self._holder = self._copier = None

    def _release(self) -> None:
        if self._holder and self._holder.in_transaction:
            self._holder.execute("ROLLBACK")

    def _bytes(self) -> int:
        try:
            return os.stat(self._log_path).st_size  # noqa: PTH116 - after every commit, and a Path costs twice as much
        except OSError:
            return 0


def _write_nothing(connection: sqlite3.Connection) -> None:
    """Write a number that nobody uses as it is, which counts as a change."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        (number,) = connection.execute("PRAGMA user_version").fetchone()
        connection.execute(f"PRAGMA user_version={number}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
