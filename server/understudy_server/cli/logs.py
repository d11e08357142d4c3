"""``understudy logs``: what went through the proxy."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from understudy_server.cli import completing
from understudy_server.cli.command import Desk, command
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.flag_names import naming

_LOG = "log_"
"""Begins the id of every row; the key of a session may begin so, too."""


class BodySide(StrEnum):
    """One side of an exchange."""

    REQUEST = "request"
    RESPONSE = "response"


def add_to(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "logs")
    async def logs(
        desk: Desk,
        of: Annotated[
            str,
            typer.Argument(
                metavar="KEY|LOG_ID",
                help="Session key; with --body the id of a log row.",
                show_default=False,
                autocompletion=completing.sessions,
            ),
        ],
        *,
        limit: Annotated[int, typer.Option(help="Most rows to show, 1 to 100.")] = 50,
        before: Annotated[str, typer.Option(metavar="LOG_ID", help="Only older rows, newest first.")] = "",
        since: Annotated[str, typer.Option(metavar="LOG_ID", help="Only newer rows, oldest first.")] = "",
        body: Annotated[BodySide | None, typer.Option(help="Print one captured body instead.")] = None,
        follow: Annotated[
            bool, typer.Option("--follow", "-f", help="Go on with new rows as they come, until Ctrl-C.")
        ] = False,
    ) -> None:
        """List the exchanges of a session, or print one captured body.

        understudy logs ci-42

        understudy logs ci-42 --follow

        understudy logs log_01J0ZK3V8Q4C9W7M2N5R6T8XYB --body response
        """
        if before and since:
            raise CommandFailed(ExitCode.USAGE, "--before and --since exclude each other", "Name one of them.")
        if follow and (before or body):
            raise CommandFailed(
                ExitCode.USAGE,
                "--follow goes on from the newest rows, or from --since",
                "Leave --before and --body away.",
            )
        if follow:
            await _follow(desk, of, limit, since)
        elif body:
            await _print_body(desk, of, body)
        else:
            await _list(desk, of, limit, before, since)


async def _list(desk: Desk, session_key: str, limit: int, before: str, since: str) -> None:
    from understudy.v1.log_service_pb2 import ListLogsRequest, ListLogsResponse

    from understudy_server.cli.log_lines import answered_by
    from understudy_server.cli.output import print_json, print_next, print_table, short_moment

    request = ListLogsRequest(session_key=session_key, limit=limit, before=before, since=since)
    try:
        with naming({"session_key": "KEY"}):
            answer = await desk.call(request, ListLogsResponse)
    except CommandFailed as failure:
        if failure.exit_code is not ExitCode.NOT_FOUND or not session_key.startswith(_LOG):
            raise
        advice = f"{session_key} is one exchange: --body request or --body response prints a body of it."
        raise CommandFailed(failure.exit_code, failure.message, advice, problem=failure.problem) from failure
    if desk.as_json:
        print_json(answer)
        return
    rows = (
        (
            each.id,
            short_moment(each.created_at, known=True),
            f"{each.method} {each.path}" + (f"?{each.query}" if each.query else ""),
            str(each.status),
            f"{each.duration_ms} ms",
            answered_by(each),
            " ".join(each.findings),
        )
        for each in answer.logs
    )
    columns = ("ID", "AT", "REQUEST", "STATUS", "TIME", "ANSWERED BY", "FINDINGS")
    print_table(columns, rows, empty="No exchanges.")
    print_next("--before", answer.next_cursor)


async def _follow(desk: Desk, session_key: str, limit: int, since: str) -> None:
    import asyncio
    from contextlib import suppress

    from understudy_server.cli.log_follow import follow

    # Ctrl-C is how following ends, and no failure: the exit code is 0.
    with suppress(asyncio.CancelledError):
        await follow(desk, session_key, limit=limit, since=since)


async def _print_body(desk: Desk, log_id: str, side: BodySide) -> None:
    from understudy.v1 import log_service_pb2 as pb

    number = pb.SIDE_REQUEST if side is BodySide.REQUEST else pb.SIDE_RESPONSE
    answer = await desk.call(pb.GetLogBodyRequest(log_id=log_id, side=number), pb.GetLogBodyResponse)
    typer.echo(answer.body.data)
    if answer.truncated:
        kept = len(answer.body.data)
        print(f"understudy: only the first {kept} of {answer.size_bytes} bytes were kept", file=sys.stderr)  # noqa: T201
