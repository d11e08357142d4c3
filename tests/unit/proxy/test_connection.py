"""Order, keep-alive, delays, and what happens when one side goes."""

import asyncio
import json
import logging
import socket
import struct
import time

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.proxying import ask, body_of, get, running, status_of, upstream
from understudy_server.proxy.settings import ProxySettings

_KEY = "x-flowmock-session: ci-42"
_LONG_MS = 120_000


def _source(*, upstream_url: str = "", delay_ms: int = 0, mock_delay_ms: int = 0) -> FakeSource:
    """A session with a delay, and a mock on `/slow` with one of its own; `/quick` is mocked without."""
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(upstream=upstream_url)},
        mocks={
            "ovr_slow": mock("ovr_slow", path="/slow", json='"slow"', delay_ms=mock_delay_ms),
            "ovr_quick": mock("ovr_quick", path="/quick", json='"quick"'),
        },
        sessions={"ses_ci-42": session(overrides=("ovr_slow", "ovr_quick"), delay_ms=delay_ms)},
    )
    return source


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


async def test_connection_is_kept_for_further_requests() -> None:
    async with running(_source()) as proxy:
        reader, writer = await proxy.connect()
        for _ in range(3):
            writer.write(get("/quick", _KEY, close=False))
            assert await _body(reader) == b'"quick"'
        writer.close()


async def test_old_client_is_told_that_its_connection_stays() -> None:
    async with running(_source()) as proxy:
        head = f"GET /checkout/staging/quick HTTP/1.0\r\nConnection: keep-alive\r\n{_KEY}\r\n\r\n"
        reader, writer = await proxy.connect()
        writer.write(head.encode())
        assert b"\r\nconnection: keep-alive\r\n" in await reader.readuntil(b"\r\n\r\n")
        writer.close()


async def test_old_client_is_answered_and_its_connection_closed() -> None:
    async with running(_source()) as proxy:
        answer = await proxy.ask(f"GET /checkout/staging/quick HTTP/1.0\r\n{_KEY}\r\n\r\n".encode())
    assert (status_of(answer), body_of(answer)) == (200, b'"quick"')


async def test_pipelined_requests_are_answered_in_their_order() -> None:
    async with (
        upstream(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nupstream") as service,
        running(_source(upstream_url=service.url, mock_delay_ms=20)) as proxy,
    ):
        paths = ["/slow", "/quick", "/other", "/quick", "/slow"]
        requests = [get(path, _KEY, close=number == len(paths)) for number, path in enumerate(paths, 1)]
        reader, writer = await proxy.connect()
        writer.write(b"".join(requests))
        bodies = [await _body(reader) for _ in paths]
        assert await reader.read() == b""
        writer.close()
    assert bodies == [b'"slow"', b'"quick"', b"upstream", b'"quick"', b'"slow"']
    assert [exchange.path for exchange in proxy.journal.exchanges] == paths


async def test_more_pipelined_requests_than_may_wait_are_all_answered() -> None:
    settings = ProxySettings(pipelined_max=2)
    async with running(_source(mock_delay_ms=1), settings=settings) as proxy:
        reader, writer = await proxy.connect()
        for _ in range(50):
            writer.write(get("/slow", _KEY, close=False))
            await asyncio.sleep(0)
        assert [await _body(reader) for _ in range(50)] == [b'"slow"'] * 50
        writer.close()


async def test_refusal_comes_after_the_answers_to_earlier_requests() -> None:
    async with running(_source(mock_delay_ms=20)) as proxy:
        answer = await proxy.ask(get("/slow", _KEY, close=False) + b"NONSENSE\r\n\r\n")
    first, _, second = answer.partition(b'"slow"')
    assert (status_of(first), status_of(second)) == (200, 501)
    assert json.loads(body_of(second))["code"] == "method_unknown"


async def test_refused_client_that_goes_on_sending_reads_the_refusal() -> None:
    settings = ProxySettings(request_body_bytes_max=1000)
    async with running(_source(), settings=settings) as proxy:
        reader, writer = await proxy.connect()
        writer.write(ask("POST", "/quick", body=b"x" * 1_000_000, close=False))
        answer = await reader.read()
        writer.close()
    assert status_of(answer) == 413
    assert proxy.journal.exchanges == []


async def test_request_after_the_last_one_is_not_answered() -> None:
    async with running(_source()) as proxy:
        answer = await proxy.ask(get("/quick", _KEY) + get("/quick", _KEY))
    assert answer.count(b"HTTP/1.1") == 1
    assert len(proxy.journal.exchanges) == 1


async def test_delays_of_session_and_mock_add_up() -> None:
    async with running(_source(delay_ms=30, mock_delay_ms=40), clock=_now_ms) as proxy:
        await proxy.ask(get("/slow", _KEY))
    assert proxy.journal.exchanges[0].duration_ms >= 69


async def test_passed_through_answer_is_held_back_after_the_upstream_was_asked() -> None:
    asked_at: list[int] = []

    async def note(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked_at.append(_now_ms())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with (
        upstream(note) as service,
        running(_source(upstream_url=service.url, delay_ms=50), clock=_now_ms) as proxy,
    ):
        await proxy.ask(get("/other", _KEY))
    (exchange,) = proxy.journal.exchanges
    assert exchange.started_at_ms + exchange.duration_ms - asked_at[0] >= 49


async def test_client_without_a_session_is_not_delayed() -> None:
    async with upstream() as service, running(_source(upstream_url=service.url, delay_ms=_LONG_MS)) as proxy:
        assert status_of(await asyncio.wait_for(proxy.ask(get("/other")), 10)) == 200


async def test_delay_ends_when_the_connection_is_lost_and_that_is_on_record() -> None:
    async with running(_source(delay_ms=_LONG_MS)) as proxy:
        _, writer = await proxy.connect()
        writer.write(get("/quick", _KEY))
        await proxy.journal.told()
        _reset(writer)
        await proxy.journal.told()
    (exchange,) = proxy.journal.exchanges
    assert (exchange.mock_id, exchange.status) == ("ovr_quick", 499)


async def test_fault_of_our_own_is_500_without_details_and_ends_the_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running(_source()) as proxy:
        proxy.journal.fault = RuntimeError("secret detail")
        with caplog.at_level(logging.ERROR):
            answer = await proxy.ask(get("/quick", _KEY, close=False))
    assert (status_of(answer), json.loads(body_of(answer))["code"]) == (500, "internal_error")
    assert b"secret detail" not in answer
    assert "secret detail" in caplog.text


async def test_fault_of_our_own_in_a_delayed_answer_is_500_too(caplog: pytest.LogCaptureFixture) -> None:
    async with running(_source(delay_ms=1)) as proxy:
        proxy.journal.fault = RuntimeError("secret detail")
        answer = await proxy.ask(get("/quick", _KEY, close=False))
    assert status_of(answer) == 500
    assert "secret detail" in caplog.text


async def test_stop_lets_the_request_in_hand_finish_and_accepts_no_more() -> None:
    async with running(_source(mock_delay_ms=50)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(get("/slow", _KEY, close=False))
        await proxy.journal.told()
        address = proxy.address
        await proxy.listener.stop()
        assert await _body(reader) == b'"slow"'
        assert await reader.read() == b""
        writer.close()
        with pytest.raises(OSError, match=r"refused|failed"):
            await asyncio.open_connection(*address)


async def test_stop_cuts_what_outlasts_the_grace_time() -> None:
    settings = ProxySettings(stop_grace_seconds=0.01)
    async with running(_source(delay_ms=_LONG_MS), settings=settings) as proxy:
        reader, writer = await proxy.connect()
        idle_reader, idle_writer = await proxy.connect()
        writer.write(get("/slow", _KEY, close=False))
        await proxy.journal.told()
        await proxy.listener.stop()
        assert await reader.read() == b""
        assert await idle_reader.read() == b""
        writer.close()
        idle_writer.close()
    assert [exchange.status for exchange in proxy.journal.exchanges] == [499]


async def _body(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    return await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]))


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close so that the other side learns that nobody reads any more."""
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
