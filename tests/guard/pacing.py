"""Takes the time of a scene against the reference loop, in turns: what slows the machine slows both.

It sees what counting cannot, the work of compiled code, but not exactly: the ratio moves by some percent from run to
run, and by 15 % from one build of the interpreter to another. So its limit is wide.
"""

import gc
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from time import thread_time_ns
from typing import Final

from guard.reference import Reference, request
from guard.stage import Stage

_REQUESTS: Final = 64
"""So many are served before it is the reference's turn: half a millisecond to two."""

_TURNS: Final = 150


def pace(stage: Stage) -> float:
    """How many requests of the reference loop a request takes, by the processor's time of this thread.

    The median of many short turns: whatever comes in between is in few of them.
    """
    reference, asked = Reference(), [request(number) for number in range(_REQUESTS)]
    reference.run(asked * 4)
    ratios = []
    with _uncollected():
        for _ in range(_TURNS):
            requests = stage.requests(_REQUESTS)
            began = thread_time_ns()
            stage.serve(requests)
            served = thread_time_ns()
            reference.run(asked)
            ratios.append((served - began) / (thread_time_ns() - served))
            stage.check(_REQUESTS)
    return statistics.median(ratios)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector, which has much to look at in a test run, and comes when it likes."""
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
