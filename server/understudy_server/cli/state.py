"""``understudy state``: what requests leave behind."""

import sys
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from understudy_server.cli import completing
from understudy_server.cli.command import Desk, command
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.flag_names import naming

app = typer.Typer()

_SHOWN_CHARACTERS_MAX = 200
_FLAGS = {
    "session_key": "--session",
    "chain": "--chain",
    "everything": "--everything",
    "prefix": "--prefix",
    "key": "KEY",
    "value": "VALUE",
    "by": "--by",
    "machine": "NAME",
    "state": "STATE",
}
"""What says it on the command line, by the fields of the requests."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose state a command is about; neither: the environment's own."""

    session: Annotated[
        str,
        typer.Option("--session", metavar="KEY", help="The state of this session.", autocompletion=completing.sessions),
    ] = ""
    chain: Annotated[
        str, typer.Option("--chain", metavar="NAME", help="The state that the mocks of this chain share.")
    ] = ""

    def __str__(self) -> str:
        if self.session:
            return f"session {self.session}"
        return f"chain {self.chain}" if self.chain else "the environment"

    def put_into(self, request: Any) -> None:
        """Say so in a request. Raises CommandFailed."""
        if self.session and self.chain:
            raise CommandFailed(ExitCode.USAGE, "--session and --chain are both given", "Name one of the two options.")
        request.session_key, request.chain = self.session, self.chain


Key = Annotated[
    str,
    typer.Argument(
        metavar="KEY",
        help="Key of the value, such as order.id.",
        show_default=False,
        autocompletion=completing.state_keys,
    ),
]


@command(app, "list")
async def list_values(
    desk: Desk,
    whose: Whose,
    *,
    prefix: Annotated[str, typer.Option(help="Only keys that begin with this text.")] = "",
    page_size: Annotated[int, typer.Option(min=1, max=1000, help="Most values to show.")] = 100,
    page_token: Annotated[str, typer.Option(help="Where the page before ended.")] = "",
) -> None:
    """List values in the order of their keys."""
    from understudy.v1.state_service_pb2 import ListStateValuesRequest, ListStateValuesResponse

    from understudy_server.cli.output import print_json, print_next, print_table

    request = ListStateValuesRequest(prefix=prefix, page_size=page_size, page_token=page_token)
    whose.put_into(request)
    with naming(_FLAGS):
        answer = await desk.call(request, ListStateValuesResponse)
    if desk.as_json:
        print_json(answer)
        return
    rows = ((each.key, _shortened(each.value)) for each in answer.values)
    empty = "No such values." if prefix else "No values. `understudy state set KEY VALUE` makes one."
    print_table(("KEY", "VALUE"), rows, empty=empty)
    print_next("--page-token", answer.next_page_token)


@command(app, "get")
async def get(desk: Desk, value_key: Key, whose: Whose) -> None:
    """Print a value, as JSON."""
    from understudy.v1.state_service_pb2 import GetStateValueRequest, GetStateValueResponse

    request = GetStateValueRequest(key=value_key)
    whose.put_into(request)
    with naming(_FLAGS):
        answer = await desk.call(request, GetStateValueResponse)
    _print_value(desk, answer.value)


@command(app, "set")
async def set_value(
    desk: Desk,
    value_key: Key,
    value: Annotated[
        str, typer.Argument(metavar="VALUE", help="JSON, such as 42 or '{\"id\": 7}'.", show_default=False)
    ],
    whose: Whose,
    *,
    text: Annotated[bool, typer.Option("--text", help="VALUE is text, and not JSON.")] = False,
) -> None:
    """Set a value.

    understudy state set order.id 42 --session ci-42
    """
    from understudy.v1.state_service_pb2 import SetStateValueRequest, SetStateValueResponse

    from understudy_server.cli.output import print_json

    request = SetStateValueRequest(key=value_key, value=_quoted(value) if text else value)
    whose.put_into(request)
    try:
        with naming(_FLAGS):
            answer = await desk.call(request, SetStateValueResponse)
    except CommandFailed as failure:
        if failure.problem and failure.problem.rule == "json":
            advice = "Text stands in quotes in JSON; with --text it is taken as it is."
            raise CommandFailed(failure.exit_code, failure.message, advice, problem=failure.problem) from failure
        raise
    if desk.as_json:
        print_json(answer.value)
    else:
        typer.echo(f"{value_key} of {whose} is set")


@command(app, "increment")
async def increment(
    desk: Desk,
    value_key: Key,
    whose: Whose,
    *,
    by: Annotated[int, typer.Option(help="What to add.")] = 1,
) -> None:
    """Add to a number, in one go, and print the sum; what is not there yet counts as 0."""
    from understudy.v1.state_service_pb2 import IncrementStateValueRequest, IncrementStateValueResponse

    request = IncrementStateValueRequest(key=value_key, by=by)
    whose.put_into(request)
    with naming(_FLAGS):
        answer = await desk.call(request, IncrementStateValueResponse)
    _print_value(desk, answer.value)


@command(app, "delete")
async def delete(desk: Desk, value_key: Key, whose: Whose) -> None:
    """Remove a value."""
    from understudy.v1.state_service_pb2 import DeleteStateValueRequest, DeleteStateValueResponse

    from understudy_server.cli.output import print_json

    request = DeleteStateValueRequest(key=value_key)
    whose.put_into(request)
    with naming(_FLAGS):
        answer = await desk.call(request, DeleteStateValueResponse)
    if desk.as_json:
        print_json(answer)
    else:
        typer.echo(f"{value_key} of {whose} is removed")


@command(app, "show")
async def show(desk: Desk, whose: Whose) -> None:
    """Show the machines that are not in their first state, and how often mocks were used."""
    from understudy.v1.state_service_pb2 import GetStateRequest, GetStateResponse

    from understudy_server.cli.output import print_json, print_table

    request = GetStateRequest()
    whose.put_into(request)
    with naming(_FLAGS):
        answer = await desk.call(request, GetStateResponse)
    if desk.as_json:
        print_json(answer)
        return
    machines = [(each.machine, each.state) for each in answer.machines]
    print_table(("MACHINE", "STATE"), machines, empty="Every machine is in its first state.")
    typer.echo()
    uses = [(each.mock_id, str(each.uses)) for each in answer.uses]
    print_table(("MOCK", "USES"), uses, empty="No mock that counts was used.")


@command(app, "machine")
async def machine(
    desk: Desk,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the machine.", show_default=False)],
    whose: Whose,
    state: Annotated[str, typer.Argument(metavar="[STATE]", help="The state; none: where it began.")] = "",
) -> None:
    """Put a machine into a state, whatever state it is in.

    understudy state machine order paid --session ci-42
    """
    from understudy.v1.state_service_pb2 import SetMachineRequest, SetMachineResponse

    from understudy_server.cli.output import print_json, visible

    request = SetMachineRequest(machine=name, state=state)
    whose.put_into(request)
    with naming(_FLAGS):
        answer = await desk.call(request, SetMachineResponse)
    if desk.as_json:
        print_json(answer.machine)
    else:
        typer.echo(f"machine {name} of {whose} is in the state {visible(answer.machine.state)}")


@command(app, "reset")
async def reset(
    desk: Desk,
    whose: Whose,
    *,
    everything: Annotated[
        bool, typer.Option("--everything", help="All state of the environment, of every session and chain in it.")
    ] = False,
) -> None:
    """Clear values, machines and counts: they begin anew.

    Without options those that belong to the environment itself. `understudy session reset KEY` clears what is switched
    on for a session, too.
    """
    from understudy.v1.state_service_pb2 import ResetStateRequest, ResetStateResponse

    from understudy_server.cli.output import print_json

    if everything and (whose.session or whose.chain):
        raise CommandFailed(
            ExitCode.USAGE, "--everything is not that of a session or chain alone", "Leave one of the options out."
        )
    request = ResetStateRequest(everything=everything)
    whose.put_into(request)
    with naming(_FLAGS):
        answer = await desk.call(request, ResetStateResponse)
    if desk.as_json:
        print_json(answer)
    else:
        typer.echo(f"the state of {'everything in the environment' if everything else whose} begins anew")


def _print_value(desk: Desk, value: Any) -> None:
    """Print a value: by itself as it was given, so that a script can read it, and on a terminal without surprises."""
    from understudy_server.cli.output import print_json, visible

    if desk.as_json:
        print_json(value)
    elif sys.stdout.isatty():
        typer.echo("\n".join(map(visible, value.value.splitlines())))
    else:
        typer.echo(value.value)


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS_MAX else f"{text[: _SHOWN_CHARACTERS_MAX - 1]}…"


def _quoted(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=False)
