"""A store in a new data directory. What its files begin with is the same each time: it is made once, and copied."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from understudy_server.store.sqlite import SqliteStore
from understudy_server.store.sqlite.store import FILE

Make = Callable[[Path], Awaitable[None]]
"""Opens a store in a folder, puts into it what it is to begin with, and closes it."""


async def new_store(folder: Path, kind: type[SqliteStore] = SqliteStore) -> SqliteStore:
    """Open a data directory, made when missing."""
    begin(folder, _make_empty)
    return await kind.open(folder)


def begin(folder: Path, make: Make) -> None:
    """Make a data directory with what a store begins with, unless there is one."""
    if not (folder / FILE).exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / FILE).write_bytes(_beginning(make))


@cache
def _beginning(make: Make) -> bytes:
    """What is made of nothing; on a loop of its own, since who calls has one that runs."""

    async def made(folder: Path) -> None:
        await make(folder)

    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(made(Path(folder)))).result()
        return Path(folder, FILE).read_bytes()


async def _make_empty(folder: Path) -> None:
    await (await SqliteStore.open(folder)).close()
