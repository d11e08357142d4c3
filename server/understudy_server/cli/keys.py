"""``understudy key``: who may call."""

import time
from enum import StrEnum
from typing import Annotated

import typer

from understudy_server.cli import completing
from understudy_server.cli.command import Desk, command
from understudy_server.cli.durations import read_moment
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.flag_names import naming

app = typer.Typer()


class RoleName(StrEnum):
    """What a key may do; each role includes the ones before it."""

    CI = "ci"
    EDITOR = "editor"
    ADMIN = "admin"


@command(app, "create")
async def create(
    desk: Desk,
    *,
    role: Annotated[RoleName, typer.Option(help="What it may do: each includes the ones before.")] = RoleName.CI,
    name: Annotated[str, typer.Option(help="Name for people.")] = "",
    expires: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Stops working then: 30d, 12h or 2027-06-23T12:00:00Z.")
    ] = None,
) -> None:
    """Make a key and print it. It is shown this once. --project and --environment bind it."""
    from understudy.v1.key_service_pb2 import CreateKeyRequest, CreateKeyResponse

    from understudy_server.app.times import stamp
    from understudy_server.cli.output import print_json

    request = CreateKeyRequest(role=f"ROLE_{role.name}", name=name)
    if expires is not None:
        request.expires_at.CopyFrom(stamp(_moment(expires)))
    with naming({"name": "--name", "expires_at": "--expires", "role": "--role"}):
        answer = await desk.call(request, CreateKeyResponse)
    if desk.as_json:
        print_json(answer)
        return
    # The key alone on the standard output, so that KEY=$(understudy key create) holds it.
    typer.echo(answer.text)
    reach = "/".join(part for part in (answer.key.project, answer.key.environment) if part) or "everything"
    typer.echo(f"{answer.key.id}: role {role}, for {reach}. It is not shown again.", err=True)


@command(app, "list")
async def list_keys(
    desk: Desk,
    *,
    search: Annotated[str, typer.Option(help="Only keys whose names contain this text.")] = "",
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Only keys that work, or that do not.")
    ] = None,
    role: Annotated[RoleName | None, typer.Option(help="Only keys with this role.")] = None,
    page_size: Annotated[int, typer.Option(min=1, max=1000, help="Most keys to show.")] = 100,
    page_token: Annotated[str, typer.Option(help="Where the page before ended.")] = "",
) -> None:
    """List keys, newest first, without their text."""
    from understudy.options.v1.options_pb2 import Role
    from understudy.v1.key_service_pb2 import Key, ListKeysRequest, ListKeysResponse

    from understudy_server.cli.output import print_json, print_next, print_table, short_moment

    request = ListKeysRequest(
        search=search,
        role=f"ROLE_{role.name}" if role else None,
        page_size=page_size,
        page_token=page_token,
    )
    if active is not None:
        request.active = active
    answer = await desk.call(request, ListKeysResponse)
    if desk.as_json:
        print_json(answer)
        return

    def row(key: Key) -> tuple[str, ...]:
        state = "works" if key.active else "revoked" if key.HasField("revoked_at") else "expired"
        reach = "/".join(part for part in (key.project, key.environment) if part) or "everything"
        expiry = short_moment(key.expires_at, known=key.HasField("expires_at"))
        role = Role.Name(key.role).removeprefix("ROLE_").lower()
        return (key.id, key.name, f"{key.hint}…", role, reach, state, expiry)

    columns = ("ID", "NAME", "KEY", "ROLE", "FOR", "STATE", "EXPIRES")
    is_filtered = search or active is not None or role
    empty = "No such keys." if is_filtered else "No keys. `understudy key create` makes one."
    print_table(columns, (row(key) for key in answer.keys), empty=empty)
    print_next("--page-token", answer.next_page_token)


@command(app, "revoke")
async def revoke(
    desk: Desk,
    key_id: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="Id of the key (key_...).", show_default=False, autocompletion=completing.keys
        ),
    ],
) -> None:
    """Revoke a key: it stops working at once."""
    from understudy.v1.key_service_pb2 import RevokeKeyRequest, RevokeKeyResponse

    from understudy_server.cli.output import print_json

    answer = await desk.call(RevokeKeyRequest(key_id=key_id), RevokeKeyResponse)
    if desk.as_json:
        print_json(answer.key)
    else:
        typer.echo(f"{answer.key.id} ({answer.key.hint}…) is revoked")


def _moment(text: str) -> int:
    try:
        return read_moment(text, time.time_ns() // 1_000_000)
    except ValueError as error:
        raise CommandFailed(ExitCode.USAGE, f"--expires: {error}") from error
