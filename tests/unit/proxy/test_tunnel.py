"""Switches of protocol: a WebSocket passes through where the environment lets it, and is declined elsewhere."""

import asyncio
import ssl
from dataclasses import replace
from pathlib import Path

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.played_upstream import Line, PlayedUpstream, played_upstream
from support.proxying import Proxy, ask, body_of, head_of, running, status_of
from support.scripted_upstream import reset
from support.tls import Authority
from support.vanishing import eventually
from understudy_server.proxy.settings import ProxySettings

_SETTINGS = ProxySettings(tick_seconds=0.01, stop_grace_seconds=5)
_OFFER = ("Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
_HANDSHAKE = ask("GET", "/chat", *_OFFER, close=False)
_SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
_RAW = bytes(range(256))


def _source(service: PlayedUpstream, *, tunnels: bool = True) -> FakeSource:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment(upstream=service.url, tunnels_upgrades=tunnels)})
    return source


async def _client(proxy: Proxy) -> Line:
    return Line(*await proxy.connect())


async def _tunnel(proxy: Proxy, service: PlayedUpstream) -> tuple[Line, Line]:
    """The client's end and the upstream's end, after the switch."""
    inner = await _client(proxy)
    inner.send(_HANDSHAKE)
    outer = await service.line()
    await outer.until(b"\r\n\r\n")
    outer.send(_SWITCH)
    await inner.until(b"\r\n\r\n")
    return inner, outer


async def test_handshake_passes_through_and_is_on_record() -> None:
    async with played_upstream() as service, running(_source(service)) as proxy:
        inner = await _client(proxy)
        inner.send(_HANDSHAKE)
        outer = await service.line()
        asked = await outer.until(b"\r\n\r\n")
        outer.send(_SWITCH)
        answer = await inner.until(b"\r\n\r\n")
    assert asked.startswith(b"GET /chat HTTP/1.1\r\n")
    assert b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" in asked
    assert b"\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" in asked
    assert answer.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert sorted(head_of(answer)) == [
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        b"connection: upgrade",
        b"upgrade: websocket",
    ]
    assert [(each.method, each.path, each.status) for each in proxy.journal.exchanges] == [("GET", "/chat", 101)]


async def test_bytes_go_both_ways_as_they_are() -> None:
    async with played_upstream() as service, running(_source(service)) as proxy:
        inner, outer = await _tunnel(proxy, service)
        for _ in range(3):
            inner.send(_RAW)
            assert await outer.until(_RAW) == _RAW
            outer.send(_RAW[::-1])
            assert await inner.until(_RAW[::-1]) == _RAW[::-1]


async def test_bytes_right_behind_the_handshake_go_up_in_order() -> None:
    async with played_upstream() as service, running(_source(service)) as proxy:
        inner = await _client(proxy)
        inner.send(_HANDSHAKE + b"one ")
        outer = await service.line()
        await outer.until(b"\r\n\r\n")
        inner.send(b"two ")
        await asyncio.sleep(0)
        outer.send(_SWITCH)
        await inner.until(b"\r\n\r\n")
        inner.send(b"three")
        assert await outer.until(b"three") == b"one two three"


async def test_bytes_right_behind_the_switch_come_down() -> None:
    async with played_upstream() as service, running(_source(service)) as proxy:
        inner = await _client(proxy)
        inner.send(_HANDSHAKE)
        outer = await service.line()
        await outer.until(b"\r\n\r\n")
        outer.send(_SWITCH + _RAW)
        await inner.until(b"\r\n\r\n")
        assert await inner.until(_RAW) == _RAW


async def test_long_messages_are_held_back_and_arrive_whole() -> None:
    data = _RAW * 32_768
    async with played_upstream() as service, running(_source(service)) as proxy:
        inner, outer = await _tunnel(proxy, service)
        for near, far in ((inner, outer), (outer, inner)):
            sending = asyncio.create_task(_send_all(near, data))
            received = bytearray()
            while len(received) < len(data):
                received += await far.reader.read(1_000_000)
            await sending
            assert bytes(received) == data


async def _send_all(line: Line, data: bytes) -> None:
    line.send(data)
    await line.writer.drain()


async def test_end_of_the_client_is_passed_on_and_the_upstream_may_go_on() -> None:
    async with played_upstream() as service, running(_source(service)) as proxy:
        inner, outer = await _tunnel(proxy, service)
        inner.send(b"bye")
        inner.writer.write_eof()
        assert await outer.reader.read() == b"bye"
        outer.send(b"and bye")
        assert await inner.until(b"and bye") == b"and bye"
        outer.end()
        await inner.ended()
        await eventually(lambda: not proxy.listener.open_connections, "the client is still connected")


async def test_end_of_the_upstream_ends_the_tunnel_after_its_last_bytes() -> None:
    async with played_upstream() as service, running(_source(service)) as proxy:
        inner, outer = await _tunnel(proxy, service)
        outer.send(b"bye")
        outer.end()
        assert await inner.reader.read() == b"bye"
        await eventually(lambda: not proxy.listener.upstream_connections, "the upstream is still connected")


@pytest.mark.parametrize("who", ["client", "upstream"])
async def test_tunnel_ends_when_either_side_is_reset(who: str) -> None:
    async with played_upstream() as service, running(_source(service)) as proxy:
        inner, outer = await _tunnel(proxy, service)
        gone, left = (inner, outer) if who == "client" else (outer, inner)
        reset(gone.writer)
        await left.ended()
        await eventually(lambda: not proxy.listener.open_connections, "the client is still connected")
        await eventually(lambda: not proxy.listener.upstream_connections, "the upstream is still connected")


async def test_tunnel_over_tls_to_the_upstream_ends_with_its_client(tmp_path: Path) -> None:
    """There the end of one side cannot be told by itself."""
    authority = Authority.make(tmp_path / "ca")
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(authority.identity())
    settings = replace(_SETTINGS, upstream_tls=authority.trust())
    async with played_upstream(served) as service, running(_source(service), settings=settings) as proxy:
        inner, outer = await _tunnel(proxy, service)
        inner.end()
        await outer.ended()
        await eventually(lambda: not proxy.listener.open_connections, "the client is still connected")
        await eventually(lambda: not proxy.listener.upstream_connections, "the upstream is still connected")


async def test_tunnel_through_which_nothing_goes_is_cut() -> None:
    settings = replace(_SETTINGS, tunnel_idle_seconds=0.05, idle_seconds=0.01, head_seconds=0.01)
    async with played_upstream() as service, running(_source(service), settings=settings) as proxy:
        inner, outer = await _tunnel(proxy, service)
        await inner.ended()
        await outer.ended()


async def test_stop_cuts_tunnels_without_waiting() -> None:
    settings = replace(_SETTINGS, stop_grace_seconds=60)
    async with played_upstream() as service, running(_source(service), settings=settings) as proxy:
        inner, outer = await _tunnel(proxy, service)
        await asyncio.wait_for(proxy.listener.stop(), 5)
        await inner.ended()
        await outer.ended()


async def test_environment_that_does_not_tunnel_passes_the_request_on_without_the_offer() -> None:
    async with played_upstream() as service, running(_source(service, tunnels=False)) as proxy:
        inner = await _client(proxy)
        inner.send(_HANDSHAKE + b"\x81raw")
        outer = await service.line()
        asked = await outer.until(b"\r\n\r\n")
        outer.send(b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nno")
        answer = await inner.reader.read()
    assert b"pgrade" not in asked
    assert (status_of(answer), body_of(answer)) == (426, b"no")
    assert b"connection: close" in head_of(answer)
    assert [each.status for each in proxy.journal.exchanges] == [426]


async def test_upstream_that_switches_unasked_is_502() -> None:
    async with played_upstream() as service, running(_source(service, tunnels=False)) as proxy:
        inner = await _client(proxy)
        inner.send(_HANDSHAKE)
        outer = await service.line()
        await outer.until(b"\r\n\r\n")
        outer.send(_SWITCH)
        answer = await inner.reader.read()
    assert status_of(answer) == 502


async def test_upstream_may_decline_the_offer() -> None:
    async with played_upstream() as service, running(_source(service)) as proxy:
        inner = await _client(proxy)
        inner.send(_HANDSHAKE + b"\x81raw")
        outer = await service.line()
        await outer.until(b"\r\n\r\n")
        outer.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
        answer = await inner.reader.read()
    assert (status_of(answer), body_of(answer)) == (403, b"no")


async def test_offer_beside_a_body_is_not_passed_on() -> None:
    """Where the body ends the other protocol would begin: that is not left to chance."""
    async with played_upstream() as service, running(_source(service)) as proxy:
        inner = await _client(proxy)
        inner.send(ask("POST", "/", "Connection: Upgrade", "Upgrade: h2c", body=b"body", close=False))
        outer = await service.line()
        asked = await outer.request()
        outer.send()
        answer = await inner.reader.read()
    assert (asked.body, asked.values(b"upgrade")) == (b"body", [])
    assert status_of(answer) == 200


@pytest.mark.parametrize(
    "request_bytes",
    [
        ask("GET", "/", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk", close=False),
        b"GET /checkout/staging/ HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ],
    ids=["HTTP/2", "HTTP/1.0"],
)
async def test_offer_that_may_not_be_passed_on_is_answered_without_it(request_bytes: bytes) -> None:
    async with played_upstream() as service, running(_source(service)) as proxy:
        inner = await _client(proxy)
        inner.send(request_bytes)
        outer = await service.line()
        asked = await outer.request()
        outer.send()
        answer = await inner.reader.read()
    assert (asked.values(b"upgrade"), asked.values(b"connection"), asked.values(b"http2-settings")) == ([], [], [])
    assert (status_of(answer), body_of(answer)) == (200, b"ok")


async def test_mock_answers_an_offer_as_any_other_request() -> None:
    async with played_upstream() as service:
        source = _source(service)
        source.commit(
            mocks={"ovr_chat": mock("ovr_chat", path="/chat", status=403)},
            sessions={"ses_ci-42": session(overrides=("ovr_chat",))},
        )
        async with running(source) as proxy:
            answer = await proxy.ask(ask("GET", "/chat", *_OFFER, "x-flowmock-session: ci-42", close=False) + b"raw")
    assert status_of(answer) == 403
    assert b"connection: close" in head_of(answer)
