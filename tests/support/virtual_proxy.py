"""A proxy without sockets whose time passes by hand, so that delays are exact to the millisecond and cost nothing."""

import asyncio
import random
from types import TracebackType
from typing import Self

from support.live_source import FakeSource
from support.manual_loop import ManualLoop, Wire
from support.proxying import NOON_MS, Ids
from understudy_server.core.exchange import Exchange
from understudy_server.live.view import LiveView
from understudy_server.proxy.listener import ProxyListener


class VirtualProxy:
    """A proxy over a store in memory. Use as a context: it takes the place of the running event loop.

    ``exchanges`` are on record. Random delays are drawn from dice with a fixed seed.
    """

    def __init__(self, source: FakeSource) -> None:
        self._loop = ManualLoop()
        self._source = source
        self.exchanges: list[Exchange] = []

    def __enter__(self) -> Self:
        asyncio.events._set_running_loop(self._loop)
        view = LiveView(self._source)
        self._loop.finish(view.catch_up())
        self._listener = ProxyListener(view, self, self, clock=self._now_ms, rng=random.Random(1), new_id=Ids())
        self._loop.finish(self._listener.listen("nowhere", 0))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.events._set_running_loop(None)
        self._loop.close()

    def record(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def touch(self, session_id: str, now_ms: int) -> None:
        """Nobody asks when a session was seen."""

    def send(self, data: bytes) -> Wire:
        """A client connects and sends this; returns its connection."""
        client = Wire(self._loop, self._loop.factory())
        client.deliver(data)
        self._loop.settle()
        return client

    def pass_ms(self, milliseconds: int) -> None:
        """Let time go by, and do what becomes due."""
        self._loop.advance(milliseconds / 1000)

    @property
    def upstreams(self) -> list[Wire]:
        """The connections to the real service, at its end."""
        return self._loop.outgoing

    def _now_ms(self) -> int:
        return NOON_MS + round(self._loop.time() * 1000)
