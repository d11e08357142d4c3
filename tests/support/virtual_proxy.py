"""A proxy without sockets whose time passes by hand, so that delays are exact to the millisecond and cost nothing."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from support.live_source import FakeSource
from support.manual_loop import ManualLoop, Wire
from support.proxying import NOON_MS, Ids
from understudy_server.core.exchange import Exchange
from understudy_server.live.view import LiveView
from understudy_server.proxy.listener import ProxyListener
from understudy_server.proxy.settings import ProxySettings
from understudy_server.state.memory import MemoryState


class VirtualProxy:
    """A proxy over a store in memory. Use as a context: it takes the place of the running event loop.

    ``exchanges`` are on record; with a ``fault``, recording fails. ``seen`` are the sessions that requests were of.
    ``loop`` is another one than a plain one.
    """

    def __init__(
        self, source: FakeSource, settings: ProxySettings | None = None, loop: ManualLoop | None = None
    ) -> None:
        self._loop = loop or ManualLoop()
        self._source = source
        self._settings = settings
        self.exchanges: list[Exchange] = []
        self.seen: list[str] = []
        self.fault: Exception | None = None
        self._stopping: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        asyncio.events._set_running_loop(self._loop)
        view = LiveView(self._source)
        self._loop.finish(view.catch_up())
        self._listener = ProxyListener(
            view,
            self,
            self,
            clock=self._now_ms,
            state=MemoryState(),
            new_id=Ids(),
            settings=self._settings,
            ticks=self._ticks,
        )
        self._loop.finish(self._listener.listen("nowhere", 0))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stopping:
            # It waits for whoever the test has left connected.
            self._stopping.cancel()
            self._loop.settle()
        asyncio.events._set_running_loop(None)
        self._loop.close()

    def record(self, exchange: Exchange) -> None:
        if self.fault:
            raise self.fault
        self.exchanges.append(exchange)

    def touch(self, session_id: str, now_ms: int) -> None:
        self.seen.append(session_id)

    def note(self, session_id: str, findings: Sequence[str]) -> None:
        """Nobody asks what was odd about it either."""

    def send(self, data: bytes, *, narrow: bool = False) -> Wire:
        """A client connects and sends this; returns its connection. A ``narrow`` one takes no answer yet."""
        client = self.connect(narrow=narrow)
        self.say(client, data)
        return client

    def connect(self, *, narrow: bool = False) -> Wire:
        """A client connects, and says nothing yet."""
        return Wire(self._loop, self._loop.factory(), narrow=narrow)

    def stop(self) -> None:
        """The server is told to stop, and does what it can at once."""
        if self._stopping is None:
            self._stopping = self._loop.create_task(self._listener.stop())
        self._loop.settle()

    def say(self, wire: Wire, data: bytes) -> None:
        """The other end of a connection sends this."""
        wire.deliver(data)
        self._loop.settle()

    def settle(self) -> None:
        """Do what is due now."""
        self._loop.settle()

    def pass_ms(self, milliseconds: int) -> None:
        """Let time go by, and do what becomes due."""
        self._loop.advance(milliseconds / 1000)

    def pass_seconds(self, seconds: float) -> None:
        """Let time go by, and do what becomes due."""
        self._loop.advance(seconds)

    def upstreams_are(self, *, narrow: bool = False, refusing: bool = False) -> None:
        """Whether connections made from now on take nothing yet, or are not made at all."""
        self._loop.narrow, self._loop.refusing = narrow, refusing

    @property
    def open_connections(self) -> tuple[int, int]:
        """How many clients are connected, and how many connections to upstreams there are."""
        return self._listener.open_connections, self._listener.upstream_connections

    @property
    def held_body_bytes(self) -> int:
        """How much is held of bodies that are still coming."""
        return self._listener.held_body_bytes

    @property
    def timers(self) -> int:
        """How many timers run."""
        return self._loop.timers

    @property
    def faults(self) -> list[object]:
        """Exceptions that nobody caught."""
        return self._loop.faults

    @property
    def upstreams(self) -> list[Wire]:
        """The connections to the real service, at its end."""
        return self._loop.outgoing

    def _ticks(self) -> int:
        return round(self._loop.time() * 1_000_000_000)

    def _now_ms(self) -> int:
        return NOON_MS + round(self._loop.time() * 1000)
