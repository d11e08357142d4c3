"""A service that the test plays by hand: it reads what was asked, and says what it likes when it likes."""

import asyncio
import ssl
from asyncio.trsock import TransportSocket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from support.proxying import OK
from support.scripted_upstream import reset
from support.strict_http import Message, read_requests

_PATIENCE_SECONDS = 10


@dataclass
class Line:
    """One connection of the proxy's. Reading fails when nothing comes for long."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    _unread: bytes = b""

    async def request(self) -> Message:
        """The next request, whole."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while True:
                requests, rest = read_requests(self._unread)
                if requests:
                    assert len(requests) == 1, "the proxy does not pipeline"
                    self._unread = rest
                    return requests[0]
                self._unread += await self._some()

    async def until(self, end: bytes) -> bytes:
        """The next bytes, to the end of ``end``."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while end not in self._unread:
                self._unread += await self._some()
        at = self._unread.index(end) + len(end)
        read, self._unread = self._unread[:at], self._unread[at:]
        return read

    async def _some(self) -> bytes:
        data = await self.reader.read(65536)
        assert data, "the proxy has ended the connection"
        return data

    async def ended(self) -> None:
        """Return when the proxy has closed the connection, or cut it; what still came is dropped."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            try:
                while await self.reader.read(65536):
                    pass
            except ConnectionError:
                return

    def send(self, data: bytes = OK) -> None:
        self.writer.write(data)

    def end(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        reset(self.writer)

    @property
    def socket(self) -> TransportSocket:
        """For what is done behind the event loop's back."""
        made: TransportSocket = self.writer.get_extra_info("socket")
        return made


@dataclass
class PlayedUpstream:
    """A running service. ``connections`` counts those ever accepted."""

    scheme: str = "http"
    port: int = 0
    connections: int = 0
    _accepted: asyncio.Queue[Line] = field(default_factory=asyncio.Queue)

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}"

    async def line(self) -> Line:
        """The next connection that the proxy opens, or has opened."""
        return await asyncio.wait_for(self._accepted.get(), _PATIENCE_SECONDS)


@asynccontextmanager
async def played_upstream(tls: ssl.SSLContext | None = None) -> AsyncIterator[PlayedUpstream]:
    """Run the service for a while; at the end its connections are cut."""
    service = PlayedUpstream("https" if tls else "http")
    lines: list[Line] = []

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(reader, writer)
        lines.append(line)
        service.connections += 1
        service._accepted.put_nowait(line)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    service.port = server.sockets[0].getsockname()[1]
    try:
        yield service
    finally:
        server.close()
        for line in lines:
            line.writer.transport.abort()
        await server.wait_closed()
