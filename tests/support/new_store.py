"""A store in a new data directory. What its files begin with is the same each time: it is made once, and copied."""

import asyncio
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from understudy_server.store.sqlite import SqliteStore
from understudy_server.store.sqlite.store import FILE


async def new_store(folder: Path) -> SqliteStore:
    """Open a data directory, made when missing."""
    _begin(folder)
    return await SqliteStore.open(folder)


def _begin(folder: Path) -> None:
    if not (folder / FILE).exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / FILE).write_bytes(_beginning())


@cache
def _beginning() -> bytes:
    """What a store makes of nothing; of a loop of its own, since who calls has one that runs."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(_make(Path(folder)))).result()
        return Path(folder, FILE).read_bytes()


async def _make(folder: Path) -> None:
    await (await SqliteStore.open(folder)).close()
