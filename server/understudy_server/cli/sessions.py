"""``understudy session``: isolated test state, read and set."""

from typing import TYPE_CHECKING, Annotated

import typer

from understudy_server.cli import completing
from understudy_server.cli.command import Desk, command
from understudy_server.cli.durations import seconds_of
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.flag_names import naming
from understudy_server.cli.json_words import object_of
from understudy_server.cli.session_keys import SessionKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from understudy.v1.session_service_pb2 import Session

app = typer.Typer()

_NUMBER_MAX = 2**31
_FLAGS = {
    "session_key": "KEY",
    "scenario": "--scenario",
    "overrides": "--override",
    "global_delay_ms": "--delay-ms",
    "global_delay_max_ms": "--delay-max-ms",
    "label": "--label",
    "ttl_seconds": "--ttl",
    "seed": "--seed",
    "flags": "--flag",
}
"""The flags that set a session, by the fields of the request."""


@command(app, "get")
async def get(desk: Desk, session_key: SessionKey) -> None:
    """Show a session."""
    from understudy.v1.session_service_pb2 import GetSessionRequest, GetSessionResponse

    answer = await desk.call(GetSessionRequest(session_key=session_key), GetSessionResponse)
    show(desk, answer.session)


@command(app, "put")
async def put(
    desk: Desk,
    session_key: SessionKey,
    *,
    scenario: Annotated[
        str | None, typer.Option(help="Id of the scenario to make active.", autocompletion=completing.scenarios)
    ] = None,
    no_scenario: Annotated[bool, typer.Option("--no-scenario", help="No scenario.")] = False,
    override: Annotated[
        list[str] | None,
        typer.Option(
            "--override",
            help="Id of a mock to be on; repeat it for the exact set.",
            autocompletion=completing.mocks,
        ),
    ] = None,
    no_overrides: Annotated[bool, typer.Option("--no-overrides", help="Switch all off.")] = False,
    delay_ms: Annotated[
        int | None, typer.Option(min=0, max=_NUMBER_MAX, help="Delay before every answer, in milliseconds.")
    ] = None,
    delay_max_ms: Annotated[
        int | None, typer.Option(min=0, max=_NUMBER_MAX, help="Upper end of a random delay, in milliseconds.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="A note for people.")] = None,
    no_label: Annotated[bool, typer.Option("--no-label", help="No note.")] = False,
    ttl: Annotated[str | None, typer.Option(metavar="TIME", help="Ends by itself after this time: 90s, 1h.")] = None,
    no_ttl: Annotated[bool, typer.Option("--no-ttl", help="Does not end by itself.")] = False,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**32 - 1, help="What all draws by chance follow from.")
    ] = None,
    no_seed: Annotated[bool, typer.Option("--no-seed", help="Draws follow from the key.")] = False,
    flag: Annotated[
        list[str] | None,
        typer.Option("--flag", metavar="KEY=VALUE", help="What a flag is, JSON or text; repeat it for the exact set."),
    ] = None,
    no_flags: Annotated[bool, typer.Option("--no-flags", help="No flags of its own.")] = False,
) -> None:
    """Set a session, made when missing. What is not named stays as it is."""
    from understudy.v1.session_service_pb2 import PutSessionRequest, PutSessionResponse

    request = PutSessionRequest(
        session_key=session_key,
        scenario=scenario,
        overrides=override or [],
        global_delay_ms=delay_ms,
        global_delay_max_ms=delay_max_ms,
        label=label,
        ttl_seconds=None if ttl is None else seconds_of("--ttl", ttl),
        seed=seed,
        flags=object_of("--flag", flag) if flag else None,
    )
    named = {
        "scenario": (scenario is not None, no_scenario),
        "overrides": (bool(override), no_overrides),
        "global_delay_ms": (delay_ms is not None, False),
        "global_delay_max_ms": (delay_max_ms is not None, False),
        "label": (label is not None, no_label),
        "ttl_seconds": (ttl is not None, no_ttl),
        "seed": (seed is not None, no_seed),
        "flags": (bool(flag), no_flags),
    }
    for field, (given, cleared) in named.items():
        if given and cleared:
            raise CommandFailed(
                ExitCode.USAGE, f"{_FLAGS[field]} is both given and cleared", "Name one of the two options."
            )
    request.update_mask.paths.extend(field for field, ways in named.items() if any(ways))
    with naming(_FLAGS):
        answer = await desk.call(request, PutSessionResponse)
    show(desk, answer.session)


@command(app, "reset")
async def reset(desk: Desk, session_key: SessionKey) -> None:
    """Clear scenario, overrides, delays, flags, own mocks and state of a session; it stays."""
    await _tear_down(desk, session_key, remove=False)


@command(app, "delete")
async def delete(
    desk: Desk,
    session_key: SessionKey,
    *,
    purge_journal: Annotated[bool, typer.Option("--purge-journal", help="Remove its logs too.")] = False,
) -> None:
    """Remove a session with its own mocks and its state; its logs stay, unless they are purged."""
    await _tear_down(desk, session_key, remove=True, purge_journal=purge_journal)


@command(app, "list")
async def list_sessions(
    desk: Desk,
    *,
    search: Annotated[str, typer.Option(help="Only keys and labels that contain this text.")] = "",
    scenario: Annotated[
        str, typer.Option(help="Only sessions in this scenario.", autocompletion=completing.scenarios)
    ] = "",
    override: Annotated[
        str,
        typer.Option(
            help="Only sessions for which this mock was switched on by itself.", autocompletion=completing.mocks
        ),
    ] = "",
    page_size: Annotated[int, typer.Option(min=1, max=1000, help="Most sessions to show.")] = 100,
    page_token: Annotated[str, typer.Option(help="Where the page before ended.")] = "",
) -> None:
    """List the sessions of an environment in the order of their keys."""
    from understudy.v1.session_service_pb2 import ListSessionsRequest, ListSessionsResponse

    from understudy_server.cli.output import print_json, print_next, print_table, short_moment

    request = ListSessionsRequest(
        search=search, scenario=scenario, override=override, page_size=page_size, page_token=page_token
    )
    answer = await desk.call(request, ListSessionsResponse)
    if desk.as_json:
        print_json(answer)
        return
    rows = (
        (
            each.session.session_key,
            each.session.scenario,
            " ".join(each.session.overrides),
            _delay(each.session),
            each.session.label,
            short_moment(each.session.last_seen_at, known=each.session.HasField("last_seen_at")),
            " ".join(each.findings),
        )
        for each in answer.sessions
    )
    columns = ("KEY", "SCENARIO", "OVERRIDES", "DELAY", "LABEL", "LAST SEEN", "FINDINGS")
    filtered = search or scenario or override
    none = "No such sessions." if filtered else "No sessions. `understudy session put KEY` makes one."
    print_table(columns, rows, empty=none)
    print_next("--page-token", answer.next_page_token)


async def _tear_down(desk: Desk, session_key: str, *, remove: bool, purge_journal: bool = False) -> None:
    from understudy.v1 import session_service_pb2 as pb

    from understudy_server.cli.output import print_json

    mode = pb.DELETE_MODE_DELETE if remove else pb.DELETE_MODE_RESET
    request = pb.DeleteSessionRequest(session_key=session_key, mode=mode, purge_journal=purge_journal)
    answer = await desk.call(request, pb.DeleteSessionResponse)
    if desk.as_json:
        print_json(answer)
    else:
        typer.echo(f"session {session_key} {'removed' if remove else 'reset'}")


def show(desk: Desk, session: "Session") -> None:
    """Print a session, and what is odd about its flags."""
    from understudy_server.cli.output import moment, print_facts, print_json, visible

    if desk.as_json:
        print_json(session)
        return
    print_facts(
        (
            ("session", session.session_key),
            ("in", f"{session.project}/{session.environment}"),
            *what_is_set(session),
            ("last seen", moment(session.last_seen_at, known=session.HasField("last_seen_at"))),
        )
    )
    for each in session.warnings:
        typer.echo(f"warning: {visible(each.message)}", err=True)


def what_is_set(session: "Session") -> "Sequence[tuple[str, str]]":
    """Names and values of all that can be set of a session; empty where it is not."""
    from understudy_server.cli.output import moment

    return (
        ("scenario", session.scenario),
        ("overrides", " ".join(session.overrides)),
        ("delay", _delay(session)),
        ("label", session.label),
        ("seed", str(session.seed) if session.HasField("seed") else ""),
        ("flags", session.flags),
        ("frozen", moment(session.frozen_at, known=session.HasField("frozen_at"))),
        ("expires", moment(session.expires_at, known=session.HasField("expires_at"))),
    )


def _delay(session: "Session") -> str:
    low, high = session.global_delay_ms, session.global_delay_max_ms
    if high > low:
        return f"{low} to {high} ms"
    return f"{low} ms" if low else ""
