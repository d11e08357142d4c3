"""What is measured of each scenario: its operations, and its pace."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from guard.counting import count
from guard.pacing import pace
from guard.scenarios import SCENES, TIMED
from guard.stage import Scene, staged
from support.records import exchange
from understudy_server.core.exchange import Exchange
from understudy_server.journal.sqlite import SqliteJournal

# What is done once for so many exchanges, by the journal or the metrics, is in it as often as it should be.
_REQUESTS = 128


def operations_of(scene: Scene) -> Mapping[str, float]:
    """What each function does for a request of a scene, in operations, the most first."""
    with staged(scene) as stage:
        requests = stage.requests(_REQUESTS)
        counted = count(lambda: stage.serve(requests))
        stage.check(_REQUESTS)
    return _for_each(counted)


def operations_of_record() -> Mapping[str, float]:
    """What each function does to take an exchange into the journal on disk, until the answer may be written."""
    exchanges = [exchange(number) for number in range(1, _REQUESTS + 2)]

    async def counted(folder: Path) -> Mapping[str, int]:
        journal = await SqliteJournal.open(folder)
        try:
            # The first one begins the writing, which does not go on before the loop does.
            journal.record(exchanges[0])
            operations = count(lambda: _record(journal, exchanges[1:]))
        finally:
            await journal.close()
        assert journal.recorded == len(exchanges)
        return operations

    with TemporaryDirectory() as folder:
        return _for_each(asyncio.run(counted(Path(folder))))


def _record(journal: SqliteJournal, exchanges: Sequence[Exchange]) -> None:
    for each in exchanges:
        journal.record(each)


def _for_each(counted: Mapping[str, int]) -> Mapping[str, float]:
    return {name: operations / _REQUESTS for name, operations in counted.items()}


def pace_of(name: str) -> float:
    """The time of a scene's request in requests of the reference loop."""
    with staged(SCENES[name]) as stage:
        return pace(stage)


OPERATIONS: Final[Mapping[str, Callable[[], Mapping[str, float]]]] = {
    **{name: partial(operations_of, scene) for name, scene in SCENES.items()},
    "journal-disk": operations_of_record,
}
"""What counts the operations of a scenario, by function."""

PACES: Final[Mapping[str, Callable[[], float]]] = {name: partial(pace_of, name) for name in TIMED}
"""What takes the time of a scenario."""
