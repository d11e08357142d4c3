"""Settings of the Python interpreter for a server: its garbage collector, and how its threads share it."""

import gc
import sys

# Objects made before a collection of the youngest. Requests leave next to no cycles; the default of 700 looks for
# them several times per request.
YOUNGEST_MAX = 50_000

# How long a thread that wants the interpreter waits before the one that has it must hand it over. By default 5 ms, and
# a request that comes while a large manifest is applied may wait so long several times over, wherever the writer's
# thread does not give way by itself (`core/giving_way.py`). With 0.5 ms the p99 meanwhile was about half, on a machine
# that did other things too. At full load with the journal on disk, where two threads want the interpreter all the time,
# a request cost 46 us of CPU with it and 48 without: no difference.
SWITCH_SECONDS = 0.0005


def calm() -> None:
    """Call once when everything is started: what lives now lives for good, and collections are rare from here on."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNGEST_MAX, 10, 10)
    sys.setswitchinterval(SWITCH_SECONDS)
