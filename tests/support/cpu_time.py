"""How much of the processor something takes, whatever else the machine does."""

import contextlib
import gc
import time
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector: in a test run it has much to look at, and comes when it likes."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def cpu_seconds(run: Callable[[], object]) -> float:
    """The time of this thread that ``run`` takes."""
    with _uncollected():
        began = time.thread_time()
        run()
        return time.thread_time() - began
