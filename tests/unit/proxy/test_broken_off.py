"""Ends that are not regular, of a client or an upstream: what the other side gets, and what is on record."""

import asyncio
import json
from dataclasses import replace

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.played_upstream import played_upstream
from support.proxying import Proxy, ask, body_of, get, running, status_of
from support.scripted_upstream import reset
from support.vanishing import client, eventually
from understudy.v1.mock_service_pb2 import Mock
from understudy_server.core.exchange import Exchange
from understudy_server.proxy.settings import ProxySettings

_KEY = "x-flowmock-session: ci-42"
_LONG_MS = 120_000
_QUICK = ProxySettings(tick_seconds=0.01, linger_seconds=0.05)


def _json_mock() -> Mock:
    message = mock("ovr_json", path="/json", json='"json"')
    message.matcher.body.json_subset = '{"a":1}'
    return message


def _source(upstream_url: str = "", *, delay_ms: int = 0) -> FakeSource:
    """A session with mocks on `/quick` and, for a JSON body, on `/json`; the rest is passed through."""
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(upstream=upstream_url)},
        mocks={"ovr_quick": mock("ovr_quick", path="/quick", json='"quick"'), "ovr_json": _json_mock()},
        sessions={"ses_ci-42": session(overrides=("ovr_quick", "ovr_json"), delay_ms=delay_ms)},
    )
    return source


async def _only(proxy: Proxy) -> Exchange:
    await eventually(lambda: bool(proxy.journal.exchanges), "nothing is on record")
    (exchange,) = proxy.journal.exchanges
    return exchange


_HEAD = b"HTTP/1.1 200 OK\r\n"
_BEGUN = {
    "by length": _HEAD + b"Content-Length: 5\r\n\r\nab",
    "before its body": _HEAD + b"Content-Length: 5\r\n\r\n",
    "in a chunk": _HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    "between chunks": _HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
    "before the end of its trailers": _HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n",
}


@pytest.mark.parametrize("then", ["end", "reset", "nonsense", "silence"])
@pytest.mark.parametrize("begun", _BEGUN.values(), ids=list(_BEGUN))
async def test_answer_that_breaks_off_breaks_off_for_the_client_too(begun: bytes, then: str) -> None:
    settings = replace(_QUICK, upstream_idle_seconds=0.05 if then == "silence" else 10)
    if then == "nonsense" and begun != _BEGUN["between chunks"]:
        # Elsewhere it would be a part of the body.
        return
    async with played_upstream() as service, running(_source(service.url), settings=settings) as proxy:
        reader, writer = await proxy.connect()
        writer.write(get("/", close=False))
        line = await service.line()
        await line.request()
        line.send(begun)
        read = await reader.readuntil(b"\r\n\r\n")
        match then:
            case "end":
                line.end()
            case "reset":
                line.reset()
            case "nonsense":
                line.send(b"\x00\x00" * 10)
        read += await reader.read()
        writer.close()
        exchange = await _only(proxy)
    assert read.startswith(_HEAD)
    assert not read.endswith(b"0\r\n\r\n")
    assert (exchange.status, exchange.mock_id, exchange.findings) == (200, "", ("upstream_broke_off",))
    assert (exchange.response_body.content if exchange.response_body else b"") == (b"ab" if b"ab" in begun else b"")


async def test_answer_to_its_end_that_breaks_off_is_a_reset_for_an_old_client() -> None:
    """The end of the connection would say that the answer is whole."""
    async with played_upstream() as service, running(_source(service.url), settings=_QUICK) as proxy:
        reader, writer = await proxy.connect()
        writer.write(b"GET /checkout/staging/ HTTP/1.0\r\n\r\n")
        line = await service.line()
        await line.request()
        line.send(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
        await reader.readuntil(b"ab")
        line.end()
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        exchange = await _only(proxy)
    assert exchange.findings == ("upstream_broke_off",)


async def test_answer_that_breaks_off_within_the_delay_breaks_off_after_it() -> None:
    async with played_upstream() as service, running(_source(service.url, delay_ms=30), settings=_QUICK) as proxy:
        asking = asyncio.create_task(proxy.ask(get("/", _KEY)))
        line = await service.line()
        await line.request()
        line.send(_BEGUN["by length"])
        line.end()
        assert (await asking).endswith(b"\r\n\r\nab")
        exchange = await _only(proxy)
    assert (exchange.status, exchange.findings) == (200, ("upstream_broke_off",))


async def test_client_that_goes_before_its_answer_is_499_and_the_upstream_is_let_go() -> None:
    async with played_upstream() as service, running(_source(service.url)) as proxy:
        _, writer = await proxy.connect()
        writer.write(get("/", _KEY))
        line = await service.line()
        await line.request()
        reset(writer)
        exchange = await _only(proxy)
        await line.ended()
    assert (exchange.status, exchange.response_headers, exchange.response_body) == (499, (), None)


async def test_client_that_goes_midway_is_on_record_with_the_status_it_was_sent() -> None:
    async with played_upstream() as service, running(_source(service.url)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(get("/"))
        line = await service.line()
        await line.request()
        line.send(_BEGUN["by length"])
        await reader.readuntil(b"ab")
        reset(writer)
        exchange = await _only(proxy)
        await line.ended()
    assert (exchange.status, exchange.findings) == (200, ("client_gone",))
    assert exchange.response_body is not None
    assert exchange.response_body.content == b"ab"


@pytest.mark.parametrize("path", ["/quick", "/"])
async def test_client_that_half_closes_within_the_delay_is_answered_at_once(path: str) -> None:
    async with played_upstream() as service, running(_source(service.url, delay_ms=_LONG_MS)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(get(path, _KEY, close=False))
        await proxy.journal.told()
        if path == "/":
            line = await service.line()
            await line.request()
            line.send()
        writer.write_eof()
        answer = await reader.read()
        writer.close()
    assert status_of(answer) == 200
    assert [each.findings for each in proxy.journal.exchanges] == [("client_half_closed",)]


async def test_client_that_half_closes_with_its_request_is_answered_without_delay() -> None:
    async with running(_source(delay_ms=_LONG_MS)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(get("/quick", _KEY, close=False) * 2)
        writer.write_eof()
        answers = await reader.read()
        writer.close()
    assert answers.count(b'"quick"') == 2
    assert [each.findings for each in proxy.journal.exchanges] == [("client_half_closed",)] * 2


async def test_client_that_half_closes_while_the_upstream_thinks_gets_its_answer() -> None:
    async with played_upstream() as service, running(_source(service.url)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(ask("POST", "/", body=b"all", close=False))
        line = await service.line()
        await line.request()
        writer.write_eof()
        await asyncio.sleep(0)
        line.send()
        assert body_of(await reader.read()) == b"ok"
        writer.close()


async def test_client_that_half_closes_while_its_request_waits_is_answered() -> None:
    async with played_upstream() as service:
        source = _source(service.url)
        source.alone, source.gate = False, asyncio.Event()
        async with running(source) as proxy:
            reader, writer = await proxy.connect()
            writer.write(ask("POST", "/", "Content-Length: 4", close=False) + b"ab")
            await eventually(lambda: source.checks == 1, "the store is not asked")
            writer.write(b"cd")
            writer.write_eof()
            source.gate.set()
            line = await service.line()
            assert (await line.request()).body == b"abcd"
            line.send()
            assert body_of(await reader.read()) == b"ok"
            writer.close()


@pytest.mark.parametrize("path", ["/quick", "/json", "/"])
async def test_client_that_half_closes_within_its_body_is_499(path: str) -> None:
    async with played_upstream() as service, running(_source(service.url)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(ask("POST", path, _KEY, "Content-Length: 10") + b"half")
        await proxy.journal.told() if path != "/json" else None
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        exchange = await _only(proxy)
    assert exchange.status == 499
    assert exchange.request_body is not None
    assert exchange.request_body.content == b"half"


@pytest.mark.parametrize("path", ["/quick", "/json", "/"])
async def test_request_that_turns_out_to_be_no_http_is_refused_on_record(path: str) -> None:
    async with played_upstream() as service, running(_source(service.url), settings=_QUICK) as proxy:
        reader, writer = await proxy.connect()
        writer.write(ask("POST", path, _KEY, "Transfer-Encoding: chunked", "Expect: 100-continue"))
        await reader.readuntil(b"100 Continue\r\n\r\n")
        writer.write(b"4\r\nhalf\r\nnonsense\r\n")
        answer = await reader.read()
        writer.close()
        exchange = await _only(proxy)
        await eventually(lambda: not proxy.listener.upstream_connections, "the upstream is not let go")
    assert (status_of(answer), json.loads(body_of(answer))["code"]) == (400, "bad_request")
    assert (exchange.status, exchange.session_key) == (400, "ci-42")


async def test_request_that_is_spoiled_after_its_answer_has_begun_is_cut() -> None:
    async with played_upstream() as service, running(_source(service.url), settings=_QUICK) as proxy:
        reader, writer = await proxy.connect()
        writer.write(ask("POST", "/", "Transfer-Encoding: chunked") + b"4\r\nhalf\r\n")
        line = await service.line()
        await line.until(b"half\r\n")
        line.send(_BEGUN["by length"])
        read = await reader.readuntil(b"ab")
        writer.write(b"nonsense\r\n")
        read += await reader.read()
        writer.close()
        await line.ended()
        exchange = await _only(proxy)
    assert read.count(b"HTTP/1.1") == 1
    assert (exchange.status, exchange.findings) == (200, ("request_broke_off",))
    assert exchange.request_body is not None
    assert exchange.request_body.content == b"half"


@pytest.mark.parametrize("path", ["/quick", "/json", "/"])
async def test_body_that_stops_coming_is_408_on_record(path: str) -> None:
    settings = replace(_QUICK, body_seconds=0.05)
    async with played_upstream() as service, running(_source(service.url), settings=settings) as proxy:
        answer = await proxy.ask(ask("POST", path, _KEY, "Content-Length: 10") + b"half")
        exchange = await _only(proxy)
    assert (status_of(answer), json.loads(body_of(answer))["code"]) == (408, "request_timeout")
    assert exchange.status == 408


async def test_client_that_takes_nothing_of_its_answer_is_cut_off_and_on_record() -> None:
    settings = replace(_QUICK, write_seconds=0.05)
    async with (
        played_upstream() as service,
        running(_source(service.url), settings=settings) as proxy,
        client(proxy.address) as stalling,
    ):
        await stalling.send(get("/"))
        line = await service.line()
        await line.request()
        line.send(_HEAD + b"Content-Length: 16777216\r\n\r\n" + bytes(16_777_215))
        exchange = await _only(proxy)
        await line.ended()
    assert (exchange.status, exchange.findings) == (200, ("client_gone",))
