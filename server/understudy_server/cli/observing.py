"""How a server is seen from outside, put together: its health, its metrics, and traces where they are asked for."""

import asyncio
import logging
import os
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from understudy_server.app.host import Host
from understudy_server.cli.embedded import Rooms, clock
from understudy_server.live.view import LiveView
from understudy_server.proxy.listener import ProxyListener
from understudy_server.telemetry import tracing
from understudy_server.telemetry.calls import Calls
from understudy_server.telemetry.health import Health
from understudy_server.telemetry.loop_lag import LoopLag
from understudy_server.telemetry.tally import Recorder, Tally

if TYPE_CHECKING:
    # It takes an extra.
    from understudy_server.telemetry.spans import Tracing

_log = logging.getLogger(__name__)


class Observing:
    """What looks on while a server runs. Nothing of it counts or traces requests unless it was asked for."""

    def __init__(self, rooms: Rooms, view: LiveView, traces: "Tracing | None", *, counts: bool) -> None:
        self._rooms = rooms
        self._view = view
        self._tally = Tally() if counts else None
        self.proxy_traces = traces.proxy(self._place_of) if traces else None
        self.calls = Calls(traces.call if traces else None)
        self.health = health_of(rooms, view)

    @classmethod
    async def begin(cls, stopping: AsyncExitStack, rooms: Rooms, view: LiveView, *, counts: bool) -> "Observing":
        """Look on until the stack unwinds."""
        traces = _start_tracing()
        if traces:
            stopping.push_async_callback(traces.stop)
        return cls(rooms, view, traces, counts=counts)

    def _place_of(self, environment_id: str) -> str:
        """The ``project/environment`` of an environment (its id), empty when it is gone."""
        live = self._view.by_id.get(environment_id)
        return f"{live.row.project_slug}/{live.row.slug}" if live else ""

    def recorder(self) -> Recorder:
        """The journal, with whatever looks at exchanges on their way there."""
        recorder: Recorder = self._rooms.journal
        if self._tally:
            recorder = self._tally.beside(recorder)
        return self.proxy_traces.beside(recorder) if self.proxy_traces else recorder

    def metrics_app(self, stopping: AsyncExitStack, host: Host, proxy: ProxyListener) -> Any:
        """What is served at the address for metrics: those, and the health of the server."""
        # Only where it is served: these libraries are of no use to anybody else.
        from starlette.applications import Starlette
        from understudy_gateway.health_pages import health_routes

        from understudy_server.telemetry.page import MetricsPage
        from understudy_server.telemetry.snapshot import Connections, Sources

        if self._tally is None:
            raise RuntimeError("nothing was counted")
        loop = asyncio.get_running_loop()
        lag = LoopLag(loop.call_later, loop.time)
        lag.start()
        stopping.callback(lag.stop)
        sources = Sources(
            host=host,
            store=self._rooms.store,
            view=self._view,
            tally=self._tally,
            calls=self.calls,
            loop_lag=lag,
            connections=lambda: Connections(proxy.open_connections, proxy.upstream_connections),
            health=self.health,
            clock=clock,
        )
        return MetricsPage(sources, Starlette(routes=health_routes(self.health.ready)))


def health_of(rooms: Rooms, view: LiveView) -> Health:
    """The health of a server on these rooms: can its store be read, its journal written, is its view current?"""

    async def store() -> str:
        await rooms.store.read(lambda tx: tx.plan())
        return ""

    async def journal() -> str:
        # A question has all that waits written first, or says why it cannot be.
        await rooms.journal.exchange("")
        return ""

    async def current() -> str:
        await view.catch_up()
        return ""

    return Health({"store": store, "journal": journal, "view": current})


def _start_tracing() -> "Tracing | None":
    if not tracing.is_wanted(os.environ):
        return None
    from importlib.metadata import version

    try:
        return tracing.start(os.environ, version("understudy-server"))
    except tracing.CannotTrace as error:
        # The variables are often those of a whole cluster: that is no reason not to start.
        _log.warning("requests are not traced: %s", error)
        return None
