"""A process that opens a data directory, says so, and holds it until it is killed or its input ends."""

import asyncio
import sys
from pathlib import Path

from understudy_server.store.sqlite import SqliteStore


async def _hold(folder: Path) -> None:
    store = await SqliteStore.open(folder)
    print("open", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await store.close()


asyncio.run(_hold(Path(sys.argv[1])))
