"""A service on a plain socket that keeps every byte, and reads it with two parsers that know nothing of the proxy.

h11 frames the requests as a real service would and answers each with an echo, keeping connections alive; what arrived
is then read again by `strict_http`. Where the two differ, a request was ambiguous.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import h11
from support.strict_http import Message, read_requests


@dataclass
class Line:
    """One connection: what came, the requests that h11 found whole, and what it objected to, if it did."""

    raw: bytearray = field(default_factory=bytearray)
    found: list[tuple[str, str, bytes]] = field(default_factory=list)
    objection: str = ""
    over: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class RecordingUpstream:
    """What arrived, by connection. ``url`` is the base URL."""

    port: int = 0
    lines: list[Line] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def raw(self) -> bytes:
        """Every byte that arrived, connection after connection."""
        return b"".join(bytes(line.raw) for line in self.lines)

    def requests(self) -> list[Message]:
        """The whole requests, of all connections in the order of their opening. Fails when the two parsers differ."""
        requests = []
        for line in self.lines:
            whole, _ = read_requests(bytes(line.raw))
            assert not line.objection, f"the service could not read {bytes(line.raw)!r}: {line.objection}"
            assert [(each.method, each.target, each.body) for each in whole] == line.found
            requests += whole
        return requests


def echo_of(method: str, target: str, body: bytes) -> bytes:
    """What the service answers: what it was asked, so that nobody can mistake another's answer for their own."""
    return f"{method} {target} {len(body)}".encode()


@asynccontextmanager
async def recording_upstream() -> AsyncIterator[RecordingUpstream]:
    """Run the service for a while."""
    service = RecordingUpstream()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line()
        service.lines.append(line)
        try:
            await _serve(line, reader, writer)
        except (OSError, asyncio.CancelledError):
            # Cut by the proxy, or the end of the test: what arrived is kept all the same.
            pass
        finally:
            line.over.set()
            writer.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(serve(reader, writer))
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


async def _serve(line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    parser = h11.Connection(h11.SERVER)
    body = b""
    request: h11.Request | None = None
    while True:
        try:
            event = parser.next_event()
        except h11.RemoteProtocolError as error:
            line.objection = str(error) if parser.their_state is h11.ERROR and not _broke_off(line) else ""
            return
        if event is h11.NEED_DATA:
            data = await reader.read(65536)
            line.raw += data
            parser.receive_data(data)
        elif isinstance(event, h11.Request):
            request, body = event, b""
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage) and request is not None:
            method, target = request.method.decode(), request.target.decode()
            line.found.append((method, target, body))
            _answer(parser, writer, echo_of(method, target, body), head=method == "HEAD")
            await writer.drain()
            if parser.our_state is h11.MUST_CLOSE:
                return
            parser.start_next_cycle()
        else:
            return


def _answer(parser: h11.Connection, writer: asyncio.StreamWriter, body: bytes, *, head: bool) -> None:
    response = h11.Response(status_code=200, reason=b"OK", headers=[("Content-Length", str(len(body)))])
    writer.write(parser.send(response) or b"")
    writer.write(b"" if head else parser.send(h11.Data(data=body)) or b"")
    writer.write(parser.send(h11.EndOfMessage()) or b"")


def _broke_off(line: Line) -> bool:
    """A request that was cut is no objection: it is not whole for anybody."""
    try:
        _, rest = read_requests(bytes(line.raw))
    except Exception:  # noqa: BLE001 - whatever the strict parser cannot read is to be objected to
        return False
    return bool(rest)
