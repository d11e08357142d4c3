"""Requests to the REST door that offer an upgrade, as Java's client does: they are answered as if they did not."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from understudy_server.cli.addresses import LOOPBACK, Address
from understudy_server.cli.http_limits import HttpLimits
from understudy_server.cli.http_listener import HttpListener
from understudy_server.cli.http_protocol import LimitedHttpProtocol

_OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"
_H2C = b"Upgrade: h2c\r\n"
_PATIENCE_SECONDS = 30
_LAST = b"GET /last HTTP/1.1\r\nConnection: close\r\n\r\n"

_ROWS = {
    "body by length": (
        b"PUT /a?b=c HTTP/1.1\r\n" + _OFFER + b"Content-Length: 9\r\n" + _H2C + b"\r\n" + b"\r\n{body}\0",
        b"PUT /a?b=c \r\n{body}\0",
    ),
    "body in chunks": (
        b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
        + _OFFER
        + _H2C
        + b"\r\n3\r\nGET\r\n4;x=y\r\n / H\r\n0\r\nTrailer: of it\r\n\r\n",
        b"POST /a GET / H",
    ),
    "chunks after another coding": (
        b"POST /a HTTP/1.1\r\nTransfer-Encoding: gzip\r\ntransfer-encoding: chunked\r\n"
        + _OFFER
        + _H2C
        + b"\r\n2\r\nab\r\n0\r\n\r\n",
        b"POST /a ab",
    ),
    "no body": (b"GET /a HTTP/1.1\r\n" + _OFFER + _H2C + b"\r\n", b"GET /a "),
    "a body of no length": (b"POST /a HTTP/1.1\r\n" + _OFFER + _H2C + b"Content-Length: 0\r\n\r\n", b"POST /a "),
    "another protocol": (
        b"POST /a HTTP/1.1\r\nupgrade: websocket\r\nconnection: keep-alive, upgrade\r\ncontent-length: 2\r\n\r\nab",
        b"POST /a ab",
    ),
    "a tunnel": (b"CONNECT /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nab", b"CONNECT /a ab"),
}


async def _told(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the request: method, target and body."""
    if scope["path"] == "/early":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    query = b"?" + scope["query_string"] if scope["query_string"] else b""
    said = b"%b %b%b %b" % (scope["method"].encode(), scope["raw_path"], query, body)
    length = (b"content-length", b"%d" % len(said))
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": said})


def _answer(said: bytes, *lines: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"content-length: %d" % len(said), *lines, b"", said])


_FINAL = _answer(b"GET /last ", b"connection: close")


class _Wire:
    """A client's connection. Answers are told without their date."""

    def __init__(self, listener: HttpListener, monkeypatch: pytest.MonkeyPatch) -> None:
        self._port = listener.address.port
        self._taken = 0
        self._has_taken = asyncio.Event()
        take = LimitedHttpProtocol.data_received

        def counting(protocol: LimitedHttpProtocol, data: bytes) -> None:
            take(protocol, data)
            self._taken += len(data)
            self._has_taken.set()

        monkeypatch.setattr(LimitedHttpProtocol, "data_received", counting)

    async def ask(self, *pieces: bytes) -> bytes:
        """Send pieces, each once the door has read the one before; read to the end of the connection."""
        reader, writer = await asyncio.open_connection(LOOPBACK, self._port)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                for piece in pieces:
                    writer.write(piece)
                    await self._await_taken(len(piece))
                answer = await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()
        return re.sub(rb"date: [^\r]+\r\n", b"", answer)

    async def _await_taken(self, size: int) -> None:
        while self._taken < size:
            self._has_taken.clear()
            await self._has_taken.wait()
        self._taken -= size


@pytest.fixture
async def wire(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[_Wire]:
    listener = await HttpListener.start(_told, Address(LOOPBACK, 0), 1, HttpLimits(request_seconds=60))
    yield _Wire(listener, monkeypatch)
    await listener.stop()


@pytest.mark.parametrize(("asked", "said"), _ROWS.values(), ids=list(_ROWS))
async def test_it_is_answered_as_if_there_was_no_offer(wire: _Wire, asked: bytes, said: bytes) -> None:
    plain = asked.replace(_H2C, b"")
    assert await wire.ask(asked + _LAST) == await wire.ask(plain + _LAST) == _answer(said) + _FINAL


@pytest.mark.parametrize(("asked", "said"), _ROWS.values(), ids=list(_ROWS))
async def test_where_reads_end_makes_no_difference(wire: _Wire, asked: bytes, said: bytes) -> None:
    for place in range(1, len(asked)):
        assert await wire.ask(asked[:place], asked[place:] + _LAST) == _answer(said) + _FINAL, place


async def test_it_may_come_byte_by_byte(wire: _Wire) -> None:
    asked = b"".join([each for each, _ in _ROWS.values()]) + _LAST
    answers = b"".join([_answer(said) for _, said in _ROWS.values()])
    assert await wire.ask(*[bytes([byte]) for byte in asked]) == answers + _FINAL


async def test_many_may_come_in_one_read(wire: _Wire) -> None:
    asked = b"".join([each for each, _ in _ROWS.values()])
    answers = b"".join([_answer(said) for _, said in _ROWS.values()])
    assert await wire.ask(asked * 100 + _LAST) == answers * 100 + _FINAL


async def test_a_long_body_is_taken_over_many_reads(wire: _Wire) -> None:
    body = bytes(range(256)) * 4096
    asked = b"PUT /a HTTP/1.1\r\n" + _OFFER + _H2C + b"Content-Length: %d\r\n\r\n" % len(body)
    assert await wire.ask(asked + body + _LAST) == _answer(b"PUT /a " + body) + _FINAL


async def test_the_connection_ends_where_the_request_says_so(wire: _Wire) -> None:
    asked = b"POST /a HTTP/1.1\r\nConnection: close, Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nab"
    assert await wire.ask(asked) == _answer(b"POST /a ab", b"connection: close")


async def test_a_client_that_waits_is_told_to_go_on(wire: _Wire) -> None:
    asked = b"POST /a HTTP/1.1\r\n" + _OFFER + _H2C + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    assert await wire.ask(asked, b"ab" + _LAST) == b"HTTP/1.1 100 Continue\r\n\r\n" + _answer(b"POST /a ab") + _FINAL


async def test_the_rest_of_a_body_is_dropped_where_the_answer_came_first(wire: _Wire) -> None:
    asked = b"POST /early HTTP/1.1\r\n" + _OFFER + _H2C + b"Content-Length: 2\r\n\r\n"
    assert await wire.ask(asked, b"ab" + _LAST) == b"HTTP/1.1 204 No Content\r\n\r\n" + _FINAL


@pytest.mark.parametrize(
    "wrong",
    [
        b"Transfer-Encoding: gzip\r\n\r\nab",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"Content-Length: 2\r\n\r\nabno request\r\n\r\n",
    ],
    ids=["framing", "chunk", "what follows"],
)
async def test_what_is_no_request_is_refused(wire: _Wire, wrong: bytes) -> None:
    answer = await wire.ask(b"POST /a HTTP/1.1\r\n" + _OFFER + _H2C + wrong)
    assert answer.count(b"HTTP/1.1 400 Bad Request") == 1
    assert answer.endswith(b'{"error":"This is not a request in HTTP/1.1.","code":"invalid_request"}')


async def test_a_body_that_does_not_come_is_given_up() -> None:
    listener = await HttpListener.start(_told, Address(LOOPBACK, 0), 1, HttpLimits(request_seconds=0.1))
    reader, writer = await asyncio.open_connection(LOOPBACK, listener.address.port)
    writer.write(b"POST /a HTTP/1.1\r\n" + _OFFER + _H2C + b"Content-Length: 2\r\n\r\na")
    answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 408 ")
    writer.close()
    await writer.wait_closed()
    await listener.stop()


async def test_the_heads_behind_it_are_counted(wire: _Wire) -> None:
    asked = b"GET /a HTTP/1.1\r\n" + _OFFER + _H2C + b"\r\n"
    answer = await wire.ask(asked + b"GET /b HTTP/1.1\r\n" + b"x: y\r\n" * 101 + b"\r\n")
    assert b" 431 " in answer
