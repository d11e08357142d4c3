"""Streams that a command follows for as long as it runs: a server that goes away meanwhile is waited for.

Nothing is asked while the stream stands. What keeps the command from going on is told on the error stream, once each
time, so that the output holds nothing but what was followed.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, TypeVar

import typer

from understudy_server.cli.failures import CommandFailed, ExitCode

if TYPE_CHECKING:
    from understudy_server.cli.line import Line

Item = TypeVar("Item")

PAUSE_SECONDS = 1.0
"""How long to wait before a server that went away is called again."""

_AWAY: Final = "away"
_BUSY: Final = "busy"


class Obstacle:
    """What keeps a command from going on now, if anything does."""

    def __init__(self) -> None:
        self.was_there = False
        """True from the first answer on: a server that was never there is not waited for."""
        self._kind = ""

    def met(self, kind: str, message: str) -> None:
        """Tell of an obstacle, unless it is the one that is known."""
        if kind != self._kind:
            typer.echo(f"understudy: {message}", err=True)
        self._kind = kind

    def gone(self) -> None:
        """The server has answered, and nothing stands in the way any more."""
        if self._kind:
            typer.echo("understudy: going on", err=True)
        self.was_there, self._kind = True, ""


async def resumed(line: "Line", begin: Callable[[Obstacle], AsyncGenerator[Item]]) -> AsyncGenerator[Item]:
    """The items of a stream that is begun again whenever it breaks off. Ends by being closed or cancelled.

    ``begin`` begins where the last one ended, which it keeps in mind itself. Raises CommandFailed when no server is
    there at the start, and for what waiting does not mend.
    """
    obstacle = Obstacle()
    while True:
        try:
            async with aclosing(begin(obstacle)) as items:
                async for item in items:
                    obstacle.gone()
                    yield item
            kind, pause, message = _AWAY, PAUSE_SECONDS, "the server has ended the stream"
        except CommandFailed as failure:
            kind, pause = _what_to_do(failure, obstacle)
            message = failure.message
        obstacle.met(kind, f"{message}; trying again")
        # A server that comes back is called anew.
        await line.hang_up()
        await asyncio.sleep(pause)


def _what_to_do(failure: CommandFailed, obstacle: Obstacle) -> tuple[str, float]:
    """The kind of obstacle, and how long to wait before it is tried again. Raises what waiting does not mend."""
    task = asyncio.current_task()
    if task and task.cancelling():
        # Ctrl-C in the middle of a call may come out of it as a failure of the call.
        raise asyncio.CancelledError from failure
    if failure.problem and failure.problem.retry_after_seconds:
        return _BUSY, failure.problem.retry_after_seconds
    if failure.exit_code is not ExitCode.UNREACHABLE or not obstacle.was_there:
        raise failure
    return _AWAY, PAUSE_SECONDS


def is_not_there_yet(failure: CommandFailed) -> bool:
    """True when what is asked about does not exist, and may come to be: unlike the project or the environment."""
    problem = failure.problem
    return bool(problem and problem.reason == "not_found" and problem.field not in ("project", "environment"))
