"""One process owns a data directory."""

import fcntl
import os
from pathlib import Path

_FILE = "lock"


class StoreLocked(Exception):
    """Another process holds the data directory."""


class DirectoryLock:
    """Holds a data directory until it is released or the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        """Take the lock. Raises StoreLocked, naming the owner's process id, and OSError."""
        self._file = os.open(folder / _FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._take(folder)
        except BaseException:
            os.close(self._file)
            raise

    def _take(self, folder: Path) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # An owner that has only just come has not written its id yet.
            owner = os.read(self._file, 20).decode("ascii", "replace").strip() or "another one"
            raise StoreLocked(f"process {owner} holds {folder}") from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let the next process in. Once only."""
        os.close(self._file)
