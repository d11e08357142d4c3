"""A service that misbehaves on request, and is a good one for everybody else.

A request for a path that ends in `/odd` gets what the script says; any other one is answered by an echo. Connections
are kept alive, so whatever the odd answer leaves behind waits for the next request on them.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum, auto

from support.recording_upstream import echo_of
from support.strict_http import read_requests


class Then(Enum):
    """What the service does after the odd bytes."""

    STAY = auto()
    CLOSE = auto()
    HALF_CLOSE = auto()
    RESET = auto()


class When(Enum):
    """What the service waits for before it does it."""

    ACCEPTED = auto()
    FIRST_BYTE = auto()
    WHOLE_REQUEST = auto()


@dataclass(frozen=True)
class Script:
    """What happens for `/odd` or, unless it waits for a whole request, on the first connection."""

    data: bytes = b""
    then: Then = Then.STAY
    when: When = When.WHOLE_REQUEST
    byte_by_byte: bool = False
    excess: bytes = b""
    """Sent together with the last byte: what an upstream says later cannot be told from its next answer."""


@dataclass
class ScriptedUpstream:
    """A running service. ``writers`` are of the open connections; ``played`` is set when the odd bytes are out."""

    script: Script
    port: int = 0
    connections: int = 0
    requests_whole: int = 0
    played: asyncio.Event = field(default_factory=asyncio.Event)
    writers: set[asyncio.StreamWriter] = field(default_factory=set)
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a connection on which the script was played, in part or whole, has ended."""
    _players: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.add(writer)
        odd = False
        try:
            if self.script.when is not When.WHOLE_REQUEST and not self.played.is_set():
                odd = True
                if self.script.when is When.FIRST_BYTE:
                    await reader.readexactly(1)
                await self._play(writer)
            await self._answer_all(reader, writer, mute=odd)
        except (OSError, EOFError, asyncio.CancelledError):
            # The proxy has cut the connection, or the test is over.
            pass
        finally:
            if writer in self._players:
                self.lost.set()
            self.writers.discard(writer)
            writer.transport.abort()

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, mute: bool) -> None:
        data = b""
        while piece := await reader.read(65536):
            if mute:
                continue
            requests, data = read_requests(data + piece)
            for request in requests:
                self.requests_whole += 1
                if request.target.endswith("/odd"):
                    await self._play(writer)
                else:
                    body = echo_of(request.method, request.target, request.body)
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    async def _play(self, writer: asyncio.StreamWriter) -> None:
        self._players.add(writer)
        data = self.script.data
        pieces = [data[at : at + 1] for at in range(len(data))] if self.script.byte_by_byte and data else [data]
        pieces[-1] += self.script.excess
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0)
        await writer.drain()
        self.played.set()
        match self.script.then:
            case Then.CLOSE:
                writer.close()
                raise EOFError
            case Then.HALF_CLOSE:
                writer.write_eof()
            case Then.RESET:
                reset(writer)
                raise EOFError


def reset(writer: asyncio.StreamWriter) -> None:
    """Cut a connection so that the other side gets a reset, and not an end."""
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@asynccontextmanager
async def scripted_upstream(script: Script) -> AsyncIterator[ScriptedUpstream]:
    """Run the service for a while."""
    service = ScriptedUpstream(script)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(service.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    service.port = server.sockets[0].getsockname()[1]
    try:
        yield service
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
