"""How late the event loop is."""

import asyncio

from support.manual_loop import ManualLoop
from understudy_server.telemetry.loop_lag import INTERVAL_SECONDS, LoopLag


def test_a_loop_that_keeps_time_is_not_late() -> None:
    loop = ManualLoop()
    lag = LoopLag(loop.call_later, loop.time)
    lag.start()
    for _ in range(5):
        loop.advance(INTERVAL_SECONDS)
    lag.stop()
    counts = lag.counts()
    assert counts.total == 5
    assert counts.below[0] == 5
    loop.close()


def test_a_timer_that_comes_late_is_counted_by_how_late() -> None:
    now, due = [0.0], list[object]()

    def call_later(_seconds: float, callback: object) -> asyncio.TimerHandle:
        due.append(callback)
        return asyncio.TimerHandle(0, lambda: None, (), loop)

    loop = asyncio.new_event_loop()
    lag = LoopLag(call_later, lambda: now[0])
    lag.start()
    now[0] = INTERVAL_SECONDS + 0.3
    due.pop()()  # type: ignore[operator]
    counts = lag.counts()
    assert (counts.total, round(counts.sum, 6)) == (1, 0.3)
    assert dict(zip(counts.bounds, counts.below, strict=True))[0.25] == 0
    assert dict(zip(counts.bounds, counts.below, strict=True))[0.5] == 1
    loop.close()


def test_nothing_is_measured_after_the_stop() -> None:
    loop = ManualLoop()
    lag = LoopLag(loop.call_later, loop.time)
    lag.start()
    lag.stop()
    loop.advance(10)
    assert lag.counts().total == 0
    assert loop.timers == 0
    loop.close()
