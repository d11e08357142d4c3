"""Proxies that leak from one session into another, each in its own way: what a check of isolation has to find.

They answer like the real one: what has a key from a table, and the rest with its own body, as a service that echoes.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from support.serving import serving

_SESSION = "x-flowmock-session"


class Leak(StrEnum):
    """Where the key of one request gets into another."""

    NONE = "none"
    CONNECTION = "the last key of a connection counts where a request has none"
    PROCESS = "the key is kept in one place for all while something is awaited"
    ORDER = "pipelined requests are answered in the order in which they are ready"
    SERVICE = "the service's answer to one request is given to the next"


@dataclass(frozen=True)
class _Request:
    key: str
    body: str


@dataclass
class LeakyProxy:
    """Answers all that is asked. ``slot`` and ``left_over`` are what all connections share."""

    answers: Mapping[str, str]
    leak: Leak
    slot: str = ""
    left_over: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        last, waiting = "", list[_Request]()
        while True:
            request = await _read_request(reader)
            if self.leak is Leak.CONNECTION:
                last = request.key or last
                request = replace(request, key=last)
            if self.leak is Leak.PROCESS:
                self.slot = request.key
                await asyncio.sleep(0)
                request = replace(request, key=self.slot)
            waiting.append(request)
            if self.leak is Leak.ORDER and _has_more(reader):
                continue
            writer.write(b"".join(self._answer(each) for each in reversed(waiting)))
            waiting.clear()
            await writer.drain()

    def _answer(self, request: _Request) -> bytes:
        body = self.answers[request.key] if request.key else self._pass_through(request.body)
        return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body.encode())

    def _pass_through(self, body: str) -> str:
        if self.leak is not Leak.SERVICE:
            return body
        given, self.left_over = self.left_over, body
        return given


@contextlib.asynccontextmanager
async def leaky_proxy(answers: Mapping[str, str], leak: Leak) -> AsyncIterator[str]:
    """Run one; gives its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    host, port = listener.getsockname()
    async with serving(LeakyProxy(answers, leak).serve, listener):
        yield f"{host}:{port}"


async def _read_request(reader: asyncio.StreamReader) -> _Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return _Request(headers.get(_SESSION, ""), body.decode())


def _has_more(reader: asyncio.StreamReader) -> bool:
    # The reader has no other way to tell that the next request is here already.
    return bool(reader._buffer)  # type: ignore[attr-defined]
