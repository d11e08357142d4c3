"""Threads with long work let the event loop's run; the event loop's gives way to nobody."""

import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core import giving_way as module
from understudy_server.core.giving_way import (
    INTERVAL_SECONDS,
    TakesTooLong,
    begin_giving_way,
    give_way,
    giving_way,
    in_time,
    let_go,
    sorted_giving_way,
    taking,
)


class _Clock:
    """Time that goes on when it is told to, and how often way was given.

    ``away_seconds`` is how long it then takes until the thread runs again, and ``own_seconds`` how much of that other
    threads of this process ran.
    """

    def __init__(self) -> None:
        self.now = 100.0
        self.away_seconds = 0.0
        self.own_seconds = 0.0
        self.used = 0.0
        self.given = 0

    def perf_counter(self) -> float:
        return self.now

    def process_time(self) -> float:
        return self.used

    def give(self) -> None:
        self.given += 1
        self.now += self.away_seconds
        self.used += self.own_seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    clock = _Clock()
    monkeypatch.setattr(module, "perf_counter", clock.perf_counter)
    monkeypatch.setattr(module, "process_time", clock.process_time)
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


def test_threads_of_ones_own_get_the_core_again_as_soon_as_they_want_it(clock: _Clock) -> None:
    clock.away_seconds = clock.own_seconds = INTERVAL_SECONDS * 20

    def work() -> None:
        begin_giving_way()
        for _ in range(100):
            clock.now += INTERVAL_SECONDS
            give_way()

    _in_a_thread(work)
    assert clock.given == 100


def test_items_are_the_same_with_way_given_between_them(clock: _Clock) -> None:
    seen: list[int] = []

    def work() -> None:
        begin_giving_way()
        for item in giving_way(range(5)):
            clock.now += INTERVAL_SECONDS * 2
            seen.append(item)

    _in_a_thread(work)
    assert (seen, clock.given) == ([0, 1, 2, 3, 4], 5)


@given(st.lists(st.text(max_size=3), max_size=40), st.integers(1, 7))
def test_texts_sorted_in_parts_are_in_the_order_of_all(texts: list[str], at_once: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_SORTED_AT_ONCE", at_once)
        patch.setattr(module, "_MERGED_AT_ONCE", at_once)
        assert sorted_giving_way(iter(texts)) == sorted(texts)


def test_what_is_taken_from_a_list_is_let_go_of_before_the_next() -> None:
    class Thing:
        pass

    things = [Thing() for _ in range(3)]
    known = [weakref.ref(each) for each in things]
    alive = []
    for taken in taking(things):
        alive.append([each() is not None for each in known])
        del taken
    assert alive == [[True, True, True], [False, True, True], [False, False, True]]
    assert things == []


def test_lists_that_are_let_go_of_are_empty() -> None:
    one, other = [1, 2], ["a"]
    let_go(one, other)
    assert (one, other) == ([], [])


def test_work_that_is_held_to_a_time_gives_up_where_it_would_give_way(clock: _Clock) -> None:
    done = []

    def work() -> None:
        for step in giving_way(range(5)):
            clock.now += 0.4
            done.append(step)

    with pytest.raises(TakesTooLong):
        in_time(1.0, work)
    assert (done, clock.given) == ([0, 1, 2], 0)


def test_after_work_in_time_nobody_is_held_to_it_any_more(clock: _Clock) -> None:
    assert in_time(1.0, lambda: 42) == 42
    clock.now += 10
    give_way()


def test_a_thread_that_gives_way_does_so_again_after_work_in_time(clock: _Clock) -> None:
    def work() -> None:
        begin_giving_way()
        in_time(1.0, give_way)
        clock.now += INTERVAL_SECONDS * 2
        give_way()

    _in_a_thread(work)
    assert clock.given == 1
