"""Bodies go both ways as they come, and never faster than they leave."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, session
from support.played_upstream import Line, PlayedUpstream, played_upstream
from support.proxying import ask, body_of, get, head_of, running, status_of
from support.strict_http import read_answers, read_requests
from support.vanishing import eventually, full_house
from understudy_server.proxy.settings import ProxySettings

_KEY = "x-flowmock-session: ci-42"
_MIB = 1024 * 1024
_LONG_BYTES = 32 * _MIB
_IN_FLIGHT_BYTES_MAX = 16 * _MIB
"""What the system's own stores may take in between the two ends. The proxy adds little to it."""


def _source(service: PlayedUpstream, *, delay_ms: int = 0) -> FakeSource:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(upstream=service.url)},
        sessions={"ses_ci-42": session(delay_ms=delay_ms)},
    )
    return source


async def test_request_goes_up_while_its_body_still_comes() -> None:
    async with played_upstream() as service, running(_source(service)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(ask("POST", "/", "Content-Length: 6") + b"ab")
        line = await service.line()
        head = await line.until(b"ab")
        writer.write(b"cd")
        await line.until(b"cd")
        writer.write(b"ef")
        await line.until(b"ef")
        line.send()
        answer = await reader.read()
        writer.close()
    assert b"\r\nContent-Length: 6\r\n" in head
    assert status_of(answer) == 200


async def test_chunks_go_up_as_chunks_of_our_own() -> None:
    async with played_upstream() as service, running(_source(service)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(ask("POST", "/", "Transfer-Encoding: chunked"))
        line = await service.line()
        arrived = await line.until(b"\r\n\r\n")
        writer.write(b"00003;ext=1\r\nabc\r\n1\r\nd")
        arrived += await line.until(b"d\r\n")
        writer.write(b"\r\n0\r\n\r\n")
        arrived += await line.until(b"0\r\n\r\n")
        line.send()
        await reader.read()
        writer.close()
    (request,), _ = read_requests(arrived)
    assert request.body == b"abcd"
    assert b"ext" not in arrived


async def test_answer_comes_down_while_the_rest_still_comes() -> None:
    async with played_upstream() as service, running(_source(service)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(get("/"))
        line = await service.line()
        await line.request()
        line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        line.send(b"ab")
        assert await reader.readexactly(2) == b"ab"
        assert proxy.journal.exchanges == []
        line.send(b"cd")
        assert await reader.read() == b"cd"
        writer.close()
    assert b"\r\nContent-Length: 4\r\n" in head
    (exchange,) = proxy.journal.exchanges
    assert exchange.response_body is not None
    assert exchange.response_body.content == b"abcd"


async def test_each_piece_of_an_answer_in_chunks_comes_down_at_once() -> None:
    async with played_upstream() as service, running(_source(service)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(get("/", close=False))
        line = await service.line()
        await line.request()
        line.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        relayed = await reader.readuntil(b"\r\n\r\n")
        line.send(b"6\r\ndata: ")
        relayed += await reader.readuntil(b"data: \r\n")
        line.send(b"\r\n1\r\n1\r\n")
        relayed += await reader.readuntil(b"1\r\n1\r\n")
        line.send(b"0\r\nX-Trailer: 1\r\n\r\n")
        relayed += await reader.readuntil(b"0\r\n\r\n")
        writer.close()
    (answer,), rest = read_answers(relayed, ["GET"])
    assert (answer.body, rest) == (b"data: 1", b"")


async def _stalled(count: Callable[[], int]) -> int:
    """Return a count once it has stopped growing."""
    seen, still_since = -1, time.monotonic()
    while time.monotonic() < still_since + 0.1:
        if count() != seen:
            seen, still_since = count(), time.monotonic()
        await asyncio.sleep(0.005)
    return seen


class _Pouring:
    """Sends a long body as fast as it is taken, and counts what was."""

    def __init__(self) -> None:
        self.sent = 0

    async def pour(self, send: Callable[[bytes], Awaitable[None]]) -> None:
        piece = b"x" * 65536
        while self.sent < _LONG_BYTES:
            await send(piece)
            self.sent += len(piece)


def _sending(line: Line) -> Callable[[bytes], Awaitable[None]]:
    line.writer.transport.set_write_buffer_limits(0)

    async def send(data: bytes) -> None:
        line.send(data)
        await line.writer.drain()

    return send


@pytest.mark.parametrize("framing", ["Content-Length: 33554432", "X-Until: the end"], ids=["length", "end"])
async def test_client_that_reads_slowly_holds_the_upstream_back(framing: str) -> None:
    async with played_upstream() as service, running(_source(service)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(get("/"))
        line = await service.line()
        await line.request()
        line.send(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n".encode())
        pouring = _Pouring()
        task = asyncio.create_task(pouring.pour(_sending(line)))
        assert await _stalled(lambda: pouring.sent) < _IN_FLIGHT_BYTES_MAX
        reading = asyncio.create_task(reader.read())
        await task
        line.end()
        (answer,), rest = read_answers(await reading, ["GET"])
        writer.close()
    assert (len(answer.body), rest) == (_LONG_BYTES, b"")
    (exchange,) = proxy.journal.exchanges
    assert exchange.response_body is not None
    assert exchange.response_body.size_bytes == _LONG_BYTES


async def test_upstream_that_reads_slowly_holds_the_client_back() -> None:
    async with played_upstream() as service, running(_source(service)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(ask("POST", "/", f"Content-Length: {_LONG_BYTES}"))
        line = await service.line()
        await line.until(b"\r\n\r\n")
        pouring = _Pouring()
        task = asyncio.create_task(pouring.pour(_sending(Line(reader, writer))))
        assert await _stalled(lambda: pouring.sent) < _IN_FLIGHT_BYTES_MAX
        left = _LONG_BYTES
        while left:
            left -= len(await line.reader.read(_MIB))
        await task
        line.send()
        assert status_of(await reader.read()) == 200
        writer.close()
    (exchange,) = proxy.journal.exchanges
    assert exchange.request_body is not None
    assert exchange.request_body.size_bytes == _LONG_BYTES


async def test_upstream_that_is_not_there_yet_holds_the_client_back() -> None:
    """Without a connection nothing of a body is held but what was read with the head."""
    async with full_house() as (host, port), played_upstream() as service:
        source = _source(service)
        source.commit(environments={ENVIRONMENT_ID: environment(upstream=f"http://{host}:{port}")})
        async with running(source, settings=ProxySettings(connect_seconds=0.5, tick_seconds=0.01)) as proxy:
            reader, writer = await proxy.connect()
            writer.write(ask("POST", "/", f"Content-Length: {_LONG_BYTES}"))
            pouring = _Pouring()
            task = asyncio.create_task(pouring.pour(_sending(Line(reader, writer))))
            assert await _stalled(lambda: pouring.sent) < _IN_FLIGHT_BYTES_MAX
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            writer.transport.abort()
            await proxy.journal.told()
            # That the client has gone cannot be noticed while nothing is read; it leaves nothing behind all the same.
            await eventually(lambda: not proxy.listener.open_connections, "the connection is still there")
    assert [exchange.status for exchange in proxy.journal.exchanges] == [504]


async def test_delay_holds_back_a_long_answer_and_loses_nothing_of_it() -> None:
    body = bytes(range(256)) * 8192
    async with (
        played_upstream() as service,
        running(_source(service, delay_ms=30), clock=lambda: time.monotonic_ns() // 1_000_000) as proxy,
    ):
        asking = asyncio.create_task(proxy.ask(get("/", _KEY)))
        line = await service.line()
        await line.request()
        line.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        assert body_of(await asking) == body
    (exchange,) = proxy.journal.exchanges
    assert exchange.duration_ms >= 29


async def test_upstream_that_ends_its_connection_within_the_delay_is_relayed_whole() -> None:
    async with played_upstream() as service, running(_source(service, delay_ms=30)) as proxy:
        asking = asyncio.create_task(proxy.ask(get("/", _KEY)))
        line = await service.line()
        await line.request()
        line.send(b"HTTP/1.1 200 OK\r\n\r\nall")
        line.end()
        (answer,), _ = read_answers(await asking, ["GET"])
    assert answer.body == b"all"


_EARLY = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno"


async def test_answer_that_comes_before_the_request_is_whole_is_the_last_on_both_connections() -> None:
    async with played_upstream() as service, running(_source(service)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(ask("POST", "/", "Content-Length: 100", close=False) + b"begin")
        line = await service.line()
        await line.until(b"begin")
        line.send(_EARLY)
        answer = await reader.read()
        await line.ended()
        # What still comes of the body is no request.
        writer.write(get("/").ljust(95))
        writer.close()
    assert (status_of(answer), body_of(answer)) == (413, b"no")
    assert b"connection: close" in head_of(answer)
    (exchange,) = proxy.journal.exchanges
    assert exchange.request_body is not None
    assert (exchange.status, exchange.request_body.content) == (413, b"begin")


async def test_answer_may_begin_before_the_request_is_whole_and_end_after_it() -> None:
    async with played_upstream() as service, running(_source(service)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(ask("POST", "/", "Content-Length: 4", close=False) + b"ab")
        line = await service.line()
        await line.until(b"ab")
        line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nAB")
        await reader.readuntil(b"AB")
        writer.write(b"cd")
        await line.until(b"cd")
        line.send(b"CD")
        assert await reader.read() == b"CD"
        writer.close()
    (exchange,) = proxy.journal.exchanges
    assert exchange.request_body is not None
    assert exchange.request_body.content == b"abcd"


@pytest.mark.parametrize("framing", ["Content-Length: 2", "Transfer-Encoding: chunked"])
async def test_client_that_waits_to_be_told_is_told_once(framing: str) -> None:
    async with played_upstream() as service, running(_source(service)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(ask("PUT", "/", framing, "Expect: 100-continue"))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"hi" if "Length" in framing else b"2\r\nhi\r\n0\r\n\r\n")
        line = await service.line()
        assert b"xpect" not in await line.until(b"hi")
        line.send()
        assert (await reader.read()).startswith(b"HTTP/1.1 200 OK\r\n")
        writer.close()


@pytest.mark.parametrize(
    "request_bytes",
    [
        ask("PUT", "/", "Expect: 100-continue", body=b"hi"),
        ask("GET", "/", "Expect: 100-continue"),
        ask("PUT", "/", "Expect: something-else", body=b"hi"),
        b"PUT /checkout/staging/ HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nhi",
    ],
    ids=["body is here", "no body", "another expectation", "old client"],
)
async def test_client_that_does_not_wait_is_not_told(request_bytes: bytes) -> None:
    async with played_upstream() as service, running(_source(service)) as proxy:
        asking = asyncio.create_task(proxy.ask(request_bytes))
        line = await service.line()
        await line.request()
        line.send()
        answers, _ = read_answers(await asking, ["PUT"])
    assert [answer.status for answer in answers] == [200]


async def test_upstream_is_free_for_the_next_request_as_soon_as_its_answer_is_here() -> None:
    """Even if the client takes its time to read it."""
    async with played_upstream() as service, running(_source(service)) as proxy:
        reader, writer = await proxy.connect()
        for _ in range(3):
            writer.write(get("/", close=False))
        line = await service.line()
        for _ in range(3):
            await line.request()
            line.send()
        await eventually(lambda: len(proxy.journal.exchanges) == 3, "not all are answered")
        assert (await reader.read(65536)).count(b"ok") >= 1
        writer.close()
        assert service.connections == 1
