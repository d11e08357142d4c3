"""How much memory Python's objects take that were made meanwhile, and are still there."""

import contextlib
import gc
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass
class Allocated:
    """``bytes``: filled in at the end."""

    bytes: int = 0


@contextlib.contextmanager
def allocated() -> Iterator[Allocated]:
    """Measure what is made and kept while something is done."""
    taken = Allocated()
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        yield taken
        after, _ = tracemalloc.get_traced_memory()
        taken.bytes = after - before
    finally:
        tracemalloc.stop()
