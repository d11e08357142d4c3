import asyncio

import uvloop
from understudy_server.proxy.delay import Delay

MS = 1_000_000


class _Clock:
    """Nanoseconds, which go on when a test says so."""

    now = 0

    def __call__(self) -> int:
        return self.now


async def test_a_timer_that_rings_too_early_is_set_again() -> None:
    clock, rung = _Clock(), asyncio.Event()
    Delay(asyncio.get_running_loop(), clock, 1, rung.set)
    clock.now = MS - 2_000
    await asyncio.sleep(0.01)
    assert not rung.is_set()
    clock.now = MS
    async with asyncio.timeout(10):
        await rung.wait()


async def test_a_delay_that_is_cancelled_does_not_call_though_its_timer_was_set_again() -> None:
    clock, rung = _Clock(), asyncio.Event()
    delay = Delay(asyncio.get_running_loop(), clock, 1, rung.set)
    await asyncio.sleep(0.01)
    delay.cancel()
    clock.now = 2 * MS
    await asyncio.sleep(0.01)
    assert not rung.is_set()


def test_what_is_lost_to_floating_point_numbers_is_nothing() -> None:
    async def ring() -> None:
        clock, rung = _Clock(), asyncio.Event()
        Delay(asyncio.get_running_loop(), clock, 1, rung.set)
        clock.now = MS - 1_000
        async with asyncio.timeout(10):
            await rung.wait()

    uvloop.run(ring())
