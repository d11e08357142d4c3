"""``understudy key``: who may call."""

import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from understudy_server.cli import completing
from understudy_server.cli.command import Desk, command
from understudy_server.cli.durations import read_moment
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.flag_names import naming

if TYPE_CHECKING:
    from understudy.v1.key_service_pb2 import Key

app = typer.Typer()

_KeyId = Annotated[
    str,
    typer.Argument(metavar="ID", help="Id of the key (key_...).", show_default=False, autocompletion=completing.keys),
]


class RoleName(StrEnum):
    """What a key may do; each role includes the ones before it."""

    CI = "ci"
    EDITOR = "editor"
    ADMIN = "admin"


class KindName(StrEnum):
    """Whose API a key is made for."""

    NATIVE = "native"
    FLAGBRIDGE = "flagbridge"


class ScopeName(StrEnum):
    """What a key of the kind flagbridge may do."""

    EVAL = "eval"
    TEST = "test"
    MGMT = "mgmt"
    FULL = "full"


@command(app, "create")
async def create(
    desk: Desk,
    *,
    role: Annotated[
        RoleName | None, typer.Option(help="What it may do: each includes the ones before. Default: ci.")
    ] = None,
    kind: Annotated[KindName, typer.Option(help="Whose API it is made for.")] = KindName.NATIVE,
    scope: Annotated[
        ScopeName | None, typer.Option(help="What it may do, with --kind flagbridge: full includes the others.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name for people.")] = "",
    expires: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Stops working then: 30d, 12h or 2027-06-23T12:00:00Z.")
    ] = None,
) -> None:
    """Make a key and print it. It is shown this once. --project and --environment bind it."""
    from understudy.v1.key_service_pb2 import CreateKeyRequest, CreateKeyResponse

    from understudy_server.app.times import stamp
    from understudy_server.cli.output import print_json

    request = CreateKeyRequest(name=name, kind=f"KEY_KIND_{kind.name}")
    if kind is KindName.NATIVE or role is not None:
        role = role or RoleName.CI
        request.MergeFrom(CreateKeyRequest(role=f"ROLE_{role.name}"))
    if scope is not None:
        request.MergeFrom(CreateKeyRequest(scope=f"KEY_SCOPE_{scope.name}"))
    if expires is not None:
        request.expires_at.CopyFrom(stamp(_moment(expires)))
    flags = {"name": "--name", "expires_at": "--expires", "role": "--role", "scope": "--scope", "kind": "--kind"}
    with naming(flags | {"project": "--project", "environment": "--environment"}):
        answer = await desk.call(request, CreateKeyResponse)
    if desk.as_json:
        print_json(answer)
        return
    # The key alone on the standard output, so that KEY=$(understudy key create) holds it.
    typer.echo(answer.text)
    may = f"scope {scope}" if scope else f"role {role}"
    typer.echo(f"{answer.key.id}: {may}, for {_reach(answer.key)}. It is not shown again.", err=True)


@command(app, "list")
async def list_keys(
    desk: Desk,
    *,
    search: Annotated[str, typer.Option(help="Only keys whose names contain this text.")] = "",
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Only keys that work, or that do not.")
    ] = None,
    role: Annotated[RoleName | None, typer.Option(help="Only keys with this role.")] = None,
    kind: Annotated[KindName | None, typer.Option(help="Only keys of this kind.")] = None,
    page_size: Annotated[int, typer.Option(min=1, max=1000, help="Most keys to show.")] = 100,
    page_token: Annotated[str, typer.Option(help="Where the page before ended.")] = "",
) -> None:
    """List keys, newest first, without their text."""
    from understudy.v1.key_service_pb2 import Key, ListKeysRequest, ListKeysResponse

    from understudy_server.cli.output import print_json, print_next, print_table, short_moment

    request = ListKeysRequest(
        search=search,
        role=f"ROLE_{role.name}" if role else None,
        kind=f"KEY_KIND_{kind.name}" if kind else None,
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
        expiry = short_moment(key.expires_at, known=key.HasField("expires_at"))
        return (key.id, key.name, f"{key.hint}…", *_kind_and_might(key), _reach(key), state, expiry)

    columns = ("ID", "NAME", "KEY", "KIND", "MAY", "FOR", "STATE", "EXPIRES")
    is_filtered = search or active is not None or role or kind
    empty = "No such keys." if is_filtered else "No keys. `understudy key create` makes one."
    print_table(columns, (row(key) for key in answer.keys), empty=empty)
    print_next("--page-token", answer.next_page_token)


@command(app, "rotate")
async def rotate(
    desk: Desk,
    key_id: _KeyId,
) -> None:
    """Give a key another text and print it: the old one stops working at once. It is shown this once."""
    from understudy.v1.key_service_pb2 import RotateKeyRequest, RotateKeyResponse

    from understudy_server.cli.output import print_json

    answer = await desk.call(RotateKeyRequest(key_id=key_id), RotateKeyResponse)
    if desk.as_json:
        print_json(answer)
        return
    typer.echo(answer.text)
    typer.echo(f"{answer.key.id} has another text. It is not shown again.", err=True)


@command(app, "revoke")
async def revoke(
    desk: Desk,
    key_id: _KeyId,
) -> None:
    """Revoke a key: it stops working at once."""
    from understudy.v1.key_service_pb2 import RevokeKeyRequest, RevokeKeyResponse

    from understudy_server.cli.output import print_json

    answer = await desk.call(RevokeKeyRequest(key_id=key_id), RevokeKeyResponse)
    if desk.as_json:
        print_json(answer.key)
    else:
        typer.echo(f"{answer.key.id} ({answer.key.hint}…) is revoked")


def _kind_and_might(key: "Key") -> tuple[str, str]:
    """The kind of a key, and its role or, of FlagBridge's, its scope."""
    from understudy.options.v1.options_pb2 import Role
    from understudy.v1.key_service_pb2 import KeyScope

    if key.scope:
        return KindName.FLAGBRIDGE, KeyScope.Name(key.scope).removeprefix("KEY_SCOPE_").lower()
    return KindName.NATIVE, Role.Name(key.role).removeprefix("ROLE_").lower()


def _reach(key: "Key") -> str:
    """What a key is for. One that manages flags does so in its whole project."""
    from understudy.v1.key_service_pb2 import KEY_SCOPE_FULL, KEY_SCOPE_MGMT

    place = "/".join(part for part in (key.project, key.environment) if part) or "everything"
    is_wider = key.environment and key.scope in (KEY_SCOPE_MGMT, KEY_SCOPE_FULL)
    return f"{place} and all flags of {key.project}" if is_wider else place


def _moment(text: str) -> int:
    try:
        return read_moment(text, time.time_ns() // 1_000_000)
    except ValueError as error:
        raise CommandFailed(ExitCode.USAGE, f"--expires: {error}") from error
