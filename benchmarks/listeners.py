"""Thousands of clients that listen to one stream of server-sent events each, on raw protocols, and when each hears."""

import asyncio
import time
from collections.abc import Sequence
from typing import cast

from benchmarks.method import Rejected

_HEAR_SECONDS_MAX = 30
_OK = b"HTTP/1.1 200 "


class Listeners:
    """Open streams. Every client must hear of everything."""

    def __init__(self, clients: Sequence["_Listener"]) -> None:
        self._clients = clients

    @classmethod
    async def listen(cls, address: str, request: bytes, count: int) -> "Listeners":
        """Connect so many clients, and wait until each has the head of its answer. Raises Rejected."""
        host, _, port = address.rpartition(":")
        loop = asyncio.get_running_loop()
        clients = []
        # One after the other: all at once would overflow the listener's queue, and TCP tries again only after a second.
        for _ in range(count):
            transport, client = await loop.create_connection(_Listener, host, int(port))
            transport.write(request)
            clients.append(client)
        made = cls(clients)
        try:
            await made._all_hear(b"\r\n\r\n", [client.hears for client in clients])
            for client in clients:
                client.check_head()
        except Rejected:
            await made.close()
            raise
        return made

    def expect(self, part: bytes) -> "asyncio.Future[list[float]]":
        """Begin to wait for a part of an event. Gives when each client has heard it, by ``perf_counter``."""
        for client in self._clients:
            client.expect(part)
        return asyncio.ensure_future(self._all_hear(part, [client.hears for client in self._clients]))

    async def beats(self, part: bytes, seconds: float) -> list[list[float]]:
        """When each client heard each event with a part in it, for some seconds, by ``perf_counter``."""
        for client in self._clients:
            client.follow(part)
        await asyncio.sleep(seconds)
        for client in self._clients:
            if client.lost:
                raise Rejected(client.lost)
        return [list(client.beats) for client in self._clients]

    async def close(self) -> None:
        for client in self._clients:
            client.close()
        # Transports are closed in the next turn of the loop.
        await asyncio.sleep(0)

    async def _all_hear(self, part: bytes, hearing: Sequence["asyncio.Future[float]"]) -> list[float]:
        _, deaf = await asyncio.wait(hearing, timeout=_HEAR_SECONDS_MAX)
        if deaf:
            raise Rejected(f"{len(deaf)} of {len(hearing)} clients have not heard {part!r}")
        return [each.result() for each in hearing]


class _Listener(asyncio.Protocol):
    """One client. ``hears`` is when it has heard what it waits for, ``heard`` what it heard since it began to wait.

    ``beats`` are the times of everything that it follows instead.
    """

    def __init__(self) -> None:
        self._closed = False
        self._followed = b""
        self.lost = ""
        self.beats: list[float] = []
        self.expect(b"\r\n\r\n")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not of asyncio's classes, only like them.
        self._transport = cast("asyncio.Transport", transport)

    def expect(self, part: bytes) -> None:
        self._part, self.heard = part, b""
        self.hears: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def check_head(self) -> None:
        """Raises Rejected when what was heard until now does not begin a stream."""
        if not self.heard.startswith(_OK) or b"text/event-stream" not in self.heard:
            raise Rejected(f"a stream began with {self.heard[:300]!r}")

    def follow(self, part: bytes) -> None:
        self._followed, self.beats = part, []

    def close(self) -> None:
        self._closed = True
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        if self._followed:
            # An event is one short write, so over loopback it comes in one piece.
            self.beats.extend([now] * data.count(self._followed))
            return
        self.heard += data
        if not self.hears.done() and self._part in self.heard:
            self.hears.set_result(now)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._closed:
            return
        self.lost = f"a stream ended: {exc}"
        if not self.hears.done():
            self.hears.set_exception(Rejected(self.lost))
