"""A client's connection without a socket: the test says what the event loop would, and sees what is done about it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from support.live_source import FakeSource
from support.proxying import NOON_MS, Ids, Journal
from understudy_server.live.view import LiveView
from understudy_server.proxy.connection import Connection
from understudy_server.proxy.connections import Connections
from understudy_server.proxy.listener import ProxyListener
from understudy_server.proxy.settings import ProxySettings
from understudy_server.proxy.watch import Watch
from understudy_server.state.memory import MemoryState


class Wire(asyncio.Transport):
    """Keeps what is written, one entry for each write, and whether it is read from, ended, closed or cut.

    ``unsent`` is what the test says that the client has not taken yet, in bytes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.unsent = 0
        self.reading = True
        self.ended = self.closed = self.cut = False

    @property
    def written(self) -> bytes:
        return b"".join(self.writes)

    def write(self, data: Any) -> None:
        assert not self.closed, "written to after the end"
        self.writes.append(bytes(data))

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.cut = True

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def is_closing(self) -> bool:
        return self.closed


@dataclass
class Hand:
    """A connection with its wire, and the journal behind it."""

    connection: Connection
    wire: Wire
    journal: Journal
    watch: Watch

    def pass_seconds(self, seconds: float) -> None:
        """Let time go by, and whatever is overdue be told."""
        end = self.watch.now + seconds
        while self.connection.deadline <= end and not self.wire.cut:
            self.watch.now = self.connection.deadline
            self.connection.overdue()
        self.watch.now = end


@asynccontextmanager
async def by_hand(source: FakeSource, settings: ProxySettings | None = None) -> AsyncIterator[Hand]:
    """Make one over a store. Nobody looks at deadlines: the test does, and calls `overdue`."""
    settings = settings or ProxySettings(tick_seconds=3600)
    journal, view = Journal(), LiveView(source)
    listener = ProxyListener(
        view, journal, journal, clock=lambda: NOON_MS, state=MemoryState(), new_id=Ids(), settings=settings
    )
    await view.catch_up()
    watch = Watch(asyncio.get_running_loop(), 3600)
    connection = Connection(listener.service(), Connections(), watch)
    wire = Wire()
    connection.connection_made(wire)
    try:
        yield Hand(connection, wire, journal, watch)
    finally:
        connection.connection_lost(None)
        await listener.stop()
