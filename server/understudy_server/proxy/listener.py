"""The proxy's listeners: bind, accept, stop."""

import asyncio
import ssl
import time
from collections.abc import Callable
from functools import partial

from understudy_server.core.state import State
from understudy_server.live.view import LiveView
from understudy_server.proxy.connection import Connection
from understudy_server.proxy.connections import Connections
from understudy_server.proxy.handover import HandingOver, Handover, pool_to_gateway
from understudy_server.proxy.held_bodies import HeldBodies
from understudy_server.proxy.judging import Judge
from understudy_server.proxy.likeness import Remembered
from understudy_server.proxy.pool import Pool
from understudy_server.proxy.recording import Clerk, Presence, Recorder
from understudy_server.proxy.service import Service
from understudy_server.proxy.settings import ProxySettings
from understudy_server.proxy.tracing import TracedClerk, Traces
from understudy_server.proxy.watch import Watch


class ProxyListener:
    """Answers by mocks or passes through, on any number of addresses that share connections to upstreams and limits.

    ``clock`` gives milliseconds since 1970, ``ticks`` nanoseconds that only go forward. ``state`` is what is kept
    between requests, ``new_id("log_")`` makes the ids of exchanges, which sort in the order of recording. With
    ``traces``, upstreams are told of them.
    """

    def __init__(
        self,
        view: LiveView,
        recorder: Recorder,
        presence: Presence,
        *,
        clock: Callable[[], int],
        state: State,
        new_id: Callable[[str], str],
        settings: ProxySettings | None = None,
        ticks: Callable[[], int] = time.perf_counter_ns,
        traces: Traces | None = None,
    ) -> None:
        self._settings = settings = settings or ProxySettings()
        self._watch = Watch(asyncio.get_running_loop(), settings.tick_seconds)
        self._pool = Pool(settings, self._watch)
        self._gateway: Pool | None = None
        known = (recorder, presence, new_id, clock, settings.captured_bytes_max)
        self._clerk = Clerk(*known) if traces is None else TracedClerk(traces, *known)
        self._traces = traces
        self._view = view
        self._state = state
        self._presence = presence
        self._clock = clock
        self._ticks = ticks
        self._connections = Connections()
        self._remembered = Remembered()
        self._held_bodies = HeldBodies(settings.held_bodies_bytes_max)
        self._servers: list[asyncio.Server] = []

    def service(self, bound: tuple[str, str] | None = None, handover: Handover | None = None) -> Service:
        """What answers on one address; ``bound`` names project and environment by their slugs."""
        judge = Judge(self._view, self._state, self._settings, bound)
        make = Service if handover is None else self._handing_over(handover)
        return make(
            judge,
            self._clerk,
            self._presence,
            self._pool,
            clock=self._clock,
            ticks=self._ticks,
            settings=self._settings,
            traces=self._traces,
            remembered=self._remembered,
            held_bodies=self._held_bodies,
        )

    def _handing_over(self, handover: Handover) -> Callable[..., Service]:
        if self._gateway is None:
            self._gateway = pool_to_gateway(self._settings, self._watch)
        return partial(HandingOver, handover, self._gateway)

    async def listen(
        self,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        bound: tuple[str, str] | None = None,
        handover: Handover | None = None,
    ) -> tuple[str, int]:
        """Accept connections on one more address and return it as bound; port 0 takes any free one.

        ``tls``: connections begin with a handshake. ``bound``: all that comes is for this environment, named by the
        slugs of project and environment, and paths have no prefix; all but what goes to the control plane, by
        ``handover``. Raises OSError when the address cannot be bound.
        """
        service = self.service(bound, handover)
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(service, self._connections, self._watch),
            host,
            port,
            ssl=tls,
            ssl_handshake_timeout=self._settings.head_seconds if tls else None,
            ssl_shutdown_timeout=self._settings.linger_seconds if tls else None,
            backlog=1024,
        )
        self._servers.append(server)
        bound_host, bound_port = server.sockets[0].getsockname()[:2]
        return bound_host, bound_port

    @property
    def open_connections(self) -> int:
        """How many clients are connected."""
        return len(self._connections.all)

    @property
    def upstream_connections(self) -> int:
        """How many connections to upstreams there are, unused ones among them."""
        return self._pool.open_connections

    @property
    def held_body_bytes(self) -> int:
        """How much is held of bodies that are still coming."""
        return self._held_bodies.bytes

    async def stop(self) -> None:
        """Accept nothing more, let requests in hand finish within the grace time, then cut the rest. Repeatable."""
        for server in self._servers:
            server.close()
        self._connections.closed = True
        for connection in list(self._connections.all):
            connection.finish()
        await self._connections.all_gone(self._settings.stop_grace_seconds)
        for connection in list(self._connections.all):
            connection.abort()
        await self._connections.all_gone(None)
        await self._pool.close()
        if self._gateway is not None:
            await self._gateway.close()
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()
