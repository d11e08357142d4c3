"""Bodies that nobody holds in memory: made piece by piece, counted and hashed as they arrive, in both kinds of framing.

What was sent and what arrived are a `Trace`; two are equal when the bytes were the same in the same order.
"""

import asyncio
import contextlib
import hashlib
import random
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

PIECE_BYTES = 1 << 16
"""How much goes out at once. Pieces differ, so that none can stand for another."""

_CHUNK_BYTES = 10_007
# The system's own store between two processes is kept small: it must not take in a whole body and hide who is slow.
_SOCKET_BYTES = 256 * 1024


class Framing(StrEnum):
    LENGTH = "length"
    CHUNKED = "chunked"


@dataclass
class Trace:
    """What went by until now."""

    total: int = 0
    _hash: Any = field(default_factory=lambda: hashlib.sha256(usedforsecurity=False))
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, data: bytes) -> None:
        self.total += len(data)
        self._hash.update(data)
        self._moved.set()

    async def begins(self) -> None:
        """Wait until something went by."""
        await self._moved.wait()

    async def stands_still(self, seconds: float) -> None:
        """Wait until something went by, and then nothing more for so long."""
        await self._moved.wait()
        with contextlib.suppress(TimeoutError):
            while True:
                self._moved.clear()
                await asyncio.wait_for(self._moved.wait(), seconds)

    def digest(self) -> str:
        found: str = self._hash.hexdigest()
        return found


@dataclass(frozen=True)
class Body:
    """So many bytes of noise."""

    size: int = 0
    seed: int = 0
    framing: Framing = Framing.LENGTH

    def header(self) -> bytes:
        """The line that frames it."""
        if self.framing is Framing.CHUNKED:
            return b"transfer-encoding: chunked\r\n"
        return b"content-length: %d\r\n" % self.size

    def pieces(self) -> Iterator[bytes]:
        noise = random.Random(self.seed).randbytes(PIECE_BYTES)
        for start in range(0, self.size, PIECE_BYTES):
            yield (start.to_bytes(8, "big") + noise)[: min(PIECE_BYTES, self.size - start)]

    async def send(
        self, writer: asyncio.StreamWriter, trace: Trace, *, before_last: "asyncio.Future[None] | None" = None
    ) -> None:
        """Write it as fast as it is taken; ``trace`` tells how far it got. The last piece may wait for something."""
        for piece in self.pieces():
            if before_last and trace.total + len(piece) == self.size:
                await before_last
            writer.write(_chunks(piece) if self.framing is Framing.CHUNKED else piece)
            await writer.drain()
            trace.add(piece)
        if self.framing is Framing.CHUNKED:
            writer.write(b"0\r\n\r\n")
        await writer.drain()


def narrow_socket() -> socket.socket:
    """A socket for TCP before which little can pile up."""
    made = socket.socket()
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        made.setsockopt(socket.SOL_SOCKET, option, _SOCKET_BYTES)
    return made


@dataclass(frozen=True)
class Head:
    """The first line of a message and its headers, names in lower case."""

    start: str
    headers: dict[str, str]


async def read_head(reader: asyncio.StreamReader) -> Head:
    start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines if line)
    return Head(start, {name.lower(): value.strip() for name, _, value in pairs})


async def read_body(reader: asyncio.StreamReader, head: Head, trace: Trace) -> None:
    """Read the body that belongs to a head, to its end. Raises IncompleteReadError when it ends before."""
    async for data in _parts(reader, head):
        trace.add(data)


async def _parts(reader: asyncio.StreamReader, head: Head) -> AsyncIterator[bytes]:
    if head.headers.get("transfer-encoding", "").lower() != "chunked":
        async for data in _exactly(reader, int(head.headers.get("content-length", "0"))):
            yield data
        return
    while size := int(await reader.readuntil(b"\r\n"), 16):
        async for data in _exactly(reader, size):
            yield data
        assert await reader.readexactly(2) == b"\r\n"
    assert await reader.readexactly(2) == b"\r\n"


async def _exactly(reader: asyncio.StreamReader, size: int) -> AsyncIterator[bytes]:
    while size:
        data = await reader.read(min(size, PIECE_BYTES))
        if not data:
            raise asyncio.IncompleteReadError(data, size)
        size -= len(data)
        yield data


def _chunks(piece: bytes) -> bytes:
    """Chunks of an odd size, so that no border falls on another's."""
    cuts = [piece[start : start + _CHUNK_BYTES] for start in range(0, len(piece), _CHUNK_BYTES)]
    return b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in cuts)
