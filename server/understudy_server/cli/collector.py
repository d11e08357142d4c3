"""Settings of Python's garbage collector for a server."""

import gc

# Objects made before a collection of the youngest. Requests leave next to no cycles; the default of 700 looks for
# them several times per request.
YOUNGEST_MAX = 50_000


def calm() -> None:
    """Call once when everything is started: what lives now lives for good, and collections are rare from here on."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNGEST_MAX, 10, 10)
