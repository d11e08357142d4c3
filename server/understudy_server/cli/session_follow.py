"""The events of a session, followed to its end and printed a line each.

A stream that breaks off is taken up behind the last event: what was recorded meanwhile comes, and of several changes
the state after the last.
"""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

import typer
from understudy.v1.log_service_pb2 import WatchSessionRequest, WatchSessionResponse
from understudy.v1.session_service_pb2 import GetSessionRequest, GetSessionResponse, Session

from understudy_server.cli.failures import CommandFailed
from understudy_server.cli.log_lines import log_line
from understudy_server.cli.output import as_json, print_lines
from understudy_server.cli.resuming import Obstacle, is_not_there_yet, resumed
from understudy_server.cli.sessions import what_is_set

if TYPE_CHECKING:
    from understudy_server.cli.command import Desk


async def watch(desk: "Desk", session_key: str) -> None:
    """Print the state of a session and what becomes of it, until it is gone. Also ends by being cancelled.

    Raises CommandFailed when no server is there at the start, and for what waiting does not mend.
    """
    # Where no server runs nothing can happen, and a directory that we held would keep one from starting.
    async with desk.line.to_a_running_server() as line:
        watcher, telling = _Watcher(replace(desk, line=line), session_key), _Telling()
        async with aclosing(resumed(line, watcher.events)) as events:
            async for event in events:
                if desk.as_json:
                    typer.echo(as_json(event))
                else:
                    print_lines([telling.line(event)])
                if event.ended:
                    return


class _Watcher:
    """Where one stands in the life of a session."""

    def __init__(self, desk: "Desk", session_key: str) -> None:
        self._desk = desk
        self._session_key = session_key
        self._cursor = ""

    async def events(self, obstacle: Obstacle) -> AsyncGenerator[WatchSessionResponse]:
        """The events behind the last one, for ever."""
        await self._look(obstacle)
        request = WatchSessionRequest(session_key=self._session_key, cursor=self._cursor)
        async with aclosing(self._desk.stream(request, WatchSessionResponse)) as answers:
            async for answer in answers:
                self._cursor = answer.cursor
                yield answer

    async def _look(self, obstacle: Obstacle) -> None:
        """See that a server is there: a stream says nothing while nothing happens."""
        try:
            await self._desk.call(GetSessionRequest(session_key=self._session_key), GetSessionResponse)
        except CommandFailed as failure:
            if not is_not_there_yet(failure):
                raise
            obstacle.was_there = True
            if not self._cursor:
                obstacle.met("unknown", f"there is no session {self._session_key!r} yet; waiting for it")
                return
        obstacle.gone()


class _Telling:
    """Puts events into words: of a changed state, what is different from the one before."""

    def __init__(self) -> None:
        self._before: Session | None = None

    def line(self, event: WatchSessionResponse) -> tuple[str, str]:
        """The line, and the style in which a terminal shows it."""
        match event.WhichOneof("event"):
            case "session":
                words = ", ".join(self._changes(event.session))
                self._before = event.session
                return f"state  revision {event.session.revision}: {words}", "bold"
            case "log":
                text, style = log_line(event.log)
                return f"call   {text}", style
            case "ended":
                return "ended  the session was deleted, or its time was over", "bold"
            case _:
                # A server of a later release may tell more.
                return "other  an event that this release does not know", ""

    def _changes(self, session: Session) -> Iterator[str]:
        now = what_is_set(session)
        if self._before is None:
            told = [f"{name} {value}" for name, value in now if value]
            yield from told or ["nothing is set"]
            return
        told = [
            f"{name} {value or '-'} (was {earlier or '-'})"
            for (name, value), (_, earlier) in zip(now, what_is_set(self._before), strict=True)
            if value != earlier
        ]
        yield from told or ["as before"]
