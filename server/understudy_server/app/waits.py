"""Calls that wait for something to happen: they are let go when the server stops, and not after its grace time."""

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from understudy_server.core.errors import StorageFailure


class Waits:
    """All the waits of one server."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Task[Any]] = set()
        self._ended = False

    def end(self) -> None:
        """Let all go that wait, and whoever wants to from now on: what they wait for does not come any more."""
        self._ended = True
        for task in self._waiting:
            task.cancel()

    async def until(self, wanted: Sequence[Awaitable[None]], deadline: float | None = None) -> bool:
        """Wait for the first of several things, until a moment of the event loop's clock; False when that comes first.

        Whoever is cancelled meanwhile waits for none of them any more. Raises StorageFailure when the server stops.
        """
        tasks = [asyncio.ensure_future(each) for each in wanted]
        try:
            with self._waited():
                seconds = None if deadline is None else max(0.0, deadline - asyncio.get_running_loop().time())
                done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return bool(done)

    @contextmanager
    def _waited(self) -> Iterator[None]:
        self._check()
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can wait")
        self._waiting.add(task)
        try:
            yield
        except asyncio.CancelledError:
            if self._ended:
                task.uncancel()
            self._check()
            raise
        finally:
            self._waiting.discard(task)

    def _check(self) -> None:
        """Raise StorageFailure when the server stops."""
        if self._ended:
            raise StorageFailure("the server is stopping: ask again when it is back") from None
