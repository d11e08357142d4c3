"""A store that writes on the event loop what it can."""

from pathlib import Path
from typing import TypeVar

from support.new_store import new_store
from understudy_server.app.ports import Work
from understudy_server.store.sqlite import SqliteStore

T = TypeVar("T")


class BrieflyWritten(SqliteStore):
    """Takes all work for brief. What is not, has to be begun again in the writer's thread."""

    async def write(self, work: Work[T], *, brief: bool = True) -> T:
        return await super().write(work, brief=True)


async def new_brief_store(folder: Path) -> SqliteStore:
    """Open a data directory, made when missing, with such a store."""
    return await new_store(folder, BrieflyWritten)
