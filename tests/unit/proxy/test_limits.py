"""Bounds on what clients may do, on real sockets."""

import asyncio
import json

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.played_upstream import Line, played_upstream
from support.proxying import ask, body_of, get, head_of, running, status_of
from support.vanishing import eventually
from understudy_server.proxy.settings import ProxySettings

_KEY = "x-flowmock-session: ci-42"


def _source(upstream_url: str = "", *, delay_ms: int = 0) -> FakeSource:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(upstream=upstream_url)},
        mocks={"ovr_x": mock("ovr_x", path="/x", json='"x"', delay_ms=delay_ms)},
        sessions={"ses_ci-42": session(overrides=("ovr_x",))},
    )
    return source


async def test_one_connection_more_than_there_may_be_is_told_so_and_room_is_made_by_leaving() -> None:
    settings = ProxySettings(connections_max=2, linger_seconds=0.05, tick_seconds=0.01)
    async with running(_source(), settings=settings) as proxy:
        held = [await proxy.connect() for _ in range(2)]
        await eventually(lambda: proxy.listener.open_connections == 2, "they are not accepted")
        answer = await proxy.ask(b"")
        held[0][1].close()
        await eventually(lambda: proxy.listener.open_connections == 1, "it is still counted")
        assert status_of(await proxy.ask(get("/x", _KEY))) == 200
    assert (status_of(answer), json.loads(body_of(answer))["code"]) == (503, "too_many_connections")
    assert b"connection: close" in head_of(answer)


async def test_connections_are_counted_over_all_listeners() -> None:
    settings = ProxySettings(connections_max=1, linger_seconds=0.05, tick_seconds=0.01)
    async with running(_source(), settings=settings) as proxy:
        await proxy.connect()
        await eventually(lambda: proxy.listener.open_connections == 1, "it is not accepted")
        reader, writer = await asyncio.open_connection(
            *await proxy.listener.listen("127.0.0.1", 0, bound=("checkout", "staging"))
        )
        assert status_of(await reader.read()) == 503
        writer.close()


async def test_connection_that_says_nothing_is_closed() -> None:
    settings = ProxySettings(head_seconds=0.05, idle_seconds=0.05, tick_seconds=0.01)
    async with running(_source(), settings=settings) as proxy:
        reader, _ = await proxy.connect()
        assert await asyncio.wait_for(reader.read(), 5) == b""


@pytest.mark.parametrize("sent", [b"G", b"GET / HTTP/1.1\r\n", get("/x", _KEY, close=False) + b"G"])
async def test_head_that_does_not_come_to_its_end_is_408(sent: bytes) -> None:
    settings = ProxySettings(head_seconds=0.05, linger_seconds=0.05, tick_seconds=0.01)
    async with running(_source(), settings=settings) as proxy:
        answer = await asyncio.wait_for(proxy.ask(sent), 5)
    last = answer[answer.rindex(b"HTTP/1.1") :]
    assert (status_of(last), json.loads(body_of(last))["code"]) == (408, "request_timeout")


async def test_client_that_waits_for_its_answer_is_neither_idle_nor_slow() -> None:
    settings = ProxySettings(idle_seconds=0.01, head_seconds=0.01, body_seconds=0.01, tick_seconds=0.005)
    async with running(_source(delay_ms=60), settings=settings) as proxy:
        assert body_of(await proxy.ask(get("/x", _KEY))) == b'"x"'


async def test_body_over_the_limit_is_413_as_soon_as_it_is() -> None:
    settings = ProxySettings(request_body_bytes_max=10, linger_seconds=0.05, tick_seconds=0.01)
    async with played_upstream() as service, running(_source(service.url), settings=settings) as proxy:
        line = Line(*await proxy.connect())
        line.send(ask("POST", "/", _KEY, "Transfer-Encoding: chunked") + b"5\r\n12345\r\n")
        upper = await service.line()
        await upper.until(b"12345\r\n")
        line.send(b"6\r\n123456\r\n")
        answer = await line.reader.read()
        await upper.ended()
    assert (status_of(answer), json.loads(body_of(answer))["code"]) == (413, "body_too_large")
    assert [each.status for each in proxy.journal.exchanges] == [413]


async def test_all_listeners_stop() -> None:
    async with running(_source()) as proxy:
        other = await proxy.listener.listen("127.0.0.1", 0, bound=("checkout", "staging"))
        reader, writer = await asyncio.open_connection(*other)
        writer.write(b"GET /x HTTP/1.1\r\nHost: a\r\n" + _KEY.encode() + b"\r\n\r\n")
        assert await reader.readuntil(b'"x"')
        await proxy.listener.stop()
        assert await reader.read() == b""
        writer.close()
        for address in (proxy.address, other):
            with pytest.raises(OSError, match=r"refused|failed"):
                await asyncio.open_connection(*address)
        await proxy.listener.stop()
