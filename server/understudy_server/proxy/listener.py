"""The proxy's listener: binds, accepts, stops."""

import asyncio
from collections.abc import Callable

from understudy_server.core.delays import Dice
from understudy_server.live.view import LiveView
from understudy_server.proxy.connection import Connection
from understudy_server.proxy.judging import Judge
from understudy_server.proxy.recording import Clerk, Presence, Recorder
from understudy_server.proxy.service import Service
from understudy_server.proxy.settings import ProxySettings
from understudy_server.proxy.upstream import UpstreamClient


class ProxyListener:
    """An HTTP listener that answers by mocks or passes through, addressed as `/<project>/<environment>/<rest>`.

    ``clock`` gives milliseconds since 1970, ``rng`` draws random delays, ``new_id("log_")`` makes the ids of exchanges,
    which sort in the order of recording.
    """

    def __init__(
        self,
        view: LiveView,
        recorder: Recorder,
        presence: Presence,
        *,
        clock: Callable[[], int],
        rng: Dice,
        new_id: Callable[[str], str],
        settings: ProxySettings | None = None,
    ) -> None:
        self._settings = settings or ProxySettings()
        self._service = Service(
            judge=Judge(view, rng, self._settings.session_header.lower().encode()),
            clerk=Clerk(recorder, new_id, clock, self._settings.captured_bytes_max),
            presence=presence,
            upstream=UpstreamClient(self._settings),
            clock=clock,
        )
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> None:
        """Accept connections; port 0 takes any free one. Raises OSError when the address cannot be bound."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self._service, self._settings, self._connections), host, port
        )

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, as bound. Raises RuntimeError unless it runs."""
        if self._server is None:
            raise RuntimeError("the listener is not running")
        host, port = self._server.sockets[0].getsockname()[:2]
        return host, port

    async def stop(self) -> None:
        """Accept nothing more, let requests in hand finish within the grace time, then cut the rest. Repeatable."""
        if self._server is None:
            return
        self._server.close()
        for connection in list(self._connections):
            connection.finish()
        await self._all_lost(self._settings.stop_grace_seconds)
        for connection in list(self._connections):
            connection.abort()
        await self._all_lost(None)
        await self._server.wait_closed()
        self._server = None

    async def _all_lost(self, timeout_seconds: float | None) -> None:
        lost = [connection.lost for connection in self._connections]
        if lost:
            await asyncio.wait(lost, timeout=timeout_seconds)
