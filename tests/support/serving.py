"""A server of a test's own on asyncio's streams: all of its connections and tasks end with it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

# Hundreds of clients may come at the same moment.
_BACKLOG = 512

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(handle: Handle, listener: socket.socket) -> AsyncIterator[None]:
    """Let a bound socket accept. ``handle`` has a connection until it returns or the peer goes."""
    connections: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections[writer] = asyncio.current_task()
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await handle(reader, writer)
        writer.close()
        del connections[writer]

    server = await asyncio.start_server(serve, sock=listener, backlog=_BACKLOG)
    try:
        yield
    finally:
        server.close()
        tasks = [each for each in connections.values() if each]
        for writer in connections:
            writer.transport.abort()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
