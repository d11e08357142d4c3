"""A WebSocket between a real client and a real server, through the proxy."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from support.live_source import ENVIRONMENT_ID, FakeSource, environment
from support.proxying import Proxy, running

_KEY = {"x-flowmock-session": "ci-42"}
_LONG = "x" * 300_000


async def _echo(request: web.Request) -> web.WebSocketResponse:
    """Give back each message, with the session key that came with the handshake."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(f"{request.headers['x-flowmock-session']}: {message.data}")
    return socket


@asynccontextmanager
async def _chat(*, tunnels: bool) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy before the server, in an environment that tunnels upgrades or does not, and the address of the chat."""
    app = web.Application()
    app.router.add_get("/chat", _echo)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    source = FakeSource()
    row = environment(upstream=f"http://127.0.0.1:{runner.addresses[0][1]}", tunnels_upgrades=tunnels)
    source.commit(environments={ENVIRONMENT_ID: row})
    async with running(source) as proxy:
        host, port = proxy.address
        yield proxy, f"http://{host}:{port}/checkout/staging/chat"
    await runner.cleanup()


async def test_messages_of_any_length_go_both_ways() -> None:
    async with _chat(tunnels=True) as (proxy, url), aiohttp.ClientSession(headers=_KEY) as client:
        async with client.ws_connect(url) as socket:
            for text in ("hello", _LONG, ""):
                await socket.send_str(text)
                assert await socket.receive_str() == f"ci-42: {text}"
        (exchange,) = proxy.journal.exchanges
        assert (exchange.status, exchange.path, exchange.session_key) == (101, "/chat", "ci-42")


async def test_handshake_is_answered_plainly_where_upgrades_are_not_tunnelled() -> None:
    async with _chat(tunnels=False) as (proxy, url), aiohttp.ClientSession(headers=_KEY) as client:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await client.ws_connect(url)
        assert [exchange.status for exchange in proxy.journal.exchanges] == [400]
