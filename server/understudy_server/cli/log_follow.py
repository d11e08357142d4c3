"""``understudy logs KEY --follow``: new rows as they come, each once and in order, until Ctrl-C.

The server is asked again and again for what came after the last row; ids sort by the order in which rows were appended,
so that nothing can slip in before it. A server that stops meanwhile is waited for: what it kept comes when it is back.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import typer
from understudy.v1.log_service_pb2 import ListLogsRequest, ListLogsResponse, LogEntry

from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.output import as_json, moment, print_lines

if TYPE_CHECKING:
    from understudy_server.cli.command import Desk

INTERVAL_SECONDS = 1.0
"""How long to wait before asking again: half of the calls that a key has at the narrowest rate, 120 in a minute."""

_PAGE = 100
# Before the id of every row.
_BEGINNING = "log_"


async def follow(desk: "Desk", session_key: str, *, limit: int, since: str) -> None:
    """Print the newest rows, or those after ``since``, and then each that comes. Ends by being cancelled.

    Raises CommandFailed when no server is there at the start, and for what waiting does not mend.
    """
    # Where no server runs nothing new can come, and a directory that we held would keep one from starting.
    async with desk.line.to_a_running_server() as line:
        follower = _Follower(replace(desk, line=line), session_key)
        async for entry in follower.rows(limit, since):
            if desk.as_json:
                typer.echo(as_json(entry))
            else:
                _print(entry)


class _Follower:
    """Asks for the rows of one key. What keeps it from going on is told on the error stream, once each time."""

    def __init__(self, desk: "Desk", session_key: str) -> None:
        self._desk = desk
        self._session_key = session_key
        self._was_there = False
        self._obstacle = ""
        self._wait_seconds = INTERVAL_SECONDS

    async def rows(self, limit: int, since: str) -> AsyncIterator[LogEntry]:
        """The rows, for ever."""
        last = since
        if not last:
            newest = await self._known(ListLogsRequest(session_key=self._session_key, limit=limit))
            for entry in reversed(newest):
                yield entry
            last = newest[0].id if newest else _BEGINNING
        while True:
            found = await self._in_time(ListLogsRequest(session_key=self._session_key, limit=_PAGE, since=last))
            for entry in found:
                yield entry
                last = entry.id
            if len(found) < _PAGE:
                await asyncio.sleep(self._wait_seconds)

    async def _in_time(self, request: ListLogsRequest) -> Sequence[LogEntry]:
        """The rows that can be had now; none while the server is away or wants a pause."""
        try:
            found = await self._known(request)
        except CommandFailed as failure:
            task = asyncio.current_task()
            if task and task.cancelling():
                # Ctrl-C in the middle of a call may come out of it as a failure of the call.
                raise asyncio.CancelledError from failure
            pause = failure.problem.retry_after_seconds if failure.problem else 0
            comes_back = failure.exit_code is ExitCode.UNREACHABLE and self._was_there
            if not comes_back and not pause:
                raise
            self._wait("busy" if pause else "away", f"{failure.message}; trying again", pause or INTERVAL_SECONDS)
            # A server that comes back is called anew.
            await self._desk.line.hang_up()
            return ()
        return found

    async def _known(self, request: ListLogsRequest) -> Sequence[LogEntry]:
        """The rows of a key; none while nothing has that key."""
        try:
            answer = await self._desk.call(request, ListLogsResponse)
        except CommandFailed as failure:
            if failure.reason != "not_found" or _names_place(failure):
                raise
            self._was_there = True
            self._wait("unknown", f"nothing has the key {self._session_key!r} yet; waiting for it", INTERVAL_SECONDS)
            return ()
        if self._obstacle:
            typer.echo("understudy: going on", err=True)
        self._was_there, self._obstacle, self._wait_seconds = True, "", INTERVAL_SECONDS
        return answer.logs

    def _wait(self, obstacle: str, message: str, seconds: float) -> None:
        self._wait_seconds = seconds
        if obstacle != self._obstacle:
            typer.echo(f"understudy: {message}", err=True)
        self._obstacle = obstacle


def _names_place(failure: CommandFailed) -> bool:
    """True when it is the project or the environment that does not exist: no waiting brings those."""
    return bool(failure.problem and failure.problem.field in ("project", "environment"))


def _print(entry: LogEntry) -> None:
    path = entry.path + (f"?{entry.query}" if entry.query else "")
    cells = (
        moment(entry.created_at, known=True),
        entry.id,
        str(entry.status),
        f"{entry.duration_ms} ms".rjust(8),
        entry.override_id or "service",
        f"{entry.method} {path}",
        " ".join(entry.findings),
    )
    style = "red" if entry.status >= 500 else "yellow" if entry.status >= 400 else ""
    print_lines([("  ".join(filter(None, cells)), style)])
