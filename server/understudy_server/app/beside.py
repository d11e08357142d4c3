"""Work that takes long enough to be done in a thread, beside the event loop."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from understudy_server.core.giving_way import begin_giving_way

T = TypeVar("T")


async def beside(work: Callable[[], T]) -> T:
    """Run work in a thread that gives way to the event loop, and return or raise what it does."""

    def run() -> T:
        begin_giving_way()
        return work()

    return await asyncio.to_thread(run)
