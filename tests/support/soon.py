"""Whether something ends soon, on a machine that may be busy."""

import time
from collections.abc import Callable
from typing import Final

_ATTEMPTS: Final = 10


def ends_within(seconds: float, do: Callable[[], object]) -> bool:
    """Whether it takes less CPU time than that, of this thread.

    A busy machine makes CPU time longer, by several times now and then: one time in ten will do.
    """
    return any(_taken(do) < seconds for _ in range(_ATTEMPTS))


def _taken(do: Callable[[], object]) -> float:
    begun = time.thread_time()
    do()
    return time.thread_time() - begun
