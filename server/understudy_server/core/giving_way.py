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
from collections.abc import Iterable, Iterator
from functools import partial
from time import perf_counter, sleep
from typing import TypeVar

T = TypeVar("T")

# What a request may have to wait, and more than a small call takes: only long work ever pays for giving way.
INTERVAL_SECONDS = 0.0002

# Costs a microsecond where nobody waits. Where the system has no such call, a sleep of nothing does the same, slower.
_yield = getattr(os, "sched_yield", partial(sleep, 0))


class _Turn(threading.local):
    """When a thread is to give way again. The event loop's never does: what runs there gives way to nobody else."""

    ends = math.inf


_turn = _Turn()


def begin_giving_way() -> None:
    """From now on this thread gives way. The same code in other threads does not."""
    _turn.ends = 0.0


def give_way() -> None:
    """Let others run if this thread has not for a while. Cheap enough for every step of a loop (less than 0.1 us)."""
    began = perf_counter()
    if began >= _turn.ends:
        _yield()
        ended = perf_counter()
        # Whoever ran for long was no event loop of ours but some other program that wants the core, which would have
        # nearly all of it if this thread gave way again at once. It gets half.
        _turn.ends = ended + max(INTERVAL_SECONDS, ended - began)


def giving_way(items: Iterable[T]) -> Iterator[T]:
    """The same items, with way given between them."""
    for item in items:
        give_way()
        yield item
