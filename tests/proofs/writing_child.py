"""A process that writes pairs of things without pause and acknowledges each unit of work on its output, until killed.

``+N``: session N and its mock are in the store. ``?N``: both are about to go. ``-N``: both are gone. ``.N``: exchange N
is in the journal.
"""

import asyncio
import os
import random
import sys
from itertools import count
from pathlib import Path

from support import records
from support.records import ENVIRONMENT
from support.store_steps import change, furnish
from understudy_server.app.ports import Transaction
from understudy_server.journal.sqlite import SqliteJournal
from understudy_server.store.sqlite import SqliteStore

WRITERS = 8


async def _write_for_ever(
    store: SqliteStore, journal: SqliteJournal, numbers: "count[int]", dice: random.Random
) -> None:
    own: list[int] = []
    while True:
        if own and dice.random() < 0.3:
            await _remove_pair(store, own.pop(dice.randrange(len(own))))
            continue
        number = next(numbers)
        await _put_pair(store, number)
        own.append(number)
        journal.record(records.exchange(number))
        if dice.random() < 0.1:
            await journal.exchange(records.exchange(number).id)
            _say(f".{number}")


async def _put_pair(store: SqliteStore, number: int) -> None:
    async def work(tx: Transaction) -> None:
        await tx.put_mock(ENVIRONMENT, records.mock(f"ovr_{number}"))
        await tx.put_session(records.session(f"ses_{number}", f"ci-{number}", overrides=[f"ovr_{number}"]))

    await store.write(work)
    _say(f"+{number}")


async def _remove_pair(store: SqliteStore, number: int) -> None:
    _say(f"?{number}")
    await change(
        store,
        lambda tx: tx.remove_mock(ENVIRONMENT, f"ovr_{number}"),
        lambda tx: tx.remove_session(f"ses_{number}"),
    )
    _say(f"-{number}")


def _say(line: str) -> None:
    # Straight to the pipe: what is in it outlives this process.
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


async def main(folder: Path, first: int, seed: int) -> None:
    store, journal = await SqliteStore.open(folder), await SqliteJournal.open(folder)
    if await store.read(lambda tx: tx.project_by_id(records.PROJECT)) is None:
        await furnish(store)
    numbers, dice = count(first), random.Random(seed)
    await asyncio.gather(*(_write_for_ever(store, journal, numbers, dice) for _ in range(WRITERS)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
