"""Many deadlines, one timer."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from understudy_server.proxy.watch import NEVER, Watch

_TICK_SECONDS = 0.5


class _Handle:
    def __init__(self, at: float, callback: Callable[[], None]) -> None:
        self.at = at
        self.callback = callback


class _Clock:
    """An event loop's clock, as far as a watch needs one: `pass_` lets time go by and calls what is due."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[_Handle] = []

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Any:
        handle = _Handle(self.now + seconds, callback)
        self.timers.append(handle)
        return handle

    def pass_(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [each for each in self.timers if each.at <= end]:
            first = min(due, key=lambda each: each.at)
            self.timers.remove(first)
            self.now = first.at
            first.callback()
        self.now = end


class _Thing:
    def __init__(self, deadline: float, then: Callable[["_Thing"], None] = lambda _: None) -> None:
        self.deadline = deadline
        self.overdue_count = 0
        self._then = then

    def overdue(self) -> None:
        self.overdue_count += 1
        self.deadline = NEVER
        self._then(self)


def _watch() -> tuple[_Clock, Watch]:
    clock = _Clock()
    return clock, Watch(cast("asyncio.AbstractEventLoop", clock), _TICK_SECONDS)


def test_thing_is_told_at_the_first_tick_after_its_deadline() -> None:
    clock, watch = _watch()
    thing = _Thing(101.1)
    watch.add(thing)
    clock.pass_(1.4)
    assert thing.overdue_count == 0
    clock.pass_(0.1)
    assert thing.overdue_count == 1


def test_deadline_can_be_moved_without_telling() -> None:
    clock, watch = _watch()
    thing = _Thing(100.4)
    watch.add(thing)
    thing.deadline = 102.4
    clock.pass_(2.4)
    assert thing.overdue_count == 0
    clock.pass_(0.2)
    assert thing.overdue_count == 1


def test_thing_without_a_deadline_is_left_alone() -> None:
    clock, watch = _watch()
    thing = _Thing(NEVER)
    watch.add(thing)
    clock.pass_(1000)
    assert thing.overdue_count == 0


def test_thing_that_moves_its_deadline_is_told_again() -> None:
    clock, watch = _watch()
    thing = _Thing(100, lambda each: setattr(each, "deadline", clock.now + 1))
    watch.add(thing)
    clock.pass_(3.4)
    assert thing.overdue_count == 3


def test_thing_taken_off_is_not_told() -> None:
    clock, watch = _watch()
    thing = _Thing(100.2)
    watch.add(thing)
    watch.discard(thing)
    watch.discard(thing)
    clock.pass_(5)
    assert thing.overdue_count == 0


def test_thing_that_another_takes_off_in_the_same_tick_is_not_told() -> None:
    clock, watch = _watch()
    things: list[_Thing] = []

    def take_off_the_others(one: _Thing) -> None:
        for other in things:
            if other is not one:
                watch.discard(other)

    things += [_Thing(100.2, take_off_the_others), _Thing(100.2, take_off_the_others)]
    for thing in things:
        watch.add(thing)
    clock.pass_(5)
    assert sum(thing.overdue_count for thing in things) == 1


def test_thing_added_while_others_are_told_is_looked_at_from_the_next_tick() -> None:
    clock, watch = _watch()
    late = _Thing(100)
    watch.add(_Thing(100, lambda _: watch.add(late)))
    clock.pass_(0.5)
    assert late.overdue_count == 0
    clock.pass_(0.5)
    assert late.overdue_count == 1


def test_watch_has_one_timer_and_none_when_there_is_nothing_to_look_at() -> None:
    clock, watch = _watch()
    assert clock.timers == []
    things = [_Thing(NEVER) for _ in range(10)]
    for thing in things:
        watch.add(thing)
    clock.pass_(2)
    assert len(clock.timers) == 1
    for thing in things:
        watch.discard(thing)
    clock.pass_(1)
    assert clock.timers == []
    watch.add(things[0])
    assert len(clock.timers) == 1


def test_time_of_the_watch_is_new_when_it_begins_to_look_again() -> None:
    clock, watch = _watch()
    clock.pass_(1000)
    watch.add(_Thing(NEVER))
    assert watch.now == clock.now + _TICK_SECONDS


def test_deadline_set_between_two_ticks_is_never_early() -> None:
    clock, watch = _watch()
    thing = _Thing(NEVER)
    watch.add(thing)
    clock.pass_(0.4)
    thing.deadline = watch.now + 1
    clock.pass_(1)
    assert thing.overdue_count == 0
    clock.pass_(2 * _TICK_SECONDS)
    assert thing.overdue_count == 1


def test_others_are_told_although_one_fails(caplog: pytest.LogCaptureFixture) -> None:
    """Now and at later ticks; the one that failed is left alone."""

    def fail(_: _Thing) -> None:
        raise RuntimeError("a fault of ours")

    clock, watch = _watch()
    failing, now, later = _Thing(100.2, fail), _Thing(100.2), _Thing(103)
    for thing in (failing, now, later):
        watch.add(thing)
    clock.pass_(5)
    assert [thing.overdue_count for thing in (failing, now, later)] == [1, 1, 1]
    assert "a fault of ours" in caplog.text


def test_thing_that_fails_without_moving_its_deadline_is_not_told_again() -> None:
    class Stubborn(_Thing):
        def overdue(self) -> None:
            self.overdue_count += 1
            raise RuntimeError

    clock, watch = _watch()
    thing = Stubborn(100.2)
    watch.add(thing)
    clock.pass_(5)
    assert thing.overdue_count == 1
