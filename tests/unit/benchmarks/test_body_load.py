import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from support.serving import serving

from benchmarks.body_load import bulk
from benchmarks.method import Rejected

UP, DOWN = 300_000, 200_000


@asynccontextmanager
async def relay(address: str, up: Callable[[bytes], bytes], down: Callable[[bytes], bytes]) -> AsyncIterator[str]:
    """A proxy that knows no HTTP, and may change what passes."""

    async def carry(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, change: Callable[[bytes], bytes]
    ) -> None:
        while data := await reader.read(1 << 16):
            writer.write(change(data))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = address.rpartition(":")
        back, forth = await asyncio.open_connection(host, int(port))
        ways = [asyncio.ensure_future(way) for way in (carry(reader, forth, up), carry(back, writer, down))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        forth.close()
        await forth.wait_closed()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with serving(serve, listener):
            yield f"127.0.0.1:{listener.getsockname()[1]}"


def same(data: bytes) -> bytes:
    return data


def damaged(data: bytes) -> bytes:
    """The last byte of what is long is another."""
    return data if len(data) < 1_000 else data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize(("up", "down"), [(UP, 10), (10, DOWN), (UP, DOWN), (0, 0)])
async def test_an_exchange_that_loses_nothing_counts(up: int, down: int) -> None:
    async with bulk() as upstream, relay(upstream.address, same, same) as proxy:
        await upstream.exchange(proxy, "/any", up, down)
        await upstream.exchange(proxy, "/any", up, down)


@pytest.mark.parametrize(("up", "down"), [(damaged, same), (same, damaged)])
async def test_a_byte_that_changed_on_the_way_is_found_out(
    up: Callable[[bytes], bytes], down: Callable[[bytes], bytes]
) -> None:
    async with bulk() as upstream, relay(upstream.address, up, down) as proxy:
        with pytest.raises(Rejected, match="not the same"):
            await upstream.exchange(proxy, "/any", UP, DOWN)


async def test_a_refusal_is_found_out() -> None:
    async with bulk() as upstream, relay(upstream.address, same, lambda _: b"HTTP/1.1 413 No\r\n\r\n") as proxy:
        with pytest.raises(Rejected, match="413"):
            await upstream.exchange(proxy, "/any", 10, 10)
