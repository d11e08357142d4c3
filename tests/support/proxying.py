"""A proxy on a real socket, with a store in memory behind it and an upstream that says what it was asked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from support.live_source import FakeSource
from understudy_server.core.exchange import Exchange
from understudy_server.live.view import LiveView
from understudy_server.proxy.handover import Handover
from understudy_server.proxy.listener import ProxyListener
from understudy_server.proxy.settings import ProxySettings
from understudy_server.state.memory import MemoryState

if TYPE_CHECKING:
    # It takes a while to import, and few tests need it.
    from understudy_server.telemetry.spans import ProxyTraces

NOON_MS = 1_782_216_000_000
DATE = b"Tue, 23 Jun 2026 12:00:00 GMT"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Journal:
    """Keeps what the proxy tells: exchanges, sessions seen and their findings. With a ``fault``, recording fails."""

    exchanges: list[Exchange] = field(default_factory=list)
    seen: list[tuple[str, int]] = field(default_factory=list)
    noted: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    fault: Exception | None = None
    _told: asyncio.Event = field(default_factory=asyncio.Event)

    def record(self, exchange: Exchange) -> None:
        if self.fault:
            raise self.fault
        self.exchanges.append(exchange)
        self._told.set()

    def touch(self, session_id: str, now_ms: int) -> None:
        self.seen.append((session_id, now_ms))
        self._told.set()

    def note(self, session_id: str, findings: Sequence[str]) -> None:
        self.noted.append((session_id, tuple(findings)))

    async def told(self) -> None:
        """Wait until the proxy has told something since this was last asked."""
        await self._told.wait()
        self._told.clear()


class Ids:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"


@dataclass
class Proxy:
    """A running proxy. ``ask`` sends bytes and returns all that comes until the proxy closes."""

    listener: ProxyListener
    journal: Journal
    source: FakeSource
    address: tuple[str, int]
    _clients: list[asyncio.StreamWriter] = field(default_factory=list)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection, which ends with the proxy if not before."""
        reader, writer = await asyncio.open_connection(*self.address)
        self._clients.append(writer)
        return reader, writer

    def close_clients(self) -> None:
        for writer in self._clients:
            writer.close()

    async def ask(self, data: bytes) -> bytes:
        reader, writer = await self.connect()
        writer.write(data)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer


@asynccontextmanager
async def running(
    source: FakeSource,
    *,
    settings: ProxySettings | None = None,
    clock: Callable[[], int] = lambda: NOON_MS,
    bound: tuple[str, str] | None = None,
    traces: "ProxyTraces | None" = None,
    handover: Handover | None = None,
) -> AsyncIterator[Proxy]:
    """Run a proxy over a store for a while."""
    journal = Journal()
    listener = ProxyListener(
        LiveView(source),
        traces.beside(journal) if traces else journal,
        journal,
        clock=clock,
        state=MemoryState(),
        new_id=Ids(),
        settings=settings,
        traces=traces,
    )
    address = await listener.listen("127.0.0.1", 0, bound=bound, handover=handover)
    proxy = Proxy(listener, journal, source, address)
    try:
        yield proxy
    finally:
        await listener.stop()
        proxy.close_clients()


@dataclass
class Upstream:
    """A service that keeps what it was asked. ``url`` is its base URL."""

    port: int
    requests: list[bytes] = field(default_factory=list)

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.authority}"


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def upstream(answer: bytes | Handler = OK) -> AsyncIterator[Upstream]:
    """Run a service that answers each request with the same bytes, or as the handler does, and closes."""
    service = Upstream(0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            service.requests.append(await read_request(reader))
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    service.port = server.sockets[0].getsockname()[1]
    try:
        yield service
    finally:
        server.close()
        await server.wait_closed()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Read one request that frames its body by length."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return head + await reader.readexactly(length)


def unused_port() -> int:
    """A port on which nothing listens."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def get(path: str, *lines: str, close: bool = True) -> bytes:
    """Write a GET request to the sample environment."""
    return ask("GET", path, *lines, close=close)


def ask(method: str, path: str, *lines: str, body: bytes = b"", close: bool = True) -> bytes:
    """Write a request to the sample environment; by default the last one of its connection."""
    extra = [*lines, f"Content-Length: {len(body)}"] if body else [*lines]
    if close:
        extra.append("Connection: close")
    head = [f"{method} /checkout/staging{path} HTTP/1.1", "Host: proxy", *extra, "", ""]
    return "\r\n".join(head).encode("latin-1") + body


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def head_of(answer: bytes) -> list[bytes]:
    """The header lines of an answer, in order."""
    return answer.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
