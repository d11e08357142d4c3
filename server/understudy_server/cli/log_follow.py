"""``understudy logs KEY --follow``: new rows as they come, each once and in order, until Ctrl-C.

What is there is listed, and what comes after it is streamed. Ids sort by the order in which rows were appended, so
that nothing can slip in between; and a stream that breaks off is taken up behind the last row.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import typer
from understudy.v1.log_service_pb2 import (
    ListLogsRequest,
    ListLogsResponse,
    LogEntry,
    TailLogsRequest,
    TailLogsResponse,
)

from understudy_server.cli.failures import CommandFailed
from understudy_server.cli.log_lines import log_line
from understudy_server.cli.output import as_json, print_lines
from understudy_server.cli.resuming import Obstacle, is_not_there_yet, resumed

if TYPE_CHECKING:
    from understudy_server.cli.command import Desk

_PAGE: Final = 100
# Before the id of every row.
_BEGINNING: Final = "log_"


async def follow(desk: "Desk", session_key: str, *, limit: int, since: str) -> None:
    """Print the newest rows, or those after ``since``, and then each that comes. Ends by being cancelled.

    Raises CommandFailed when no server is there at the start, and for what waiting does not mend.
    """
    # Where no server runs nothing new can come, and a directory that we held would keep one from starting.
    async with desk.line.to_a_running_server() as line:
        follower = _Follower(replace(desk, line=line), session_key, limit, since)
        async with aclosing(resumed(line, follower.rows)) as rows:
            async for entry in rows:
                if desk.as_json:
                    typer.echo(as_json(entry))
                else:
                    print_lines([log_line(entry)])


class _Follower:
    """Where one stands in the rows of a key."""

    def __init__(self, desk: "Desk", session_key: str, limit: int, since: str) -> None:
        self._desk = desk
        self._session_key = session_key
        self._limit = limit
        self._last = since

    async def rows(self, obstacle: Obstacle) -> AsyncGenerator[LogEntry]:
        """The rows behind the last one, for ever."""
        for entry in await self._listed(obstacle):
            self._last = entry.id
            yield entry
        self._last = self._last or _BEGINNING
        request = TailLogsRequest(session_key=self._session_key, since=self._last)
        async with aclosing(self._desk.stream(request, TailLogsResponse)) as answers:
            async for answer in answers:
                self._last = answer.log.id
                yield answer.log

    async def _listed(self, obstacle: Obstacle) -> Sequence[LogEntry]:
        """Rows that are there, oldest first; none while nothing has the key. An answer shows that a server is there."""
        request = ListLogsRequest(session_key=self._session_key, limit=self._limit)
        if self._last:
            request.since, request.limit = self._last, _PAGE
        try:
            answer = await self._desk.call(request, ListLogsResponse)
        except CommandFailed as failure:
            if not is_not_there_yet(failure):
                raise
            obstacle.was_there = True
            obstacle.met("unknown", f"nothing has the key {self._session_key!r} yet; waiting for it")
            return ()
        obstacle.gone()
        return answer.logs if self._last else tuple(reversed(answer.logs))
