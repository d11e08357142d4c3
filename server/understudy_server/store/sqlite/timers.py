"""Doing something later, in a way that a test can bring forward."""

import asyncio
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """Something that will be done unless it is cancelled."""

    def cancel(self) -> None: ...


CallLater = Callable[[float, Callable[[], None]], Timer]
"""Given seconds and a callback, arranges one call on the event loop."""


def call_later(seconds: float, callback: Callable[[], None]) -> Timer:
    """Arrange a call on the running event loop's own clock."""
    return asyncio.get_running_loop().call_later(seconds, callback)
