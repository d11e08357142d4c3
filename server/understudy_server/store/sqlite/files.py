"""Making and bringing up to date one of the three files."""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from understudy_server.store.sqlite.connections import Durability, connect
from understudy_server.store.sqlite.migrations import migrate
from understudy_server.store.sqlite.steps import Steps

T = TypeVar("T")


async def prepare(path: Path, durability: Durability, steps: Steps, question: Callable[[sqlite3.Connection], T]) -> T:
    """Make a file (mode 0600) or bring it up to date, off the event loop, and answer one question about what it holds.

    Raises NewerSchema and sqlite3.Error.
    """
    return await asyncio.get_running_loop().run_in_executor(None, _prepare, path, durability, steps, question)


def bytes_on_disk(path: Path) -> int:
    """What a file and the log beside it take, in bytes; nothing where they cannot be looked at."""
    size = 0
    for each in (path, path.with_name(f"{path.name}-wal")):
        with contextlib.suppress(OSError):
            size += each.stat().st_size
    return size


def _prepare(path: Path, durability: Durability, steps: Steps, question: Callable[[sqlite3.Connection], T]) -> T:
    # SQLite gives the log and the shared memory beside a file the file's own mode.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = connect(path, durability)
    try:
        migrate(connection, steps)
        return question(connection)
    finally:
        connection.close()
