"""The rooms of a data directory, opened by the process that owns it."""

import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from understudy_server.app.host import Host, Watched
from understudy_server.app.observing import Observe, unobserved
from understudy_server.app.ports import Explainer
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.host import ProcessHost
from understudy_server.cli.journal_rules import ViewRules
from understudy_server.cli.late_explainer import LateExplainer
from understudy_server.core.ids import IdMaker
from understudy_server.core.rates import Rate
from understudy_server.core.record import Quota
from understudy_server.journal.memory import MemoryJournal, MemoryLimits
from understudy_server.journal.rules import DISK_QUOTA, MEMORY_QUOTA, DiskLimits
from understudy_server.journal.sqlite import SqliteJournal
from understudy_server.rpc.dispatcher import Dispatcher
from understudy_server.state.kept import KeptState
from understudy_server.store.sqlite import NewerSchema, SqlitePresence, SqliteStore, StoreLocked
from understudy_server.store.sqlite.writer import Durability

# A command calls as the owner, and the owner is not counted.
_UNCOUNTED = Rate(calls=1, seconds=1)


def clock() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class DirectoryInUse(CommandFailed):
    """Another process holds the data directory."""

    def __init__(self, holder: str) -> None:
        advice = "Stop that process, or choose another directory with --data."
        super().__init__(ExitCode.REFUSED, f"the data directory is in use: {holder}", advice)


@dataclass(frozen=True, slots=True)
class Rooms:
    """What a data directory holds, open; one maker of ids for all of it."""

    store: SqliteStore
    journal: SqliteJournal | MemoryJournal
    presence: SqlitePresence
    state: KeptState
    new_id: IdMaker
    durability: Durability
    rules: ViewRules
    """Those of the journal: told of the view where there is one."""

    def host(self, started_at_ms: int = 0, watched: Callable[[], Watched | None] = lambda: None) -> ProcessHost:
        """What tells of this process: a server since ``started_at_ms``, or a command (0)."""
        rooms = (self.store, self.journal, self.presence)
        return ProcessHost(*rooms, self.durability, started_at_ms=started_at_ms, watched=watched)

    def explainer(self) -> Explainer:
        """What explains decisions where no proxy runs whose view it could share."""
        return LateExplainer(self.store, self.state)

    def dispatcher(
        self,
        api_rate: Rate,
        host: Host | None = None,
        explainer: Explainer | None = None,
        observe: Observe = unobserved,
        scope_rates: Mapping[str, Rate] | None = None,
    ) -> Dispatcher:
        """A dispatcher on these rooms; without a host it is one for a command."""
        return Dispatcher(
            store=self.store,
            journal=self.journal,
            presence=self.presence,
            state=self.state,
            explainer=explainer or self.explainer(),
            clock=clock,
            new_id=self.new_id,
            api_rate=api_rate,
            scope_rates=scope_rates,
            host=host or self.host(),
            observe=observe,
        )


@asynccontextmanager
async def open_rooms(
    data: Path,
    durability: Durability,
    in_memory: MemoryLimits | None = None,
    quota: Quota | None = None,
    on_disk: DiskLimits | None = None,
    *,
    records: bool = True,
) -> AsyncIterator[Rooms]:
    """Own a data directory, made when missing, until the block ends. Raises CommandFailed.

    With ``in_memory`` exchanges are kept within these limits, and the journal of the directory is not opened.
    ``quota`` is what the journal keeps of an environment that has no limits of its own, ``on_disk`` what it keeps in
    all. ``records``: whether there will be anything to record.
    """
    rules = ViewRules(quota or (MEMORY_QUOTA if in_memory else DISK_QUOTA), clock)
    async with AsyncExitStack() as closing:
        yield await _open(data, durability, in_memory, on_disk, rules, closing, records=records)


async def _open(
    data: Path,
    durability: Durability,
    in_memory: MemoryLimits | None,
    on_disk: DiskLimits | None,
    rules: ViewRules,
    closing: AsyncExitStack,
    *,
    records: bool,
) -> Rooms:
    journal: SqliteJournal | MemoryJournal
    try:
        store = await SqliteStore.open(data, durability)
        closing.push_async_callback(store.close)
        presence = await SqlitePresence.open(data, durability)
        closing.push_async_callback(presence.close)
        state = await KeptState.open(data, presence.writer, durability)
        closing.push_async_callback(state.close)
        if in_memory:
            journal = MemoryJournal(in_memory, rules, clock=clock)
        else:
            living = await store.read(lambda tx: tx.session_ids())
            journal = await SqliteJournal.open(
                data, durability, rules=rules, limits=on_disk, living=living, records=records, clock=clock
            )
        closing.push_async_callback(journal.close)
        # Exchanges are ordered by their ids: one that comes after a restart must sort after those before it.
        new_id = IdMaker(clock, after=await journal.last_id())
        if records:
            journal.start_sweeping()
    except StoreLocked as error:
        raise DirectoryInUse(str(error)) from error
    except NewerSchema as error:
        advice = "Install the release that wrote it, or a later one."
        raise CommandFailed(ExitCode.REFUSED, f"the data directory {data} cannot be used: {error}", advice) from error
    except (OSError, sqlite3.Error) as error:
        advice = "Make room or make it writable, or choose another directory with --data."
        raise CommandFailed(ExitCode.REFUSED, f"the data directory {data} cannot be used: {error}", advice) from error
    return Rooms(store, journal, presence, state, new_id, durability, rules)


@asynccontextmanager
async def embedded_dispatcher(data: Path) -> AsyncIterator[Dispatcher]:
    """A dispatcher for one command on a directory that no process holds. Raises CommandFailed."""
    async with open_rooms(data, "normal", records=False) as rooms:
        yield rooms.dispatcher(_UNCOUNTED)
