"""``understudy flag-session``: sessions of a whole project, which carry flags and are found by a token."""

from typing import TYPE_CHECKING, Annotated

import typer

from understudy_server.cli.command import Desk, command
from understudy_server.cli.durations import seconds_of
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.flag_names import naming
from understudy_server.cli.json_words import members_of, object_of, written

if TYPE_CHECKING:
    from understudy.v1.project_session_service_pb2 import ProjectSession

app = typer.Typer()

_SessionId = Annotated[
    str,
    typer.Argument(metavar="ID", help="Its id, which begins with sess_; not its token.", show_default=False),
]
_NAMES = {"session_id": "ID", "label": "--label", "ttl_seconds": "--ttl", "flags": "--flag"}


@command(app, "create")
async def create(
    desk: Desk,
    *,
    label: Annotated[str | None, typer.Option(help="A note for people.")] = None,
    ttl: Annotated[
        str | None, typer.Option(metavar="TIME", help="Ends by itself after this time: 90s, 1h; at most a day.")
    ] = None,
    flag: Annotated[
        list[str] | None,
        typer.Option("--flag", metavar="KEY=VALUE", help="What a flag is, JSON or text; repeat it for others."),
    ] = None,
) -> None:
    """Make a session of the project, in every environment of it; after an hour it ends by itself.

    understudy flag-session create --label checkout-e2e --flag new-checkout=true
    """
    from understudy.v1.project_session_service_pb2 import CreateProjectSessionRequest, CreateProjectSessionResponse

    request = CreateProjectSessionRequest(label=label, flags=object_of("--flag", flag) if flag else "")
    if ttl is not None:
        request.ttl_seconds = _seconds(ttl)
    with naming(_NAMES):
        _show(desk, (await desk.call(request, CreateProjectSessionResponse)).session)


@command(app, "get")
async def get(desk: Desk, session_id: _SessionId) -> None:
    """Show a session, with its token."""
    from understudy.v1.project_session_service_pb2 import GetProjectSessionRequest, GetProjectSessionResponse

    with naming(_NAMES):
        _show(
            desk, (await desk.call(GetProjectSessionRequest(session_id=session_id), GetProjectSessionResponse)).session
        )


@command(app, "set")
async def set_flags(
    desk: Desk,
    session_id: _SessionId,
    *,
    flag: Annotated[
        list[str] | None,
        typer.Option("--flag", metavar="KEY=VALUE", help="What a flag is, JSON or text; repeat it for others."),
    ] = None,
    unset: Annotated[
        list[str] | None,
        typer.Option("--unset", metavar="KEY", help="A flag to be again as it is for everybody; repeat it for others."),
    ] = None,
) -> None:
    """Set flags of a session, all or none, from the very next evaluation on. Those that are not named stay.

    understudy flag-session set sess_... --flag new-checkout=false --unset button-colour
    """
    from understudy.v1.project_session_service_pb2 import SetProjectSessionFlagsRequest, SetProjectSessionFlagsResponse

    if not (flag or unset):
        raise CommandFailed(ExitCode.USAGE, "there is nothing to set", "Name --flag or --unset.")
    request = SetProjectSessionFlagsRequest(session_id=session_id, flags=_changes(flag or [], unset or []))
    with naming(_NAMES):
        _show(desk, (await desk.call(request, SetProjectSessionFlagsResponse)).session)


@command(app, "delete")
async def delete(desk: Desk, session_id: _SessionId) -> None:
    """End a session: its token means nothing any more."""
    from understudy.v1.project_session_service_pb2 import DeleteProjectSessionRequest, DeleteProjectSessionResponse

    from understudy_server.cli.output import print_json

    with naming(_NAMES):
        answer = await desk.call(DeleteProjectSessionRequest(session_id=session_id), DeleteProjectSessionResponse)
    if desk.as_json:
        print_json(answer)
    else:
        typer.echo(f"session {session_id} is ended")


@command(app, "list")
async def list_sessions(
    desk: Desk,
    *,
    page_size: Annotated[int, typer.Option(min=1, max=1000, help="Most sessions to show.")] = 100,
    page_token: Annotated[str, typer.Option(help="Where the page before ended.")] = "",
) -> None:
    """List the sessions of the project that live, newest first."""
    from understudy.v1.project_session_service_pb2 import ListProjectSessionsRequest, ListProjectSessionsResponse

    from understudy_server.cli.output import print_json, print_next, print_table, short_moment

    request = ListProjectSessionsRequest(page_size=page_size, page_token=page_token)
    answer = await desk.call(request, ListProjectSessionsResponse)
    if desk.as_json:
        print_json(answer)
        return
    rows = ((each.id, each.label, each.flags, short_moment(each.expires_at, known=True)) for each in answer.sessions)
    none = "No sessions of the project. `understudy flag-session create` makes one."
    print_table(("ID", "LABEL", "FLAGS", "ENDS"), rows, empty=none)
    print_next("--page-token", answer.next_page_token)


def _changes(flags: list[str], unset: list[str]) -> str:
    """The flags to set as a JSON object, and those to take away as nulls in it. Raises CommandFailed (usage)."""
    changes = {key: value for key, value in members_of("--flag", flags) if value is not None}
    for key in unset:
        if key in changes:
            raise CommandFailed(ExitCode.USAGE, f"flag {key!r} is both set and unset", "Name one of the two options.")
        changes[key] = "null"
    return written(changes)


def _seconds(text: str) -> int:
    seconds = seconds_of("--ttl", text)
    if not seconds:
        raise CommandFailed(ExitCode.USAGE, "--ttl: a session lives for a second at least")
    return seconds


def _show(desk: Desk, session: "ProjectSession") -> None:
    """Print a session, and what is odd about its flags."""
    from understudy_server.cli.output import moment, print_facts, print_json, visible

    if desk.as_json:
        print_json(session)
        return
    print_facts(
        (
            ("session", session.id),
            ("token", session.token),
            ("in", session.project),
            ("label", session.label),
            ("flags", session.flags),
            ("made", moment(session.created_at, known=True)),
            ("ends", moment(session.expires_at, known=True)),
        )
    )
    for each in session.warnings:
        typer.echo(f"warning: {visible(each.message)}", err=True)
