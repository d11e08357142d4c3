"""Sweeping goes on whatever becomes of one sweep, until it is stopped."""

import asyncio

import pytest
from support.timers import ManualTimers
from understudy_server.core.errors import StorageFailure
from understudy_server.journal.sweeper import Sweeper


@pytest.mark.parametrize("error", [StorageFailure("the disk is full"), ValueError("no number")])
async def test_a_sweep_that_fails_is_logged_and_repeated(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    timers, moments = ManualTimers(), []

    async def sweep(moment_ms: int) -> None:
        moments.append(moment_ms)
        raise error

    sweeper = Sweeper(sweep, lambda: 7)
    sweeper.start(timers)
    for _ in range(2):
        timers.fire()
        assert sweeper._sweeping
        await sweeper._sweeping

    assert (moments, timers.waiting) == ([7, 7], 1)
    assert "was not removed" in caplog.text
    await sweeper.stop()
    assert timers.waiting == 0


async def test_the_stop_waits_for_what_is_under_way_and_its_end_arranges_nothing() -> None:
    timers, going_on, done = ManualTimers(), asyncio.Event(), []

    async def sweep(_moment_ms: int) -> None:
        await going_on.wait()
        done.append(True)

    sweeper = Sweeper(sweep, lambda: 7)
    sweeper.start(timers)
    timers.fire()
    stopping = asyncio.create_task(sweeper.stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    going_on.set()
    await stopping

    assert (done, timers.waiting) == ([True], 0)


async def test_who_gives_up_waiting_for_the_stop_is_let_go() -> None:
    timers, going_on = ManualTimers(), asyncio.Event()

    async def sweep(_moment_ms: int) -> None:
        await going_on.wait()

    sweeper = Sweeper(sweep, lambda: 7)
    sweeper.start(timers)
    timers.fire()
    stopping = asyncio.create_task(sweeper.stop())
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    going_on.set()
    await sweeper.stop()
