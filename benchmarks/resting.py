"""Processes that stand still while another has their core: what they would do by themselves is not taken from it."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from benchmarks.cpu import children


@contextmanager
def resting(pid: int) -> Iterator[None]:
    """A process and all that it has started are stopped, and go on afterwards, whatever comes in between.

    A runtime that compiles or collects in threads of its own would go on with it after its last request.
    """
    family = _family(pid)
    try:
        for each in family:
            _send(each, signal.SIGSTOP)
        yield
    finally:
        for each in family:
            _send(each, signal.SIGCONT)


def _family(pid: int) -> list[int]:
    found = [pid]
    for child in children(pid):
        # It may have ended since it was listed.
        with suppress(FileNotFoundError, ProcessLookupError):
            found += _family(child)
    return found


def _send(pid: int, number: signal.Signals) -> None:
    # It may have ended by itself.
    with suppress(ProcessLookupError):
        os.kill(pid, number)
