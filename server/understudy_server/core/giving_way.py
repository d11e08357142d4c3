"""Long work in a thread beside the event loop's: it lets the loop run in between.

Python would do that by itself, and late: a thread that wants the interpreter waits for the switch interval before it
may ask for it, and on one core the operating system lets whoever computes go on for 3 to 4 ms before it runs the one
that was just woken (Linux since 6.6 protects a running thread's slice). A request that comes during such work would
wait as long as a hundred requests take. Measured on one core, a thread that was woken beside one that computes ran 2 ms
later in the median and 4 to 6 ms later in the worst tenth; beside one that gives way, 0.11 ms later.
"""

import math
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from heapq import merge
from itertools import islice
from time import perf_counter, process_time, sleep
from typing import Any, TypeVar

T = TypeVar("T")

# What a request may have to wait, and as long as a small call takes: only long work ever pays for giving way.
INTERVAL_SECONDS = 0.0001

# Texts. Each takes about half of the interval.
_SORTED_AT_ONCE, _MERGED_AT_ONCE = 500, 200
# Rows, messages and the like.
_FREED_AT_ONCE = 50

# Costs a microsecond where nobody waits. Where the system has no such call, a sleep of nothing does the same, slower.
_yield = getattr(os, "sched_yield", partial(sleep, 0))


class TakesTooLong(BaseException):
    """Work was held to a time, and has used it up. Not an Exception: nobody but who set the time knows what to do."""


class _Turn(threading.local):
    """When a thread is to give way again, or to give up. What runs on the event loop gives way to nobody else."""

    ends = math.inf
    gives_up = False


_turn = _Turn()


def begin_giving_way() -> None:
    """From now on this thread gives way. The same code in other threads does not."""
    _turn.ends = 0.0


def give_way() -> None:
    """Let others run if this thread has not for a while. Cheap enough for every step of a loop (less than 0.1 us)."""
    began = perf_counter()
    if began >= _turn.ends:
        if _turn.gives_up:
            raise TakesTooLong
        used = process_time()
        _yield()
        ended = perf_counter()
        # Some other program that wants the core would have nearly all of it if this thread gave way again at once. It
        # gets half. Not so a thread of our own: an event loop that had much to do will have to be asked again soon.
        elsewhere = ended - began - (process_time() - used)
        _turn.ends = ended + max(INTERVAL_SECONDS, elsewhere)


def in_time(seconds: float, work: Callable[[], T]) -> T:
    """Run work that is to take no longer. Where it would give way, it raises TakesTooLong once that time is over."""
    before = _turn.ends, _turn.gives_up
    _turn.ends, _turn.gives_up = perf_counter() + seconds, True
    try:
        return work()
    finally:
        _turn.ends, _turn.gives_up = before


def giving_way(items: Iterable[T]) -> Iterator[T]:
    """The same items, with way given between them."""
    for item in items:
        give_way()
        yield item


def sorted_giving_way(items: Iterable[str]) -> list[str]:
    """The same texts in order, sorted a part at a time: to sort thousands in one go takes a millisecond."""
    parts = [sorted(part) for part in _parts(items, _SORTED_AT_ONCE)]
    if len(parts) > 1:
        parts = list(_parts(merge(*parts), _MERGED_AT_ONCE))
    return [item for part in parts for item in part]


def _parts(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The same items, so many at a time, with way given between."""
    left = iter(items)
    while part := list(islice(left, size)):
        give_way()
        yield part


def taking(items: list[T]) -> Iterator[T]:
    """The items of a list, way given between them; the list is empty then.

    To let go of a list of thousands in one go takes milliseconds. Here each may go before the next one comes.
    """
    items.reverse()
    while items:
        give_way()
        yield items.pop()


def let_go(*lists: list[Any]) -> None:
    """Empty some lists, from their ends, way given in between."""
    for each in lists:
        while each:
            give_way()
            del each[-_FREED_AT_ONCE:]
