"""A service of big bodies: it takes one and gives one at the same time, and can be told to stop reading for a while."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from support.big_bodies import PIECE_BYTES, Body, Trace, narrow_socket, read_body, read_head
from support.serving import serving


@dataclass
class BulkUpstream:
    """``gives`` is what it answers with. While ``reads`` is not set it reads heads and no bodies."""

    port: int
    gives: Body = field(default_factory=Body)
    received: Trace = field(default_factory=Trace)
    sent: Trace = field(default_factory=Trace)
    reads: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await read_head(reader)
            await self.reads.wait()
            taking = asyncio.ensure_future(read_body(reader, head, self.received))
            if self.gives.size <= PIECE_BYTES:
                await taking
            writer.write(b"HTTP/1.1 200 OK\r\n" + self.gives.header() + b"\r\n")
            # The end comes after that of the request: whoever has a whole answer need not send on.
            await self.gives.send(writer, self.sent, before_last=taking)
            await taking


@contextlib.asynccontextmanager
async def running_bulk_upstream() -> AsyncIterator[BulkUpstream]:
    listener = narrow_socket()
    listener.bind(("127.0.0.1", 0))
    upstream = BulkUpstream(listener.getsockname()[1])
    upstream.reads.set()
    async with serving(upstream.serve, listener):
        try:
            yield upstream
        finally:
            upstream.reads.set()
