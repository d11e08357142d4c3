"""A process that owns a data directory and does what it is told, a line at a time; each answer is a line of JSON.

``put N``: session N with its mock, long enough that the files must grow. ``see``: what there is. ``record N`` and
``find N``: exchange N. ``close`` and ``open``: the whole directory. ``run WORDS``: a command, where this process lives.
"""

import asyncio
import json
import random
import sqlite3
import sys
from pathlib import Path
from typing import Any

from support import records
from support.mirror import full
from support.records import ENVIRONMENT
from support.store_steps import change, furnish
from understudy_server.core.errors import StorageFailure
from understudy_server.journal.sqlite import SqliteJournal
from understudy_server.store.sqlite import SqliteStore

_LONG = "x" * 100_000
# What takes its room on a disk, whoever compresses it.
_NOISE = random.Random(7).randbytes(100_000)


class Rooms:
    """The store and the journal of one directory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._store: SqliteStore
        self._journal: SqliteJournal

    async def open(self) -> object:
        self._store = await SqliteStore.open(self._folder)
        self._journal = await SqliteJournal.open(self._folder)
        if await self._store.read(lambda tx: tx.project_by_id(records.PROJECT)) is None:
            await furnish(self._store)
        return "open"

    async def close(self) -> object:
        await self._journal.close()
        await self._store.close()
        return "closed"

    async def put(self, number: str) -> object:
        mock = records.mock(f"ovr_{number}", name=_LONG)
        session = records.session(f"ses_{number}", f"ci-{number}", overrides=[mock.id])
        await change(self._store, lambda tx: tx.put_mock(ENVIRONMENT, mock), lambda tx: tx.put_session(session))
        return "put"

    async def record(self, number: str) -> object:
        self._journal.record(records.exchange(int(number), body=_NOISE))
        return await self.find(number)

    async def find(self, number: str) -> object:
        exchange = records.exchange(int(number), body=_NOISE)
        found = await self._journal.exchange(exchange.id)
        return found is not None and found._replace(number=0) == exchange

    async def run(self, *words: str) -> object:
        process = await asyncio.create_subprocess_exec(*words, stderr=asyncio.subprocess.DEVNULL)
        return await process.wait()

    async def see(self) -> object:
        now = await full(self._store)
        return {
            "version": self._store.known_version,
            "loaded": now.version,
            "mocks": sorted(int(each.removeprefix("ovr_")) for _, each in now.mocks),
            "sessions": sorted(int(each.removeprefix("ses_")) for each in now.sessions),
        }


async def obey(rooms: Rooms) -> None:
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        name, *arguments = line.split()
        try:
            answer: dict[str, Any] = {"answer": await getattr(rooms, name)(*arguments)}
        except StorageFailure as error:
            answer = {"refused": error.message}
        except (OSError, sqlite3.Error) as error:
            answer = {"unusable": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(obey(Rooms(Path(sys.argv[1]))))
