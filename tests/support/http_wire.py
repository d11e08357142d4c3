"""A client's connection, written by hand: kept open, made anew when it is lost, and let go of at any time."""

import asyncio
import json
import socket
import struct
from dataclasses import dataclass
from typing import Any

PATIENCE_SECONDS = 60
"""Nothing takes so long: what does is a hang, and raises TimeoutError."""

BROKEN = (OSError, asyncio.IncompleteReadError)
"""What is raised where a connection ends before the answer does."""


@dataclass(frozen=True)
class Said:
    """An answer that was read whole."""

    status: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class HttpWire:
    """Asks one thing after the other at ``host:port``.

    ``renews``: a connection that was idle for too long for the server is made anew, and asked once more. That is for
    what may be asked twice.
    """

    def __init__(self, address: str, *, renews: bool = False) -> None:
        self._host, _, self._port = address.rpartition(":")
        self._renews = renews
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, method: str, target: str, *lines: str, body: bytes = b"", chunked: bool = False) -> Said:
        """Send a request with these header lines and read its answer. Raises one of ``BROKEN``, and TimeoutError."""
        was_open = self._writer is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            try:
                await self.send(method, target, *lines, body=body, chunked=chunked)
                return await self.receive()
            except BROKEN:
                self.drop()
                if not (self._renews and was_open):
                    raise
            return await self.ask(method, target, *lines, body=body, chunked=chunked)

    async def send(self, method: str, target: str, *lines: str, body: bytes = b"", chunked: bool = False) -> None:
        """Send a request, and do not wait for the answer."""
        if self._writer is None or self._writer.is_closing():
            self._reader, self._writer = await asyncio.open_connection(self._host, int(self._port))
        framing = "transfer-encoding: chunked" if chunked else f"content-length: {len(body)}"
        head = "\r\n".join([f"{method} {target} HTTP/1.1", "host: app", *lines, framing, "", ""])
        content = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if chunked else body
        self._writer.write(head.encode("latin-1") + content)
        await self._writer.drain()

    async def receive(self) -> Said:
        """Read one answer to its end."""
        status, lines = await self.head()
        if lines.get("transfer-encoding", "").lower() == "chunked":
            body = b"".join([piece async for piece in self.chunks()])
        elif "content-length" in lines:
            body = await self._there().readexactly(int(lines["content-length"]))
        else:
            body = await self._there().read()
        if lines.get("connection", "").lower() == "close":
            self.drop()
        return Said(status, body)

    async def head(self) -> tuple[int, dict[str, str]]:
        """Read the head of an answer: its status and headers, names in lower case."""
        data = await self._there().readuntil(b"\r\n\r\n")
        start, *lines = data.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines if line)
        return int(start.split(" ")[1]), {name.lower(): value.strip() for name, _, value in pairs}

    async def chunks(self) -> Any:
        """Read a body in chunks, as they come."""
        reader = self._there()
        while size := int(await reader.readuntil(b"\r\n"), 16):
            yield await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readexactly(2)

    def drop(self, *, resets: bool = False) -> None:
        """Let go of the connection as it is, in the middle of whatever goes on: it ends, or is reset."""
        if self._writer is not None:
            if resets:
                linger = struct.pack("ii", 1, 0)
                self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self._writer.transport.abort()
        self._reader = self._writer = None

    def _there(self) -> asyncio.StreamReader:
        assert self._reader is not None
        return self._reader
