"""Threads with long work let the event loop's run; the event loop's gives way to nobody."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from understudy_server.core import giving_way as module
from understudy_server.core.giving_way import INTERVAL_SECONDS, begin_giving_way, give_way, giving_way


class _Clock:
    """Time that goes on when it is told to, and how often way was given."""

    def __init__(self) -> None:
        self.now = 100.0
        self.away_seconds = 0.0
        self.given = 0

    def perf_counter(self) -> float:
        return self.now

    def give(self) -> None:
        self.given += 1
        self.now += self.away_seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    clock = _Clock()
    monkeypatch.setattr(module, "perf_counter", clock.perf_counter)
    monkeypatch.setattr(module, "_yield", clock.give)
    return clock


def _in_a_thread(work: Callable[[], None]) -> None:
    with ThreadPoolExecutor(1) as thread:
        thread.submit(work).result()


def test_a_thread_that_has_not_said_so_never_gives_way(clock: _Clock) -> None:
    for _ in range(10):
        clock.now += 1
        give_way()
    assert clock.given == 0


def test_that_one_thread_gives_way_concerns_no_other(clock: _Clock) -> None:
    _in_a_thread(begin_giving_way)
    clock.now += 1
    give_way()
    assert clock.given == 0


def test_way_is_given_once_in_each_interval(clock: _Clock) -> None:
    def work() -> None:
        begin_giving_way()
        for _ in range(100):
            clock.now += INTERVAL_SECONDS / 10
            give_way()

    _in_a_thread(work)
    assert clock.given == 10


def test_a_program_that_took_the_core_for_long_gets_it_again_after_as_long(clock: _Clock) -> None:
    clock.away_seconds = INTERVAL_SECONDS * 20

    def work() -> None:
        begin_giving_way()
        for _ in range(100):
            clock.now += INTERVAL_SECONDS
            give_way()

    _in_a_thread(work)
    assert clock.given == 5


def test_items_are_the_same_with_way_given_between_them(clock: _Clock) -> None:
    seen: list[int] = []

    def work() -> None:
        begin_giving_way()
        for item in giving_way(range(5)):
            clock.now += INTERVAL_SECONDS * 2
            seen.append(item)

    _in_a_thread(work)
    assert (seen, clock.given) == ([0, 1, 2, 3, 4], 5)
