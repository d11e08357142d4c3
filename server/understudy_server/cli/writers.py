"""Waiting for other processes to have written a file: half of one is never taken for the whole."""

import time
from collections.abc import Iterable
from pathlib import Path

from understudy_server.manifest.being_written import is_being_written

WRITER_SECONDS_MAX = 3.0
"""How long a file that another process writes is waited for, before that is said."""
# Below what a person notices, and cheap: one look takes microseconds.
_LOOK_SECONDS = 0.02


def wait_for_writers(paths: Iterable[Path], deadline: float) -> Path | None:
    """Wait until no process has any of the files open for writing; the one that was waited for, if any.

    ``deadline`` is a moment of ``time.monotonic``; what is still being written by then is returned.
    """
    waited_for = None
    for path in paths:
        while is_being_written(path):
            waited_for = path
            if time.monotonic() >= deadline:
                return waited_for
            time.sleep(_LOOK_SECONDS)
    return waited_for


def being_written(path: Path) -> str:
    """What is said of a file that is being written still."""
    return f"{path}: another process has it open for writing; it is read only once that process has closed it"
