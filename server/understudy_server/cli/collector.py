"""Settings of the Python interpreter for servers and commands: its garbage collector, and how threads share it."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from understudy_server.cli.scheduling import wake_promptly

# Objects made before a collection of the youngest, and collections of these before one of those that outlived some.
# Requests leave next to no cycles; the default of 700 looks for them several times per request. All of what is young is
# looked at in one go, in which nobody is answered: while a large manifest is applied that was 4 to 6 ms with 50 000,
# and is 0.1 to 0.7 ms with 2 000. What outlived it is looked at again after as many objects as before.
YOUNGEST_MAX = 2_000
YOUNGEST_COLLECTIONS_MAX = 250

# How long a thread that wants the interpreter waits before the one that has it must hand it over. By default 5 ms, and
# a request that comes while a large manifest is applied may wait so long several times over, wherever the writer's
# thread does not give way by itself (`core/giving_way.py`). With 0.5 ms the p99 meanwhile was about half, on a machine
# that did other things too. At full load with the journal on disk, where two threads want the interpreter all the time,
# a request cost 46 us of CPU with it and 48 without: no difference.
SWITCH_SECONDS = 0.0005

# With the default it looks hundreds of times for cycles while a command imports what it needs, which is most of what it
# ever makes and lives until its end.
COMMAND_YOUNGEST_MAX = 50_000


@contextmanager
def for_a_command() -> Iterator[None]:
    """Run a command, and with it the process: nothing is looked through in vain, at its end either."""
    gc.set_threshold(COMMAND_YOUNGEST_MAX)
    try:
        yield
    finally:
        gc.freeze()


@contextmanager
def for_good() -> Iterator[None]:
    """Import what a server needs. It lives for good: it is neither looked through as it comes nor ever after."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def calm() -> None:
    """Call once when everything is started: what lives now lives for good, and collections are rare from here on."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNGEST_MAX, YOUNGEST_COLLECTIONS_MAX, 10)
    sys.setswitchinterval(SWITCH_SECONDS)
    wake_promptly()
