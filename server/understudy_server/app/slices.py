"""Long work on the event loop, done in slices: between them everybody else has the loop.

All questions of a server share it as one: in each round of the loop one of them has a slice, and the others wait for
theirs. So a request waits for one slice, however many questions are asked at the same time.
"""

import asyncio
from collections import deque
from collections.abc import Generator
from time import perf_counter
from typing import Final, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")

_SLICE_SECONDS: Final = 0.001
"""After so long a question lets others have the event loop; a part of a matcher is put to an exchange in one go."""


class Slices:
    """The slices of one question."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._line = _lines.setdefault(loop, _Line())
        self._ends = perf_counter() + _SLICE_SECONDS

    async def pause(self) -> None:
        """Let others go first if this slice is over. Costs next to nothing if it is not."""
        if perf_counter() >= self._ends:
            await self.turn()

    async def turn(self) -> None:
        """Let others go first. Of many who begin with this at the same time, one goes on in each round of the loop."""
        await self._line.wait()
        self._ends = perf_counter() + _SLICE_SECONDS

    async def result_of(self, work: Generator[None, None, T]) -> T:
        """Do work that yields where others may go first, and return what it returns."""
        while True:
            try:
                next(work)
            except StopIteration as done:
                result: T = done.value
                return result
            await self.pause()


class _Line:
    """Who waits for a slice, in order."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def wait(self) -> None:
        """Come to the end of the line, and wait until it is one's turn."""
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._waiting.append(turn)
        if len(self._waiting) == 1:
            loop.call_soon(self._next)
        await turn

    def _next(self) -> None:
        """Let the first one go on, in the next round of the loop, and see to the one behind it in that round."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                break
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._next)


_lines: "WeakKeyDictionary[asyncio.AbstractEventLoop, _Line]" = WeakKeyDictionary()
