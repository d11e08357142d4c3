"""A connection that was kept may have been closed just when it is used: then, and only then, once more."""

import asyncio
import json
import time

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, session
from support.played_upstream import Line, PlayedUpstream, played_upstream
from support.proxying import Proxy, ask, body_of, get, running, status_of

_KEY = "x-flowmock-session: ci-42"


def _source(service: PlayedUpstream, *, delay_ms: int = 0) -> FakeSource:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(upstream=service.url)},
        sessions={"ses_ci-42": session(delay_ms=delay_ms)},
    )
    return source


async def _warm(proxy: Proxy, service: PlayedUpstream) -> Line:
    """Have a connection to the upstream that was used once."""
    asking = asyncio.create_task(proxy.ask(get("/warm")))
    line = await service.line()
    await line.request()
    line.send()
    await asking
    proxy.journal.exchanges.clear()
    return line


@pytest.mark.parametrize("then", ["end", "reset"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"])
async def test_request_on_a_connection_just_closed_is_sent_again_on_a_new_one(method: str, then: str) -> None:
    async with played_upstream() as service, running(_source(service)) as proxy:
        stale = await _warm(proxy, service)
        asking = asyncio.create_task(proxy.ask(ask(method, "/x?y", "X-A: 1")))
        first = await stale.request()
        getattr(stale, then)()
        line = await service.line()
        assert await line.request() == first
        line.send()
        assert status_of(await asking) == 200
    assert [(each.status, each.findings) for each in proxy.journal.exchanges] == [(200, ("upstream_retried",))]


@pytest.mark.parametrize(
    ("method", "body"), [("POST", b""), ("PATCH", b""), ("POST", b"x"), ("PUT", b"x"), ("DELETE", b"x"), ("GET", b"x")]
)
async def test_request_that_may_have_done_something_is_not_sent_again(method: str, body: bytes) -> None:
    async with played_upstream() as service, running(_source(service)) as proxy:
        stale = await _warm(proxy, service)
        asking = asyncio.create_task(proxy.ask(ask(method, "/", body=body)))
        await stale.request()
        stale.end()
        answer = await asking
        assert service.connections == 1
    assert (status_of(answer), json.loads(body_of(answer))["code"]) == (502, "upstream_invalid")
    assert [(each.status, each.findings) for each in proxy.journal.exchanges] == [(502, ())]


@pytest.mark.parametrize("begun", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Le"])
async def test_request_that_the_upstream_began_to_answer_is_not_sent_again(begun: bytes) -> None:
    async with played_upstream() as service, running(_source(service)) as proxy:
        line = await _warm(proxy, service)
        asking = asyncio.create_task(proxy.ask(get("/")))
        await line.request()
        line.send(begun)
        line.end()
        assert status_of(await asking) == 502
        assert service.connections == 1


async def test_request_on_a_new_connection_is_not_sent_again() -> None:
    async with played_upstream() as service, running(_source(service)) as proxy:
        asking = asyncio.create_task(proxy.ask(get("/")))
        line = await service.line()
        await line.request()
        line.end()
        assert status_of(await asking) == 502
        assert service.connections == 1


async def test_request_is_sent_again_once_and_not_on_another_connection_that_was_kept() -> None:
    async with played_upstream() as service, running(_source(service)) as proxy:
        both = [asyncio.create_task(proxy.ask(get("/warm"))) for _ in range(2)]
        kept = [await service.line() for _ in both]
        for line in kept:
            await line.request()
        for line in kept:
            line.send()
        await asyncio.gather(*both)
        proxy.journal.exchanges.clear()
        asking = asyncio.create_task(proxy.ask(get("/")))
        await kept[1].request()
        kept[1].end()
        line = await service.line()
        await line.request()
        line.end()
        assert status_of(await asking) == 502
        assert service.connections == 3
    assert [(each.status, each.findings) for each in proxy.journal.exchanges] == [(502, ("upstream_retried",))]


async def test_answer_to_what_was_sent_again_is_delayed_as_any_other() -> None:
    async with (
        played_upstream() as service,
        running(_source(service, delay_ms=40), clock=lambda: time.monotonic_ns() // 1_000_000) as proxy,
    ):
        stale = await _warm(proxy, service)
        asking = asyncio.create_task(proxy.ask(get("/", _KEY)))
        await stale.request()
        stale.end()
        line = await service.line()
        await line.request()
        line.send()
        await asking
    (exchange,) = proxy.journal.exchanges
    assert exchange.duration_ms >= 39
