"""Rows of long bodies: however long they are, the server holds next to nothing of them at a time."""

import asyncio
import time

import uvloop

from benchmarks.body_load import Bulk, bulk
from benchmarks.memory import MB, growth_mb
from benchmarks.method import Length, Spread
from benchmarks.mocked import serving_mocks
from benchmarks.row import Row, at_most
from benchmarks.scenery import PROXIED_REAL_PATH
from benchmarks.whole import Whole

SMALL, MIDDLE, LARGE = 1_000, 1_000_000, 100_000_000
_GROWTH_MB_MAX = 8.0
_WAYS = {"up": (LARGE, SMALL), "down": (SMALL, LARGE), "both ways at once": (LARGE, LARGE)}
# What is loaded and allocated once is no growth.
_WARM_UP = 20


def bodies(length: Length) -> list[Row]:
    """By how much a server grows at the highest while 100 MB pass through it."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_rows(length))


async def _rows(length: Length) -> list[Row]:
    async with bulk() as upstream:
        with serving_mocks(upstream=f"http://{upstream.address}") as server:
            for _ in range(_WARM_UP):
                await upstream.exchange(server.proxy, PROXIED_REAL_PATH, MIDDLE, MIDDLE)
            small = await _growth(server, upstream, SMALL, SMALL)
            return [await _row(server, upstream, way, length, small) for way in _WAYS]


async def _row(server: Whole, upstream: Bulk, way: str, length: Length, small: float) -> Row:
    up, down = _WAYS[way]
    began = time.perf_counter()
    grown = [await _growth(server, upstream, up, down) for _ in range(length.rounds)]
    rate = (up + down) * length.rounds / MB / (time.perf_counter() - began)
    detail = (
        f"at the highest; with {SMALL // 1000} kB {small:.2f} MB; {rate:.0f} MB/s through proxy and Python's streams"
    )
    name = f"a body of {LARGE // MB} MB {way}: resident memory grows by"
    return Row(name, Spread.of(grown), at_most(_GROWTH_MB_MAX), detail, " MB")


async def _growth(server: Whole, upstream: Bulk, up: int, down: int) -> float:
    return await growth_mb(server.pid, upstream.exchange(server.proxy, PROXIED_REAL_PATH, up, down))
