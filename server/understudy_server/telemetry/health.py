"""Whether this server takes work: what is looked at, and what is wrong. Said to anybody, so it names no secret."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import Final

from understudy_server.core.errors import StorageFailure

# A probe of an orchestrator waits a second or so; one answer serves all that ask meanwhile.
_LOOK_SECONDS_MAX: Final = 1.0


class Phase(Enum):
    """How far a server is; the value is what to say when it takes no work."""

    STARTING = "the server is starting: not all of its listeners accept yet"
    SERVING = ""
    STOPPING = "the server is stopping: it takes no new work"


Check = Callable[[], Awaitable[str]]
"""Looks at one thing, and says what is wrong; the empty text when nothing is. May raise StorageFailure."""


class Health:
    """Looks when it is asked (`ready`), at each check by its name. ``phase`` is set by whoever starts and stops."""

    def __init__(self, checks: Mapping[str, Check], look_seconds_max: float = _LOOK_SECONDS_MAX) -> None:
        self.phase = Phase.STARTING
        self._checks = checks
        self._look_seconds_max = look_seconds_max
        self._looking: asyncio.Task[dict[str, str]] | None = None

    async def ready(self) -> Mapping[str, str]:
        """What is wrong with each thing that was looked at, by name; all texts are empty when it takes work."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
            self._looking.add_done_callback(self._forget)
        # One that gives up waiting must not take the answer from the others.
        seen = await asyncio.shield(self._looking)
        return {"listeners": self.phase.value, **seen}

    def _forget(self, _task: object) -> None:
        self._looking = None

    async def _look(self) -> dict[str, str]:
        problems = await asyncio.gather(*map(self._look_at, self._checks.values()))
        return dict(zip(self._checks, problems, strict=True))

    async def _look_at(self, check: Check) -> str:
        try:
            return await asyncio.wait_for(check(), self._look_seconds_max)
        except TimeoutError:
            return f"no answer within {self._look_seconds_max:g} seconds"
        except StorageFailure as failure:
            return failure.message
