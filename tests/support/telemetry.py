"""The page of metrics over a real store, with a journal that keeps nothing and facts that a test makes up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from support.new_store import new_store
from support.store_steps import furnish
from understudy_server.app.host import HostFacts
from understudy_server.app.ports import Work
from understudy_server.core.errors import StorageFailure
from understudy_server.core.exchange import Exchange
from understudy_server.live.view import LiveView
from understudy_server.store.sqlite import SqliteStore
from understudy_server.telemetry.calls import Calls
from understudy_server.telemetry.health import Health, Phase
from understudy_server.telemetry.loop_lag import LoopLag
from understudy_server.telemetry.page import MetricsPage, Receive, Scope, Send
from understudy_server.telemetry.snapshot import Connections, Sources
from understudy_server.telemetry.tally import Recorder, Tally

T = TypeVar("T")


class BreakableStore:
    """A store that cannot be read any more once it is told so."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._fails = False

    def fail(self) -> None:
        self._fails = True

    @property
    def known_version(self) -> int:
        return self._store.known_version

    async def read(self, work: Work[T]) -> T:
        if self._fails:
            raise StorageFailure("it cannot be read")
        return await self._store.read(work)

    async def write(self, work: Work[T]) -> T:
        return await self._store.write(work)


class _Nowhere:
    def record(self, exchange: Exchange) -> None:
        """Keep nothing."""


@dataclass
class Watched:
    """What is exposed, and what a test turns. ``problems`` are what checks of the health say, by name."""

    page: MetricsPage
    store: BreakableStore
    view: LiveView
    recorder: Recorder
    calls: Calls
    facts: HostFacts
    problems: dict[str, str] = field(default_factory=lambda: {"journal": ""})
    asked_otherwise: list[str] = field(default_factory=list)


@asynccontextmanager
async def watched(folder: Path, facts: HostFacts | None = None) -> AsyncIterator[Watched]:
    """Expose a store with the empty environment of the records."""
    kept = await new_store(folder / "data")
    await furnish(kept)
    view, tally, calls, store = LiveView(kept), Tally(), Calls(), BreakableStore(kept)
    await view.catch_up()
    loop = asyncio.get_running_loop()

    async def journal() -> str:
        return here.problems["journal"]

    async def otherwise(scope: Scope, _receive: Receive, send: Send) -> None:
        here.asked_otherwise.append(scope["path"])
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    health = Health({"journal": journal})
    health.phase = Phase.SERVING
    sources = Sources(
        host=lambda: here.facts,
        store=store,
        view=view,
        tally=tally,
        calls=calls,
        loop_lag=LoopLag(loop.call_later, loop.time),
        connections=lambda: Connections(3, 2),
        health=health,
        clock=lambda: 1_782_216_000_000,
    )
    recorder = tally.beside(_Nowhere())
    here = Watched(MetricsPage(sources, otherwise), store, view, recorder, calls, facts or HostFacts())
    try:
        yield here
    finally:
        await kept.close()
