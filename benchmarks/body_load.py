"""One exchange with long bodies both ways, through a proxy, with both of its ends in this process. Nothing is kept.

Every byte is accounted for: what arrives must be as long as what was sent, and have the same checksum.
"""

import asyncio
import contextlib
import random
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from benchmarks.method import Rejected

_PIECE_BYTES = 1 << 16
_ARRIVE_SECONDS_MAX = 30
_NOISE = random.Random(1).randbytes(_PIECE_BYTES)


class Bulk:
    """An upstream that takes a body of any length, and answers with one of so many bytes as the path ends with."""

    def __init__(self) -> None:
        self.address = ""
        self._taken = asyncio.Queue[tuple[int, int]]()
        self._connections = set[asyncio.StreamWriter]()

    async def exchange(self, proxy: str, path: str, up: int, down: int) -> None:
        """Send so many bytes through the proxy and receive as many as are asked for. Raises Rejected."""
        host, _, port = proxy.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"POST {path}/{down} HTTP/1.1\r\nhost: bench\r\ncontent-length: {up}\r\n\r\n"
        writer.write(head.encode())
        sending = asyncio.ensure_future(_send(writer, up))
        try:
            answer = await _receive(reader)
            taken = await asyncio.wait_for(self._taken.get(), _ARRIVE_SECONDS_MAX)
            await sending
        finally:
            sending.cancel()
            await _close(writer)
        if taken != (up, _checksum(up)) or answer != (down, _checksum(down)):
            raise Rejected(f"of {up} bytes up and {down} down came {taken[0]} and {answer[0]}, or not the same")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        # A proxy may close a connection that it keeps, at any time.
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await self._answer(reader, writer)
        self._connections.discard(writer)
        await _close(writer)

    async def close(self) -> None:
        for writer in list(self._connections):
            await _close(writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        down = int(head.split(b" ", 2)[1].rpartition(b"/")[2])
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % down)
        taking = asyncio.ensure_future(_body(reader, _length(head)))
        # An answer that ends before its request has come lets the rest of the request be given up.
        await _send(writer, down, before_last=taking)
        self._taken.put_nowait(await taking)


@asynccontextmanager
async def bulk() -> AsyncIterator[Bulk]:
    """An upstream on a port of its own."""
    made = Bulk()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    made.address = f"{host}:{port}"
    async with server:
        try:
            yield made
        finally:
            await made.close()


def _pieces(size: int) -> Iterator[bytes]:
    """The body of a size. Pieces differ, so that none can stand for another."""
    for start in range(0, size, _PIECE_BYTES):
        yield (start.to_bytes(8, "big") + _NOISE)[: min(_PIECE_BYTES, size - start)]


def _checksum(size: int) -> int:
    found = 0
    for piece in _pieces(size):
        found = zlib.crc32(piece, found)
    return found


async def _send(
    writer: asyncio.StreamWriter, size: int, before_last: "asyncio.Future[tuple[int, int]] | None" = None
) -> None:
    for piece in _pieces(size):
        size -= len(piece)
        if before_last and not size:
            await before_last
        writer.write(piece)
        await writer.drain()


async def _receive(reader: asyncio.StreamReader) -> tuple[int, int]:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise Rejected(f"a long body was answered with {head[:200]!r}")
    return await _body(reader, _length(head))


async def _body(reader: asyncio.StreamReader, size: int) -> tuple[int, int]:
    """How many bytes came, and their checksum."""
    total = found = 0
    while total < size:
        data = await reader.read(min(_PIECE_BYTES, size - total))
        if not data:
            break
        total, found = total + len(data), zlib.crc32(data, found)
    return total, found


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


def _length(head: bytes) -> int:
    lines = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    return next(int(value) for name, _, value in lines if name == b"content-length")
